"""Groups of rows with equal texts: byte for byte, or once folded to letters and digits."""

import re
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

_NOT_ASCII_WORD = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class RowGroups:
    """A partition of N rows.

    Args:
        firsts: For each row the number of the first row of its group, its own when it is alone or
            first, shape `(N,)`.
    """

    firsts: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of rows."""
        return int(self.firsts.size)

    @property
    def repeats(self) -> NDArray[np.bool_]:
        """Whether an earlier row is of the same group, shape `(N,)`."""
        return np.asarray(self.firsts != np.arange(len(self)))

    @property
    def num_repeats(self) -> int:
        """Rows less groups: what is left out when one row of each group stays.

        It does not depend on the order of the rows.
        """
        return int(self.repeats.sum())

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Rows in the group of each row, at least 1, shape `(N,)`."""
        counts: NDArray[np.int64] = np.bincount(self.firsts, minlength=len(self))[self.firsts]
        return counts


def group_equal(keys: Iterable[Hashable]) -> RowGroups:
    """Group the rows whose keys are equal; texts are compared whole, so none is grouped falsely."""
    first_of: dict[Hashable, int] = {}
    firsts = (first_of.setdefault(key, row) for row, key in enumerate(keys))
    return RowGroups(np.fromiter(firsts, dtype=np.int64))


def group_codes(codes: NDArray[np.int64]) -> RowGroups:
    """Group the rows whose codes, not negative and shape `(N,)`, are equal."""
    first_of = np.zeros(int(codes.max(initial=-1)) + 1, dtype=np.int64)
    # Of several assignments to one place the last stays: here that of the first row.
    first_of[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
    return RowGroups(first_of[codes])


def group_folded(texts: Iterable[str]) -> RowGroups:
    """Group the texts that are equal once folded (`fold_ascii`).

    Texts that fold to nothing, as those in another script do, are compared as they are. Folded
    texts are compared by 16-byte BLAKE2b hashes, which takes memory by the row and not by the
    character; two of a million differ but share one with probability below 1e-26.
    """
    return group_equal(_folded_key(text) for text in texts)


def fold_ascii(text: str) -> str:
    """Reduce a text to its letters a-z in lower case and digits 0-9, one space between the rest.

    What is not one of them, an accented letter too, counts as space; there is none at the ends.
    """
    return _NOT_ASCII_WORD.sub(" ", text.lower()).strip()


def _folded_key(text: str) -> bytes:
    folded = fold_ascii(text)
    salt = b"" if folded else b"as it is"
    content = (folded or text).encode("utf-8", "surrogatepass")
    return blake2b(content, digest_size=16, salt=salt).digest()


@dataclass(frozen=True, slots=True)
class Conflicts:
    """Rows of groups that do not agree on one value: a label, a split.

    Args:
        rows: Whether the row's group holds two values or more, shape `(N,)`.
        num_outvoted: Rows that hold another value than the most frequent one of their group: the
            fewest that must change for every group to agree.
        num_valued: Rows that hold a value.
    """

    rows: NDArray[np.bool_]
    num_outvoted: int
    num_valued: int


def find_conflicts(groups: RowGroups, values: Sequence[str | None]) -> Conflicts:
    """Find the groups whose rows hold different values; a null agrees with every value.

    Args:
        groups: N rows.
        values: One value a row, `None` where there is none.
    """
    codes, known = _codes(values)
    num_values = int(codes.max(initial=0)) + 1
    cells, counts = np.unique(groups.firsts[known] * num_values + codes, return_counts=True)
    owners = cells // num_values
    num_held = np.bincount(owners, minlength=len(groups))
    most = np.zeros(len(groups), dtype=np.int64)
    np.maximum.at(most, owners, counts)
    rows = (num_held >= 2)[groups.firsts] & known
    return Conflicts(rows=rows, num_outvoted=len(codes) - int(most.sum()), num_valued=len(codes))


def _codes(values: Sequence[str | None]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    code_of: dict[str, int] = {}
    every = np.fromiter(
        (-1 if value is None else code_of.setdefault(value, len(code_of)) for value in values),
        dtype=np.int64,
    )
    known = every >= 0
    return every[known], known
