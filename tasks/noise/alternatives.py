"""Tables of what may stand in place of a character, and the operators' one way to use them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tasks.noise.batch import TextBatch
from tasks.noise.dice import Dice
from tasks.noise.splices import Splices
from tasks.noise.strings import Codes, Ints, Strings, offsets_of
from tasks.noise.units import Units, find_clusters


@dataclass(frozen=True, slots=True)
class Alternatives:
    """What may stand in place of each of the numbers 0 to K - 1 (code points, mostly).

    Args:
        counts: How many alternatives each has, and a zero last for all greater ones: `(K + 1,)`.
        firsts: Where those of each begin in `strings`, shape `(K + 2,)`.
        strings: All alternatives.
    """

    counts: Ints
    firsts: Ints
    strings: Strings

    @classmethod
    def of(cls, alternatives: Mapping[str, Sequence[str]]) -> "Alternatives":
        """Lay out a table of characters: from one code point to the strings that may replace it."""
        return cls.of_numbers({ord(char): others for char, others in alternatives.items()})

    @classmethod
    def of_numbers(cls, alternatives: Mapping[int, Sequence[str]]) -> "Alternatives":
        """Lay out a table of numbers, not negative; those not named have no alternative."""
        counts = np.zeros(max(alternatives, default=-1) + 2, np.int64)
        for number, others in alternatives.items():
            counts[number] = len(others)
        ordered = [other for number in sorted(alternatives) for other in alternatives[number]]
        return cls(counts, offsets_of(counts), Strings.of(ordered))

    def counts_of(self, numbers: Ints | Codes) -> Ints:
        """Return how many alternatives each of the numbers has, shape `(E,)`."""
        counts: Ints = self.counts.take(numbers, mode="clip")
        return counts

    def take(self, numbers: Ints | Codes, which: Ints) -> Strings:
        """Return alternative number `which` of each of the numbers; both of shape `(E,)`."""
        return self.strings.take(self.firsts[numbers] + which)


def replace_characters(batch: TextBatch, dice: Dice, alternatives: Alternatives) -> Splices:
    """Replace characters that have alternatives, each with the text's rate.

    The units are grapheme clusters. Only one that is a single code point is replaced: a letter that
    carries combining marks is left as it is. Its alternatives are equally likely.

    Args:
        batch: The texts.
        dice: The draws.
        alternatives: By code point.
    """
    clusters = find_clusters(batch)
    hits = single_code_points(clusters, dice.hits(clusters))
    hits, afters = draw_alternatives(batch, dice, clusters, hits, alternatives)
    return Splices(clusters.rows_of(hits), clusters.starts[hits], clusters.ends[hits], afters)


def single_code_points(clusters: Units, picked: Ints) -> Ints:
    """Return those of the picked clusters that are one code point."""
    singles: Ints = picked[clusters.ends[picked] - clusters.starts[picked] == 1]
    return singles


def draw_alternatives(
    batch: TextBatch, dice: Dice, clusters: Units, picked: Ints, alternatives: Alternatives
) -> tuple[Ints, Strings]:
    """Draw an alternative to the first code point of each picked cluster.

    Returns:
        Those of the picked clusters that have any, and what was drawn for each.
    """
    codes = batch.code_points[clusters.starts[picked]]
    counts = alternatives.counts_of(codes)
    has_any = np.flatnonzero(counts)
    picked, codes = picked[has_any], codes[has_any]
    which = dice.choices(clusters, picked, counts[has_any])
    return picked, alternatives.take(codes, which)
