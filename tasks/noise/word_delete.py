"""Lost words."""

import numpy as np

from schemas.noise import WordDelete
from tasks.noise.buffers import TextBuffer
from tasks.noise.splices import Splices
from tasks.noise.units import find_words, spare_one
from tasks.planning.streams import U64


def word_delete(buffer: TextBuffer, keys: U64, step: WordDelete) -> Splices:
    """Delete words, each with probability `step.rate`, with the white space on one side of them.

    That is the white space before a word, or after it while no kept word stands to the left: so the
    white space between the kept words is some of what was there, and none comes to stand at either
    end. Where every word of a text would go, the one with the greatest draw stays.

    Args:
        buffer: The texts.
        keys: One key a text for this step, shape `(N,)`.
        step: The rate.
    """
    words = find_words(buffer)
    draws = words.draws(keys)
    everything = np.ones(len(words), dtype=np.bool_)
    is_lost = spare_one(words, draws < step.rate, draws, counted=everything)
    kept = np.flatnonzero(~is_lost)
    num_texts = len(buffer.texts)
    first_kept = np.full(num_texts, len(words))
    np.minimum.at(first_kept, words.owners[kept], kept)
    lost = np.flatnonzero(is_lost)
    takes_left = first_kept[words.owners[lost]] < lost
    # A word to the left of a kept one has a next word, one to the right has a previous one, in the
    # same text.
    starts = np.where(takes_left, words.ends[lost - 1], words.starts[lost])
    nexts = np.minimum(lost + 1, len(words) - 1)
    ends = np.where(takes_left, words.ends[lost], words.starts[nexts])
    return Splices(words.owners[lost], starts, ends, [""] * lost.size)
