"""The edit log: from the edits of each step to one Arrow column, and back to the clean text."""

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa

from schemas.noise import Edit
from schemas.row import EDITS
from tasks.noise.splices import Edits
from tasks.noise.strings import Ints, Strings, concatenate, offsets_of


def log_edits(edits: Sequence[Edits], *, kinds: Sequence[str], num_texts: int) -> pa.ListArray:
    """Gather the edits of all steps, text by text, in the order made.

    Args:
        edits: Those of each step, in the order of the steps.
        kinds: Name of each step's operator.
        num_texts: How many texts there are.

    Returns:
        One list for each text, of the type `schemas.row.EDITS`.
    """
    if not edits:
        return pa.array([[]] * num_texts, EDITS)
    rows = np.concatenate([part.rows for part in edits])
    order = np.argsort(rows, kind="stable") if len(edits) > 1 else np.arange(rows.size)
    befores = _in_order([part.befores for part in edits], order)
    starts = np.concatenate([part.starts for part in edits])[order]
    steps = np.concatenate([part.steps for part in edits])[order]
    columns = [
        pa.array(kinds, pa.string()).take(pa.array(steps)),
        pa.array(starts.astype(np.int32)),
        pa.array((starts + befores.lengths).astype(np.int32)),
        befores.to_arrow(),
        _in_order([part.afters for part in edits], order).to_arrow(),
    ]
    log = pa.StructArray.from_arrays(columns, fields=list(EDITS.value_type))
    ends = offsets_of(np.bincount(rows, minlength=num_texts)).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(ends), log, type=EDITS)


def undo_edits(text: str, edits: Iterable[Edit]) -> str:
    """Return the clean text: take back the edits, last to first.

    Args:
        text: The noised text.
        edits: Its edits in the order made.

    Raises:
        ValueError: If an edit's `after` does not stand where the log says: the log is of another
            text.
    """
    for edit in reversed(tuple(edits)):
        end = edit.start + len(edit.after)
        if text[edit.start : end] != edit.after:
            raise ValueError(f"{edit.after!r} does not stand at {edit.start} in {text!r}")
        text = text[: edit.start] + edit.before + text[end:]
    return text


def _in_order(parts: Sequence[Strings], order: Ints) -> Strings:
    strings = concatenate(parts)
    return strings.take(order) if len(parts) > 1 else strings
