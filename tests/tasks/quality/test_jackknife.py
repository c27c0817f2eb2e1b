import numpy as np
import pytest

from tasks.quality.jackknife import NUM_BLOCKS, QUANTILE, block_jackknife
from tasks.quality.ngram_shares import distinct_share
from tasks.quality.vendi import cosine_kernel, vendi_score
from tasks.quality.word_codes import Vocabulary, WordCodes


def test_of_a_mean_of_blocks_it_is_the_error_of_the_mean() -> None:
    values = np.random.default_rng(0).normal(size=NUM_BLOCKS)
    found = block_jackknife(lambda kept: float(values[kept].mean()), NUM_BLOCKS)
    assert found is not None
    assert found.value == pytest.approx(values.mean())
    assert found.standard_error == pytest.approx(values.std(ddof=1) / np.sqrt(NUM_BLOCKS))


def test_the_quantile_is_that_of_student() -> None:
    from scipy.special import stdtrit

    assert pytest.approx(stdtrit(NUM_BLOCKS - 1, 0.975)) == QUANTILE


def test_what_is_undefined_has_no_interval() -> None:
    assert block_jackknife(lambda kept: None, 50) is None
    few = block_jackknife(lambda kept: 1.0, NUM_BLOCKS - 1)
    assert few is not None
    assert (few.value, few.standard_error) == (1.0, None)
    lonely = block_jackknife(lambda kept: 1.0 if kept[0] else None, 50)
    assert lonely is not None
    assert lonely.standard_error is None


def covered(measure, draw, *, num_texts: int, runs: int) -> float:
    """Share of intervals that hold the mean of the figure over all runs."""
    rng = np.random.default_rng(1)
    found = [block_jackknife(measure(draw(rng)), num_texts) for _ in range(runs)]
    values = np.array([one.value for one in found])
    reach = np.array([QUANTILE * one.standard_error for one in found])
    return float((np.abs(values - values.mean()) <= reach).mean())


def test_intervals_of_distinct_n_cover() -> None:
    vocabulary = Vocabulary()
    shares = 1 / np.arange(1, 401)

    def draw(rng):
        codes = rng.choice(400, size=200 * 6, p=shares / shares.sum()).astype(np.int32)
        return WordCodes(codes, np.arange(0, 1201, 6), vocabulary).ngrams(2)

    def measure(ngrams):
        return lambda kept: distinct_share(ngrams, kept=kept)

    assert covered(measure, draw, num_texts=200, runs=150) >= 0.9


def test_intervals_of_the_vendi_score_cover() -> None:
    centres = np.random.default_rng(2).normal(size=(15, 30))
    shares = np.arange(1, 16) / np.arange(1, 16).sum()

    def draw(rng):
        kinds = rng.choice(15, size=80, p=shares)
        return cosine_kernel(centres[kinds] + 0.7 * rng.normal(size=(80, 30)))

    def measure(kernel):
        return lambda kept: vendi_score(kernel[np.ix_(kept, kept)])

    assert covered(measure, draw, num_texts=80, runs=100) >= 0.9
