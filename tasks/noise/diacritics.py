"""Marks on letters: put where there are none, or lost."""

import unicodedata
from functools import cache
from typing import Literal, assert_never

import numpy as np

from tasks.noise.alternatives import Alternatives, draw_alternatives, replace_characters
from tasks.noise.batch import TextBatch
from tasks.noise.dice import Dice
from tasks.noise.splices import Splices
from tasks.noise.strings import offsets_of
from tasks.noise.units import find_clusters

# Letters of Latin-1 and Latin Extended-A: those of European languages in daily use.
_EUROPEAN = range(0xC0, 0x180)
# Latin, Greek and Cyrillic letters; in other scripts a mark makes another letter or syllable.
_MARKED = (range(0xC0, 0x530), range(0x1E00, 0x2000))
_FIRST_MARK, _LAST_MARK = 0x300, 0x36F


def diacritics(batch: TextBatch, dice: Dice, *, mode: Literal["add", "strip"]) -> Splices:
    """Give letters a mark or take their marks away, each with the text's rate.

    The units are grapheme clusters. `add` replaces a bare letter a to z by a precomposed one of
    Latin-1 or Latin Extended-A, all equally likely. `strip` replaces a Latin, Greek or Cyrillic
    letter with marks, precomposed or combining, by the bare letter of its canonical decomposition;
    a letter that has none (ø) stays.

    Args:
        batch: The texts.
        dice: The draws.
        mode: Which of the two.

    References:
        Eger et al., NAACL 2019, visual attacks, https://arxiv.org/abs/1903.11508; decompositions:
        Unicode Standard Annex 15, https://unicode.org/reports/tr15/
    """
    match mode:
        case "add":
            return replace_characters(batch, dice, _marked_letters())
        case "strip":
            return _strip(batch, dice)
        case _:
            assert_never(mode)


def _strip(batch: TextBatch, dice: Dice) -> Splices:
    clusters = find_clusters(batch)
    hits = dice.hits(clusters)
    starts, ends = clusters.starts[hits], clusters.ends[hits]
    codes = batch.code_points
    num_marks = offsets_of((codes >= _FIRST_MARK) & (codes <= _LAST_MARK))
    num_own = num_marks[ends] - num_marks[starts + 1]
    is_letter_with_marks = num_own == ends - starts - 1
    hits, bare = draw_alternatives(
        batch, dice, clusters, hits[is_letter_with_marks], _bare_letters()
    )
    starts, ends = clusters.starts[hits], clusters.ends[hits]
    is_other = (ends - starts > 1) | (codes[starts] != bare.code_points)
    splices = Splices(clusters.rows_of(hits), starts, ends, bare)
    return splices.where(np.asarray(is_other))


def _decompose(code: int) -> tuple[str, str]:
    """Return the bare letter and its marks, or twice nothing where there is no such thing."""
    letters = unicodedata.normalize("NFD", chr(code))
    base, marks = letters[0], letters[1:]
    if base.isalpha() and all(map(unicodedata.combining, marks)):
        return base, marks
    return "", ""


@cache
def _marked_letters() -> Alternatives:
    marked: dict[str, list[str]] = {}
    for code in _EUROPEAN:
        base, marks = _decompose(code)
        if marks and base.isascii():
            marked.setdefault(base, []).append(chr(code))
    return Alternatives.of(marked)


@cache
def _bare_letters() -> Alternatives:
    """Return the one bare letter of each Latin, Greek and Cyrillic letter, bare ones included."""
    ascii_letters = [code for code in range(0x80) if chr(code).isalpha()]
    codes = [*ascii_letters, *(code for block in _MARKED for code in block)]
    bare = {code: _decompose(code)[0] for code in codes}
    return Alternatives.of_numbers({code: [base] for code, base in bare.items() if base})
