"""Sentences in another order."""

import numpy as np

from tasks.noise.batch import TextBatch
from tasks.noise.dice import Dice
from tasks.noise.lexicon import changes
from tasks.noise.sentences import find_sentences
from tasks.noise.splices import Splices
from tasks.noise.strings import Strings, offsets_of, ranges
from tasks.planning.streams import fold, uniforms

_WHETHER, _ORDER = 0, 1


def sentence_shuffle(batch: TextBatch, dice: Dice) -> Splices:
    """Permute the sentences of texts, each text with its rate as the probability.

    Every order is equally likely, the old one too. The white space between the sentences stays
    where it is. What is logged is one edit, from the first sentence that moved to the last one: so
    where a part of that is protected, the text stays as it is.

    Args:
        batch: The texts.
        dice: The draws.

    References:
        Sentence permutation: Lewis et al., BART, ACL 2020. https://arxiv.org/abs/1910.13461
    """
    sentences = find_sentences(batch)
    rows = sentences.rows_of(np.arange(len(sentences)))
    is_drawn = uniforms(fold(dice.keys, _WHETHER), 0) < dice.rates
    counters = np.arange(len(sentences)) - sentences.offsets[rows]
    draws = uniforms(fold(dice.keys, _ORDER)[rows], counters)
    order = np.lexsort((np.where(is_drawn[rows], draws, counters), rows))
    moved = np.flatnonzero(order != np.arange(order.size))
    if not moved.size:
        return Splices.none()
    begins = np.append(True, rows[moved][1:] != rows[moved][:-1])
    first, last = moved[begins], moved[np.append(begins[1:], True)]
    slots = ranges(first, last - first + 1)
    contents = batch.strings.slices(sentences.starts[order[slots]], sentences.ends[order[slots]])
    ends_edit = np.isin(slots, last)
    gap_ends = np.append(sentences.starts[1:], sentences.ends[-1:])[slots]
    gap_ends = np.where(ends_edit, sentences.ends[slots], gap_ends)
    pieces = contents.followed_by(batch.strings.slices(sentences.ends[slots], gap_ends))
    bounds = offsets_of(last - first + 1)
    afters = Strings(pieces.code_points, pieces.offsets[bounds])
    return changes(
        batch, Splices(rows[first], sentences.starts[first], sentences.ends[last], afters)
    )
