import os
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import RunError
from tasks.planning.shards import (
    combine,
    file_sha256,
    find_shard,
    read_shard,
    write_shard,
    write_whole,
)

TABLE = pa.table({"row": list(range(500)), "text": [f"text number {n}" for n in range(500)]})


def test_a_shard_is_found_again_only_for_what_it_was_made_from(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "shard.parquet"
    written = write_shard(path, TABLE, made_from="a")
    assert find_shard(path, made_from="a") == written
    assert written.rows == 500
    assert written.sha256 == file_sha256(path)
    assert read_shard(written).equals(TABLE)
    assert read_shard(written, columns=["row"]).column_names == ["row"]
    assert find_shard(path, made_from="b") is None
    assert not path.exists()
    assert find_shard(path, made_from="a") is None


def test_the_same_rows_make_the_same_file(tmp_path: Path) -> None:
    one = write_shard(tmp_path / "1.parquet", TABLE, made_from="a")
    other = write_shard(tmp_path / "2.parquet", TABLE, made_from="a")
    assert one.sha256 == other.sha256


@settings(deadline=None, max_examples=150)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_is_found(
    tmp_path_factory: pytest.TempPathFactory, place: float, bit: int
) -> None:
    path = tmp_path_factory.mktemp("flip") / "shard.parquet"
    write_shard(path, TABLE, made_from="a")
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 1 << bit
    path.write_bytes(content)
    assert find_shard(path, made_from="a") is None
    assert not list(path.parent.iterdir())


@pytest.mark.parametrize("kept", [0, 3, 100, -1])
def test_a_truncated_shard_is_made_again(kept: int, tmp_path: Path) -> None:
    path = tmp_path / "shard.parquet"
    write_shard(path, TABLE, made_from="a")
    path.write_bytes(path.read_bytes()[:kept])
    assert find_shard(path, made_from="a") is None
    assert not path.exists()


def test_a_file_is_whole_or_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_whole(path, b"first")

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(RunError) as caught:
        write_whole(path, b"second")
    assert caught.value.code == "CS-O004"
    assert path.read_bytes() == b"first"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@given(parts=st.lists(st.text(max_size=5), max_size=4), other=st.lists(st.text(max_size=5)))
def test_no_two_lists_of_parts_combine_to_the_same_hash(parts: list[str], other: list[str]) -> None:
    assert (combine(*parts) == combine(*other)) == (parts == other)


def test_parts_cannot_imitate_others() -> None:
    assert combine("ab", "c") != combine("a", "bc")
    assert combine("a") != combine("a", "")
