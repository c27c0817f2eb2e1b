"""Drift is fidelity with the version before in the reference's place, under names of its own."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.audit import Group
from schemas.errors import RunError
from schemas.row import RELEASED_SCHEMA
from tasks.audit import drift, fidelity
from tasks.audit.corpus import Corpus
from tasks.audit.released_rows import release_shards, released_corpus
from tasks.audit.sections import known_metrics


def corpus_of(texts: Sequence[str], labels: Sequence[str]) -> Corpus:
    return Corpus(
        name="release", ids=[str(i) for i in range(len(texts))], texts=texts, labels=labels
    )


def drawn(seed: int, *, rows: int = 200, words: int = 30, shift: int = 0) -> Corpus:
    stream = np.random.default_rng(seed)
    codes = stream.integers(shift, words + shift, size=(rows, 6))
    labels = [str(code) for code in stream.integers(0, 3, size=rows)]
    return corpus_of([" ".join(f"w{code}" for code in row) for row in codes], labels)


def test_it_is_fidelity_by_another_name() -> None:
    corpus, previous = drawn(1), drawn(2)
    found = drift.measure(corpus=corpus, previous=previous)
    beside = fidelity.measure(corpus=corpus, reference=previous)
    figures = {metric.name: (metric.estimate, metric.baseline) for metric in beside.metrics}
    assert found.group is Group.DRIFT
    assert [metric.name for metric in found.metrics] == [f"drift_{name}" for name in drift.MEASURED]
    for metric in found.metrics:
        assert (metric.estimate, metric.baseline) == figures[metric.name.removeprefix("drift_")]
        assert metric.group is Group.DRIFT
        assert "reference" not in metric.title + metric.definition
    assert not found.findings
    assert {table.name for table in found.tables} <= {"drift_tell_tale_words"}
    assert all("reference" not in "".join(table.columns) for table in found.tables)


def test_it_tells_a_moved_corpus_from_one_that_only_differs_by_chance() -> None:
    def divergence(corpus: Corpus) -> tuple[float, float]:
        found = drift.measure(corpus=corpus, previous=drawn(2))
        metric = {metric.name: metric for metric in found.metrics}["drift_word_divergence"]
        assert metric.estimate is not None
        assert metric.baseline is not None
        return metric.estimate.value, metric.baseline.value

    still, chance = divergence(drawn(1))
    moved, _ = divergence(drawn(1, shift=15))
    gone, _ = divergence(drawn(1, shift=100))
    assert still < 2 * chance
    assert 5 * chance < moved < gone == pytest.approx(1)


@pytest.mark.parametrize("previous", [None, corpus_of([], [])])
def test_without_a_version_before_nothing_is_measured(previous: Corpus | None) -> None:
    found = drift.measure(corpus=drawn(1), previous=previous)
    assert [metric.unmeasured for metric in found.metrics] == [drift.NO_PREVIOUS] * len(
        drift.MEASURED
    )


def test_every_metric_can_be_gated_and_no_name_is_taken() -> None:
    assert {f"drift_{name}" for name in drift.MEASURED} <= set(known_metrics())


def write_release(folder: Path, sizes: Sequence[int]) -> list[str]:
    (folder / "data").mkdir()
    ids = []
    for split, size in zip(("train", "test"), sizes, strict=True):
        rows: list[dict[str, object]] = [
            {
                "id": f"{split}-{i}",
                "text": f"text {i} of {split}",
                "label": "a",
                "strategy": "greedy",
                "prompt": "say it",
                "attributes": [],
                "num_tokens": 4,
                "logprob": -1.5,
            }
            for i in range(size)
        ]
        schema = pa.schema([RELEASED_SCHEMA.field(name) for name in rows[0]])
        ids += [str(row["id"]) for row in rows]
        path = folder / "data" / f"{split}-00000-of-00001.parquet"
        pq.write_table(pa.Table.from_pylist(rows, schema), path, row_group_size=3)
    return ids


def test_a_release_is_read_whole_or_sampled(tmp_path: Path) -> None:
    ids = write_release(tmp_path, (10, 4))
    whole, num_rows = released_corpus(
        release_shards(tmp_path), name="r", attributes=(), most_rows=20
    )
    assert (sorted(whole.ids), num_rows) == (sorted(ids), 14)
    assert set(whole.columns["split"]) == {"train", "test"}
    some, num_rows = released_corpus(release_shards(tmp_path), name="r", attributes=(), most_rows=5)
    assert (len(some), num_rows) == (5, 14)
    assert set(some.ids) < set(ids)


def test_a_damaged_version_is_named(tmp_path: Path) -> None:
    write_release(tmp_path, (3, 3))
    path = tmp_path / "data" / "train-00000-of-00001.parquet"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(RunError) as caught:
        list(release_shards(tmp_path))
    assert (caught.value.code, caught.value.place) == ("CS-W001", str(path))
