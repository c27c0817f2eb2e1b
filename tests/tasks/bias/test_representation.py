import numpy as np
import pytest
from scipy.stats import binomtest, chisquare

from tasks.bias.representation import FEWEST_MENTIONS, representation, wilson

GROUPS = ["a", "b", "c"]


def rows(*counts: int, silent: int = 10) -> np.ndarray:
    blocks = [np.tile(np.arange(len(counts)) == k, (count, 1)) for k, count in enumerate(counts)]
    return np.concatenate([*blocks, np.zeros((silent, len(counts)), dtype=np.bool_)])


def test_shares_are_of_mentions_with_the_interval_of_wilson() -> None:
    found = representation(rows(60, 30, 10), axis="x", groups=GROUPS)
    assert [g.rows for g in found.groups] == [60, 30, 10]
    assert [g.target for g in found.groups] == pytest.approx([1 / 3] * 3)
    share = found.groups[0].share
    assert share is not None
    expected = binomtest(60, 100).proportion_ci(0.95, method="wilson")
    assert (share.value, share.low, share.high) == pytest.approx((0.6, *expected))
    assert found.p_value == pytest.approx(chisquare([60, 30, 10]).pvalue)
    assert found.distance is not None
    assert found.distance.value == pytest.approx(0.6 - 1 / 3)


def test_a_row_that_mentions_two_groups_counts_for_both() -> None:
    found = representation(np.ones((40, 2), dtype=np.bool_), axis="x", groups=["a", "b"])
    assert found.mentions == 80
    assert found.groups[0].share is not None
    assert found.groups[0].share.value == 0.5
    assert found.p_value == 1


def test_the_target_is_in_any_unit() -> None:
    found = representation(
        rows(60, 30, 10), axis="x", groups=GROUPS, target={"a": 6, "b": 3, "c": 1}
    )
    assert found.p_value == pytest.approx(1)
    assert found.distance is not None
    assert found.distance.value == pytest.approx(0)
    assert found.distance.low == 0
    unasked = representation(rows(60, 30, 10), axis="x", groups=GROUPS, target={"a": 6, "b": 4})
    assert unasked.p_value == 0
    assert representation(rows(60, 0, 0), axis="x", groups=GROUPS, target={"a": 1}).p_value == 1


@pytest.mark.parametrize("target", [{"z": 1.0}, {"a": -1.0, "b": 2.0}, {"a": 0.0}, {}])
def test_a_wrong_target_is_refused(target: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"no group z|target of x"):
        representation(rows(1, 1, 1), axis="x", groups=GROUPS, target=target)


def test_too_few_mentions_are_counted_and_not_tested() -> None:
    found = representation(rows(FEWEST_MENTIONS - 1, 0, 0), axis="x", groups=GROUPS)
    assert (found.p_value, found.distance) == (None, None)
    assert found.groups[0].share is not None
    nothing = representation(rows(0, 0, 0), axis="x", groups=GROUPS)
    assert [group.share for group in nothing.groups] == [None] * 3


def test_a_sparse_target_is_tested_by_drawing() -> None:
    target = {"a": 0.49, "b": 0.49, "c": 0.02}
    random = np.random.default_rng(0)
    p_values = []
    for _ in range(200):
        counts = random.multinomial(100, list(target.values()))
        found = representation(rows(*counts), axis="x", groups=GROUPS, target=target)
        assert found.p_value is not None
        p_values.append(found.p_value)
    assert np.mean(np.array(p_values) < 0.05) <= 0.1
    planted = representation(rows(45, 45, 10), axis="x", groups=GROUPS, target=target)
    assert planted.p_value is not None
    assert planted.p_value < 0.01


@pytest.mark.parametrize("shares", [(1 / 3, 1 / 3, 1 / 3), (0.4, 0.35, 0.25), (0.8, 0.1, 0.1)])
def test_the_interval_of_the_distance_covers_the_truth(shares: tuple[float, ...]) -> None:
    truth, random, covered = sum(abs(s - 1 / 3) for s in shares) / 2, np.random.default_rng(1), 0
    for _ in range(200):
        counts = random.multinomial(300, shares)
        distance = representation(rows(*counts), axis="x", groups=GROUPS).distance
        assert distance is not None
        covered += not distance.excludes(truth)
    assert covered >= 182


def test_wilson_at_the_ends() -> None:
    assert wilson(0, 5).low == 0
    assert wilson(5, 5).high == 1
