"""The frame that the suite judges: one line a released row, nothing nested, no text in it."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas.row import SCORES

_CATEGORIES = ("strategy", "finish_reason")
_NUMBERS = ("num_tokens", "logprob", "weight")
ROW_COLUMNS = ("id", "text", "label", *_CATEGORIES, *_NUMBERS)
COMPUTED_COLUMNS = ("split", "duplicate", "near_duplicate")
SCORE_COLUMNS = tuple(f"score_{name}" for name in SCORES)
COLUMNS = (*ROW_COLUMNS, *COMPUTED_COLUMNS, *SCORE_COLUMNS)
"""Every column of the frame."""
SOURCE_COLUMNS = (*ROW_COLUMNS, "clean_label", "scores")
"""The columns of `RELEASED_SCHEMA` that it is made from."""
CORPUS_FIGURES = ("distinct_2", "rejection_rate")
"""Figures of the corpus as a whole that the gates need; they form a frame of one line."""


def release_columns(
    table: pa.Table,
    *,
    split: pa.Array,
    duplicate: NDArray[np.bool_],
    near_duplicate: NDArray[np.bool_],
) -> pa.Table:
    """Flatten released rows for validation, in some 60 bytes a row.

    Args:
        table: Rows with `SOURCE_COLUMNS`; further columns are ignored. The label taken is the one
            asked for, which the quotas count, also where noise flipped it.
        split: Name of each row's split, shape `(N,)`.
        duplicate: Whether the row's text equals an earlier one's, shape `(N,)`.
        near_duplicate: Whether an earlier row is a near duplicate, shape `(N,)`.

    Returns:
        N lines with the columns of `COLUMNS`. In place of an id stands its 64-bit hash, which two
        of n different ones share with probability below n^2 / 2^65, and in place of a text the
        number of its characters.
    """
    label = pc.coalesce(table["clean_label"], table["label"])
    scores = table["scores"].combine_chunks().flatten()
    columns = {
        "id": _hashes(table["id"]),
        "text": pc.utf8_length(table["text"]),
        "label": pc.dictionary_encode(label),
        **{name: pc.dictionary_encode(table[name]) for name in _CATEGORIES},
        **{name: table[name] for name in _NUMBERS},
        "split": pc.dictionary_encode(split),
        "duplicate": pa.array(duplicate).cast(pa.int8()),
        "near_duplicate": pa.array(near_duplicate).cast(pa.int8()),
        **dict(zip(SCORE_COLUMNS, scores, strict=True)),
    }
    return pa.table(columns).combine_chunks()


def release_frame(parts: Sequence[pa.Table]) -> pd.DataFrame:
    """Put parts from `release_columns` together, in order; names become categories."""
    if not parts:
        return pd.DataFrame(columns=list(COLUMNS))
    whole = pa.concat_tables(parts).unify_dictionaries()
    frame: pd.DataFrame = whole.to_pandas(self_destruct=True, split_blocks=True)
    return frame


def _hashes(ids: pa.ChunkedArray) -> pa.Array:
    hashes = pd.util.hash_array(ids.to_numpy(), categorize=False)
    return pa.array(hashes, mask=ids.is_null().to_numpy())
