"""Self-BLEU: how much the texts of one corpus resemble each other."""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

from tasks.quality.diversity import word_ngrams

ORDER = 4
"""BLEU-4: n-grams of one to four words, weighted equally."""
EPSILON = 0.1
"""Stands for the matches of an order that has none (method 1 of Chen and Cherry, WMT 2014)."""

Ngram = tuple[str, ...]


def self_bleu(texts: Sequence[Sequence[str]]) -> list[float]:
    """Return each text's BLEU-4 against all the others as references, exactly.

    The clipped count of an n-gram is bounded by the greatest count in one other text. So the two
    greatest counts of each n-gram over all texts, and who holds the greatest, answer for every
    text, and N texts cost as much as counting their n-grams once.

    An order without a match counts `EPSILON` matches; an order that the text is too short for
    counts as one n-gram without a match. A text that shares no word with another scores 0. The
    brevity penalty takes the other text whose length is closest, the shorter of two.

    Self-BLEU grows with the number of texts, for each has more references: compare it between
    samples of one size only.

    Args:
        texts: Words of each text; a text may be empty.

    Returns:
        One score for each text, in [0, 1]: near 1 when it repeats others. Empty for fewer than two
        texts, which have no reference.

    References:
        Zhu et al., SIGIR 2018. https://arxiv.org/abs/1802.01886 (self-BLEU)
        Papineni et al., ACL 2002. https://aclanthology.org/P02-1040 (BLEU)
        Chen and Cherry, WMT 2014. https://aclanthology.org/W14-3346 (smoothing)
    """
    if len(texts) < 2:
        return []
    logs = [0.0] * len(texts)
    for n in range(1, ORDER + 1):
        counts = [Counter(word_ngrams(words, n)) for words in texts]
        for place, matches in enumerate(_clipped(counts)):
            num_ngrams = max(1, counts[place].total())
            if n == 1 and not matches:
                logs[place] = -math.inf
            logs[place] += math.log((matches or EPSILON) / num_ngrams) / ORDER
    penalties = _brevity_penalties([len(words) for words in texts])
    return [math.exp(log) * penalty for log, penalty in zip(logs, penalties, strict=True)]


def _clipped(counts: Sequence[Counter[Ngram]]) -> list[int]:
    """Sum each text's n-gram counts, each clipped to the greatest count in one other text."""
    best: dict[Ngram, tuple[int, int, int]] = {}
    for place, own in enumerate(counts):
        for ngram, count in own.items():
            greatest, holder, second = best.get(ngram, (0, -1, 0))
            if count > greatest:
                best[ngram] = (count, place, greatest)
            elif count > second:
                best[ngram] = (greatest, holder, count)
    return [
        sum(min(count, _elsewhere(best[ngram], place)) for ngram, count in own.items())
        for place, own in enumerate(counts)
    ]


def _elsewhere(best: tuple[int, int, int], place: int) -> int:
    greatest, holder, second = best
    return second if holder == place else greatest


def _brevity_penalties(lengths: Sequence[int]) -> list[float]:
    """Return each length's penalty against the closest of the other lengths."""
    ordered = sorted(lengths)
    penalty_of: dict[int, float] = {}
    for length in set(lengths):
        first = bisect_left(ordered, length)
        # Without one of its own kind, the neighbours of this place are the closest others.
        others = [*ordered[max(0, first - 1) : first], *ordered[first + 1 : first + 2]]
        closest = min(others, key=lambda other: (abs(other - length), other))
        missing = closest > length
        penalty_of[length] = (math.exp(1 - closest / length) if length else 0.0) if missing else 1.0
    return [penalty_of[length] for length in lengths]
