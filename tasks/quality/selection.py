"""Selection: one shard of scored candidates after another, in row order."""

import pyarrow as pa
import pyarrow.compute as pc

from schemas.gates import RowGates, Stage
from schemas.row import SELECTED_SCHEMA
from tasks.quality.duplicates import Selector


def open_selector(gates: RowGates) -> Selector:
    """Make a selector with the gates that compare rows with each other."""
    return Selector(duplicate=bool(gates.duplicate), near_duplicate=gates.near_duplicate)


def remember_accepted(selector: Selector, judged: pa.Table) -> None:
    """Tell a selector which rows earlier rounds accepted.

    Args:
        selector: The selector of this round.
        judged: Candidates of an earlier round with their final verdicts, `SCORED_SCHEMA`.
    """
    accepted = judged.filter(pc.is_null(judged["reason"]))
    selector.remember(accepted["id"].to_pylist(), accepted["text"].to_pylist())


def select_shard(scored: pa.Table, selector: Selector) -> pa.Table:
    """Decide on one shard, after all shards before it.

    Args:
        scored: Candidates in row order, `SCORED_SCHEMA`.
        selector: Knows every row accepted before; learns those accepted here.

    Returns:
        The final verdicts, `SELECTED_SCHEMA`, one for each candidate in the same order.
    """
    good = scored.filter(pc.is_null(scored["reason"]))
    rejections = iter(selector.admit(good["id"].to_pylist(), good["text"].to_pylist()))
    rows = scored.select(SELECTED_SCHEMA.names).to_pylist()
    for row in rows:
        if row["reason"] is None and (rejection := next(rejections)) is not None:
            row.update(stage=Stage.SELECT, reason=rejection.reason, detail=rejection.detail)
    return pa.Table.from_pylist(rows, schema=SELECTED_SCHEMA)


def count_reasons(selected: pa.Table) -> dict[str, int]:
    """Count the rejected rows of a table with verdicts, by reason in alphabetical order."""
    counts = pc.value_counts(selected["reason"].drop_null()).to_pylist()
    return dict(sorted((entry["values"], entry["counts"]) for entry in counts))
