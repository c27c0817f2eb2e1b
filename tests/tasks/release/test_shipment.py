import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.errors import InputError, RunError
from schemas.manifest import Manifest
from tasks.release.shipment import pack

Write = Callable[[Path, Manifest], Path]


def all_files(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def test_everything_but_the_rejected_goes_out_the_manifest_last(release: Path) -> None:
    shipment = pack(release)
    paths = [entry.path for entry in shipment.files]
    assert paths[-1] == "manifest.json"
    assert {*paths, "checksums.txt", "rejected/rejected-00000.parquet"} == all_files(release)
    assert [entry.path for entry in shipment.held_back] == ["rejected/rejected-00000.parquet"]
    sizes = sum((release / path).stat().st_size for path in paths)
    assert shipment.num_bytes == sizes + len(shipment.checksums)


def test_with_the_rejected_the_checksums_are_those_of_the_release(release: Path) -> None:
    shipment = pack(release, with_rejected=True)
    assert shipment.held_back == ()
    assert shipment.checksums == (release / "checksums.txt").read_text("utf-8")


def test_a_copy_without_the_rejected_holds_and_can_be_sent_on(
    release: Path, tmp_path: Path
) -> None:
    shipment = pack(release)
    copy = tmp_path / "copy"
    for entry in shipment.files:
        (copy / entry.path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(release / entry.path, copy / entry.path)
    (copy / "checksums.txt").write_text(shipment.checksums, encoding="utf-8")
    check = ["sha256sum", "-c", "--strict", "--quiet", "checksums.txt"]
    assert subprocess.run(check, cwd=copy).returncode == 0
    again = pack(copy, with_rejected=True)
    assert (again.files, again.checksums) == (shipment.files, shipment.checksums)


def test_what_nobody_listed_stays_at_home(release: Path) -> None:
    (release / ".env").write_text("TOKEN=x", encoding="utf-8")
    assert ".env" not in {entry.path for entry in pack(release).files}


def test_a_corpus_stands_for_its_newest_good_release(release: Path) -> None:
    assert pack(release.parent).folder == release


def test_a_failed_release_is_never_sent(
    tmp_path: Path, manifest: Manifest, write_release: Write
) -> None:
    failed = write_release(tmp_path / "bad", manifest.model_copy(update={"verdict": "fail"}))
    with pytest.raises(InputError, match="failed") as caught:
        pack(failed)
    assert caught.value.code == "CS-U001"
    assert caught.value.hint


@pytest.mark.parametrize("name", ["nothing", "file"])
def test_no_release(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(InputError) as caught:
        pack(tmp_path / name)
    assert caught.value.code == "CS-U001"


def edit(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b" ")


def link(path: Path) -> None:
    other = path.with_name("moved")
    path.rename(other)
    path.symlink_to(other)


@pytest.mark.parametrize("harm", [edit, link, Path.unlink])
@pytest.mark.parametrize(
    "path",
    ["README.md", "data/test-00000-of-00001.parquet", "rejected/rejected-00000.parquet"],
)
def test_a_changed_file_stops_the_release(
    harm: Callable[[Path], None], path: str, release: Path
) -> None:
    harm(release / path)
    with pytest.raises(InputError) as caught:
        pack(release)
    assert caught.value.code == "CS-U002"
    assert caught.value.place == str(release / path)


def drop_data(lines: list[str]) -> list[str]:
    return [line for line in lines if "data/test" not in line]


def drop_manifest(lines: list[str]) -> list[str]:
    return [line for line in lines if "manifest" not in line]


def climb(lines: list[str]) -> list[str]:
    return [*lines, f"{'0' * 64}  data/../../latest.json"]


def lead_away(lines: list[str]) -> list[str]:
    return [*lines, f"{'0' * 64}  /etc/hostname"]


def garble(lines: list[str]) -> list[str]:
    return [*lines, "hello"]


@pytest.mark.parametrize("harm", [drop_data, drop_manifest, climb, lead_away, garble])
def test_checksums_that_no_release_has_stop_it(
    harm: Callable[[list[str]], list[str]], release: Path
) -> None:
    path = release / "checksums.txt"
    path.write_text("\n".join(harm(path.read_text("utf-8").splitlines())), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        pack(release)
    assert caught.value.code == "CS-U002"
    assert "checksums.txt" in caught.value.place


def test_a_manifest_that_cannot_be_read(release: Path) -> None:
    (release / "manifest.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        pack(release)
    assert caught.value.code == "CS-U002"


def test_a_damaged_pointer(release: Path) -> None:
    (release.parent / "latest.json").write_text("{}", encoding="utf-8")
    with pytest.raises(RunError) as caught:
        pack(release.parent)
    assert caught.value.code == "CS-W001"
