"""Every candidate of a finished run, on one of two sides: released or rejected."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas.row import EDITS, REJECTED_SCHEMA, RELEASED_SCHEMA, SCORED_SCHEMA
from tasks.planning.rounds import candidates
from tasks.planning.shards import read_written
from tasks.planning.workspace import Workspace

_STRATEGY = "strategy_index"


def released(
    workspace: Workspace,
) -> Iterator[tuple[pa.Table, NDArray[np.int64], NDArray[np.int64]]]:
    """Yield the released rows shard by shard in row order, with places of splits and strategies."""
    splits = read_written(workspace.final / "arranged.parquet")["split"].to_numpy()
    start = 0
    columns = [*RELEASED_SCHEMA.names, _STRATEGY]
    for path in workspace.noised_shards():
        table = read_written(path, columns)
        rows = table.select(RELEASED_SCHEMA.names).cast(RELEASED_SCHEMA)
        own = splits[start : start + table.num_rows].astype(np.int64)
        yield rows, own, _strategies(table)
        start += table.num_rows


def rejected(workspace: Workspace) -> Iterator[tuple[pa.Table, NDArray[np.int64]]]:
    """Yield the rejected candidates with `REJECTED_SCHEMA`, and the places of their strategies.

    They come by shards in (round, row) order.
    """
    columns = [name for name in REJECTED_SCHEMA.names if name in SCORED_SCHEMA.names]
    for table in candidates(workspace, columns=[*columns, _STRATEGY]):
        lost = table.filter(pc.is_valid(table["reason"]))
        strategies = _strategies(lost)
        nothing = pa.nulls(lost.num_rows)
        for name in ("clean_text", "clean_label"):
            lost = lost.append_column(name, nothing.cast(pa.string()))
        lost = lost.append_column("noise", pa.array([[]] * lost.num_rows, EDITS))
        yield lost.select(REJECTED_SCHEMA.names).cast(REJECTED_SCHEMA), strategies


def _strategies(table: pa.Table) -> NDArray[np.int64]:
    return np.asarray(table[_STRATEGY].to_numpy(), dtype=np.int64)
