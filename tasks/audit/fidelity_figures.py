"""Every figure of one comparison of a sample with a reference sample."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.audit import Estimate
from tasks.audit import intervals
from tasks.audit.corpus import Corpus
from tasks.quality.divergences import (
    Distance,
    LengthDistances,
    jensen_shannon,
    label_distance,
    length_distances,
    unknown_words,
)
from tasks.quality.mauve import Mauve, mauve
from tasks.quality.nearest_reference import MOST_WORDS, NearestReference, nearest_reference
from tasks.quality.two_sample import FEWEST_TEXTS, FOLD_OVERLAP, TwoSampleTest, two_sample_test

MOST_WORD_PAIRS = 100_000_000
"""Words of texts times texts for the nearest reference: some 15 seconds where they are long."""
FEWEST_NEAREST = 50
"""Texts whose nearest reference is found at least, however long they are."""


@dataclass(frozen=True)
class Comparison:
    """What the engines say of a sample and a reference sample of as many rows.

    Args:
        sample: Rows of the sample.
        reference: Rows of the reference.
        compared: The first rows of `sample`, of which texts were compared one by one.
        compared_reference: The first rows of `reference`.
        mauve: None with fewer than `FEWEST_TEXTS` rows.
        test: Classifier two-sample test; None where it cannot be made.
        nearest: Of the first rows of `compared` in `compared_reference`.
        lengths: Distances of the lengths in words.
        divergences: Of words and of pairs of words; None where there are none.
        unknown: Words of the sample that the reference lacks; None without words.
        missing: Words of the reference that the sample lacks; None without words.
        labels: Distance of the label shares; None without labels on both sides.
    """

    sample: Corpus
    reference: Corpus
    compared: Corpus
    compared_reference: Corpus
    mauve: Mauve | None
    test: TwoSampleTest | None
    nearest: NearestReference
    lengths: LengthDistances | None
    divergences: tuple[Distance | None, Distance | None]
    unknown: Distance | None
    missing: Distance | None
    labels: Distance | None


def compare(
    sides: tuple[Corpus, Corpus],
    small: tuple[Corpus, Corpus],
    embedded: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> Comparison:
    """Measure everything between a sample and a reference sample.

    Args:
        sides: The sample and the reference, at least a row each.
        small: Rows of each that are compared text by text, as many of the one as of the other.
        embedded: The embeddings of the texts of `small`, shape `(n, D)` each.
    """
    sample, reference = sides
    words, known = sample.words, reference.words
    is_large = len(small[0]) >= FEWEST_TEXTS
    return Comparison(
        sample=sample,
        reference=reference,
        compared=small[0],
        compared_reference=small[1],
        mauve=mauve(*embedded) if is_large else None,
        test=two_sample_test(beginnings(small[0]), beginnings(small[1])),
        nearest=_nearest(*small),
        lengths=length_distances(words.lengths, known.lengths),
        divergences=(jensen_shannon(words, known, n=1), jensen_shannon(words, known, n=2)),
        unknown=unknown_words(words, known),
        missing=unknown_words(known, words),
        labels=label_distance(_present(sample.labels), _present(reference.labels)),
    )


def beginnings(corpus: Corpus) -> list[str]:
    """Return the first `MOST_WORDS` words of the normalised texts."""
    return [" ".join(normal.split(" ", MOST_WORDS)[:MOST_WORDS]) for normal in corpus.normals]


def _nearest(sample: Corpus, reference: Corpus) -> NearestReference:
    words = int(np.minimum(reference.words.lengths, MOST_WORDS).sum())
    size = max(FEWEST_NEAREST, MOST_WORD_PAIRS // max(1, words))
    return nearest_reference(sample.take(np.arange(min(size, len(sample)))).words, reference.words)


def _present(labels: Sequence[str | None] | None) -> list[str]:
    return [label for label in labels or () if label is not None]


def estimates(found: Comparison) -> dict[str, Estimate | None]:
    """Return the estimate of every metric by name, None where it was not measured."""
    words, pairs = found.divergences
    return {
        **_of_mauve(found),
        **_of_test(found.test),
        "word_divergence": distance_estimate(words, most=1.0),
        "word_pair_divergence": distance_estimate(pairs, most=1.0),
        **_of_lengths(found.lengths),
        "nearest_rouge_l": _mean_score(found.nearest.rouge_l),
        "nearest_bleu": _mean_score(found.nearest.bleu),
        "unknown_word_share": distance_estimate(found.unknown, most=1.0),
        "missing_word_share": distance_estimate(found.missing, most=1.0),
        "label_share_distance": distance_estimate(found.labels, most=1.0),
    }


def _of_mauve(found: Comparison) -> dict[str, Estimate | None]:
    if found.mauve is None:
        return {"mauve": None}
    n = len(found.compared) + len(found.compared_reference)
    return {"mauve": _bounded(found.mauve.value, found.mauve.standard_error, n, most=1.0)}


def _of_test(test: TwoSampleTest | None) -> dict[str, Estimate | None]:
    if test is None:
        return dict.fromkeys(("two_sample_accuracy", "two_sample_auc", "two_sample_p_value"))
    return {
        "two_sample_accuracy": _accuracy(test),
        "two_sample_auc": _bounded(test.auc, test.auc_error, test.n, most=1.0),
        "two_sample_p_value": intervals.plain(test.p_value, test.n),
    }


def _accuracy(test: TwoSampleTest) -> Estimate:
    """Return the accuracy, with the interval of as few rows as the folds' overlap leaves."""
    value = test.num_correct / test.n
    effective = int(test.n / FOLD_OVERLAP)
    bounds = intervals.share(round(value * effective), effective)
    low, high = min(value, bounds.low or 0.0), max(value, bounds.high or 0.0)
    return Estimate(value=value, low=low, high=high, n=test.n)


def _of_lengths(lengths: LengthDistances | None) -> dict[str, Estimate | None]:
    return {
        "length_distance": distance_estimate(lengths.wasserstein if lengths else None),
        "length_ks": distance_estimate(lengths.kolmogorov_smirnov if lengths else None, most=1.0),
    }


def distance_estimate(distance: Distance | None, *, most: float | None = None) -> Estimate | None:
    """Return a distance with its normal interval, which stays between 0 and `most`."""
    if distance is None:
        return None
    return _bounded(distance.value, distance.standard_error, distance.n, most=most)


def _mean_score(scores: NDArray[np.float64]) -> Estimate:
    error = float(scores.std(ddof=1)) / len(scores) ** 0.5 if len(scores) > 1 else None
    return _bounded(float(scores.mean()), error, len(scores), most=1.0)


def _bounded(value: float, error: float | None, n: int, *, most: float | None) -> Estimate:
    value = max(value, 0.0) if most is None else min(max(value, 0.0), most)
    if error is None:
        return Estimate(value=value, n=n)
    low, high = max(0.0, value - intervals.Z * error), value + intervals.Z * error
    return Estimate(value=value, low=low, high=high if most is None else min(most, high), n=n)
