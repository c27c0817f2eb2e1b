"""A whole miniature release, read back by the programs that users have."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.errors import InputError, RunError
from schemas.manifest import Manifest, RowCounts
from schemas.recipe import Recipe
from schemas.row import REJECTED_SCHEMA
from tasks.release.card import render_card
from tasks.release.draft import ReleaseDraft

Rows = Callable[[int], pa.Table]
SPLIT = np.repeat([0, 1, 2], [12, 6, 6])


def make(home: Path, version: str) -> ReleaseDraft:
    return ReleaseDraft(
        home, version=version, splits=["train", "validation", "test"], row_group_rows=8
    )


def test_the_folder_is_complete_and_its_checksums_hold(release: Path, manifest: Manifest) -> None:
    names = sorted(p.relative_to(release).as_posix() for p in release.rglob("*") if p.is_file())
    assert names == [
        "README.md",
        "checksums.txt",
        "croissant.json",
        "data/test-00000-of-00001.parquet",
        "data/train-00000-of-00001.parquet",
        "data/validation-00000-of-00001.parquet",
        "expectations/suite.json",
        "manifest.json",
        "rejected/rejected-00000.parquet",
    ]
    done = subprocess.run(
        ["sha256sum", "-c", "--strict", "checksums.txt"],
        cwd=release,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == len(names) - 1
    written = Manifest.model_validate_json((release / "manifest.json").read_bytes())
    assert written.model_copy(update={"files": ()}) == manifest
    assert {entry.path for entry in written.files} == set(names) - {
        "checksums.txt",
        "manifest.json",
    }
    assert {entry.path: entry.rows for entry in written.files if entry.rows is not None} == {
        "data/test-00000-of-00001.parquet": 6,
        "data/train-00000-of-00001.parquet": 12,
        "data/validation-00000-of-00001.parquet": 6,
        "rejected/rejected-00000.parquet": 1,
    }


def test_rejected_rows_keep_their_verdict(release: Path, rejected: pa.Table) -> None:
    read = pq.read_table(release / "rejected" / "rejected-00000.parquet")
    assert read.schema.equals(REJECTED_SCHEMA)
    assert read.to_pylist() == rejected.to_pylist()


_LOAD = """
import sys, datasets
datasets.disable_progress_bars()
corpus = datasets.load_dataset(sys.argv[1])
label = corpus["train"].features["label"]
print(type(label).__name__, {split: len(rows) for split, rows in corpus.items()})
streamed = datasets.load_dataset(sys.argv[1], streaming=True)
for name, split in corpus.items():
    assert list(streamed[name]) == list(split), name
    for row in split:
        name = label.int2str(row["label"])
        print(ascii((row["id"], name, dict(row["attributes"]), row["noise"])))
"""


def load(release: Path, cache: Path) -> list[str]:
    environment = os.environ | {
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(cache),
        "HF_DATASETS_CACHE": str(cache / "datasets"),
    }
    done = subprocess.run(
        [sys.executable, "-c", _LOAD, str(release)],
        cwd=release.parent,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_datasets_reads_splits_and_a_class_label(
    release: Path, released: Rows, tmp_path: Path
) -> None:
    head, *lines = load(release, tmp_path / "cache")
    assert head == "ClassLabel {'train': 12, 'validation': 6, 'test': 6}"
    assert lines == [
        ascii((row["id"], row["label"], dict(row["attributes"]), row["noise"]))
        for row in released(24).to_pylist()
    ]


def test_a_split_without_rows_is_left_out(
    tmp_path: Path, recipe: Recipe, manifest: Manifest, released: Rows
) -> None:
    rows = RowCounts(requested=1, generated=1, accepted=1, shortfall=0)
    tiny = manifest.model_copy(
        update={"rows": rows, "splits": {"train": 1, "validation": 0, "test": 0}}
    )
    with make(tmp_path / "mini", manifest.version) as draft:
        draft.add_rows(released(1), SPLIT[:1])
        draft.write_text("README.md", render_card(recipe, tiny))
        release = draft.publish(tiny)
    assert load(release, tmp_path / "cache")[0] == "ClassLabel {'train': 1}"


def test_pandas_polars_and_duckdb_read_it_as_it_is(release: Path, released: Rows) -> None:
    train = released(24).slice(0, 12).to_pylist()
    wanted = [{**row, "attributes": dict(row["attributes"])} for row in train]
    path = release / "data" / "train-00000-of-00001.parquet"

    frame = pd.read_parquet(path)
    for name in ("text", "label", "seed", "scores"):
        assert frame[name].tolist() == [row[name] for row in train]
    assert [list(edits) for edits in frame["noise"]] == [row["noise"] for row in train]
    assert [dict(pairs) for pairs in frame["attributes"]] == [row["attributes"] for row in wanted]
    assert len(pd.read_parquet(release / "data")) == 24

    assert pl.read_parquet(path).to_dicts() == wanted
    assert pl.scan_parquet(release / "data" / "*.parquet").collect().height == 24

    with duckdb.connect() as connection:
        cursor = connection.execute("select * from read_parquet(?)", [str(path)])
        rows = [dict(zip(train[0], row, strict=True)) for row in cursor.fetchall()]
    assert rows == wanted


def test_without_publish_nothing_is_left(
    tmp_path: Path, manifest: Manifest, released: Rows
) -> None:
    home = tmp_path / "mini"
    with make(home, manifest.version) as draft:
        draft.add_rows(released(24), SPLIT)
        assert len(list(home.iterdir())) == 1
    assert list(home.iterdir()) == []


def test_a_reader_meets_no_half_release(tmp_path: Path, manifest: Manifest, released: Rows) -> None:
    home = tmp_path / "mini"
    with make(home, manifest.version) as draft:
        draft.add_rows(released(24), SPLIT)
        draft.files()
        assert [path.name for path in home.iterdir() if not path.name.startswith(".tmp-")] == []
        draft.publish(manifest)
    assert sorted(path.name for path in home.iterdir()) == [manifest.version, "latest.json"]


def test_a_manifest_must_fit_its_draft(tmp_path: Path, manifest: Manifest, released: Rows) -> None:
    with make(tmp_path / "mini", manifest.version) as draft:
        draft.add_rows(released(23), SPLIT[:23])
        with pytest.raises(ValueError, match="splits"):
            draft.publish(manifest)
        with pytest.raises(ValueError, match="draft"):
            draft.publish(manifest.model_copy(update={"version": "20261122T081500Z-abc123def456"}))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_a_full_disk_is_named_so(tmp_path: Path, manifest: Manifest, released: Rows) -> None:
    home = tmp_path / "mini"

    def fill() -> None:
        with make(home, manifest.version) as draft:
            (draft.folder / "data" / "train-00000.parquet").symlink_to("/dev/full")
            draft.add_rows(released(24), SPLIT)
            draft.close_data()

    with pytest.raises(RunError) as caught:
        fill()
    assert caught.value.code == "CS-O004"
    assert list(home.iterdir()) == []


def test_a_full_disk_while_writing_text(
    tmp_path: Path, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with make(tmp_path, manifest.version) as draft:
        monkeypatch.setattr(Path, "write_text", full)
        with pytest.raises(RunError) as caught:
            draft.write_text("README.md", "x")
    assert caught.value.code == "CS-O004"


def test_a_home_that_is_a_file_is_the_users_to_mend(tmp_path: Path, manifest: Manifest) -> None:
    (tmp_path / "mini").write_text("x", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        make(tmp_path / "mini", manifest.version).__enter__()
    assert caught.value.code == "CS-O001"
