"""Classifier two-sample test: can a classifier tell two samples of texts apart?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.quality.threads import one_blas_thread

NUM_FOLDS = 5
FEWEST_TEXTS = 20
"""Texts that each sample needs: four in every fold."""
MOST_FEATURES = 40
MOST_ITERATIONS = 1000
FOLD_OVERLAP = 2.0
"""How much the variance of the mean AUC exceeds that of independent folds, at most.

What two folds have in common by chance counts twice: when the one trains and the other tests, and
the reverse. Under the null hypothesis that doubles the variance for a classifier that is linear in
the texts it learned from; 1.9, 1.7 and 1.3 were measured for 40, 150 and 600 short texts a side.
"""
_SEED = 0

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Feature:
    """A word or pair of words that tells the samples apart.

    Args:
        words: The word, or two with a space between.
        first_share: Part of the first sample's texts that hold it.
        second_share: Part of the second sample's.
        gap_share: Its part of the gap between the mean scores of the two samples: coefficient times
            difference of the mean TF-IDF, over the sum of that of all features.
    """

    words: str
    first_share: float
    second_share: float
    gap_share: float


@dataclass(frozen=True, slots=True)
class TwoSampleTest:
    """What the classifier could tell.

    Args:
        num_correct: Texts given to their own sample by a classifier that never saw them.
        n: Texts of both samples together.
        auc: Probability that a text of the first sample scores above one of the second, ties
            counting half: mean over the folds; 0.5 where nothing can be told, 1 where all can.
        auc_error: Its standard error (DeLong, of the folds, with `FOLD_OVERLAP`); 0 where the
            samples are separated entirely.
        p_value: One-sided, of the hypothesis that both samples come from one distribution.
        scores: Out-of-fold score of each text, the first sample's before the second's, shape
            `(n,)`: log-odds of the first sample.
        features: What tells them apart most, the strongest first.
    """

    num_correct: int
    n: int
    auc: float
    auc_error: float
    p_value: float
    scores: Floats
    features: tuple[Feature, ...]


@one_blas_thread()
def two_sample_test(first: Sequence[str], second: Sequence[str]) -> TwoSampleTest | None:
    """Train a classifier to tell two samples of equal size apart, and test it on other texts.

    Stratified 5-fold cross-validation, shuffled by a fixed seed: every text is scored once, by a
    logistic regression (L2, C = 1) that never saw it, on the TF-IDF (sublinear, unit length) of
    the words and pairs of words that at least two texts of both samples together hold. IDF is taken
    over both samples: it knows no side, so the test stays valid.

    The p-value is that of the mean AUC of the folds under its null distribution: Mann-Whitney,
    normal, mean 1/2, variance (a + b + 1) / (12 a b) of a fold of a and b texts, times
    `FOLD_OVERLAP` (conservative where that is too much). Lopez-Paz and Oquab test the accuracy on
    one held-out half; here every text is tested.

    It tells by words only: case, punctuation and length as such are not seen. A large sample finds
    any difference significant, so read the AUC first.

    Args:
        first: Normalised texts (`normalise_text`), N of them; their order decides the folds.
        second: As many of the other sample.

    Returns:
        The outcome, or None with fewer than `FEWEST_TEXTS` texts a side, or no word in two texts.

    Raises:
        ValueError: If the samples differ in size.

    References:
        Lopez-Paz and Oquab, ICLR 2017. https://arxiv.org/abs/1610.06545
        DeLong et al., Biometrics 1988. https://doi.org/10.2307/2531595 (standard error)
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    if len(first) != len(second):
        raise ValueError(f"samples of {len(first)} and {len(second)} texts")
    texts = [*first, *second]
    if len(first) < FEWEST_TEXTS or not _shares_a_word(texts):
        return None
    vectorizer = TfidfVectorizer(
        ngram_range=(1, 2), sublinear_tf=True, min_df=2, tokenizer=str.split, token_pattern=None
    )
    matrix = vectorizer.fit_transform(texts)
    is_first = np.arange(len(texts)) < len(first)
    scores, coefficients, folds = _cross_validate(matrix, is_first)
    auc, variance, null_variance = np.mean(folds, axis=0)
    shrink = FOLD_OVERLAP / NUM_FOLDS
    z = (auc - 0.5) / math.sqrt(null_variance * shrink)
    return TwoSampleTest(
        num_correct=int(((scores > 0) == is_first).sum()),
        n=len(texts),
        auc=float(auc),
        auc_error=math.sqrt(variance * shrink),
        p_value=math.erfc(z / math.sqrt(2)) / 2,
        scores=scores,
        features=_features(matrix, is_first, coefficients, vectorizer.get_feature_names_out()),
    )


