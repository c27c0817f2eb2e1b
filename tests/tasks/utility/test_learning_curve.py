from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.utility.learning_curve import (
    FEWEST_ROWS,
    MOST_POINTS,
    curve_sizes,
    learning_order,
    rows_reaching,
    worth_of,
)
from tasks.utility.rows import LabelledTexts

INFINITY = float("inf")


def rows(codes: list[int]) -> LabelledTexts:
    return LabelledTexts(
        [f"text {place}" for place in range(len(codes))], np.array(codes, dtype=np.int64)
    )


codes = st.lists(st.integers(0, 3), min_size=1, max_size=40)


@settings(deadline=None)
@given(codes, st.integers(0, 3))
def test_the_first_n_hold_about_the_share_of_every_label(own: list[int], seed: int) -> None:
    found = rows(own)
    order = learning_order(found, seed=seed)
    assert sorted(order.tolist()) == list(range(len(own)))
    for size in range(len(own) + 1):
        taken = np.bincount(found.codes[order[:size]], minlength=4)
        for label in range(4):
            share = own.count(label) / len(own)
            assert abs(taken[label] - size * share) <= 1 + 4 * share


def test_rare_labels_do_not_come_all_at_once() -> None:
    found = rows([0] * 180 + list(range(1, 21)))
    for seed in range(5):
        first_half = found.codes[learning_order(found, seed=seed)[:100]]
        assert 9 <= (first_half > 0).sum() <= 11


@settings(deadline=None, max_examples=30)
@given(codes, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_no_sample(own: list[int], random: object) -> None:
    found = rows(own)
    places = list(range(len(own)))
    random.shuffle(places)  # type: ignore[attr-defined]
    shuffled = LabelledTexts([found.texts[one] for one in places], found.codes[places])
    drawn = [found.texts[one] for one in learning_order(found, seed=1)]
    assert drawn == [shuffled.texts[one] for one in learning_order(shuffled, seed=1)]


def test_another_seed_is_another_sample() -> None:
    found = rows([0, 1] * 100)
    samples = [set(learning_order(found, seed=seed)[:40].tolist()) for seed in range(3)]
    assert samples[0] != samples[1] != samples[2]


@settings(deadline=None)
@given(st.integers(1, 100_000), st.integers(2, 500))
def test_sizes_double_up_to_all_rows(num_rows: int, labels: int) -> None:
    sizes = curve_sizes(num_rows, labels)
    assert sizes[-1] == num_rows
    assert all(small == large // 2 for small, large in pairwise(sizes))
    assert len(sizes) == 1 or sizes[0] >= max(FEWEST_ROWS, 2 * labels)
    assert len(sizes) == MOST_POINTS or sizes[0] // 2 < max(FEWEST_ROWS, 2 * labels)


def test_rows_reaching_lies_between_points_by_the_logarithm() -> None:
    sizes, curve = [10, 20, 40], np.array([0.2, 0.4, 0.8])
    assert rows_reaching(sizes, curve, 0.2) == 10
    assert rows_reaching(sizes, curve, 0.3) == pytest.approx(10 * 2**0.5)
    assert rows_reaching(sizes, curve, 0.7) == pytest.approx(20 * 2**0.75)
    assert rows_reaching(sizes, curve, 0.8) == pytest.approx(40)
    assert rows_reaching(sizes, curve, 0.19) == 0
    assert rows_reaching(sizes, curve, 0.81) == INFINITY
    # A dip is levelled: .4 and .2 count as .3 each, which is first reached at 20 rows.
    assert rows_reaching([10, 20, 40], np.array([0.1, 0.4, 0.2]), 0.3) == pytest.approx(20)


@settings(deadline=None)
@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=6),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_a_higher_score_is_worth_no_fewer_rows(
    curve: list[float], first: float, second: float
) -> None:
    sizes = [16 * 2**place for place in range(len(curve))]
    low, high = sorted((first, second))
    values = [rows_reaching(sizes, np.array(curve), value) for value in (low, high)]
    assert values[0] <= values[1]
    assert all(one in (0, INFINITY) or sizes[0] <= one <= sizes[-1] + 1e-6 for one in values)


@pytest.mark.parametrize(
    ("values", "found", "expected"),
    [
        ([0.3] * 5, 20.0, (20, None, 20, 20)),
        ([0.1, 0.3, 0.3, 0.5, 0.9], 20.0, (20, None, 0, None)),
        ([0.1] * 5, 0.0, (None, "fewer", 0, 10)),
        ([0.9] * 5, INFINITY, (None, "more", 40, None)),
    ],
)
def test_worth_states_where_its_interval_leaves_the_curve(
    values: list[float], found: float, expected: tuple[object, ...]
) -> None:
    curves = np.tile([0.2, 0.3, 0.4], (5, 1))
    worth = worth_of([10, 20, 40], curves, np.array(values), found=found)
    assert (worth.rows, worth.beyond, worth.low, worth.high) == expected
    assert (worth.smallest, worth.largest) == (10, 40)
