import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats.contingency import association as classic

from tasks.bias.association import exclusive_counts
from tasks.bias.counterfactual import swap_rows
from tasks.bias.mitigation import (
    augmentation,
    independence_weights,
    joint_weights,
    plain_v,
    top_up,
    weighted_counts,
)

GENDERED = frozenset({"he", "she"})


@given(arrays(np.int64, (3, 4), elements=st.integers(1, 30)), st.integers(0, 20))
@settings(max_examples=50, deadline=None)
def test_weighted_rows_are_independent_with_the_same_shares(table: np.ndarray, nulls: int) -> None:
    places = np.repeat(np.arange(12), table.ravel())
    values = np.concatenate([places // 4, np.full(nulls, -1)])
    # -1 stands for rows that mention no one group.
    groups = np.concatenate([places % 4 - 1, np.zeros(nulls, dtype=np.int64)])
    found = independence_weights(values, groups, shape=(3, 3))
    assert found.weights[: len(places)].mean() == pytest.approx(1)
    assert not found.weights[len(places) :].any()
    after = weighted_counts(values, groups, found.weights, shape=(3, 3))
    assert plain_v(after) == pytest.approx(0, abs=1e-6)
    before = exclusive_counts(values, groups, shape=(3, 3))
    assert after.sum(axis=0) == pytest.approx(before.sum(axis=0))
    assert found.effective_rows <= len(places) + 1e-6


def test_weights_follow_kamiran_and_calders() -> None:
    values = np.array([0] * 30 + [0] * 10 + [1] * 20 + [1] * 40)
    groups = np.array([0] * 30 + [1] * 10 + [0] * 20 + [1] * 40)
    weights = independence_weights(values, groups, shape=(2, 2)).weights
    assert weights[[0, 30, 40, 60]] == pytest.approx([20 / 30, 20 / 10, 30 / 20, 30 / 40])


def test_a_pair_that_never_meets_leaves_some_association() -> None:
    values = np.array([0] * 30 + [1] * 20 + [1] * 40 + [0] * 10)
    groups = np.array([0] * 30 + [0] * 20 + [1] * 40 + [-1] * 10)
    found = independence_weights(values, groups, shape=(2, 2))
    after = weighted_counts(values, groups, found.weights, shape=(2, 2))
    before = exclusive_counts(values, groups, shape=(2, 2))
    assert 0 < plain_v(after) < plain_v(before)
    assert found.weights[90:] == pytest.approx(np.ones(10))
    assert found.weights.mean() == pytest.approx(1)


def test_no_rows_no_weights() -> None:
    none = np.zeros(0, dtype=np.int64)
    assert independence_weights(none, none, shape=(2, 2)).effective_rows == 0


@given(arrays(np.int64, (3, 4), elements=st.integers(0, 30)))
@settings(max_examples=50, deadline=None)
def test_a_topped_up_table_has_the_target_in_every_value(table: np.ndarray) -> None:
    target = {0: 2.0, 1: 1.0, 3: 1.0}
    added = top_up(table, target=target)
    assert (added >= 0).all()
    assert not added[:, 2].any()
    after = (table + added)[:, [0, 1, 3]]
    for row, old in zip(after, table[:, [0, 1, 3]], strict=True):
        if old.sum():
            # Within the one row that rounding up may cost.
            assert row / row.sum() == pytest.approx([0.5, 0.25, 0.25], abs=3 / row.sum())
        else:
            assert not row.any()
        assert ((row == old) | (row > old)).all()


def test_a_top_up_removes_the_association() -> None:
    table = np.array([[90, 10], [50, 50]])
    added = top_up(table)
    assert added.tolist() == [[0, 29], [67, 0]]
    assert plain_v(table) == pytest.approx(classic(table, method="cramer"))
    assert plain_v(table + added) < 0.01
    assert top_up(np.zeros((2, 2), dtype=np.int64)).sum() == 0


def test_swapped_copies_remove_the_association() -> None:
    texts = [f"she left {i}" for i in range(9)] + ["he left 0", "It rains", "he left 100"]
    labels = ["a"] * 10 + ["b", "b"]
    rows = swap_rows(texts, gendered=GENDERED)
    copies = augmentation(rows, labels=labels)
    assert ("he left 1", "a") in copies
    assert ("she left 100", "b") in copies
    assert not {("he left 0", "a"), ("she left 0", "a")} & set(copies)
    assert augmentation(rows, labels=None)[0][1] is None
    everyone = [text for text, label in [*zip(texts, labels, strict=True), *copies] if label == "a"]
    assert sum(text.startswith("she") for text in everyone) == len(everyone) / 2


def test_a_table_of_one_column_has_no_association() -> None:
    assert plain_v(np.array([[3, 0], [4, 0]])) == 0


@given(st.integers(0, 2**32 - 1), st.integers(0, 3))
@settings(max_examples=30, deadline=None)
def test_on_one_axis_joint_weights_are_those_of_kamiran_and_calders(seed: int, empty: int) -> None:
    random = np.random.default_rng(seed)
    values, groups = random.integers(-1, 3, 60), random.integers(-1, 4, 60)
    groups[(groups == empty) & (values == 0)] = -1
    one = independence_weights(values, groups, shape=(3, 4))
    joint = joint_weights(values, [groups], shapes=[(3, 4)])
    assert joint.weights == pytest.approx(one.weights)
    assert joint.effective_rows == pytest.approx(one.effective_rows)


def fitted_slowly(values: np.ndarray, columns: list[np.ndarray]) -> np.ndarray:
    """Fit row by row, by the definition of iterative proportional fitting."""
    weights = np.ones(len(values))
    for _ in range(400):
        for column in columns:
            both = column >= 0
            for value in np.unique(values):
                for group in np.unique(column[both]):
                    cell = both & (values == value) & (column == group)
                    wanted = (both & (values == value)).sum() * (column == group).sum()
                    weights[cell] *= wanted / both.sum() / weights[cell].sum()
    return np.asarray(weights / weights.mean())


def test_joint_weights_part_labels_from_every_axis() -> None:
    random = np.random.default_rng(3)
    values = random.integers(0, 2, 400)
    columns = [
        np.where(random.random(400) < 0.7, values, 1 - values),
        np.where(random.random(400) < 0.6, values + 1, random.integers(-1, 3, 400)),
    ]
    found = joint_weights(values, columns, shapes=[(2, 2), (2, 3)])
    assert found.weights == pytest.approx(fitted_slowly(values, columns))
    assert found.effective_rows == pytest.approx(400**2 / (found.weights**2).sum())
    for column, groups in zip(columns, (2, 3), strict=True):
        before = exclusive_counts(values, column, shape=(2, groups))
        after = weighted_counts(values, column, found.weights, shape=(2, groups))
        assert plain_v(before) > 0.2
        assert plain_v(after) < 1e-6
        assert after.sum(axis=0) == pytest.approx(before.sum(axis=0))


def test_joint_weights_of_odd_corpora() -> None:
    none = np.zeros(0, dtype=np.int64)
    assert joint_weights(none, [none], shapes=[(2, 2)]).effective_rows == 0
    ones = joint_weights(np.array([0, 1, -1]), [np.array([-1, -1, 0])], shapes=[(2, 2)])
    assert ones.weights.tolist() == [1, 1, 0]
    # No weights can part what never meets: they stay finite, of mean 1.
    values, groups = np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1])
    stuck = joint_weights(values, [groups, 1 - groups], shapes=[(2, 2), (2, 2)])
    assert stuck.weights == pytest.approx(np.ones(4))