def _shares_a_word(texts: Sequence[str]) -> bool:
    seen: set[str] = set()
    for text in texts:
        words = set(text.split())
        if not seen.isdisjoint(words):
            return True
        seen |= words
    return False


def _cross_validate(matrix: Any, is_first: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    """Score every text out of fold.

    Returns:
        Scores, shape `(n,)`; mean coefficients, shape `(F,)`; and of each fold the AUC, its
        variance and its variance under the null hypothesis, shape `(NUM_FOLDS, 3)`.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold

    scores = np.zeros(len(is_first))
    coefficients = np.zeros(matrix.shape[1])
    outcomes = list[tuple[float, float, float]]()
    folds = StratifiedKFold(NUM_FOLDS, shuffle=True, random_state=_SEED)
    for learn, test in folds.split(scores, is_first):
        classifier = LogisticRegression(max_iter=MOST_ITERATIONS)
        classifier.fit(matrix[learn], is_first[learn])
        scores[test] = classifier.decision_function(matrix[test])
        coefficients += classifier.coef_[0] / NUM_FOLDS
        ours, theirs = scores[test][is_first[test]], scores[test][~is_first[test]]
        auc, error = area_under_roc(ours, theirs)
        a, b = len(ours), len(theirs)
        outcomes.append((auc, error * error, (a + b + 1) / (12 * a * b)))
    return scores, coefficients, np.array(outcomes)


def area_under_roc(positives: Floats, negatives: Floats) -> tuple[float, float]:
    """Return the probability that a positive scores above a negative, and its standard error.

    Ties count half. The standard error is DeLong's: from the variance of each score's placement
    among those of the other class.

    Args:
        positives: Scores, at least two, shape `(a,)`.
        negatives: Scores, at least two, shape `(b,)`.

    References:
        DeLong et al., Biometrics 1988. https://doi.org/10.2307/2531595
    """
    above = _placements(positives, negatives)
    below = _placements(negatives, positives)
    variance = above.var(ddof=1) / len(above) + below.var(ddof=1) / len(below)
    return float(above.mean()), math.sqrt(float(variance))


def _placements(scores: Floats, others: Floats) -> Floats:
    """Return the part of `others` below each score, ties counting half."""
    ordered = np.sort(others)
    left = np.searchsorted(ordered, scores, side="left")
    right = np.searchsorted(ordered, scores, side="right")
    return (left + right) / (2 * len(others))


def _features(
    matrix: Any, is_first: NDArray[np.bool_], coefficients: Floats, names: NDArray[np.object_]
) -> tuple[Feature, ...]:
    sides = (matrix[is_first], matrix[~is_first])
    means = [np.asarray(side.mean(axis=0)).ravel() for side in sides]
    shares = [side.getnnz(axis=0) / side.shape[0] for side in sides]
    gaps = coefficients * (means[0] - means[1])
    total = float(gaps.sum()) or 1.0
    best = np.argsort(-gaps, kind="stable")[:MOST_FEATURES]
    return tuple(
        Feature(str(names[i]), float(shares[0][i]), float(shares[1][i]), float(gaps[i]) / total)
        for i in best.tolist()
        if gaps[i] > 0
    )
