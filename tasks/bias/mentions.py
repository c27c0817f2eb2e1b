"""Which rows speak of which people: the terms of lexicons found in arrays of word codes.

N rows, W words, G groups of all axes together, M mentions.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.bias.lexicons import Lexicons

_DEAD = -1


@dataclass(frozen=True, slots=True)
class Mentions:
    """The groups that N rows mention.

    Args:
        columns: Axis and group of each column.
        rows: Whether a row mentions a group at least once, shape `(N, G)`.
    """

    columns: tuple[tuple[str, str], ...]
    rows: NDArray[np.bool_]

    def axes(self) -> list[str]:
        """Return the axes in order."""
        return list(dict.fromkeys(axis for axis, _ in self.columns))

    def groups(self, axis: str) -> list[str]:
        """Return the groups of an axis in order."""
        return [group for name, group in self.columns if name == axis]

    def of_axis(self, axis: str) -> NDArray[np.bool_]:
        """Return the columns of an axis, shape `(N, groups of the axis)`."""
        places = [place for place, (name, _) in enumerate(self.columns) if name == axis]
        return self.rows[:, places]

    def only_group(self, axis: str) -> NDArray[np.int64]:
        """Return the one group that a row mentions, -1 for none and for several, shape `(N,)`."""
        of_axis = self.of_axis(axis)
        return np.where(of_axis.sum(axis=1) == 1, of_axis.argmax(axis=1), _DEAD)


def find_mentions(
    codes: NDArray[np.int32],
    offsets: NDArray[np.int64],
    *,
    code_of: Mapping[str, int],
    lexicons: Lexicons,
) -> Mentions:
    """Find the groups that each row mentions.

    A term is found where its words stand one after the other within a row. Within an axis the
    longest wins: a term all of whose words lie within longer terms or shields of the axis does not
    count ("korean" in "south korean", "american" in "native american"). Axes do not see each other.

    Args:
        codes: Codes of the words of all rows, shape `(W,)`, none negative.
        offsets: Where the words of each row begin, and `W` at the end, shape `(N + 1,)`.
        code_of: Codes of words; it must hold those words of `lexicons.words()` that occur.
        lexicons: What is looked for.
    """
    columns = lexicons.columns()
    rows = np.zeros((len(offsets) - 1, len(columns)), dtype=np.bool_)
    trie = _Trie(lexicons, code_of)
    starts, states = trie.walk(codes, offsets)
    row_of = np.searchsorted(offsets, starts, side="right") - 1
    column_of = {column: place for place, column in enumerate(columns)}
    for lexicon in lexicons.axes:
        groups, lengths = trie.ends(lexicon.axis)
        here = np.flatnonzero(lengths[states] > 0)
        kept = here[_longest(starts[here], lengths[states[here]])]
        for name in lexicon.groups:
            of_group = kept[groups[states[kept]] == list(lexicon.groups).index(name)]
            rows[row_of[of_group], column_of[lexicon.axis, name]] = True
    return Mentions(tuple(columns), rows)


class _Trie:
    """Phrases as states: a state is a beginning of phrases, and the end of at most one an axis."""

    def __init__(self, lexicons: Lexicons, code_of: Mapping[str, int]) -> None:
        self._next: dict[tuple[int, int], int] = {}
        self._ends: dict[str, dict[int, tuple[int, int]]] = {x.axis: {} for x in lexicons.axes}
        groups = {lexicon.axis: list(lexicon.groups) for lexicon in lexicons.axes}
        for words, axis, group in lexicons.phrases():
            if all(word in code_of for word in words):
                state = 0
                for word in words:
                    state = self._next.setdefault((state, code_of[word]), len(self._next) + 1)
                place = -1 if group is None else groups[axis].index(group)
                self._ends[axis][state] = (place, len(words))

    def ends(self, axis: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return group (-1: a shield) and words (0: no end) of each state, shape `(states,)`."""
        groups, lengths = np.full((2, len(self._next) + 1), 0, dtype=np.int64)
        for state, (group, length) in self._ends[axis].items():
            groups[state], lengths[state] = group, length
        return groups, lengths

    def walk(
        self, codes: NDArray[np.int32], offsets: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return every place with every state that is reached from it, both of shape `(S,)`."""
        if not self._next or not codes.size:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        size = int(codes.max()) + 1
        edges = sorted((s * size + c, t) for (s, c), t in self._next.items() if c < size)
        keys, targets = np.array(edges, dtype=np.int64).reshape(-1, 2).T
        roots = np.full(size, _DEAD, dtype=np.int64)
        from_root = keys < size
        roots[keys[from_root]] = targets[from_root]
        state = roots[codes]
        starts = np.flatnonzero(state != _DEAD)
        state = state[starts]
        ends = offsets[np.searchsorted(offsets, starts, side="right")]
        found = [(starts, state)]
        step = 0
        while starts.size:
            step += 1
            inside = starts + step < ends
            starts, state, ends = starts[inside], state[inside], ends[inside]
            wanted = state * size + codes[starts + step]
            places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
            alive = keys[places] == wanted
            starts, state, ends = starts[alive], targets[places[alive]], ends[alive]
            found.append((starts, state))
        return np.concatenate([s for s, _ in found]), np.concatenate([t for _, t in found])


def _longest(starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the places of the matches that do not lie wholly within longer ones."""
    if not starts.size or lengths.max() == 1:
        return np.arange(starts.size)
    covered = np.zeros(int((starts + lengths).max()), dtype=np.bool_)
    kept = []
    for length in range(int(lengths.max()), 0, -1):
        here = np.flatnonzero(lengths == length)
        places = starts[here, None] + np.arange(length)
        free = here[~covered[places].all(axis=1)]
        kept.append(free)
        covered[(starts[free, None] + np.arange(length)).ravel()] = True
    return np.sort(np.concatenate(kept))
