"""Rounds: every open row is tried once, then the rejected ones are tried again.

A round's plan and outcome are files; what a round tries is a function of the rounds before it, so
an interrupted run finds its place again and a schedule cannot change it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas.gates import Reason
from schemas.recipe import Recipe
from schemas.row import SCORED_SCHEMA, SELECTED_SCHEMA, VERDICT_FIELDS
from tasks.planning.plan import Plan
from tasks.planning.shards import combine, read_receipt, read_written
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

    A rejected row comes back with the next attempt number while it has attempts left, unless the
    money did not reach it; a row that the token budget kept waiting comes back as it was.
    """
    before = read_written(workspace.plan(number - 1))
    waiting = before.filter(pc.invert(before["admitted"]))
    outcome = _outcome(workspace, number - 1)
    again = outcome.filter(
        pc.and_(
            # Accepted rows have no reason; rows that the money did not reach are not sent later.
            pc.fill_null(pc.not_equal(outcome["reason"], Reason.USD_BUDGET.value), False),
            pc.less(outcome["attempt"], recipe.budget.attempts_per_row - 1),
        )
    )
    rows = np.concatenate([_ints(waiting, "row"), _ints(again, "row")])
    attempts = np.concatenate([_ints(waiting, "attempt"), _ints(again, "attempt") + 1])
    order = np.argsort(rows, kind="stable")
    rows, attempts = rows[order], attempts[order].astype(np.int32)
    return Round(rows, attempts, _admit(rows, recipe, plan, spent=_spent(workspace, number)))


def _admit(rows: NDArray[np.int64], recipe: Recipe, plan: Plan, *, spent: int) -> NDArray[np.bool_]:
    """Let in rows, in row order, while even their longest replies fit into the budget's rest."""
    if recipe.budget.tokens is None:
        return np.ones(rows.size, dtype=np.bool_)
    longest = np.array([strategy.max_tokens_per_row for strategy in recipe.strategies])
    worst = np.cumsum(longest[plan.shard(rows).strategy_index])
    return np.asarray(worst <= recipe.budget.tokens - spent)


def _spent(workspace: Workspace, number: int) -> int:
    """Tokens generated in the rounds before `number`."""
    return sum(
        pc.sum(_outcome(workspace, earlier)["num_tokens"]).as_py() or 0 for earlier in range(number)
    )


def _outcome(workspace: Workspace, number: int) -> pa.Table:
    tables = [read_written(path) for path in _shards(workspace, number, "selected")]
    return pa.concat_tables([SELECTED_SCHEMA.empty_table(), *tables])


def _shards(workspace: Workspace, number: int, stage: str) -> list[Path]:
    """Name the shards of a finished round after a stage, in row order: a lost one is missed."""
    size = workspace.facts.recipe.shard_size
    count = -(-len(_admitted(workspace, number)) // size)
    return [workspace.shard(number, shard, stage) for shard in range(count)]


def _ints(table: pa.Table, column: str) -> NDArray[np.int64]:
    return np.asarray(table[column].to_numpy(), dtype=np.int64)


def outcome_sha256(workspace: Workspace, *, before: int) -> str:
    """Hash what the rounds before `before` planned and decided: later files follow from it."""
    files = [
        path
        for number in range(before)
        for path in (workspace.plan(number), *_shards(workspace, number, "selected"))
    ]
    return combine(*(read_receipt(path) for path in files))


def candidates(
    workspace: Workspace, *, columns: Sequence[str], before: int | None = None
) -> Iterator[pa.Table]:
    """Yield every judged candidate, shard by shard in (round, row) order, with its final verdict.

    Args:
        workspace: A run.
        columns: Which columns of `SCORED_SCHEMA`; `reason` is null for accepted rows.
        before: Only the rounds before this one; all rounds when None.
    """
    verdicts = [field.name for field in VERDICT_FIELDS if field.name in columns]
    for number in range(len(workspace.rounds()[:before])):
        for path in _shards(workspace, number, "scored"):
            scored = read_written(path, columns)
            verdict = read_written(workspace.after(path, "selected"), verdicts)
            for name in verdicts:
                place = scored.schema.get_field_index(name)
                scored = scored.set_column(place, SCORED_SCHEMA.field(name), verdict[name])
            yield scored


def accepted_between(
    workspace: Workspace, start: int, stop: int, *, columns: Sequence[str] | None = None
) -> pa.Table:
    """Collect the accepted rows with numbers in [start, stop), in row order.

    The plans say which shards of each round hold these rows; no other file is opened.

    Args:
        workspace: A run whose rounds are done.
        start: First row number.
        stop: Row number after the last.
        columns: Which columns of `SCORED_SCHEMA`; all when None.
    """
    size = workspace.facts.recipe.shard_size
    wanted = SCORED_SCHEMA.names if columns is None else list(columns)
    parts = [pa.schema([SCORED_SCHEMA.field(name) for name in wanted]).empty_table()]
    order: list[NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]
    for number in range(len(workspace.rounds())):
        first, end = np.searchsorted(_admitted(workspace, number), [start, stop])
        for shard in range(first // size, -(-end // size) if end > first else 0):
            path = workspace.shard(number, shard, "selected")
            selected = read_written(path, ["row", "reason"])
            rows = _ints(selected, "row")
            chosen = (rows >= start) & (rows < stop) & selected["reason"].is_null().to_numpy()
            if chosen.any():
                table = read_written(workspace.shard(number, shard, "scored"), wanted)
                parts.append(table.filter(pa.array(chosen)))
                order.append(rows[chosen])
    return (
        pa.concat_tables(parts)
        .take(np.argsort(np.concatenate(order), kind="stable"))
        .combine_chunks()
    )


def _admitted(workspace: Workspace, number: int) -> NDArray[np.int64]:
    plan = read_written(workspace.plan(number))
    return _ints(plan.filter(plan["admitted"]), "row")
