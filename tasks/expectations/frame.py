"""The frame that the suite judges: one line a released row, nothing nested."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas.row import SCORES

ROW_COLUMNS = (
    "id", "text", "label", "strategy", "num_tokens", "finish_reason", "logprob", "weight"
)  # fmt: skip
COMPUTED_COLUMNS = ("split", "duplicate", "near_duplicate")
SCORE_COLUMNS = tuple(f"score_{name}" for name in SCORES)
COLUMNS = (*ROW_COLUMNS, *COMPUTED_COLUMNS, *SCORE_COLUMNS)
"""Every column of the frame."""
CORPUS_FIGURES = ("distinct_2", "rejection_rate")
"""Figures of the corpus as a whole that the gates need; they form a frame of one line."""


def release_frame(
    table: pa.Table,
    *,
    split: NDArray[np.str_],
    duplicate: NDArray[np.bool_],
    near_duplicate: NDArray[np.bool_],
) -> pd.DataFrame:
    """Flatten released rows for validation.

    Args:
        table: Rows with `RELEASED_SCHEMA`; further columns are ignored. The frame's label is the
            one asked for, which the quotas count, also where noise flipped it.
        split: Name of each row's split, shape `(N,)`.
        duplicate: Whether the row's text equals an earlier one's, shape `(N,)`.
        near_duplicate: Whether an earlier row is a near duplicate, shape `(N,)`.

    Returns:
        A frame of N lines with the columns of `COLUMNS`.
    """
    frame: pd.DataFrame = table.select(list(ROW_COLUMNS)).to_pandas()
    asked = pc.coalesce(table["clean_label"], table["label"])
    frame["label"] = asked.to_pandas()
    frame["split"] = np.asarray(split, dtype=object)
    frame["duplicate"] = np.asarray(duplicate, dtype=np.float64)
    frame["near_duplicate"] = np.asarray(near_duplicate, dtype=np.float64)
    scores = table.column("scores").combine_chunks().flatten()
    for column, values in zip(SCORE_COLUMNS, scores, strict=True):
        frame[column] = values.to_numpy(zero_copy_only=False)
    return frame
