"""Data by URI: from a server of S3's protocol, from the web, from fsspec's store in memory."""

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import fsspec
import pytest
from fsspec.implementations.http import HTTPFileSystem

from schemas.errors import InputError, RunError
from schemas.manifest import Manifest
from tasks.preflight.checks import check_recipe
from tasks.preflight.opening import run_facts
from tasks.release import fetch
from tasks.release.data_input import data_sha256, open_table
from tasks.release.fetch import local_copy
from tasks.release.outlet import open_outlet
from tasks.release.stores import open_files

LINES = b'{"text": "a", "label": "x"}\n{"text": "b", "label": "y"}\n'


@pytest.fixture
def files(bucket: str) -> Any:
    return fsspec.filesystem("s3", use_listings_cache=False)


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("CORPUSMITH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def count_fetches(files: Any, patch: pytest.MonkeyPatch) -> list[str]:
    fetched: list[str] = []
    real = files.get_file

    def get(source: str, target: str, **options: Any) -> Any:
        fetched.append(source)
        return real(source, target, **options)

    patch.setattr(files, "get_file", get)
    return fetched


@pytest.mark.parametrize("place", ["a/b.csv", Path("a/b.csv"), "file://a/b.csv"])
def test_a_path_stands_for_itself(place: Any) -> None:
    assert local_copy(place) == Path("a/b.csv")


def test_a_file_is_fetched_once_and_anew_when_it_has_changed(
    files: Any, bucket: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    uri = f"{bucket}/real/mails.jsonl"
    files.pipe_file(uri, LINES)
    with monkeypatch.context() as patch:
        fetched = count_fetches(files, patch)
        first = local_copy(uri)
        assert first.name == "mails.jsonl"
        assert first.read_bytes() == LINES
        assert local_copy(uri) == first
        assert len(fetched) == 1
        files.pipe_file(uri, LINES.replace(b'"a"', b'"c"'))
        changed = local_copy(uri)
        assert len(fetched) == 2
    assert b'"c"' in changed.read_bytes()
    assert first.read_bytes() == LINES, "who reads the old copy goes on reading it"
    assert not list(tmp_path.rglob(".tmp-*"))


def test_a_folder_gives_its_data_alone(files: Any, bucket: str) -> None:
    for name in ("b.jsonl", "a.jsonl", "notes.txt", "deeper/c.jsonl"):
        files.pipe_file(f"{bucket}/real/{name}", LINES)
    folder = local_copy(f"{bucket}/real/")
    assert folder.name == "real"
    assert sorted(path.name for path in folder.iterdir()) == ["a.jsonl", "b.jsonl"]


def test_a_corpus_stands_for_its_newest_release(
    files: Any,
    bucket: str,
    write_release: Callable[[Path, Manifest], Path],
    manifest: Manifest,
) -> None:
    outlet = open_outlet(bucket)
    release = write_release(outlet.home("mini"), manifest)
    place = outlet.deliver(release)
    for uri in (f"{bucket}/mini", str(place)):
        copy = local_copy(uri)
        assert copy.name == manifest.version
        assert open_table(copy).num_rows == 24
        assert data_sha256(copy) == data_sha256(release)


def test_what_dies_on_the_way_leaves_nothing(
    files: Any, bucket: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    uri = f"{bucket}/mails.jsonl"
    files.pipe_file(uri, LINES)

    def short(source: str, target: str, **options: Any) -> None:
        Path(target).write_bytes(LINES[:-5])

    def dies(source: str, target: str, **options: Any) -> None:
        Path(target).write_bytes(LINES[:5])
        raise ConnectionResetError("reset by peer")

    def changes(source: str, target: str, **options: Any) -> None:
        Path(target).write_bytes(LINES)
        files.pipe_file(uri, LINES.replace(b'"a"', b'"c"'))

    for get, what in ((short, "bytes of"), (dies, "reset by peer"), (changes, "was changed")):
        with monkeypatch.context() as patch:
            patch.setattr(files, "get_file", get)
            with pytest.raises(RunError, match=what) as caught:
                local_copy(uri)
        assert (caught.value.code, caught.value.exit_code) == ("CS-D006", 3)
        assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("uri", "what"),
    [
        ("s3://no-such-bucket-here/x.csv", "nothing at this address"),
        ("{bucket}/none.csv", "nothing at this address"),
        ("{bucket}/folder", "holds no"),
        ("nowhere://a/b.csv", "not known"),
        ("s3://key:hunter22@bucket/x.csv", "user, password"),
        ("https://host/x.csv?signature=hunter22", "query"),
    ],
)
def test_what_cannot_be_fetched_is_told(uri: str, what: str, files: Any, bucket: str) -> None:
    files.pipe_file(f"{bucket}/folder/notes.txt", b"mine")
    with pytest.raises(InputError, match=what) as caught:
        local_copy(uri.format(bucket=bucket))
    assert (caught.value.code, caught.value.exit_code) == ("CS-D005", 2)
    assert "hunter22" not in f"{caught.value.message}{caught.value.place}{caught.value.hint}"


def test_more_than_the_bound_is_refused(
    files: Any, bucket: str, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    files.pipe_file(f"{bucket}/mails.jsonl", LINES)
    monkeypatch.setattr(fetch, "MOST_BYTES", len(LINES) - 1)
    with pytest.raises(InputError, match="larger than"):
        local_copy(f"{bucket}/mails.jsonl")
    assert not cache.exists()


class Web(BaseHTTPRequestHandler):
    """`/plain.csv` says when it changed, `/endless.csv` says nothing; `/away` leads elsewhere."""

    content = b"text,label\na,x\n"

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        if self.path == "/away.csv":
            self.send_response(302)
            self.send_header("Location", "/plain.csv")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200)
        if self.path == "/plain.csv":
            self.send_header("Last-Modified", "Sat, 21 Nov 2026 08:15:00 GMT")
            self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(self.content)

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


@pytest.fixture
def web(cache: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Web)
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_the_web(web: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = local_copy(f"{web}/plain.csv")
    assert first.read_bytes() == Web.content
    assert local_copy(f"{web}/plain.csv") == first
    copy = local_copy(f"{web}/endless.csv")
    assert copy.read_bytes() == Web.content
    monkeypatch.setattr(Web, "content", b"text,label\nb,x\n")
    assert local_copy(f"{web}/plain.csv").read_bytes() != Web.content, "its date says the same"
    assert local_copy(f"{web}/endless.csv").read_bytes() == Web.content, "nothing says it is old"
    monkeypatch.setattr(fetch, "MOST_BYTES", 3)
    with pytest.raises(InputError, match="larger than"):
        local_copy(f"{web}/endless.csv")


def test_nothing_leads_from_https_to_a_service_of_the_local_network(web: str) -> None:
    guard = open_files("https://example.org/x.csv")[0].client_kwargs
    files = HTTPFileSystem(client_kwargs=guard, skip_instance_cache=True)
    assert files.cat_file(f"{web}/plain.csv") == Web.content
    with pytest.raises(PermissionError, match="leads on to http://"):
        files.cat_file(f"{web}/away.csv")


def test_a_recipe_names_public_data_and_the_command_line_any(
    files: Any, bucket: str, scripted: Any, tmp_path: Path
) -> None:
    files.pipe_file(f"{bucket}/private.jsonl", LINES)
    files.pipe_file(f"{bucket}/public.jsonl", LINES, ACL="public-read")
    local = tmp_path / "recipe" / "public.jsonl"
    loaded = check_recipe(scripted(audit={"holdout": f"{bucket}/public.jsonl"}))
    local.write_bytes(LINES)
    inputs = run_facts(loaded).inputs
    assert inputs["holdout"] == data_sha256(local), "its content is a part of the recipe"
    path = scripted(audit={"holdout": f"{bucket}/private.jsonl"})
    with pytest.raises(InputError, match="no access") as caught:
        check_recipe(path)
    assert caught.value.code == "CS-D005"
    assert "--set" in caught.value.hint
    assert caught.value.place.startswith(f"{path}:")
    assert f"{bucket}/private.jsonl" in caught.value.place
    assert check_recipe(path, overrides=[f"audit.holdout={bucket}/private.jsonl"])


def test_examples_by_uri_reach_the_prompts(files: Any, bucket: str, scripted: Any) -> None:
    lines = [
        {"text": f"{label} says {n}", "label": label}
        for label in ("alpha", "beta", "gamma")
        for n in range(4)
    ]
    content = "".join(json.dumps(line) + "\n" for line in lines).encode()
    files.pipe_file(f"{bucket}/examples.jsonl", content)
    overrides = [f"prompt.examples.path={bucket}/examples.jsonl"]
    path = scripted(prompt={"template": "intent", "examples": {"path": "none.jsonl", "per_row": 2}})
    assert any("alpha says" in prompt for prompt in check_recipe(path, overrides=overrides).prompts)


@pytest.mark.parametrize(
    "uri",
    [
        "file:///etc/passwd",
        "local:///etc/passwd",
        "memory://x/y.csv",
        "http://169.254.169.254/latest",
        "ftp://host/x.csv",
        "simplecache::s3://bucket/x.csv",
        "s3://key:hunter22@bucket/x.csv",
        "https://host/x.csv?token=hunter22",
        "https://host/x.csv::file:///etc/passwd",
        "s3://",
    ],
)
@pytest.mark.parametrize("given", [False, True])
def test_a_hostile_recipe_reads_nothing(uri: str, given: bool, scripted: Any, cache: Path) -> None:
    overrides = [f"audit.reference={uri}"] if given else []
    path = scripted(audit={} if given else {"reference": uri})
    with pytest.raises(InputError) as caught:
        check_recipe(path, overrides=overrides)
    assert caught.value.code in ("CS-R008", "CS-D001")
    assert "hunter22" not in f"{caught.value.message}{caught.value.hint}"
    assert not cache.exists()
