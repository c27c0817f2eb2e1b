import numpy as np
import pytest

from tasks.quality.lapses import lapse_rate


def drawn(
    rate: float, *, num_classes: int, num_rows: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draw from the model itself: a = 1.3, b = -0.4, sureness between -1 and 7."""
    rng = np.random.default_rng(seed)
    sureness = rng.uniform(-1, 7, num_rows)
    right = rng.random(num_rows) < 1 / (1 + np.exp(-(1.3 * sureness - 0.4)))
    wrong_label = rng.random(num_rows) < rate
    by_luck = rng.random(num_rows) < 1 / (num_classes - 1)
    return sureness, np.where(right, ~wrong_label, wrong_label & by_luck)


def slow_loss(rate: float, sureness: np.ndarray, agrees: np.ndarray, num_classes: int) -> float:
    """Profile likelihood of the rows themselves, a and b on a grid."""
    slopes, shifts = np.meshgrid(np.linspace(0.6, 4.5, 60), np.linspace(-3, 1, 60))
    right = 1 / (1 + np.exp(-(slopes[..., None] * sureness + shifts[..., None])))
    agreement = (1 - rate) * right + rate / (num_classes - 1) * (1 - right)
    logs = np.where(agrees, np.log(agreement), np.log1p(-agreement))
    return float(-logs.sum(axis=-1).max())


@pytest.mark.parametrize("num_classes", [2, 77])
@pytest.mark.parametrize("rate", [0.0, 0.05, 0.3])
def test_the_rate_is_recovered_and_covered(rate: float, num_classes: int) -> None:
    runs = [
        lapse_rate(
            *drawn(rate, num_classes=num_classes, num_rows=3000, seed=seed),
            num_classes=num_classes,
        )
        for seed in range(12)
    ]
    # More than 3 misses in 12 intervals of 95 % have probability 0.002.
    assert sum(not run.low - 1e-4 <= rate <= run.high for run in runs) <= 3
    assert np.mean([run.rate for run in runs]) == pytest.approx(rate, abs=0.01)
    assert all(run.low <= run.rate <= run.high for run in runs)


def test_the_rate_and_its_bounds_are_those_of_the_likelihood() -> None:
    sureness, agrees = drawn(0.1, num_classes=4, num_rows=800, seed=5)
    found = lapse_rate(sureness, agrees, num_classes=4)
    least = slow_loss(found.rate, sureness, agrees, 4)
    others = [slow_loss(rate, sureness, agrees, 4) for rate in np.linspace(0, 0.4, 9)]
    assert least <= min(others) + 0.05
    for bound in (found.low, found.high):
        assert slow_loss(bound, sureness, agrees, 4) - least == pytest.approx(1.92, abs=0.15)


def test_without_a_sure_row_nothing_is_known() -> None:
    rng = np.random.default_rng(0)
    sureness = rng.uniform(-0.1, 0.1, 2000)
    agrees = rng.random(2000) < 0.5
    found = lapse_rate(sureness, agrees, num_classes=10)
    assert found.low == 0
    assert found.high > 0.4


@pytest.mark.parametrize("agreeing", [True, False])
@pytest.mark.parametrize("num_rows", [1, 50, 2000])
def test_rows_that_all_answer_alike(num_rows: int, agreeing: bool) -> None:
    sureness, agrees = np.full(num_rows, 3.0), np.full(num_rows, agreeing)
    found = lapse_rate(sureness, agrees, num_classes=3)
    assert 0 <= found.low <= found.rate <= found.high <= 2 / 3
    if agreeing:
        assert found.low == 0


def test_the_order_of_the_rows_does_not_matter() -> None:
    sureness, agrees = drawn(0.1, num_classes=3, num_rows=300, seed=1)
    found = lapse_rate(sureness, agrees, num_classes=3)
    assert lapse_rate(sureness[::-1], agrees[::-1], num_classes=3) == found
