import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

from tasks.quality.two_sample import area_under_roc, two_sample_test

SCORES = st.lists(st.integers(0, 5), min_size=2, max_size=8)
WORDS = [f"w{i}" for i in range(150)]


def texts(rng: np.random.Generator, size: int, *, extra: str = "", share: float = 0.0) -> list[str]:
    weights = 1 / np.arange(1, len(WORDS) + 1)
    drawn = [rng.choice(WORDS, rng.integers(3, 10), p=weights / weights.sum()) for _ in range(size)]
    return [" ".join([*words, extra] if rng.random() < share else words) for words in drawn]


@settings(deadline=None, max_examples=50)
@given(SCORES, SCORES)
def test_the_area_counts_pairs(positives: list[int], negatives: list[int]) -> None:
    wins = [
        1.0 if p > n else 0.5 if p == n else 0.0 for p in positives for n in negatives
    ]  # fmt: skip
    found, error = area_under_roc(np.array(positives, float), np.array(negatives, float))
    assert found == pytest.approx(np.mean(wins))
    table = np.array(wins).reshape(len(positives), len(negatives))
    variance = table.mean(axis=1).var(ddof=1) / len(positives)
    variance += table.mean(axis=0).var(ddof=1) / len(negatives)
    assert error == pytest.approx(variance**0.5)


def test_of_one_distribution_p_values_are_uniform() -> None:
    """Over 100 seeds: no excess of small ones, and no other shape either."""
    p_values = []
    for seed in range(100):
        drawn = texts(np.random.default_rng(seed), 80)
        outcome = two_sample_test(drawn[:40], drawn[40:])
        assert outcome is not None
        p_values.append(outcome.p_value)
    assert np.mean(np.array(p_values) < 0.05) <= 0.1
    assert kstest(p_values, "uniform").pvalue > 0.01


def test_a_word_that_gives_one_sample_away_is_found_and_named() -> None:
    rng = np.random.default_rng(0)
    first, second = texts(rng, 200, extra="furthermore", share=0.7), texts(rng, 200)
    outcome = two_sample_test(first, second)
    assert outcome is not None
    assert outcome.n == 400
    assert outcome.auc == pytest.approx(0.85, abs=0.05)
    assert outcome.p_value < 1e-6
    assert outcome.features[0].words == "furthermore"
    share = np.mean(["furthermore" in text for text in first])
    assert outcome.features[0].first_share == pytest.approx(share)
    assert outcome.features[0].second_share == 0
    assert sum(feature.gap_share for feature in outcome.features) <= 1
    correct = (outcome.scores[:200] > 0).sum() + (outcome.scores[200:] <= 0).sum()
    assert outcome.num_correct == correct


def test_the_roles_can_be_changed() -> None:
    rng = np.random.default_rng(1)
    first, second = texts(rng, 60, extra="indeed", share=0.5), texts(rng, 60)
    there, back = two_sample_test(first, second), two_sample_test(second, first)
    assert there is not None
    assert back is not None
    assert there.auc == pytest.approx(back.auc, abs=0.05)
    assert there.features[0].first_share == back.features[0].second_share


def test_unlike_samples_are_separated() -> None:
    outcome = two_sample_test(["alpha beta"] * 20, ["gamma delta"] * 20)
    assert outcome is not None
    assert (outcome.auc, outcome.auc_error, outcome.num_correct) == (1.0, 0.0, 40)


def test_equal_samples_are_not() -> None:
    outcome = two_sample_test(["alpha beta"] * 20, ["alpha beta"] * 20)
    assert outcome is not None
    assert (outcome.auc, outcome.p_value) == (0.5, 0.5)
    assert outcome.features == ()


def test_what_cannot_be_tested() -> None:
    assert two_sample_test([], []) is None
    assert two_sample_test(["a"] * 19, ["b"] * 19) is None
    assert two_sample_test([""] * 30, [""] * 30) is None
    assert two_sample_test([f"w{i}" for i in range(20)], [f"v{i}" for i in range(20)]) is None
    with pytest.raises(ValueError, match="samples of 1 and 2"):
        two_sample_test(["a"], ["b", "c"])
