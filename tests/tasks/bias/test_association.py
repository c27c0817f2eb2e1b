import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import chi2_contingency, false_discovery_control, fisher_exact
from scipy.stats.contingency import association as classic
from scipy.stats.contingency import relative_risk

from tasks.bias.association import (
    Associations,
    associate,
    code_values,
    control_false_discoveries,
    cramers_v,
    exclusive_counts,
    joint_counts,
    risk_ratio,
)


def of_table(both: int, value: int, group: int, n: int) -> Associations:
    return associate(
        np.array([[both]]), value_rows=np.array([value]), group_rows=np.array([group]), n=n
    )


def test_values_are_numbered_in_sorted_order() -> None:
    codes, names = code_values(["b", None, "a", "b"])
    assert (codes.tolist(), names) == ([1, -1, 0, 1], ["a", "b"])
    assert code_values([])[1] == []


@given(st.integers(0, 10_000), st.integers(1, 40))
@settings(max_examples=30, deadline=None)
def test_joint_counts(seed: int, n: int) -> None:
    random = np.random.default_rng(seed)
    values, groups = random.integers(-1, 3, n), random.random((n, 4)) < 0.4
    counts = joint_counts(values, groups, num_values=3)
    for value in range(3):
        for group in range(4):
            expected = sum(values[i] == value and groups[i, group] for i in range(n))
            assert counts[value, group] == expected


@pytest.mark.parametrize("table", [(60, 200, 100, 1000), (8, 200, 25, 400), (0, 50, 40, 1000)])
def test_a_pair_has_the_lift_and_the_p_value_of_its_table(table: tuple[int, ...]) -> None:
    both, value, group, n = table
    found = of_table(both, value, group, n)
    assert found.lift[0, 0] == pytest.approx((both / n) / (value / n * group / n))
    cells = np.array([[both, value - both], [group - both, n - value - group + both]])
    sparse = min(value, n - value) * min(group, n - group) / n < 5
    exact = fisher_exact(cells).pvalue
    approximate = chi2_contingency(cells, correction=False).pvalue
    assert found.p_value[0, 0] == pytest.approx(exact if sparse else approximate)
    interval = found.interval(0, 0)
    assert interval.low <= interval.value <= interval.high


def test_the_delta_method_agrees_with_a_bootstrap() -> None:
    cells = np.array([60, 140, 90, 710])
    draws = np.random.default_rng(0).multinomial(1000, cells / 1000, size=20_000).T
    lifts = draws[0] * 1000 / ((draws[0] + draws[1]) * (draws[0] + draws[2]))
    found = of_table(60, 200, 150, 1000)
    assert np.log([found.low[0, 0], found.high[0, 0]]) == pytest.approx(
        np.quantile(np.log(lifts), [0.025, 0.975]), abs=0.02
    )


@pytest.mark.parametrize("table", [(5, 19, 100, 1000), (5, 100, 19, 1000), (30, 30, 50, 50)])
def test_a_pair_with_too_few_rows_is_not_tested(table: tuple[int, ...]) -> None:
    found = of_table(*table)
    assert found.untested == 1
    assert np.isnan(found.lift[0, 0])


@pytest.mark.parametrize("lift", [1.3, 2.0, 4.0])
def test_a_planted_lift_lies_in_its_interval(lift: float) -> None:
    value, group, n, random, covered = 0.2, 0.1, 5000, np.random.default_rng(3), 0
    both = lift * value * group
    cells = [both, value - both, group - both, 1 - value - group + both]
    for _ in range(300):
        a, b, c, _ = random.multinomial(n, cells)
        covered += not of_table(a, a + b, a + c, n).interval(0, 0).excludes(lift)
    assert covered >= 276


def truth(cells: np.ndarray) -> float:
    return float(classic((cells * 1e9).astype(np.int64), method="cramer"))


@pytest.mark.parametrize("strength", [0.0, 0.15, 0.3, 0.6])
def test_a_planted_cramers_v_lies_in_its_interval(strength: float) -> None:
    cells = np.full((3, 3), (1 - strength) / 9) + np.eye(3) * strength / 3
    random, covered, values, value = np.random.default_rng(4), 0, [], truth(cells)
    for _ in range(150):
        table = random.multinomial(400, cells.ravel()).reshape(3, 3)
        found = cramers_v(table)
        assert found is not None
        values.append(found.v.value)
        covered += not found.v.excludes(value)
    assert covered >= 134
    if strength:
        assert np.mean(values) == pytest.approx(value, abs=0.02)


def test_cramers_v_at_its_ends() -> None:
    perfect = cramers_v(np.diag([100, 100, 100]))
    assert perfect is not None
    assert perfect.v.value == pytest.approx(1)
    even = cramers_v(np.full((3, 4), 50))
    assert even is not None
    assert (even.v.value, even.v.low, even.p_value) == (0, 0, 1)
    assert cramers_v(np.array([[50, 50], [0, 0]])) is None
    assert cramers_v(np.array([[5, 5], [2, 3]])) is None


def test_a_sparse_table_is_tested_against_random_ones() -> None:
    table = np.array([[20, 0, 1], [1, 4, 0], [2, 1, 3]])
    found = cramers_v(table)
    assert found is not None
    assert found.p_value == pytest.approx(0.001, abs=0.002)
    random, rejected = np.random.default_rng(5), 0
    margins = np.outer([0.7, 0.2, 0.1], [0.8, 0.15, 0.05])
    for _ in range(100):
        drawn = cramers_v(random.multinomial(60, margins.ravel()).reshape(3, 3))
        rejected += drawn is not None and drawn.p_value < 0.05
    assert rejected <= 11


@given(arrays(np.float64, st.integers(1, 20), elements=st.floats(0, 1)))
@settings(max_examples=50, deadline=None)
def test_false_discoveries_are_controlled_over_all_families(p_values: np.ndarray) -> None:
    square = np.array([[0.01, np.nan], [0.2, 0.001]])
    line, found = control_false_discoveries([p_values, square])
    together = false_discovery_control(np.concatenate([p_values, [0.01, 0.2, 0.001]]))
    assert np.isnan(found[0, 1])
    assert [*line, found[0, 0], found[1, 0], found[1, 1]] == pytest.approx(together)


def test_no_test_no_false_discovery() -> None:
    assert control_false_discoveries([]) == []
    assert np.isnan(control_false_discoveries([np.array([np.nan])])[0]).all()


def test_a_row_with_one_group_counts_in_one_cell() -> None:
    values, groups = np.array([0, 0, 1, -1, 1]), np.array([2, 2, 0, 1, -1])
    table = exclusive_counts(values, groups, shape=(2, 3))
    assert table.tolist() == [[0, 0, 2], [1, 0, 0]]


def test_a_ratio_of_shares_has_the_interval_of_katz() -> None:
    found = risk_ratio(30, 100, 20, 200)
    expected = relative_risk(30, 100, 20, 200)
    assert found.value == pytest.approx(expected.relative_risk)
    bounds = expected.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((bounds.low, bounds.high))
    never = risk_ratio(0, 100, 20, 200)
    assert 0 < never.low < never.value < 0.1 < never.high
