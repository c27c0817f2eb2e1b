from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tasks.planning.costs import read_cost
from tasks.planning.plan import Plan
from tasks.planning.rounds import candidates
from tasks.release.accounts import balance

COLUMNS = ["row", "label", "strategy", "strategy_index", "num_tokens", "reason"]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"good": 4, "bad": 2, "budget": {"attempts_per_row": 3}},
        {"budget": {"attempts_per_row": 3, "tokens": 400}},
        {"gates": {"row": {"chars": [9000, 9999]}}, "budget": {"attempts_per_row": 2}},
    ],
)
def test_the_books_agree_with_the_candidates(
    changes: dict[str, Any], run_bare: Any, scripted: Any, tmp_path: Path
) -> None:
    workspace = run_bare(scripted(rows=30, shard_size=8, **changes), tmp_path)
    recipe = workspace.facts.recipe
    accounts = balance(workspace, recipe)
    rows = [row for t in candidates(workspace, columns=COLUMNS) for row in t.to_pylist()]
    accepted = {row["row"] for row in rows if row["reason"] is None}
    counts = accounts.rows
    assert (counts.requested, counts.generated, counts.accepted) == (30, len(rows), len(accepted))
    assert counts.rejected == Counter(row["reason"] for row in rows if row["reason"] is not None)
    assert accounts.tokens.generated == sum(row["num_tokens"] for row in rows)
    assert accounts.tokens.prompt > 0
    assert set(accounts.seconds) == {"render", "generate", "score", "select", "arranged", "noise"}
    wanted: Counter[tuple[str, str]] = Counter()
    for cell in Plan.of(recipe).quotas():
        wanted[cell.label, cell.kind] += cell.rows
    got = Counter((row["label"], row["strategy"]) for row in rows if row["reason"] is None)
    missing = {(s.label, s.strategy): s.missing for s in accounts.shortfalls}
    assert missing == +(wanted - got)
    for place, account in enumerate(accounts.strategies):
        own = [row for row in rows if row["strategy_index"] == place]
        assert account.generated == len(own)
        assert account.accepted == sum(row["reason"] is None for row in own)
        assert account.tokens == sum(row["num_tokens"] for row in own)
        assert account.seconds > 0
    costs = [read_cost(path) for path in workspace.folder.glob("round-*/*.candidates.json")]
    assert sum(account.seconds for account in accounts.strategies) <= sum(
        cost.seconds for cost in costs if cost is not None
    )
    assert [account.requested for account in accounts.strategies] == [
        sum(cell.rows for cell in Plan.of(recipe).quotas() if cell.strategy_index == place)
        for place in range(len(recipe.strategies))
    ]
    for short in accounts.shortfalls:
        assert sum(short.reasons.values()) >= short.missing
