"""Releases on their way into stores: a server of S3's protocol, and fsspec's store in memory."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import pytest

from schemas.errors import InputError, RunError
from schemas.manifest import Manifest
from tasks.release.corpus_store import CorpusStore
from tasks.release.destination import Store
from tasks.release.manifest import package_versions
from tasks.release.outlet import Folder, StagedStore, open_outlet, read_manifest
from tasks.release.publish import latest

Write = Callable[[Path, Manifest], Path]
FIRST, SECOND, THIRD = (f"2026112{day}T081500Z-abc123def456" for day in (1, 2, 3))


@pytest.fixture(params=["s3", "memory"])
def out(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    if request.param == "s3":
        return f"{request.getfixturevalue('bucket')}/corpora"
    fsspec.filesystem("memory").store.clear()
    monkeypatch.setenv("CORPUSMITH_CACHE", str(tmp_path / "cache"))
    return "memory://corpora"


@pytest.fixture
def files(out: str) -> Any:
    """The very file system that the code writes with: fsspec keeps one of a kind."""
    return fsspec.filesystem(out.partition("://")[0], use_listings_cache=False)


@pytest.fixture
def outlet(out: str) -> StagedStore:
    found = open_outlet(out)
    assert isinstance(found, StagedStore)
    return found


@pytest.fixture
def make(write_release: Write, manifest: Manifest, outlet: StagedStore) -> Callable[..., Path]:
    """Makes a version in the staging folder, as a run does."""

    def write(version: str, **changes: Any) -> Path:
        changed = {"version": version, "packages": package_versions(), **changes}
        return write_release(outlet.home("mini"), manifest.model_copy(update=changed))

    return write


def on_machine(outlet: StagedStore, name: str) -> StagedStore:
    """Another machine: the same store, an empty staging folder."""
    return StagedStore(outlet.store, outlet.folder.with_name(name))


def pointer(files: Any, out: str) -> str:
    return str(json.loads(files.cat_file(f"{out}/mini/latest.json"))["version"])


def lying(files: Any, folder: str) -> set[str]:
    """Paths of the files below a folder of the store."""
    root = files._strip_protocol(folder)
    return {path.removeprefix(f"{root}/") for path in files.find(root)}


def inside(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


class Watch:
    """Counts what a store is given, in order, and lets the connection die at one of them."""

    def __init__(self, files: Any, patch: pytest.MonkeyPatch, *, dies_at: int = -1) -> None:
        self.given: list[str] = []
        for method in ("put_file", "pipe_file"):
            patch.setattr(files, method, self._watching(getattr(files, method), method, dies_at))

    def _watching(self, real: Any, method: str, dies_at: int) -> Any:
        def give(first: str, *more: Any, **options: Any) -> Any:
            if len(self.given) == dies_at:
                raise ConnectionResetError("reset by peer")
            self.given.append(str(more[0] if method == "put_file" else first))
            return real(first, *more, **options)

        return give


def test_every_file_arrives_the_manifest_last_and_then_the_pointer(
    outlet: StagedStore, make: Any, files: Any, out: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = make(FIRST)
    with monkeypatch.context() as patch:
        watch = Watch(files, patch)
        place = outlet.deliver(release)
    assert place == f"{out}/mini/{FIRST}"
    assert [path.rpartition("/")[2] for path in watch.given[-3:]] == [
        "checksums.txt",
        "manifest.json",
        "latest.json",
    ]
    assert lying(files, str(place)) == inside(release)
    for path in inside(release):
        assert files.cat_file(f"{place}/{path}") == (release / path).read_bytes()
    assert pointer(files, out) == FIRST
    assert read_manifest(place) == read_manifest(release)


def test_death_at_any_put_is_finished_by_the_next_run(
    outlet: StagedStore, make: Any, files: Any, out: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    outlet.deliver(make(FIRST))
    release = make(SECOND, parent=FIRST)
    whole, sent, told, deaths = inside(release), set[str](), set[object](), 0
    while True:
        with monkeypatch.context() as patch:
            watch = Watch(files, patch, dies_at=3)
            try:
                outlet.catch_up(release.parent)
                break
            except RunError as error:
                told.add((error.code, error.exit_code, error.retryable))
        deaths += 1
        assert deaths < 9
        assert pointer(files, out) == FIRST
        assert f"{out}/mini/{SECOND}/manifest.json" not in watch.given or len(watch.given) == 3
        rows = {path for path in watch.given if "checksums" not in path}
        assert not rows & sent, "what has arrived is not sent again"
        sent |= rows
        assert outlet.standing(release.parent, recipe_sha256="?") is None
    assert deaths > 1
    assert told == {("CS-U004", 3, True)}
    assert pointer(files, out) == SECOND
    assert lying(files, f"{out}/mini/{SECOND}") == whole
    assert outlet.catch_up(release.parent) is None, "there is nothing left to send"


def test_no_reader_takes_half_a_release_for_one(
    outlet: StagedStore, make: Any, files: Any, out: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = make(FIRST)
    for number in range(len(inside(release)) - 1):
        with monkeypatch.context() as patch:
            Watch(files, patch, dies_at=number)
            for path in list(lying(files, f"{out}/mini")):
                files.rm_file(f"{out}/mini/{path}")
            with pytest.raises(RunError):
                outlet.deliver(release)
        assert not files.exists(f"{out}/mini/{FIRST}/manifest.json")
        assert not files.exists(f"{out}/mini/latest.json")


def test_an_empty_machine_behaves_like_the_old_one(
    outlet: StagedStore, make: Any, manifest: Manifest, files: Any, out: str
) -> None:
    outlet.deliver(make(FIRST))
    other = on_machine(outlet, "other")
    home = other.home("mini")
    home.mkdir(parents=True)
    same = manifest.recipe_sha256
    assert other.standing(home, recipe_sha256=same) == f"{out}/mini/{FIRST}"
    assert other.standing(home, recipe_sha256="0" * 64) is None
    assert other.catch_up(home) is None
    found = latest(home.parent, "mini")
    assert found is not None
    assert found.version == FIRST
    rows = CorpusStore(f"{out}/mini").fetch_rows(FIRST, home)
    assert rows == home / FIRST
    assert inside(rows) == {
        path for path in inside(outlet.home("mini") / FIRST) if "data/" in path
    } | {"manifest.json"}
    gone = next(path for path in lying(files, f"{out}/mini/{FIRST}") if path.startswith("data/"))
    files.rm_file(f"{out}/mini/{FIRST}/{gone}")
    assert other.standing(home, recipe_sha256=same) is None, "only what stands whole counts"


def test_rows_that_were_changed_in_the_store_are_not_compared_with(
    outlet: StagedStore, make: Any, files: Any, out: str, tmp_path: Path
) -> None:
    outlet.deliver(make(FIRST))
    changed = f"{out}/mini/{FIRST}/data/train-00000-of-00001.parquet"
    files.pipe_file(changed, b"x" * files.info(changed)["size"])
    with pytest.raises(RunError) as caught:
        CorpusStore(f"{out}/mini").fetch_rows(FIRST, tmp_path)
    assert caught.value.code == "CS-W001"
    assert not list(tmp_path.glob("*2026*")), "nothing half is left"
    assert CorpusStore(f"{out}/mini").fetch_rows(SECOND, tmp_path) is None


def test_two_machines_at_once_one_pointer(
    outlet: StagedStore, make: Any, write_release: Write, manifest: Manifest, files: Any, out: str
) -> None:
    """Both begin with the same newest release; the second to arrive is told, and stands aside."""
    outlet.deliver(make(FIRST))
    other = on_machine(outlet, "other")
    home = other.home("mini")
    home.mkdir(parents=True)
    other.catch_up(home)
    outlet.deliver(make(SECOND, parent=FIRST))
    late = write_release(home, manifest.model_copy(update={"version": THIRD, "parent": FIRST}))
    with pytest.raises(RunError) as caught:
        other.deliver(late)
    assert (caught.value.code, caught.value.exit_code) == ("CS-U006", 3)
    assert SECOND in caught.value.message
    assert pointer(files, out) == SECOND
    assert files.exists(f"{out}/mini/{THIRD}/manifest.json"), "the work is not lost"
    assert other.catch_up(home) is None, "it is not tried again"
    found = latest(home.parent, "mini")
    assert found is not None
    assert found.version == SECOND


def test_s3_refuses_a_pointer_that_was_replaced_in_the_last_moment(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = fsspec.filesystem("s3", use_listings_cache=False)
    corpus, target = CorpusStore(f"{bucket}/mini"), f"{bucket}/mini/latest.json"
    for before in (None, b"seen"):
        if before is not None:
            files.pipe_file(target, before)
        real = files.pipe_file

        def pipe(path: str, content: bytes, real: Any = real, **options: Any) -> None:
            real(path, b"another's")
            real(path, content, **options)

        with monkeypatch.context() as patch:
            patch.setattr(files, "pipe_file", pipe)
            with pytest.raises(RunError) as caught:
                corpus.point(b"own", seen=before)
        assert caught.value.code == "CS-U006"
        assert files.cat_file(target) == b"another's"
    corpus.point(b"own", seen=b"another's")
    assert files.cat_file(target) == b"own"


def test_a_failed_version_lies_beside_and_moves_nothing(
    outlet: StagedStore, make: Any, files: Any, out: str
) -> None:
    outlet.deliver(make(FIRST))
    for created in ("2026-11-22T08:15:00Z", "2026-11-22T08:15:01Z"):
        failed = make(SECOND, verdict="fail", created=created)
        place = outlet.deliver(failed)
        assert place == f"{out}/mini/{SECOND}-failed"
        assert read_manifest(place).created == created, (
            "an earlier failure of this name is replaced"
        )
        assert pointer(files, out) == FIRST
        assert not failed.exists(), "the staging folder does not grow"
    assert outlet.catch_up(failed.parent) is None


def test_old_versions_go_and_the_named_one_stays(
    outlet: StagedStore, make: Any, files: Any, out: str
) -> None:
    for version in (SECOND, THIRD, FIRST):
        outlet.deliver(make(version))
    home = outlet.home("mini")
    half, notes = f"{out}/mini/20200101T000000Z-abcabcabcabc", f"{out}/mini/notes/mine.txt"
    files.pipe_file(f"{half}/data/train.parquet", b"half")
    files.pipe_file(notes, b"mine")
    outlet.retire(home, keep=2, failed=True)
    assert files.exists(half)
    outlet.retire(home, keep=2, failed=False)
    left = {path.partition("/")[0] for path in lying(files, f"{out}/mini")}
    assert left == {"latest.json", "notes", FIRST, THIRD}, "latest.json names the oldest"
    outlet.retire(home, keep=1, failed=False)
    left = {path.partition("/")[0] for path in lying(files, f"{out}/mini")}
    assert left == {"latest.json", "notes", FIRST}


def test_a_bucket_that_is_not_there(bucket: str, s3_server: str) -> None:
    corpus = CorpusStore("s3://no-such-bucket-here/mini")
    for ask in (corpus.pointer, corpus.probe):
        with pytest.raises(InputError, match="bucket does not exist") as caught:
            ask()
        assert (caught.value.code, caught.value.exit_code) == ("CS-O001", 2)
    assert CorpusStore(f"{bucket}/mini").pointer() is None
    CorpusStore(f"{bucket}/mini").probe()
    assert not fsspec.filesystem("s3").find(bucket)


def test_a_damaged_pointer_is_told(out: str, files: Any, outlet: StagedStore) -> None:
    files.pipe_file(f"{out}/mini/latest.json", b'{"version": "../../etc"}')
    home = outlet.home("mini")
    home.mkdir(parents=True)
    for ask in (lambda: outlet.standing(home, recipe_sha256="?"), lambda: outlet.catch_up(home)):
        with pytest.raises(RunError) as caught:
            ask()
        assert caught.value.code == "CS-W001"


@pytest.mark.parametrize(
    ("out", "folder"), [("out", "out"), ("file:///a/b", "/a/b"), (Path("x"), "x")]
)
def test_a_folder_is_a_folder(out: Any, folder: str) -> None:
    assert open_outlet(out) == Folder(Path(folder))


@pytest.mark.parametrize(
    "out",
    [
        "s3://key:hunter22@bucket/x",
        "s3://bucket/x?secret=hunter22",
        "nowhere://bucket/x",
        "s3://",
        Path("s3://bucket/x"),
    ],
)
def test_a_place_that_cannot_be_is_refused(out: Any) -> None:
    with pytest.raises(InputError) as caught:
        open_outlet(out)
    assert caught.value.code == "CS-U003"
    assert "hunter22" not in f"{caught.value.message}{caught.value.place}{caught.value.hint}"


def test_staging_folders_are_by_uri_and_can_be_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CORPUSMITH_CACHE", str(tmp_path))
    one, other = open_outlet("memory://a/b"), open_outlet("memory://a-b")
    assert one.folder.parent == other.folder.parent == tmp_path / "staging"
    assert one.folder != other.folder
    assert open_outlet("memory://a/b/") == one
    assert one == StagedStore(Store("memory://a/b"), one.folder)
    monkeypatch.setenv("CORPUSMITH_WORK", str(tmp_path / "fast"))
    assert open_outlet("memory://a/b").folder == tmp_path / "fast" / one.folder.name


def test_the_same_version_of_another_machine_is_not_touched(
    outlet: StagedStore, make: Any, write_release: Write, manifest: Manifest, files: Any, out: str
) -> None:
    place = outlet.deliver(make(FIRST))
    other = on_machine(outlet, "other")
    home = other.home("mini")
    late = write_release(home, manifest.model_copy(update={"version": FIRST, "created": "later"}))
    before = {path: files.cat_file(f"{place}/{path}") for path in lying(files, str(place))}
    with pytest.raises(RunError) as caught:
        other.deliver(late)
    assert caught.value.code == "CS-U006"
    assert {path: files.cat_file(f"{place}/{path}") for path in lying(files, str(place))} == before
    assert other.catch_up(home) is None, "it is not tried again"
