"""Selection: one block of scored candidates after another, in row order."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.gates import RowGates, Stage
from schemas.row import SELECTED_SCHEMA
from schemas.shard import FileRef
from tasks.quality.duplicates import Selector

SELECTION_COLUMNS = ("id", "text", *SELECTED_SCHEMA.names)
"""The columns of `SCORED_SCHEMA` that a selection reads."""


def open_selector(gates: RowGates, *, folder: Path | None = None) -> Selector:
    """Make a selector with the gates that compare rows with each other.

    Args:
        gates: The row gates of a recipe.
        folder: Where it may keep what goes beyond one block.
    """
    return Selector(
        duplicate=bool(gates.duplicate), near_duplicate=gates.near_duplicate, folder=folder
    )


def remember_accepted(selector: Selector, judged: pa.Table) -> None:
    """Tell a selector which rows earlier rounds accepted.

    Args:
        selector: The selector of this round.
        judged: Candidates of an earlier round with their final verdicts, `SCORED_SCHEMA`.
    """
    accepted = judged.filter(pc.is_null(judged["reason"]))
    selector.remember(accepted["id"].to_pylist(), accepted["text"].to_pylist())


def blocks(scored: Iterable[FileRef], selector: Selector) -> Iterator[list[FileRef]]:
    """Cut shards into blocks as large as the selector likes them at that point."""
    block: list[FileRef] = []
    num_rows = 0
    for ref in scored:
        block.append(ref)
        num_rows += ref.rows
        if num_rows >= selector.block:
            yield block
            block, num_rows = [], 0
    if block:
        yield block


def select_shard(scored: pa.Table, selector: Selector) -> pa.Table:
    """Decide on one shard, as `select_shards` does."""
    return select_shards([scored], selector)[0]


def select_shards(shards: Sequence[pa.Table], selector: Selector) -> list[pa.Table]:
    """Decide on some shards, after all shards before them.

    Args:
        shards: Candidates in row order, at least the columns `SELECTION_COLUMNS`.
        selector: Knows every row accepted before; learns those accepted here.

    Returns:
        The final verdicts, `SELECTED_SCHEMA`, one for each candidate in the same order.
    """
    scored = pa.concat_tables([shard.select(SELECTION_COLUMNS) for shard in shards])
    good = np.flatnonzero(scored["reason"].is_null().to_numpy())
    chosen = scored.take(good)
    rejections = selector.admit(chosen["id"].to_pylist(), chosen["text"].to_pylist())
    new = [rejection for rejection in rejections if rejection is not None]
    rejected = np.zeros(scored.num_rows, dtype=np.bool_)
    rejected[good] = [rejection is not None for rejection in rejections]
    verdicts = {
        "stage": [Stage.SELECT.value] * len(new),
        "reason": [rejection.reason.value for rejection in new],
        "detail": [rejection.detail for rejection in new],
    }
    selected = scored.select(SELECTED_SCHEMA.names).combine_chunks()
    for name, values in verdicts.items():
        before = selected[name].combine_chunks()
        after = pc.replace_with_mask(before, pa.array(rejected), pa.array(values, pa.string()))
        place = selected.schema.get_field_index(name)
        selected = selected.set_column(place, SELECTED_SCHEMA.field(name), after)
    edges = pairwise(accumulate((shard.num_rows for shard in shards), initial=0))
    return [selected.slice(start, stop - start).cast(SELECTED_SCHEMA) for start, stop in edges]


def count_reasons(selected: pa.Table) -> dict[str, int]:
    """Count the rejected rows of a table with verdicts, by reason in alphabetical order."""
    counts = pc.value_counts(selected["reason"].drop_null()).to_pylist()
    return dict(sorted((entry["values"], entry["counts"]) for entry in counts))
