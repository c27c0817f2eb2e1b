"""Lost words."""

import numpy as np

from tasks.noise.batch import TextBatch
from tasks.noise.dice import Dice
from tasks.noise.splices import Splices
from tasks.noise.survival import spare_one
from tasks.noise.units import find_words


def word_delete(batch: TextBatch, dice: Dice) -> Splices:
    """Delete words with the text's rate, each with the white space on one side of it.

    That is the white space before a word, or after it while no kept word stands to the left: so the
    white space between the kept words is some of what was there, and none comes to stand at either
    end. Where every word of a text would go, the one with the greatest draw stays.

    Args:
        batch: The texts.
        dice: The draws.
    """
    words = find_words(batch)
    lost = spare_one(words, dice.hits(words), dice)
    rows = words.rows_of(lost)
    is_kept = np.ones(len(words), np.bool_)
    is_kept[lost] = False
    kept = np.flatnonzero(is_kept)
    # Every text that loses a word keeps one, so there is a first one to find.
    first_kept = kept[np.searchsorted(kept, words.offsets[rows])]
    takes_left = first_kept < lost
    starts, ends = words.starts[lost], words.ends[lost]
    starts[takes_left] = words.ends[lost[takes_left] - 1]
    ends[~takes_left] = words.starts[lost[~takes_left] + 1]
    return Splices.deleting(rows, starts, ends)
