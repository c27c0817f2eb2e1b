from collections.abc import Mapping

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tasks.planning.streams import Stream, row_keys
from tasks.release.splits import assign_splits, split_targets, split_totals

SHARES = st.lists(st.integers(1, 20), min_size=1, max_size=5).map(
    lambda parts: {f"split{i}": part / sum(parts) for i, part in enumerate(parts)}
)


@st.composite
def corpora(draw: st.DrawFn) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows with labels and clusters; every cluster has one label."""
    sizes = draw(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 6)), max_size=40))
    labels = np.repeat([label for label, _ in sizes], [size for _, size in sizes])
    clusters = np.repeat(np.arange(len(sizes)), [size for _, size in sizes])
    order = draw(st.randoms(use_true_random=False)).sample(range(labels.size), labels.size)
    return labels[order].astype(np.int64), clusters[order].astype(np.int64)


def keys(num_rows: int) -> NDArray[np.uint64]:
    rows = np.arange(num_rows)
    return row_keys(7, rows, np.zeros_like(rows), Stream.SPLIT)


def table(
    labels: NDArray[np.int64], result: NDArray[np.int64], num_splits: int
) -> NDArray[np.int64]:
    found = np.zeros((labels.max() + 1, num_splits), dtype=np.int64)
    np.add.at(found, (labels, result), 1)
    return found


def targets(labels: NDArray[np.int64], splits: Mapping[str, float]) -> NDArray[np.int64]:
    return split_targets(np.bincount(labels), split_totals(splits, labels.size))


@settings(deadline=None, max_examples=100)
@given(SHARES, st.integers(0, 500))
def test_totals_add_up_and_leave_no_split_empty(splits: dict[str, float], num_rows: int) -> None:
    totals = split_totals(splits, num_rows)
    assert totals.sum() == num_rows
    assert totals.min() >= (1 if num_rows >= len(splits) else 0)
    exact = np.array(list(splits.values())) * num_rows
    if (exact >= 1).all():
        assert np.abs(totals - exact).max() < 1


@settings(deadline=None, max_examples=100)
@given(st.lists(st.integers(0, 60), min_size=1, max_size=12), SHARES)
def test_targets_hold_both_margins(counts: list[int], splits: dict[str, float]) -> None:
    totals = split_totals(splits, sum(counts))
    found = split_targets(np.array(counts, dtype=np.int64), totals)
    assert found.min() >= 0
    assert found.sum(axis=1).tolist() == counts
    assert found.sum(axis=0).tolist() == totals.tolist()


def test_targets_share_out_the_halves_of_every_label() -> None:
    counts = np.full(8, 75)
    found = split_targets(counts, np.array([480, 60, 60]))
    assert (found[:, 0] == 60).all()
    assert set(found[:, 1:].ravel()) == {7, 8}


@settings(deadline=None, max_examples=100)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=120), SHARES)
def test_without_clusters_every_label_meets_its_target(
    codes: list[int], splits: dict[str, float]
) -> None:
    labels = np.array(codes, dtype=np.int64)
    result = assign_splits(labels, np.arange(labels.size), splits, keys=keys(labels.size))
    assert (table(labels, result, len(splits)) == targets(labels, splits)).all()


@settings(deadline=None, max_examples=150)
@given(corpora(), SHARES)
def test_clusters_stay_whole_and_targets_are_missed_by_less_than_one(
    corpus: tuple[NDArray[np.int64], NDArray[np.int64]], splits: dict[str, float]
) -> None:
    labels, clusters = corpus
    result = assign_splits(labels, clusters, splits, keys=keys(labels.size))
    assert all(0 <= split < len(splits) for split in result)
    for cluster in np.unique(clusters):
        assert len(set(result[clusters == cluster])) == 1
    if len(np.unique(clusters)) >= len(splits):
        assert set(result) == set(range(len(splits)))
    if not labels.size:
        return
    goal = targets(labels, splits)
    biggest = np.array(
        [np.bincount(clusters[labels == label]).max(initial=1) for label in range(len(goal))]
    )
    if (goal.sum(axis=0) - biggest.sum() > 0).all():
        # No split can have stayed empty, so none was filled afterwards.
        assert (np.abs(table(labels, result, len(splits)) - goal) < biggest[:, None]).all()


def test_a_label_misses_its_target_by_less_than_its_largest_cluster() -> None:
    labels = np.repeat([0, 1], 300)
    clusters = np.concatenate([np.arange(300) // 3, 1000 + np.arange(300)])
    splits = {"train": 0.7, "validation": 0.15, "test": 0.15}
    result = assign_splits(labels, clusters, splits, keys=keys(600))
    missed = np.abs(table(labels, result, 3) - targets(labels, splits))
    assert missed[0].max() < 3
    assert missed[1].max() == 0


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), max_size=60), SHARES, st.randoms())
def test_neither_row_order_nor_cluster_names_matter(
    rows: list[tuple[int, int]], splits: dict[str, float], random: object
) -> None:
    labels = np.array([label for label, _ in rows], dtype=np.int64)
    clusters = np.array([cluster for _, cluster in rows], dtype=np.int64)
    once = assign_splits(labels, clusters, splits, keys=keys(labels.size))
    order = np.array(random.sample(range(labels.size), labels.size), dtype=np.int64)  # type: ignore[attr-defined]
    names = 17 - 3 * clusters
    again = assign_splits(labels[order], names[order], splits, keys=keys(labels.size)[order])
    assert (once[order] == again).all()


def test_clusters_of_several_labels_stay_whole() -> None:
    labels = np.tile([0, 1], 50)
    clusters = np.arange(100) // 4
    result = assign_splits(labels, clusters, {"train": 0.5, "test": 0.5}, keys=keys(100))
    assert all(len(set(result[clusters == cluster])) == 1 for cluster in range(25))
    assert abs(int((result == 0).sum()) - 50) < 4


def test_a_split_that_clusters_left_empty_takes_the_smallest() -> None:
    clusters = np.repeat([0, 1, 2], [10, 9, 8])
    splits = {"train": 0.8, "validation": 0.1, "test": 0.1}
    result = assign_splits(np.zeros(27, dtype=np.int64), clusters, splits, keys=keys(27))
    assert np.bincount(result).tolist() == [10, 8, 9]


def test_one_cluster_cannot_fill_two_splits() -> None:
    zeros = np.zeros(5, dtype=np.int64)
    result = assign_splits(zeros, zeros, {"train": 0.5, "test": 0.5}, keys=keys(5))
    assert len(set(result)) == 1
