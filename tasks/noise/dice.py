"""Draws of a step: functions of a text's key and a unit's place in it, for a batch at once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.noise.strings import Ints, Mask
from tasks.noise.units import Units
from tasks.planning.streams import U64, fold, mix, uniforms

# A block of 64-bit words that stays in the cache through all the operations of the mixer.
_BLOCK = 1 << 14
_WHETHER = 0
_BITS = 52


@dataclass(frozen=True, slots=True)
class Dice:
    """What one step draws with.

    Args:
        keys: One key a text for this step, shape `(N,)`.
        rates: Probability that a unit of each text is edited, 0 to 1, shape `(N,)`.
    """

    keys: U64
    rates: NDArray[np.float64]

    def hits(self, units: Units, *, among: Mask | None = None) -> Ints:
        """Choose units, each with its text's rate.

        A unit's draw is `uniforms(fold(key, 0), index)`, its index counted in its own text: it is
        chosen when that is smaller than the rate. What stands in `among` changes no draw.

        Args:
            units: What there is to choose from, U units.
            among: Which of them may be chosen, shape `(U,)`; all when None.

        Returns:
            Numbers of the chosen units, ascending.
        """
        # `uniforms(...) < rate` in integers: `(bits + 0.5) * 2**-52 < rate`, exact for every rate.
        limits = np.ceil(self.rates * 2.0**_BITS - 0.5).astype(np.uint64)
        is_one_rate = limits.size > 0 and bool((limits == limits[0]).all())
        counts = np.diff(units.offsets)
        with np.errstate(over="ignore"):
            bases = mix(fold(self.keys, _WHETHER)) - units.offsets[:-1].astype(np.uint64)
        words = np.repeat(bases, counts)
        unit_limits = None if is_one_rate else np.repeat(limits, counts)
        is_hit = np.empty(len(units), np.bool_)
        for first in range(0, len(units), _BLOCK):
            block = slice(first, first + _BLOCK)
            places = np.arange(first, min(first + _BLOCK, len(units)), dtype=np.uint64)
            bits = mix(words[block] + places) >> np.uint64(64 - _BITS)
            limit = limits[0] if unit_limits is None else unit_limits[block]
            np.less(bits, limit, out=is_hit[block])
        if among is not None:
            is_hit &= among
        return np.flatnonzero(is_hit)

    def uniforms(self, units: Units, picked: Ints, *, counter: int) -> NDArray[np.float64]:
        """Draw a number in (0, 1) for each picked unit.

        Args:
            units: The units.
            picked: Numbers of those that draw, shape `(E,)`.
            counter: What the draw is for: 0 is the one behind `hits`, others are independent of it.
        """
        rows = units.rows_of(picked)
        return uniforms(fold(self.keys, counter)[rows], picked - units.offsets[rows])

    def choices(self, units: Units, picked: Ints, num: int | Ints, *, counter: int = 1) -> Ints:
        """Draw one of `num` numbers, from 0, for each picked unit; all are equally likely.

        Args:
            units: The units.
            picked: Numbers of those that draw, shape `(E,)`.
            num: How many there are to choose from, at least 1: for all, or for each, shape `(E,)`.
            counter: What the draw is for, at least 1.
        """
        return (self.uniforms(units, picked, counter=counter) * num).astype(np.int64)
