import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from schemas.errors import InputError, RunError
from schemas.manifest import Manifest
from tasks.planning.shards import file_sha256
from tasks.release.publish import (
    later_than_all,
    latest,
    point_latest,
    publish_folder,
    sweep,
    version_name,
    write_checksums,
    write_text,
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "mini"


def draft(home: Path, manifest: Manifest, content: str = "x") -> Path:
    folder = home / f".tmp-{manifest.version}-1"
    write_text(folder / "manifest.json", manifest.model_dump_json())
    write_text(folder / "data" / "file", content)
    return folder


def test_a_version_is_utc_and_the_recipe() -> None:
    started = datetime(2026, 11, 21, 9, 15, tzinfo=timezone(timedelta(hours=1)))
    assert version_name(started, "abc123def456" + "f" * 52) == "20261121T081500Z-abc123def456"
    later = version_name(datetime(2026, 11, 21, 8, 15, 1, tzinfo=UTC), "0" * 64)
    assert later > "20261121T081500Z-abc123def456"
    with pytest.raises(ValueError, match="time zone"):
        version_name(datetime(2026, 1, 1), "0" * 64)


def test_versions_sort_as_their_runs_began_whatever_the_clock_says(home: Path) -> None:
    now = datetime(2026, 11, 21, 8, 15, tzinfo=UTC)
    assert later_than_all(home, now) == now, "no version stands"
    for name in ("20261121T081459Z-" + "a" * 12, "latest.json", "20269999T000000Z-notes"):
        (home / name).mkdir(parents=True)
    assert later_than_all(home, now) == now
    # A run of the same second, and one that failed while the clock was an hour ahead.
    (home / ("20261121T081500Z-" + "b" * 12)).mkdir()
    assert later_than_all(home, now) == datetime(2026, 11, 21, 8, 15, 1, tzinfo=UTC)
    (home / ("20261121T091500Z-" + "a" * 12 + "-failed")).mkdir()
    assert later_than_all(home, now) == datetime(2026, 11, 21, 9, 15, 1, tzinfo=UTC)


def test_a_good_release_moves_the_pointer(home: Path, manifest: Manifest) -> None:
    assert latest(home.parent, "mini") is None
    folder = publish_folder(draft(home, manifest), manifest)
    assert folder == home / manifest.version
    found = latest(home.parent, "mini")
    assert found is not None
    assert (found.version, found.created) == (manifest.version, manifest.created)
    assert found.manifest_sha256 == file_sha256(home / found.path / "manifest.json")
    assert sorted(path.name for path in home.iterdir()) == [manifest.version, "latest.json"]
    assert (home / "latest.json").read_text(encoding="utf-8").endswith("}\n")


def test_a_failed_release_is_kept_and_the_pointer_stays(home: Path, manifest: Manifest) -> None:
    publish_folder(draft(home, manifest), manifest)
    before = (home / "latest.json").read_bytes()
    failed = manifest.model_copy(
        update={"verdict": "fail", "version": "20261122T081500Z-abc123def456"}
    )
    for content in ("first", "second"):
        folder = publish_folder(draft(home, failed, content), failed)
        assert folder == home / f"{failed.version}-failed"
        assert (folder / "data" / "file").read_text(encoding="utf-8") == f"{content}\n"
    assert (home / "latest.json").read_bytes() == before
    assert not list(home.glob(".tmp-*"))


def test_a_run_killed_before_the_pointer_publishes_the_same_release_again(
    home: Path, manifest: Manifest
) -> None:
    publish_folder(draft(home, manifest, "first"), manifest)
    (home / "latest.json").unlink()
    again = publish_folder(draft(home, manifest, "second"), manifest)
    assert (again / "data" / "file").read_text(encoding="utf-8") == "first\n"
    assert latest(home.parent, "mini") is not None
    assert sorted(path.name for path in home.iterdir()) == [manifest.version, "latest.json"]


def test_pointing_again_changes_nothing(home: Path, manifest: Manifest) -> None:
    folder = publish_folder(draft(home, manifest), manifest)
    before = (home / "latest.json").read_bytes()
    point_latest(folder)
    assert (home / "latest.json").read_bytes() == before


@pytest.mark.parametrize("content", ["", "{", '{"version": "../x"}', "[]"])
def test_a_damaged_pointer_is_an_error(home: Path, content: str) -> None:
    write_text(home / "latest.json", content)
    with pytest.raises(RunError) as caught:
        latest(home.parent, "mini")
    assert caught.value.code == "CS-W001"


def test_a_sweep_takes_temporary_names_only(home: Path, manifest: Manifest) -> None:
    folder = publish_folder(draft(home, manifest), manifest)
    left = draft(home, manifest)
    write_text(home / ".tmp-latest.json-9", "{}")
    assert sweep(home) == sorted([left, home / ".tmp-latest.json-9"])
    assert sorted(home.iterdir()) == sorted([folder, home / "latest.json"])
    assert sweep(home / "none") == []


def test_checksums_name_every_file_but_themselves(tmp_path: Path) -> None:
    write_text(tmp_path / "b" / "c.txt", "one")
    write_text(tmp_path / "a.txt", "two\n\n")
    write_checksums(tmp_path)
    write_checksums(tmp_path)
    lines = (tmp_path / "checksums.txt").read_text(encoding="utf-8").splitlines()
    assert lines == [f"{file_sha256(tmp_path / name)}  {name}" for name in ("a.txt", "b/c.txt")]


def test_a_file_where_a_folder_must_be_is_the_users_to_mend(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("x", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        write_text(tmp_path / "taken" / "file", "y")
    assert caught.value.code == "CS-O001"


def test_the_pointer_is_json_for_other_readers(home: Path, manifest: Manifest) -> None:
    publish_folder(draft(home, manifest), manifest)
    pointer = json.loads((home / "latest.json").read_text(encoding="utf-8"))
    assert set(pointer) == {"version", "path", "manifest_sha256", "created"}
