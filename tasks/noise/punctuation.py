"""Punctuation that is lost or scattered."""

import unicodedata
from functools import cache
from typing import Literal, assert_never

import numpy as np

from tasks.noise.alternatives import single_code_points
from tasks.noise.batch import TextBatch
from tasks.noise.dice import Dice
from tasks.noise.splices import Splices
from tasks.noise.strings import Mask, Strings
from tasks.noise.survival import spare_one
from tasks.noise.units import find_clusters, find_ink, find_words

MARKS = ".;?:!,"
"""What `add` puts in."""

# All punctuation lies in the first two planes of Unicode; the last entry answers for the others.
_LIMIT = 0x20000


def punctuation(batch: TextBatch, dice: Dice, *, mode: Literal["drop", "add"]) -> Splices:
    """Lose punctuation, or put it between words.

    `drop` deletes punctuation marks (Unicode's general category P) that stand alone, each with the
    text's rate; a text of nothing else keeps the one with the greatest draw. `add` puts a space and
    one of `MARKS`, all equally likely, after a word that another follows, in each gap with that
    rate.

    Args:
        batch: The texts.
        dice: The draws.
        mode: Which of the two.

    References:
        Karimi, Rossi and Prati, Findings of EMNLP 2021, AEDA. https://arxiv.org/abs/2108.13230
    """
    match mode:
        case "drop":
            return _drop(batch, dice)
        case "add":
            return _add(batch, dice)
        case _:
            assert_never(mode)


def _drop(batch: TextBatch, dice: Dice) -> Splices:
    clusters = find_clusters(batch)
    lost = single_code_points(clusters, dice.hits(clusters))
    codes = batch.code_points[clusters.starts[lost]]
    lost = lost[_is_punctuation().take(codes, mode="clip")]
    lost = spare_one(clusters, lost, dice, counted=find_ink(batch, clusters))
    return Splices.deleting(clusters.rows_of(lost), clusters.starts[lost], clusters.ends[lost])


def _add(batch: TextBatch, dice: Dice) -> Splices:
    words = find_words(batch)
    lefts = dice.hits(words)
    rows = words.rows_of(lefts)
    has_right = np.flatnonzero(lefts + 1 < words.offsets[rows + 1])
    lefts, rows = lefts[has_right], rows[has_right]
    which = dice.choices(words, lefts, len(MARKS))
    places = words.ends[lefts]
    return Splices(rows, places, places, Strings.of([f" {mark}" for mark in MARKS]).take(which))


@cache
def _is_punctuation() -> Mask:
    return np.array([unicodedata.category(chr(code))[0] == "P" for code in range(_LIMIT)])
