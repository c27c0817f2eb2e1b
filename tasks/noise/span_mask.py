"""Spans of words behind one mask."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.noise_words import SpanMask
from tasks.noise.batch import TextBatch
from tasks.noise.dice import Dice
from tasks.noise.lexicon import changes
from tasks.noise.splices import Splices
from tasks.noise.strings import Ints, Mask, Strings, offsets_of
from tasks.noise.units import Units, find_words
from tasks.planning.streams import fold, uniforms

_BUDGET, _LENGTHS, _ORDER = 1, 2, 3
# Spans drawn beyond the number that twice fills the budget: so few words are left at so low a
# probability that the last span may as well take them.
_SPARE_SPANS = 4


def span_mask(batch: TextBatch, dice: Dice, step: SpanMask) -> Splices:
    """Replace spans of words by one mask each, until the text's rate of its words is masked.

    The number of words to mask is rate times words, rounded up or down at random so that it is
    right on average. Spans are drawn with Poisson lengths until they hold that many, the last one
    cut short, and laid among the other words in random order. Spans that come to lie side by side
    make one mask; a span of no words puts a mask between two words. A text with nothing to mask is
    left as it is.

    Args:
        batch: The texts.
        dice: The draws.
        step: The mask and the mean length.

    References:
        Lewis et al., BART (text infilling), ACL 2020. https://arxiv.org/abs/1910.13461
    """
    words = find_words(batch)
    num_words = np.diff(words.offsets)
    exact = num_words * dice.rates
    budgets = np.floor(exact + uniforms(fold(dice.keys, _BUDGET), 0)).astype(np.int64)
    budgets = np.minimum(budgets, num_words)
    rows, lengths = _draw_spans(budgets, dice, mean_length=step.mean_length)
    rows, firsts, lengths = _lay_out(rows, lengths, num_words - budgets, dice)
    return _to_splices(batch, words, _Spans(rows, firsts + words.offsets[rows], lengths), step.mask)


def _draw_spans(budgets: Ints, dice: Dice, *, mean_length: float) -> tuple[Ints, Ints]:
    """Return the text and the length of each span, those of a text adding up to its budget."""
    per_text = np.where(budgets > 0, np.ceil(2 * budgets / mean_length) + _SPARE_SPANS, 0)
    offsets = offsets_of(per_text.astype(np.int64))
    rows = np.repeat(np.arange(budgets.size), np.diff(offsets))
    counters = np.arange(rows.size) - offsets[rows]
    draws = uniforms(fold(dice.keys, _LENGTHS)[rows], counters)
    lengths = np.searchsorted(_poisson_ends(mean_length), draws, side="right")
    sums = offsets_of(lengths)
    before = sums[:-1] - sums[offsets[rows]]
    is_last = np.append(rows[1:] != rows[:-1], True)[: rows.size]
    left = budgets[rows] - before
    lengths = np.where(is_last, left, np.minimum(lengths, left))
    needed = np.flatnonzero(left > 0)
    return rows[needed], lengths[needed]


def _poisson_ends(mean: float) -> NDArray[np.float64]:
    """Return the distribution function at 0, 1, 2, ...: as far as the doubles tell it from 1."""
    most = int(mean + 12 * math.sqrt(mean) + 20)
    numbers = np.arange(1, most)
    logs = np.cumsum(np.append(-mean, np.log(mean) - np.log(numbers)))
    return np.cumsum(np.exp(logs))


def _lay_out(rows: Ints, lengths: Ints, num_kept: Ints, dice: Dice) -> tuple[Ints, Ints, Ints]:
    """Put the spans of each text among its kept words, every order being equally likely.

    Returns:
        Text, first word (counted in the text) and number of words of each run of spans.
    """
    num_spans = np.bincount(rows, minlength=num_kept.size)
    num_items = np.where(num_spans > 0, num_spans + num_kept, 0)
    items = offsets_of(num_items)
    item_rows = np.repeat(np.arange(num_items.size), num_items)
    counters = np.arange(item_rows.size) - items[item_rows]
    draws = uniforms(fold(dice.keys, _ORDER)[item_rows], counters)
    # The first items of a text are its spans, the others are kept words of one word each.
    is_span_item = counters < num_spans[item_rows]
    num_held = np.ones(item_rows.size, np.int64)
    num_held[is_span_item] = lengths
    order = np.lexsort((draws, item_rows))
    is_span, num_held = is_span_item[order], num_held[order]
    starts = offsets_of(num_held)
    places = starts[:-1] - starts[items[item_rows]]
    begins = is_span & _is_edge(is_span, item_rows, shift=1)
    ends = is_span & _is_edge(is_span, item_rows, shift=-1)
    last = np.flatnonzero(ends)
    firsts = places[begins]
    return item_rows[begins], firsts, places[last] + num_held[last] - firsts


def _is_edge(is_span: Mask, rows: Ints, *, shift: int) -> Mask:
    """Tell where the item before (shift 1) or after (-1) is a word or of another text."""
    neighbour, own_row = np.roll(is_span, shift), np.roll(rows, shift) == rows
    if is_span.size:
        own_row[0 if shift > 0 else -1] = False
    return np.asarray(~(neighbour & own_row))


class _Spans(NamedTuple):
    """Runs of words to mask: text, first word counted in the batch, number of words."""

    rows: Ints
    firsts: Ints
    lengths: Ints


def _to_splices(batch: TextBatch, words: Units, spans: _Spans, mask: str) -> Splices:
    is_empty = spans.lengths == 0
    is_at_end = is_empty & (spans.firsts == words.offsets[spans.rows + 1])
    first = spans.firsts - is_at_end
    last = first + np.maximum(spans.lengths, 1) - 1
    starts = np.where(is_at_end, words.ends[first], words.starts[first])
    ends = np.where(is_empty, starts, words.ends[last])
    # A mask in place of words, before a word, and after the last one.
    forms = Strings.of([mask, f"{mask} ", f" {mask}"])
    afters = forms.take(is_empty.astype(np.int64) + is_at_end)
    return changes(batch, Splices(spans.rows, starts, ends, afters))
