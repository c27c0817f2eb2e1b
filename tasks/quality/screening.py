"""Which rows a slow pattern need look at: a first pass over a whole column at once."""

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_SURROGATE = re.compile("[\ud800-\udfff]")


def as_column(texts: Sequence[str]) -> pa.Array:
    """Lay out texts as one Arrow column; a lone surrogate becomes U+FFFD."""
    try:
        return pa.array(texts, pa.large_string())
    except UnicodeEncodeError:
        return pa.array([_SURROGATE.sub("\ufffd", text) for text in texts], pa.large_string())


def rows_with(column: pa.Array, pattern: str) -> NDArray[np.int64]:
    """Return the places of the texts that a pattern occurs in, ascending.

    The time is linear in the length of the texts whatever the pattern: it runs on RE2.

    Args:
        column: Texts, as `as_column` lays them out.
        pattern: RE2 syntax; its digits, word characters and word ends are ASCII.

    References:
        https://github.com/google/re2/wiki/Syntax
    """
    found = pc.match_substring_regex(column, pattern)
    places: NDArray[np.int64] = np.flatnonzero(found.to_numpy(zero_copy_only=False))
    return places
