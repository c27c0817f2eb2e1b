"""Old versions go, the good one stays, and nothing that is no version is touched."""

import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import RunError
from tasks.release.publish import Latest, sweep
from tasks.release.retention import retire_failures, retire_releases

HASH = "0123456789ab"


def name_of(second: int, *, failed: bool = False) -> str:
    return f"20261121T0000{second:02d}Z-{HASH}" + ("-failed" if failed else "")


def make(home: Path, names: list[str], *, latest: str | None = None) -> None:
    for name in names:
        (home / name / "data").mkdir(parents=True)
        (home / name / "data" / "train.parquet").write_bytes(b"rows")
    if latest is not None:
        pointer = Latest(version=latest, path=latest, manifest_sha256="0" * 64, created="then")
        (home / "latest.json").write_text(json.dumps(pointer.model_dump()))


def names_in(home: Path) -> set[str]:
    return {path.name for path in home.iterdir()}


@settings(deadline=None, max_examples=60)
@given(
    good=st.sets(st.integers(0, 59), max_size=7),
    failed=st.sets(st.integers(0, 59), max_size=7),
    keep=st.integers(1, 9),
    data=st.data(),
)
def test_as_many_stay_as_were_asked_for(
    good: set[int], failed: set[int], keep: int, data: st.DataObject
) -> None:
    named = data.draw(st.sampled_from(sorted(good))) if good else None
    with TemporaryDirectory() as folder:
        home = Path(folder)
        make(
            home,
            [*map(name_of, good), *(name_of(second, failed=True) for second in failed)],
            latest=None if named is None else name_of(named),
        )
        # One by one, the oldest that nothing protects goes until few enough are left.
        left = sorted(good)
        while len(left) > keep:
            left.remove(next(second for second in left if second != named))
        gone = retire_releases(home, keep=keep)
        kept = {name_of(second) for second in left}
        others = {name_of(second, failed=True) for second in failed}
        assert names_in(home) - {"latest.json"} == kept | others
        assert {path.name for path in gone} == set(map(name_of, good)) - kept
        retire_failures(home, keep=keep)
        kept |= {name_of(second, failed=True) for second in sorted(failed)[-keep:]}
        assert names_in(home) - {"latest.json"} == kept


def test_what_is_no_version_is_left_alone(tmp_path: Path) -> None:
    mine = ["notes", f"{name_of(1)}-copy", ".work-0123456789abcdef", f"20261121-{HASH}"]
    make(tmp_path, [*mine, name_of(1), name_of(2)], latest=name_of(2))
    (tmp_path / name_of(3)).write_text("a file of that name")
    (tmp_path / name_of(4)).symlink_to(tmp_path / "notes")
    retire_releases(tmp_path, keep=1)
    retire_failures(tmp_path, keep=1)
    stay = {*mine, name_of(2), name_of(3), name_of(4), "latest.json"}
    assert names_in(tmp_path) == stay


def test_a_deletion_that_is_cut_short_leaves_no_half_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, [name_of(1), name_of(2)], latest=name_of(2))

    def die(path: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "rmtree", die)
    with pytest.raises(KeyboardInterrupt):
        retire_releases(tmp_path, keep=1)
    monkeypatch.undo()
    assert not (tmp_path / name_of(1)).exists()
    assert len(sweep(tmp_path)) == 1
    assert names_in(tmp_path) == {name_of(2), "latest.json"}


def test_a_damaged_pointer_deletes_nothing(tmp_path: Path) -> None:
    make(tmp_path, [name_of(1), name_of(2)])
    (tmp_path / "latest.json").write_text("{")
    with pytest.raises(RunError) as caught:
        retire_releases(tmp_path, keep=1)
    assert caught.value.code == "CS-W001"
    assert {name_of(1), name_of(2)} < names_in(tmp_path)


@pytest.mark.parametrize("retire", [retire_releases, retire_failures])
def test_none_is_not_a_number_to_keep(retire: object, tmp_path: Path) -> None:
    make(tmp_path, [name_of(1)], latest=name_of(1))
    with pytest.raises(ValueError, match="at least 1"):
        retire(tmp_path, keep=0)  # type: ignore[operator]
