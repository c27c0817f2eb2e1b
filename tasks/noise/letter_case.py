"""Letters of the wrong case."""

from collections.abc import Callable
from functools import cache
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from schemas.noise_characters import CaseMode
from tasks.noise.batch import TextBatch
from tasks.noise.dice import Dice
from tasks.noise.splices import Splices
from tasks.noise.strings import Codes, Ints, ranges
from tasks.noise.units import Units, find_clusters, find_words

# Every letter that has a case lies in the first two planes of Unicode.
_LIMIT = 0x20000
_FIRST_NON_ASCII = 0x80


def letter_case(batch: TextBatch, dice: Dice, *, mode: CaseMode) -> Splices:
    """Change the case of letters.

    `upper` and `lower` set, `random` swaps the case of each letter with the text's rate; `title`
    chooses words with that rate, whose first letter becomes a capital (a title-case letter where
    there is one, as for the digraph dz) and the others small. The units are grapheme clusters, and
    marks stay on their letters. A letter whose other case is not one code point stays (ß).

    Args:
        batch: The texts.
        dice: The draws.
        mode: What becomes of the chosen.

    References:
        Simple case mappings: the Unicode Standard, chapter 5.18,
        https://www.unicode.org/versions/latest/; case as noise: Dhole et al., NL-Augmenter,
        https://arxiv.org/abs/2112.02721
    """
    clusters = find_clusters(batch)
    if mode == "title":
        return _title(batch, dice, clusters)
    hits = dice.hits(clusters)
    codes = batch.code_points[clusters.starts[hits]]
    return _recase(batch, clusters, hits, _cased(codes, mode))


def _title(batch: TextBatch, dice: Dice, clusters: Units) -> Splices:
    words = find_words(batch)
    chosen = dice.hits(words)
    # Words are runs of whole clusters, so both bounds are found.
    firsts = np.searchsorted(clusters.starts, words.starts[chosen])
    lengths = np.searchsorted(clusters.starts, words.ends[chosen]) - firsts
    hits = ranges(firsts, lengths)
    codes = batch.code_points[clusters.starts[hits]]
    is_letter = (_cased(codes, "upper") != codes) | (_cased(codes, "lower") != codes)
    # The first letter may follow a quotation mark.
    numbers = np.repeat(np.arange(chosen.size), lengths)
    _, leading = np.unique(numbers[is_letter], return_index=True)
    is_leading = np.zeros(hits.size, np.bool_)
    is_leading[np.flatnonzero(is_letter)[leading]] = True
    cased = np.where(is_leading, _cased(codes, "title"), _cased(codes, "lower"))
    return _recase(batch, clusters, hits, cased)


def _recase(batch: TextBatch, clusters: Units, hits: Ints, cased: Codes) -> Splices:
    """Replace the first code point of each hit by that of `cased` where they differ."""
    starts = clusters.starts[hits]
    changes = np.flatnonzero(cased != batch.code_points[starts])
    hits, starts = hits[changes], starts[changes]
    afters = batch.strings.slices(starts, clusters.ends[hits])
    afters.code_points[afters.offsets[:-1]] = cased[changes]
    return Splices(clusters.rows_of(hits), starts, clusters.ends[hits], afters)


def _cased(codes: Codes, mode: CaseMode) -> Codes:
    is_ascii = not codes.size or codes.max() < _FIRST_NON_ASCII
    shifts = _shifts(mode, _FIRST_NON_ASCII if is_ascii else _LIMIT)
    return (codes + shifts.take(codes, mode="clip")).astype(np.uint32)


@cache
def _shifts(mode: CaseMode, limit: int) -> NDArray[np.int64]:
    """Return how far from each code point below `limit` its mapping lies."""
    mapping = _mapping(mode)
    shifts = np.zeros(limit, np.int64)
    for code in range(limit):
        mapped = mapping(chr(code))
        if len(mapped) == 1:
            shifts[code] = ord(mapped) - code
    return shifts


def _mapping(mode: CaseMode) -> Callable[[str], str]:
    match mode:
        case "upper":
            return str.upper
        case "lower":
            return str.lower
        case "title":
            return str.title
        case "random":
            return str.swapcase
        case _:
            assert_never(mode)
