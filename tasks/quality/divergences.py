"""How far two samples of texts lie apart: in their words, their lengths and their labels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.quality.sorted_values import distinct_values
from tasks.quality.word_codes import WordCodes

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Distance:
    """A distance between two samples.

    Args:
        value: The distance.
        standard_error: To first order, over texts: words of one text are not independent. It says
            how the value varies between samples, not how far it lies above the distance of the two
            populations, which only a baseline of the same size shows. None where a sample has fewer
            than two texts.
        n: Texts of both samples together.
    """

    value: float
    standard_error: float | None
    n: int


def jensen_shannon(first: WordCodes, second: WordCodes, *, n: int) -> Distance | None:
    """Return the Jensen-Shannon divergence of the word n-grams of two samples, in bits.

    With P and Q the relative frequencies of n-grams in each sample (n-grams within one text) and
    M = (P + Q) / 2 it is (KL(P || M) + KL(Q || M)) / 2: 0 for equal frequencies, 1 for samples that
    share no n-gram. It is symmetric.

    The plug-in estimate is biased upward: two samples of one language differ in every rare word, by
    chance, and the more so the fewer they are. Judge it beside that of two samples of one set,
    of the same size.

    Args:
        first: Texts of the one sample.
        second: Texts of the other, with the same vocabulary.
        n: Words of an n-gram, at least 1.

    Returns:
        The distance, or None where a sample has no n-gram.

    References:
        Lin, IEEE Transactions on Information Theory 1991. https://doi.org/10.1109/18.61115
    """
    sides = [first.ngrams(n), second.ngrams(n)]
    if any(not len(side.hashes) for side in sides):
        return None
    kinds, places = np.unique(np.concatenate([s.hashes for s in sides]), return_inverse=True)
    split = len(sides[0].hashes)
    parts = (places[:split], places[split:])
    shares = [np.bincount(part, minlength=len(kinds)) / len(part) for part in parts]
    mixture = (shares[0] + shares[1]) / 2
    value, variances = 0.0, list[float]()
    for side, part, share, size in zip(
        sides, parts, shares, (len(first), len(second)), strict=True
    ):
        with np.errstate(divide="ignore"):
            gains = np.log2(share / mixture) / 2
        value += float(gains[part].mean())
        variances.append(_ratio_variance(gains[part], side.texts, size))
    return _distance(min(max(value, 0.0), 1.0), variances, len(first) + len(second))


def unknown_words(sample: WordCodes, reference: WordCodes) -> Distance | None:
    """Return the share of a sample's words that never occur in the reference, in [0, 1].

    Every occurrence counts. It falls as the reference grows: compare it at one size only.

    Args:
        sample: Texts whose words are looked up.
        reference: Texts that make the vocabulary, with the same codes.

    Returns:
        The share, or None where the sample has no words. Its standard error is over the texts of
        both: by the jackknife for those of the reference, each of which alone may hold a word.
    """
    if not len(sample.codes):
        return None
    known = np.zeros(len(sample.vocabulary), dtype=bool)
    known[reference.codes] = True
    unknown = (~known[sample.codes]).astype(np.float64)
    texts = np.repeat(np.arange(len(sample), dtype=np.int64), sample.lengths)
    variances = [
        _ratio_variance(unknown, texts, len(sample)),
        _vocabulary_variance(sample.codes, reference),
    ]
    return _distance(float(unknown.mean()), variances, len(sample))


def _vocabulary_variance(codes: NDArray[np.int32], reference: WordCodes) -> float:
    """Return the jackknife variance of the share of `codes` that a reference lacks.

    Without a text the reference lacks the words, too, that no other of its texts holds.
    """
    n = len(reference)
    if n < 2:
        return math.inf
    num_words = len(reference.vocabulary)
    texts = np.repeat(np.arange(n, dtype=np.int64), reference.lengths)
    holders, held = np.divmod(distinct_values(texts * num_words + reference.codes), num_words)
    in_one_text = np.bincount(held, minlength=num_words)[held] == 1
    shares = np.bincount(codes, minlength=num_words) / len(codes)
    added = np.bincount(holders[in_one_text], shares[held[in_one_text]], minlength=n)
    return float(((added - added.mean()) ** 2).sum()) * (n - 1) / n


def _ratio_variance(values: Floats, texts: NDArray[np.int64], num_texts: int) -> float:
    """Return the variance of the mean of `values` when whole texts are drawn.

    The mean is a ratio of two sums over texts, so its influence is linear in each text's sum of
    deviations. Infinite for one text.

    Args:
        values: One number a word or n-gram, shape `(W,)`.
        texts: Text that holds each, shape `(W,)`.
        num_texts: Texts in all, those without words included.
    """
    if num_texts < 2:
        return math.inf
    sums = np.bincount(texts, weights=values - values.mean(), minlength=num_texts)
    return float(sums @ sums) * num_texts / (num_texts - 1) / len(values) ** 2


def _distance(value: float, variances: Sequence[float], n: int) -> Distance:
    error = math.sqrt(sum(variances))
    return Distance(value, error if math.isfinite(error) else None, n)


@dataclass(frozen=True, slots=True)
class LengthDistances:
    """How far the lengths of two samples lie apart.

    Args:
        wasserstein: Wasserstein-1 distance, in the unit of the lengths.
        kolmogorov_smirnov: Greatest difference of the cumulative shares, in [0, 1].
        p_value: Of the two-sided Kolmogorov-Smirnov test, by its limit for large samples;
            conservative, for lengths have ties.
    """

    wasserstein: Distance
    kolmogorov_smirnov: Distance
    p_value: float


def length_distances(first: NDArray[np.int64], second: NDArray[np.int64]) -> LengthDistances | None:
    """Compare the lengths of two samples of texts.

    Wasserstein-1 is the area between the two cumulative distributions: how many words a text must
    be lengthened or shortened on average to turn the one sample's lengths into the other's. Both
    distances are biased upward where the samples hardly differ.

    Args:
        first: Lengths, shape `(n,)`.
        second: Lengths, shape `(m,)`.

    Returns:
        The distances, or None where a sample is empty.

    References:
        Ramdas et al., Entropy 2017. https://arxiv.org/abs/1509.02237 (Wasserstein-1)
        Hodges, Arkiv för Matematik 1958. https://doi.org/10.1007/BF02589501 (Kolmogorov-Smirnov)
    """
    from scipy.special import kolmogorov

    if not len(first) or not len(second):
        return None
    n, m = len(first), len(second)
    values = distinct_values(np.concatenate([first, second]))
    shares = [np.searchsorted(np.sort(s), values, side="right") / len(s) for s in (first, second)]
    gaps, steps = shares[0] - shares[1], np.diff(values)
    widest = int(np.abs(gaps).argmax())
    below = [(side <= values[widest]).astype(np.float64) for side in (first, second)]
    # What a text adds to the area, up to a constant: the signs of the gaps up to its length.
    path = np.concatenate([[0.0], np.cumsum(np.sign(gaps[:-1]) * steps)])
    paths = [path[np.searchsorted(values, side)] for side in (first, second)]
    area, height = float(np.abs(gaps[:-1]) @ steps), float(np.abs(gaps[widest]))
    return LengthDistances(
        wasserstein=_distance(area, [_mean_variance(side) for side in paths], n + m),
        kolmogorov_smirnov=_distance(height, [_mean_variance(side) for side in below], n + m),
        p_value=float(kolmogorov(height * math.sqrt(n * m / (n + m)))),
    )


def _mean_variance(values: Floats) -> float:
    return float(values.var(ddof=1)) / len(values) if len(values) > 1 else math.inf


def label_distance(first: Sequence[str], second: Sequence[str]) -> Distance | None:
    """Return the total variation distance of the label shares of two samples.

    Half the sum over labels of the absolute difference of shares: the part of the rows that would
    have to carry another label; 0 for equal shares, 1 when no label is common. Biased upward where
    shares hardly differ.

    Args:
        first: Label of each row of the one sample.
        second: Label of each row of the other.

    Returns:
        The distance, or None where a sample has no row.
    """
    if not first or not second:
        return None
    codes = {label: code for code, label in enumerate(dict.fromkeys([*first, *second]))}
    sides = [np.array([codes[label] for label in side]) for side in (first, second)]
    shares = [np.bincount(side, minlength=len(codes)) / len(side) for side in sides]
    difference = shares[0] - shares[1]
    signs = np.sign(difference) / 2
    variances = [_mean_variance(signs[side]) for side in sides]
    value = min(1.0, float(np.abs(difference).sum()) / 2)
    return _distance(value, variances, len(first) + len(second))
