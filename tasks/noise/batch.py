"""A batch of texts between two steps: its code points and which of them may not change."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tasks.noise.strings import Codes, Ints, Mask, Strings, ranges

# Beyond the last white space of Unicode (U+3000) the table's last entry answers for everything.
_IS_SPACE = np.array([chr(code).isspace() for code in range(0x3002)])


@dataclass(frozen=True)
class TextBatch:
    """N texts, laid end to end.

    Args:
        strings: The texts.
        protected: Which code points must stay as they are, shape `(C,)`; None for none.
    """

    strings: Strings
    protected: Mask | None = None

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self.strings)

    @property
    def code_points(self) -> Codes:
        """All code points, shape `(C,)`."""
        return self.strings.code_points

    @property
    def offsets(self) -> Ints:
        """Where each text begins, and the end last, shape `(N + 1,)`."""
        return self.strings.offsets

    @cached_property
    def is_space(self) -> Mask:
        """Whether each code point is white space as `str.isspace` has it, shape `(C,)`."""
        return np.asarray(_IS_SPACE.take(self.code_points, mode="clip"))

    def rows_of(self, places: Ints) -> Ints:
        """Number of the text in which each code point stands.

        Args:
            places: Code points, counted in the batch, shape `(E,)`.
        """
        return np.searchsorted(self.offsets, places, side="right") - 1

    def take(self, rows: Ints) -> "TextBatch":
        """Return a batch of the texts `rows`, in that order."""
        strings = self.strings.take(rows)
        if self.protected is None:
            return TextBatch(strings)
        return TextBatch(strings, self.protected[ranges(self.offsets[rows], strings.lengths)])
