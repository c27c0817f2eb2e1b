"""Rounds: every open row is tried once, then the rejected ones are tried again.

A round's plan and outcome are files; what a round tries is a function of the rounds before it, so
an interrupted run finds its place again and a schedule cannot change it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from numpy.typing import NDArray

from schemas.recipe import Recipe
from schemas.row import SCORED_SCHEMA, SELECTED_SCHEMA, VERDICT_FIELDS
from tasks.planning.plan import Plan
from tasks.planning.workspace import Workspace

PLAN_SCHEMA = pa.schema([("row", pa.int64()), ("attempt", pa.int32()), ("admitted", pa.bool_())])


@dataclass(frozen=True, slots=True)
class Round:
    """Rows and attempts of one round, in row order.

    Args:
        rows: Row numbers, ascending, shape `(N,)`.
        attempts: Attempt number of each, shape `(N,)`.
        admitted: Which of them the token budget lets in, shape `(N,)`; the others wait for the next
            round.
    """

    rows: NDArray[np.int64]
    attempts: NDArray[np.int32]
    admitted: NDArray[np.bool_]

    def table(self) -> pa.Table:
        """Return the round as a table of `PLAN_SCHEMA`."""
        return pa.table([self.rows, self.attempts, self.admitted], schema=PLAN_SCHEMA)


def first_round(recipe: Recipe, plan: Plan) -> Round:
    """Plan the first round: every row, attempt 0."""
    rows = np.arange(recipe.rows, dtype=np.int64)
    attempts = np.zeros(recipe.rows, dtype=np.int32)
    return Round(rows, attempts, _admit(rows, recipe, plan, spent=0))


def next_round(workspace: Workspace, number: int, recipe: Recipe, plan: Plan) -> Round:
    """Plan round `number` from the outcome of the rounds before it.

    A rejected row comes back with the next attempt number while it has attempts left; a row that
    the budget kept waiting comes back as it was.
    """
    before = pq.read_table(workspace.round(number - 1) / "plan.parquet")
    waiting = before.filter(pc.invert(before["admitted"]))
    outcome = _outcome(workspace, number - 1)
    again = outcome.filter(
        pc.and_(
            pc.is_valid(outcome["reason"]),
            pc.less(outcome["attempt"], recipe.budget.attempts_per_row - 1),
        )
    )
    rows = np.concatenate([_ints(waiting, "row"), _ints(again, "row")])
    attempts = np.concatenate([_ints(waiting, "attempt"), _ints(again, "attempt") + 1])
    order = np.argsort(rows, kind="stable")
    rows, attempts = rows[order], attempts[order].astype(np.int32)
    return Round(rows, attempts, _admit(rows, recipe, plan, spent=_spent(workspace, number)))


def _admit(rows: NDArray[np.int64], recipe: Recipe, plan: Plan, *, spent: int) -> NDArray[np.bool_]:
    """Let in rows, in row order, while even their longest replies fit into what is left of the budget."""
    if recipe.budget.tokens is None:
        return np.ones(rows.size, dtype=np.bool_)
    longest = np.array([strategy.length.max + 1 for strategy in recipe.strategies])
    worst = np.cumsum(longest[plan.shard(rows).strategy_index])
    return np.asarray(worst <= recipe.budget.tokens - spent)


def _spent(workspace: Workspace, number: int) -> int:
    """Tokens generated in the rounds before `number`."""
    return sum(
        pc.sum(_outcome(workspace, earlier)["num_tokens"]).as_py() or 0 for earlier in range(number)
    )


def _outcome(workspace: Workspace, number: int) -> pa.Table:
    files = sorted(workspace.round(number).glob("*.selected.parquet"))
    if not files:
        return SELECTED_SCHEMA.empty_table()
    return ds.dataset(files, schema=SELECTED_SCHEMA, format="parquet").to_table()


def _ints(table: pa.Table, column: str) -> NDArray[np.int64]:
    return np.asarray(table[column].to_numpy(), dtype=np.int64)


def candidates(workspace: Workspace, *, before: int | None = None) -> Iterator[pa.Table]:
    """Yield every judged candidate, shard by shard in (round, row) order, with its final verdict.

    Tables have `SCORED_SCHEMA`; `reason` is null for accepted rows. With `before`, only the rounds
    before that one.
    """
    for folder in workspace.rounds()[:before]:
        for path in sorted(folder.glob("*.scored.parquet")):
            scored = pq.read_table(path)
            verdict = pq.read_table(path.with_name(path.name.replace(".scored.", ".selected.")))
            for field in VERDICT_FIELDS:
                place = scored.schema.get_field_index(field.name)
                scored = scored.set_column(place, field, verdict[field.name])
            yield scored.cast(SCORED_SCHEMA)


def accepted_between(workspace: Workspace, start: int, stop: int) -> pa.Table:
    """Collect the accepted rows with numbers in [start, stop), in row order, with `SCORED_SCHEMA`.

    Only row groups whose statistics admit the range are read.
    """
    parts = []
    inside = (pc.field("row") >= start) & (pc.field("row") < stop)
    for folder in workspace.rounds():
        selected = sorted(folder.glob("*.selected.parquet"))
        if not selected:
            continue
        chosen = ds.dataset(selected, schema=SELECTED_SCHEMA, format="parquet").to_table(
            filter=inside & pc.field("reason").is_null(), columns=["row", "attempt"]
        )
        if chosen.num_rows:
            scored = ds.dataset(sorted(folder.glob("*.scored.parquet")), schema=SCORED_SCHEMA)
            rows = scored.to_table(filter=inside & pc.field("row").isin(chosen["row"]))
            parts.append(rows)
    if not parts:
        return SCORED_SCHEMA.empty_table()
    return pa.concat_tables(parts).sort_by("row").combine_chunks()
