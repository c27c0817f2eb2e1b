"""Where sentences end, by rule."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tasks.noise.batch import TextBatch
from tasks.noise.lexicon import find_cores, lower
from tasks.noise.strings import Ints, Mask, Strings
from tasks.noise.units import Units, find_clusters, find_words

_ENDS = ".!?\u2026\u203d\u061f\u06d4\u0964\u0965"
_WIDE_ENDS = "\u3002\uff01\uff1f\uff61"
_CLOSERS = "\"')]}\u2019\u201d\u00bb\u300d\u300f\u3011\uff09\u300b"
_END, _WIDE_END, _CLOSER = 1, 2, 3
_ABBREVIATED = """
mr mrs ms dr prof sr jr st vs e.g i.e cf fig approx dept est gen rev hon capt sgt col
"""
_ABBREVIATIONS = pa.array(_ABBREVIATED.split())


def find_sentences(batch: TextBatch) -> Units:
    """Find the sentences, without the white space around them.

    A sentence ends with a word that ends in `.`, `!`, `?` or their like, quotes and brackets behind
    it apart, unless that is a common abbreviation (Mr.) or an initial (J.). The full-width ends of
    Chinese and Japanese end one without white space too. What is left over is a sentence.
    """
    words = find_words(batch)
    classes = _CLASSES.take(batch.code_points, mode="clip")
    places = np.arange(classes.size)
    # What stands before the closers at each place: a sentence ends where that is an end.
    inner = np.maximum.accumulate(np.where(classes == _CLOSER, 0, places))
    inner_classes = classes[inner]
    last = words.ends - 1
    is_final = np.isin(inner_classes[last], (_END, _WIDE_END)) & (inner[last] >= words.starts)
    is_final[_abbreviations(batch, words, np.flatnonzero(is_final))] = False
    cuts = _cuts(batch, words, classes=classes, inner=inner)
    starts = np.sort(np.concatenate([words.starts, cuts]))
    ends = np.sort(np.concatenate([words.ends, cuts]))
    closes = np.isin(ends, np.concatenate([words.ends[is_final], cuts]))
    return _join(batch, starts, ends, closes)


def _abbreviations(batch: TextBatch, words: Units, picked: Ints) -> Ints:
    """Return which of the picked words are abbreviations or initials with their full stop."""
    cores = find_cores(batch, words, picked)
    strings = batch.strings.slices(cores.starts, cores.ends)
    small = lower(strings.code_points)
    names = Strings(small, strings.offsets).to_arrow()
    is_known = pc.is_in(names, value_set=_ABBREVIATIONS).to_numpy(zero_copy_only=False)
    codes = batch.code_points
    firsts = codes[cores.starts]
    is_capital = (strings.lengths == 1) & (lower(firsts) != firsts) & (firsts != ord("I"))
    # The full stop must be all that follows.
    after = np.minimum(cores.ends, max(codes.size - 1, 0))
    stops = (words.ends[cores.picked] == cores.ends + 1) & (codes[after] == ord("."))
    return np.asarray(cores.picked[(is_known | is_capital) & stops])


def _cuts(batch: TextBatch, words: Units, *, classes: Ints, inner: Ints) -> Ints:
    """Return where a sentence begins within a word: behind a full-width end and its closers."""
    behind = np.flatnonzero((classes[inner] == _WIDE_END)[:-1] & (classes[1:] == 0)) + 1
    if not behind.size:
        return behind
    own = np.searchsorted(words.starts, behind, side="right") - 1
    is_inside = (behind < words.ends[own]) & (inner[behind - 1] >= words.starts[own])
    return np.intersect1d(behind[is_inside], find_clusters(batch).starts)


def _join(batch: TextBatch, starts: Ints, ends: Ints, closes: Mask) -> Units:
    rows = batch.rows_of(starts)
    is_first = np.ones(starts.size, np.bool_)
    is_first[1:] = (rows[1:] != rows[:-1]) | closes[:-1]
    is_last = np.append(is_first[1:], True)[: starts.size]
    own_starts = starts[is_first]
    return Units(own_starts, ends[is_last], np.searchsorted(own_starts, batch.offsets))


def _table() -> Ints:
    table = np.zeros(ord(max(_WIDE_ENDS + _CLOSERS)) + 2, np.int64)
    for chars, number in ((_ENDS, _END), (_WIDE_ENDS, _WIDE_END), (_CLOSERS, _CLOSER)):
        table[[ord(char) for char in chars]] = number
    return table


# The last entry answers for every code point beyond.
_CLASSES = _table()
