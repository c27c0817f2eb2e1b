"""Which unit of a text stays when an operator would take them all: no operator empties a text."""

import numpy as np

from tasks.noise.dice import Dice
from tasks.noise.strings import Ints, Mask
from tasks.noise.units import Units


def spare_one(units: Units, lost: Ints, dice: Dice, *, counted: Mask | None = None) -> Ints:
    """Keep each text from losing all of its counted units.

    Where every counted unit of a text is to go, the one with the greatest draw stays (the draw
    behind `Dice.hits`). A text without any counted unit loses nothing.

    Args:
        units: What may be deleted, U units.
        lost: Numbers of those that are to go, ascending.
        dice: The draws that decided it.
        counted: Which units make a text more than empty, shape `(U,)`; all when None.

    Returns:
        The numbers in `lost` that go all the same, ascending.
    """
    num_texts = units.offsets.size - 1
    rows = units.rows_of(lost)
    is_counted = np.ones(lost.size, np.bool_) if counted is None else counted[lost]
    num_lost = np.bincount(rows[is_counted], minlength=num_texts)
    num_counted = np.diff(units.offsets)
    if counted is not None:
        num_counted -= np.diff(np.searchsorted(np.flatnonzero(~counted), units.offsets))
    goes = num_counted[rows] > 0
    doomed = np.flatnonzero(goes & is_counted & (num_lost == num_counted)[rows])
    draws = dice.uniforms(units, lost[doomed], counter=0)
    by_draw = doomed[np.lexsort((draws, rows[doomed]))]
    is_greatest = np.append(rows[by_draw][1:] != rows[by_draw][:-1], True)[: by_draw.size]
    goes[by_draw[is_greatest]] = False
    return lost[goes]
