import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.utility import resampling
from tasks.utility.resampling import RESAMPLES, estimate, resample
from tasks.utility.scores import chance_f1, confusion, macro_f1


def slow(given_: np.ndarray, said: np.ndarray, num_labels: int, seed: int) -> np.ndarray:
    """Accuracy, macro-F1 and its distance to chance on every resample, row by row, `(3, R)`."""
    generator = np.random.default_rng([seed, given_.size])
    found = []
    for _ in range(RESAMPLES):
        rows = generator.integers(given_.size, size=given_.size)
        table = confusion(given_[rows], said[rows], num_labels).astype(float)
        named, there = table.sum(axis=0), table.sum(axis=1)
        f1 = macro_f1(np.diagonal(table), named, there)
        right = np.trace(table) / given_.size
        found.append((right, f1, f1 - chance_f1(named, there)))
    return np.array(found).T


@settings(deadline=None, max_examples=5)
@given(st.integers(1, 40), st.integers(2, 4), st.integers(0, 3))
def test_a_resample_is_rows_drawn_with_replacement(size: int, labels: int, seed: int) -> None:
    own, *said = np.random.default_rng(seed).integers(labels, size=(3, size))
    found = resample(own, np.stack(said), num_labels=labels, seed=seed)
    for student, guess in enumerate(said):
        accuracy, f1, above = slow(own, guess, labels, seed)
        assert found.accuracy[:, student] == pytest.approx(accuracy)
        assert found.macro_f1[:, student] == pytest.approx(f1)
        assert found.above_chance[:, student] == pytest.approx(above)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    own, said = np.random.default_rng(1).integers(3, size=(2, 50))
    whole = resample(own, said[None], num_labels=3, seed=7)
    monkeypatch.setattr(resampling, "_BLOCK_COUNTS", 50 * 300)
    parts = resample(own, said[None], num_labels=3, seed=7)
    assert np.array_equal(whole.macro_f1, parts.macro_f1)


def test_intervals_of_accuracy_hold_the_truth_as_often_as_they_say() -> None:
    """Of 200 test sets of 150 rows, 95 % of the intervals hold .7, to within chance."""
    generator = np.random.default_rng(0)
    held = 0
    for seed in range(200):
        own = generator.integers(2, size=150)
        said = np.where(generator.random(150) < 0.7, own, 1 - own)
        drawn = resample(own, said[None], num_labels=2, seed=seed).accuracy[:, 0]
        found = estimate(float((own == said).mean()), drawn, 150)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0.7 <= found.high
    assert 180 <= held <= 199


def test_a_student_that_learnt_nothing_is_not_above_chance() -> None:
    """Whatever it favours: 95 % of the intervals of the distance to chance hold 0."""
    generator = np.random.default_rng(5)
    held = 0
    for seed in range(100):
        own = (generator.random(150) < 0.8).astype(np.int64)
        said = (generator.random(150) < 0.3).astype(np.int64)
        drawn = resample(own, said[None], num_labels=2, seed=seed).above_chance[:, 0]
        low, high = np.quantile(drawn, (0.025, 0.975))
        held += low <= 0 <= high
    assert held >= 88
