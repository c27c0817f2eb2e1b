"""What a generator or a template left in a text that no writer would have put there."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from tasks.quality.leftover_rules import RULES, straighten

_AT_ONCE = 10_000


def find_leftovers(texts: Sequence[str]) -> dict[str, NDArray[np.int64]]:
    """Find the rows that each rule of `RULES` matches.

    Rules are made for English texts and for the formats of common models. They have no way to know
    a real text that looks the same: compare their rates with those of real texts. None matches in
    the 10,003 train texts of banking77 and the 23,700 of clinc150; in the 6,920 of SST-2 only
    `list_number` does, on 5 that begin with a dash.

    Args:
        texts: Any texts, N of them.

    Returns:
        For every rule's name the places of its rows, ascending, in 0 to N - 1.
    """
    places: dict[str, list[int]] = {rule.name: [] for rule in RULES}
    for start in range(0, len(texts), _AT_ONCE):
        chunk = texts[start : start + _AT_ONCE]
        held = _Held(chunk)
        for rule in RULES:
            candidates = held.rows(rule.needs) if rule.needs else range(len(chunk))
            places[rule.name] += [start + row for row in candidates if rule.finds(chunk[row])]
    return {name: np.array(found, dtype=np.int64) for name, found in places.items()}


class _Held:
    """Texts as one string: to look for a literal in all of them at once is some 20 times faster."""

    def __init__(self, texts: Sequence[str]) -> None:
        lowered = [straighten(text).lower() for text in texts]
        self._joined = "\n".join(lowered)
        self._ends = np.cumsum([len(text) + 1 for text in lowered])

    def rows(self, literals: Sequence[str]) -> list[int]:
        """Return the rows that hold at least one of the literals, ascending."""
        found = [place for literal in literals for place in self._places(literal)]
        return [int(row) for row in np.unique(np.searchsorted(self._ends, found, side="right"))]

    def _places(self, literal: str) -> Iterator[int]:
        place = self._joined.find(literal)
        while place >= 0:
            yield place
            place = self._joined.find(literal, place + 1)
