import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.utility.scores import (
    chance_f1,
    confusion,
    expected_calibration_error,
    label_f1,
    macro_f1,
    mcnemar,
)

LABELS = 4
pairs = st.lists(
    st.tuples(st.integers(0, LABELS - 1), st.integers(0, LABELS - 1)), min_size=1, max_size=30
)


def columns(rows: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    found = np.array(rows, dtype=np.int64)
    return found[:, 0], found[:, 1]


def counts(own: np.ndarray, said: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    table = confusion(own, said, LABELS).astype(float)
    return np.diagonal(table), table.sum(axis=0), table.sum(axis=1)


def slow_f1(rows: list[tuple[int, int]], label: int) -> float:
    hits = sum(own == said == label for own, said in rows)
    named = sum(said == label for _, said in rows)
    there = sum(own == label for own, _ in rows)
    if not hits:
        return 0.0
    precision, recall = hits / named, hits / there
    return 2 * precision * recall / (precision + recall)


@settings(deadline=None)
@given(pairs)
def test_confusion_counts_pairs(rows: list[tuple[int, int]]) -> None:
    table = confusion(*columns(rows), LABELS)
    for pair in itertools.product(range(LABELS), repeat=2):
        assert table[pair] == rows.count(pair)


@settings(deadline=None)
@given(pairs)
def test_f1_is_the_harmonic_mean_of_precision_and_recall(rows: list[tuple[int, int]]) -> None:
    found = counts(*columns(rows))
    by_label = [slow_f1(rows, label) for label in range(LABELS)]
    assert label_f1(*found) == pytest.approx(by_label)
    there = {own for own, _ in rows}
    assert macro_f1(*found) == pytest.approx(sum(by_label[one] for one in there) / len(there))


@settings(deadline=None, max_examples=30)
@given(st.lists(pairs, min_size=2, max_size=2))
def test_f1_of_many_at_once_is_that_of_each(tables: list[list[tuple[int, int]]]) -> None:
    each = [counts(*columns(rows)) for rows in tables]
    stacked = [np.stack(parts)[:, None] for parts in zip(*each, strict=True)]
    assert macro_f1(*stacked).shape == (2, 1)
    assert macro_f1(*stacked)[:, 0].tolist() == [float(macro_f1(*one)) for one in each]


def test_macro_f1_agrees_with_scikit_learn_where_both_mean_the_same_labels() -> None:
    from sklearn.metrics import f1_score

    generator = np.random.default_rng(0)
    own, said = generator.integers(LABELS, size=(2, 200))
    assert macro_f1(*counts(own, said)) == pytest.approx(f1_score(own, said, average="macro"))


@settings(deadline=None, max_examples=30)
@given(
    st.lists(
        st.tuples(st.integers(0, LABELS - 1), st.integers(0, LABELS - 1)), min_size=1, max_size=5
    )
)
def test_chance_is_the_mean_over_all_ways_to_deal_the_answers(rows: list[tuple[int, int]]) -> None:
    own, said = columns(rows)
    dealt = [
        float(macro_f1(*counts(own, np.array(order)))) for order in itertools.permutations(said)
    ]
    _, named, there = counts(own, said)
    assert chance_f1(named, there) == pytest.approx(sum(dealt) / len(dealt))


def slow_ece(rows: list[tuple[float, bool]]) -> float:
    error = 0.0
    for number in range(15):
        low, high = number / 15, (number + 1) / 15
        inside = [
            (sure, right)
            for sure, right in rows
            if low + 1e-9 < sure <= high + 1e-9 or (number == 0 and sure <= 1e-9)
        ]
        if inside:
            accuracy = sum(right for _, right in inside) / len(inside)
            confidence = sum(sure for sure, _ in inside) / len(inside)
            error += len(inside) / len(rows) * abs(accuracy - confidence)
    return error


confidences = st.one_of(st.floats(0, 1), st.integers(0, 15).map(lambda part: part / 15))


@settings(deadline=None)
@given(st.lists(st.tuples(confidences, st.booleans()), min_size=1, max_size=30))
def test_calibration_error_is_its_definition(rows: list[tuple[float, bool]]) -> None:
    sure, right = (np.array(column) for column in zip(*rows, strict=True))
    # Within the rounding of a bin's edge either bin is right.
    close = [abs(one * 15 - round(one * 15)) for one in sure]
    if all(apart == 0 or apart > 1e-8 for apart in close):
        assert expected_calibration_error(sure, right) == pytest.approx(slow_ece(rows), abs=1e-9)


def test_calibration_error_of_a_student_that_knows_its_odds_is_0() -> None:
    right = np.array([True] * 4 + [False])
    assert expected_calibration_error(np.full(5, 0.8), right) == pytest.approx(0)
    assert expected_calibration_error(np.full(5, 1.0), ~right) == pytest.approx(0.8)


@settings(deadline=None)
@given(st.integers(0, 25), st.integers(0, 25))
def test_mcnemar_is_the_share_of_splits_at_least_as_uneven(first: int, second: int) -> None:
    total = first + second
    uneven = abs(first - second)
    splits = sum(math.comb(total, k) for k in range(total + 1) if abs(total - 2 * k) >= uneven)
    assert mcnemar(first, second) == pytest.approx(splits / 2**total)
    assert mcnemar(first, second) == mcnemar(second, first)
