"""Words that run together or fall apart."""

from typing import Literal, assert_never

import numpy as np

from tasks.noise.batch import TextBatch
from tasks.noise.dice import Dice
from tasks.noise.seams import can_meet
from tasks.noise.splices import Splices
from tasks.noise.strings import Strings
from tasks.noise.units import find_clusters, find_words


def whitespace(batch: TextBatch, dice: Dice, *, mode: Literal["drop", "add"]) -> Splices:
    """Join words or split them.

    `drop` deletes the whole white space between two words, each gap with the text's rate; white
    space at either end of a text stays, and so does what keeps two characters from becoming one
    (two halves of a flag). `add` puts a space between two grapheme clusters of a word, at each
    place with that rate.

    Args:
        batch: The texts.
        dice: The draws.
        mode: Which of the two.

    References:
        Rychalska et al., ICONIP 2019, WildNLP. https://doi.org/10.1007/978-3-030-36718-3_20
    """
    match mode:
        case "drop":
            return _drop(batch, dice)
        case "add":
            return _add(batch, dice)
        case _:
            assert_never(mode)


def _drop(batch: TextBatch, dice: Dice) -> Splices:
    words = find_words(batch)
    lefts = dice.hits(words)
    rows = words.rows_of(lefts)
    has_right = np.flatnonzero(lefts + 1 < words.offsets[rows + 1])
    lefts, rows = lefts[has_right], rows[has_right]
    starts, ends = words.ends[lefts], words.starts[lefts + 1]
    splices = Splices.deleting(rows, starts, ends)
    return splices.where(can_meet(batch, starts - 1, ends))


def _add(batch: TextBatch, dice: Dice) -> Splices:
    clusters = find_clusters(batch)
    lefts = dice.hits(clusters)
    rows = clusters.rows_of(lefts)
    has_right = np.flatnonzero(lefts + 1 < clusters.offsets[rows + 1])
    lefts, rows = lefts[has_right], rows[has_right]
    places = clusters.ends[lefts]
    # A space with a mark is a cluster that is not white space, and ends in no white space.
    is_inside = ~batch.is_space[places - 1] & can_meet(batch, places - 1, places)
    places, rows = places[is_inside], rows[is_inside]
    return Splices(
        rows, places, places, Strings.of_singles(np.full(rows.size, ord(" "), np.uint32))
    )
