"""Errors of text recognition: characters taken for others of the same shape."""

from collections.abc import Mapping
from functools import cache

import numpy as np

from tasks.noise.alternatives import Alternatives, single_code_points
from tasks.noise.batch import TextBatch
from tasks.noise.dice import Dice
from tasks.noise.seams import keep_apart
from tasks.noise.splices import Splices
from tasks.noise.strings import Ints
from tasks.noise.units import Units, find_clusters

# Each group: any of them is read as any other. Shapes that printed type brings close together.
_LOOK_ALIKES = (
    *("0 O o", "0 Q", "0 D", "O Q", "O D", "1 l I", "1 i", "i l", "i j", "I | l", "! 1 l", "5 S s"),
    *("8 B", "8 3", "6 b G", "9 g q", "2 Z z", "7 T", "7 1", "4 A", "3 E", "c e", "c o", "e o"),
    *("a o", "u v", "n h", "h b", "f t", "t l", "r n", "E F", "P F", "C G", "U V", "y v", "C c"),
    *("K k", "P p", "U u", "V v", "W w", "X x", ". ,", ": ;", "' `", "- ~"),
    *("rn m", "cl d", "vv w", "VV W", "nn m", "ii u", "li h", "ri n", "ci a", "cj g", "lo b"),
    *("IJ U", "I3 B", "l3 B", "c1 d", "fi h", "tl d", "'' \"", "() 0", "lc k", "LI U", "rr n"),
)
_BASE = 128


def confusions() -> dict[str, list[str]]:
    """Return what each character or pair of characters is taken for, in a fixed order."""
    found: dict[str, list[str]] = {}
    for group in _LOOK_ALIKES:
        shapes = group.split()
        for shape in shapes:
            others = found.setdefault(shape, [])
            others.extend(other for other in shapes if other != shape and other not in others)
    return found


def ocr(batch: TextBatch, dice: Dice) -> Splices:
    """Take characters for others, each with the text's rate as its probability.

    The units are grapheme clusters, of which ASCII letters, digits and signs that stand alone can
    be taken for others. Where a confusable pair begins (rn), what the pair is taken for (m) and
    what its first character is taken for are equally likely. A character that has gone with a pair
    is not edited again.

    Args:
        batch: The texts.
        dice: The draws.

    References:
        The shapes are our own list. That errors of recognition are confusions of one or two
        characters: Kukich, ACM Computing Surveys 1992, https://doi.org/10.1145/146370.146380;
        as noise for training: Namysl, Behnke and Koehler, ACL 2020,
        https://arxiv.org/abs/2005.07162
    """
    clusters = find_clusters(batch)
    hits = single_code_points(clusters, dice.hits(clusters))
    singles, pairs = _tables()
    codes, pair_codes = batch.code_points[clusters.starts[hits]], _pair_codes(batch, clusters, hits)
    num_singles, num_pairs = singles.counts_of(codes), pairs.counts_of(pair_codes)
    has_any = np.flatnonzero(num_singles + num_pairs)
    hits, codes, pair_codes = hits[has_any], codes[has_any], pair_codes[has_any]
    num_singles, num_pairs = num_singles[has_any], num_pairs[has_any]
    which = dice.choices(clusters, hits, num_singles + num_pairs)
    widths = 1 + (which >= num_singles)
    kept = keep_apart(hits, widths)
    hits, which, widths = hits[kept], which[kept], widths[kept]
    numbers = np.where(widths == 1, codes[kept], pair_codes[kept])
    which = np.where(widths == 1, which, which - num_singles[kept])
    afters = _both_tables().take(numbers, which)
    ends = clusters.ends[hits + widths - 1]
    return Splices(clusters.rows_of(hits), clusters.starts[hits], ends, afters)


def _pair_codes(batch: TextBatch, clusters: Units, hits: Ints) -> Ints:
    """Number the pair that begins at each hit: its characters in base 128, 0 where there is none.

    Numbers below the base are free for single characters.
    """
    firsts = clusters.starts[hits]
    rights = np.minimum(hits + 1, max(len(clusters) - 1, 0))
    seconds = clusters.starts[rights]
    is_pair = hits + 1 < clusters.offsets[clusters.rows_of(hits) + 1]
    is_pair &= clusters.ends[rights] - seconds == 1
    codes = batch.code_points.astype(np.int64)
    is_pair &= (codes[firsts] < _BASE) & (codes[seconds] < _BASE)
    return np.where(is_pair, codes[firsts] * _BASE + codes[seconds], 0)


def _number(shape: str) -> int:
    return ord(shape) if len(shape) == 1 else ord(shape[0]) * _BASE + ord(shape[1])


def _numbered(*, lengths: tuple[int, ...]) -> Mapping[int, list[str]]:
    return {
        _number(shape): others for shape, others in confusions().items() if len(shape) in lengths
    }


@cache
def _tables() -> tuple[Alternatives, Alternatives]:
    return Alternatives.of_numbers(_numbered(lengths=(1,))), Alternatives.of_numbers(
        _numbered(lengths=(2,))
    )


@cache
def _both_tables() -> Alternatives:
    return Alternatives.of_numbers(_numbered(lengths=(1, 2)))
