"""The books of a run: every candidate counted once, every missing row with its reasons."""

from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas.manifest import RowCounts, Shortfall, StrategyAccount, TokenCounts
from schemas.recipe import Recipe
from tasks.generation.replay_log import read_usage
from tasks.planning.costs import Cost, read_cost
from tasks.planning.plan import Plan
from tasks.planning.rounds import candidates
from tasks.planning.shards import read_written
from tasks.planning.workspace import Workspace

TOKEN_BUDGET = "token_budget"
"""Reason of rows that were still waiting when the token budget was spent."""


@dataclass(frozen=True, slots=True)
class Accounts:
    """What a run made and what it cost.

    Args:
        rows: Counts that add up.
        shortfalls: Missing rows by label and strategy, with the reasons.
        tokens: Tokens read and written by the model.
        seconds: Seconds of work by stage.
        strategies: Rows and cost of each strategy of the recipe, in its order.
        usd: What an endpoint's replies cost in US dollars, lost requests at their most; None
            without a price.
    """

    rows: RowCounts
    shortfalls: tuple[Shortfall, ...]
    tokens: TokenCounts
    seconds: dict[str, float]
    strategies: tuple[StrategyAccount, ...]
    usd: float | None = None


def balance(workspace: Workspace, recipe: Recipe) -> Accounts:
    """Close the books of a run whose rounds are done."""
    accepted = np.zeros(recipe.rows, dtype=np.bool_)
    rejected: Counter[str] = Counter()
    sums = np.zeros((len(recipe.strategies), 3), dtype=np.int64)
    columns = ["row", "strategy_index", "num_tokens", "reason"]
    for table in candidates(workspace, columns=columns):
        good = pc.is_null(table["reason"])
        counted = np.stack([np.ones(len(good)), good, table["num_tokens"]], axis=1)
        np.add.at(sums, table["strategy_index"].to_numpy(), counted.astype(np.int64))
        accepted[table.filter(good)["row"].to_numpy()] = True
        rejected.update(table.filter(pc.invert(good))["reason"].to_pylist())
    count = int(accepted.sum())
    generated, _, tokens = sums.sum(axis=0).tolist()
    replied, lost = read_usage(workspace.replies)
    return Accounts(
        rows=RowCounts(
            requested=recipe.rows,
            generated=generated,
            accepted=count,
            shortfall=recipe.rows - count,
            rejected=dict(sorted(rejected.items())),
        ),
        shortfalls=_shortfalls(workspace, recipe, ~accepted) if count < recipe.rows else (),
        tokens=TokenCounts(
            # An endpoint's own count is better than the estimate that the run was planned by.
            prompt=replied.prompt_tokens or _prompt_tokens(workspace),
            generated=tokens,
        ),
        seconds=_seconds(workspace),
        strategies=_strategy_accounts(workspace, recipe, sums),
        usd=(replied + lost).usd(getattr(workspace.facts.model, "price", None)),
    )


def _shortfalls(
    workspace: Workspace, recipe: Recipe, missing: NDArray[np.bool_]
) -> tuple[Shortfall, ...]:
    """Explain the missing rows, in the order of the recipe's labels and strategies."""
    rows = np.flatnonzero(missing)
    cells = Plan.of(recipe).shard(rows)
    kinds = [strategy.kind for strategy in recipe.strategies]
    labels = list(recipe.labels)
    names = [
        (labels[label], kinds[strategy])
        for label, strategy in zip(cells.label_index, cells.strategy_index, strict=True)
    ]
    reasons: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for table in candidates(workspace, columns=["row", "label", "strategy", "reason"]):
        lost = table.filter(pa.array(missing[table["row"].to_numpy()]))
        for row in lost.drop_columns("row").to_pylist():
            reasons[row["label"], row["strategy"]][row["reason"]] += 1
    waiting = set(_waiting(workspace))
    for row, name in zip(rows.tolist(), names, strict=True):
        if row in waiting:
            reasons[name][TOKEN_BUDGET] += 1
    return tuple(
        Shortfall(
            label=label,
            strategy=strategy,
            missing=count,
            reasons=dict(sorted(reasons[label, strategy].items())),
        )
        for (label, strategy), count in sorted(
            Counter(names).items(), key=lambda entry: (labels.index(entry[0][0]), entry[0][1])
        )
    )


def _waiting(workspace: Workspace) -> list[int]:
    """Rows that the token budget no longer let in."""
    last = read_written(workspace.plan(len(workspace.rounds()) - 1))
    rows: list[int] = last.filter(pc.invert(last["admitted"]))["row"].to_pylist()
    return rows


def _costs(workspace: Workspace) -> list[Cost]:
    paths = [*workspace.folder.glob("round-*/*.json"), *workspace.final.glob("*.json")]
    return [cost for path in paths if (cost := read_cost(path)) is not None]


def _prompt_tokens(workspace: Workspace) -> int:
    return sum(cost.prompt_tokens for cost in _costs(workspace))


def _seconds(workspace: Workspace) -> dict[str, float]:
    names = {"prompts": "render", "candidates": "generate", "scored": "score", "selected": "select"}
    seconds: dict[str, float] = defaultdict(float)
    for cost in _costs(workspace):
        seconds[names.get(cost.stage, cost.stage)] += round(cost.seconds, 3)
    return dict(seconds)


def _strategy_accounts(
    workspace: Workspace, recipe: Recipe, sums: NDArray[np.int64]
) -> tuple[StrategyAccount, ...]:
    """Close each strategy's books.

    Args:
        workspace: The run.
        recipe: Its recipe.
        sums: Candidates, accepted rows and generated tokens of each strategy, shape `(S, 3)`.
    """
    requested = [0] * len(recipe.strategies)
    for cell in Plan.of(recipe).quotas():
        requested[cell.strategy_index] += cell.rows
    seconds = [0.0] * len(recipe.strategies)
    for cost in _costs(workspace):
        for place, spent in cost.strategy_seconds.items():
            seconds[place] += spent
    return tuple(
        StrategyAccount(
            kind=strategy.kind,
            requested=requested[place],
            generated=generated,
            accepted=accepted,
            tokens=tokens,
            seconds=round(seconds[place], 6),
        )
        for place, (strategy, (generated, accepted, tokens)) in enumerate(
            zip(recipe.strategies, sums.tolist(), strict=True)
        )
    )
