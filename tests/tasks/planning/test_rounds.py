from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from schemas.gates import UNSENT
from schemas.recipe import Recipe
from schemas.row import SCORED_SCHEMA
from tasks.planning.plan import Plan
from tasks.planning.rounds import accepted_between, candidates, first_round, outcome_sha256
from tasks.planning.workspace import Workspace

COLUMNS = ["row", "attempt", "text", "num_tokens", "reason"]


@pytest.fixture(scope="module")
def workspace(run_bare: Any, write_recipe: Any, tmp_path_factory: Any) -> Workspace:
    folder = tmp_path_factory.mktemp("run")
    path = write_recipe(folder / "recipe", rows=30, shard_size=7, bad=30)
    made = run_bare(path, folder / "out")
    assert isinstance(made, Workspace)
    return made


def plans(workspace: Workspace) -> list[list[dict[str, Any]]]:
    return [
        pq.read_table(workspace.plan(number)).to_pylist()
        for number in range(len(workspace.rounds()))
    ]


def judged(workspace: Workspace) -> list[dict[str, Any]]:
    tables = candidates(workspace, columns=COLUMNS)
    return [row for table in tables for row in table.to_pylist()]


def test_a_round_tries_just_the_rows_that_the_last_one_rejected(workspace: Workspace) -> None:
    first, *later = plans(workspace)
    assert [(row["row"], row["attempt"]) for row in first] == [(n, 0) for n in range(30)]
    rows = judged(workspace)
    assert len(later) >= 3
    for number, plan in enumerate(later, start=1):
        rejected = [
            (r["row"], r["attempt"] + 1)
            for r in rows
            if r["attempt"] == number - 1 and r["reason"] is not None and number < 10
        ]
        assert [(row["row"], row["attempt"]) for row in plan] == sorted(rejected)


def test_a_row_that_the_money_did_not_reach_is_not_tried_again(
    run_bare: Any, write_recipe: Any, tmp_path: Path
) -> None:
    lines = [{"error": UNSENT}, {"error": "something else"}]
    path = write_recipe(tmp_path / "recipe", rows=20, lines=lines, budget={"attempts_per_row": 3})
    rows = judged(run_bare(path, tmp_path / "out"))
    assert {row["reason"] for row in rows} == {"usd_budget", "generation_error"}
    for row in rows:
        later = [r for r in rows if r["row"] == row["row"] and r["attempt"] > row["attempt"]]
        goes_on = row["reason"] == "generation_error" and row["attempt"] < 2
        assert bool(later) == goes_on


def test_candidates_come_once_in_order_of_rounds_and_rows(workspace: Workspace) -> None:
    rows = judged(workspace)
    order = [(row["attempt"], row["row"]) for row in rows]
    assert order == sorted(set(order))
    planned = Counter((r["row"], r["attempt"]) for plan in plans(workspace) for r in plan)
    assert planned == Counter((row["row"], row["attempt"]) for row in rows)
    before = [
        row for t in candidates(workspace, columns=COLUMNS, before=1) for row in t.to_pylist()
    ]
    assert before == rows[:30]


@pytest.mark.parametrize(("start", "stop"), [(0, 30), (0, 7), (5, 23), (29, 99), (30, 60), (4, 4)])
def test_accepted_rows_of_a_range_come_in_row_order(
    start: int, stop: int, workspace: Workspace
) -> None:
    wanted = [
        {key: row[key] for key in ("row", "attempt", "text")}
        for row in sorted(judged(workspace), key=lambda row: int(row["row"]))
        if row["reason"] is None and start <= row["row"] < stop
    ]
    columns = ["row", "attempt", "text"]
    found = accepted_between(workspace, start, stop, columns=columns)
    assert found.to_pylist() == wanted
    whole = accepted_between(workspace, start, stop)
    assert whole.schema.equals(SCORED_SCHEMA)
    assert whole.select(columns).to_pylist() == wanted


def test_the_outcome_changes_with_every_verdict(
    run_bare: Any, scripted: Any, tmp_path: Path
) -> None:
    workspace = run_bare(scripted(rows=10, shard_size=4), tmp_path)
    number = len(workspace.rounds())
    before = [outcome_sha256(workspace, before=n) for n in range(number + 1)]
    assert len(set(before)) == number + 1
    again = run_bare(scripted(rows=10, shard_size=4), tmp_path)
    assert [outcome_sha256(again, before=n) for n in range(number + 1)] == before


def test_the_token_budget_admits_rows_in_order_and_never_too_many(
    run_bare: Any, scripted: Any, tmp_path: Path
) -> None:
    length = {"max": 9}
    path = scripted(
        rows=30,
        shard_size=7,
        strategies=[{"kind": "greedy", "length": length}],
        budget={"tokens": 190, "attempts_per_row": 4},
        gates="off",
    )
    workspace = run_bare(path, tmp_path)
    spent = 0
    rows = judged(workspace)
    for number, plan in enumerate(plans(workspace)):
        admitted = [row["admitted"] for row in plan]
        assert admitted == sorted(admitted, reverse=True)
        assert sum(admitted) == min((190 - spent) // 9, len(plan))
        files = sorted(workspace.round(number).glob("*.selected.parquet"))
        spent += sum(sum(pq.read_table(file)["num_tokens"].to_pylist()) for file in files)
    assert spent == sum(row["num_tokens"] for row in rows) <= 190


@pytest.mark.parametrize(
    ("strategy", "most"),
    [
        ({"kind": "nucleus", "num_return_sequences": 4}, 9),
        ({"kind": "nucleus", "best_of": {"n": 3}}, 27),
        ({"kind": "beam", "num_beams": 4, "num_return_sequences": 2}, 9),
        ({"kind": "stochastic_beam", "num_beams": 4}, 9),
        ({"kind": "noisy_channel", "num_candidates": 5}, 45),
        ({"kind": "noisy_channel", "num_candidates": 5, "mode": "corrupt"}, 9),
    ],
)
def test_a_row_is_admitted_with_the_tokens_of_all_its_candidates(
    strategy: dict[str, Any], most: int
) -> None:
    recipe = Recipe.model_validate(
        {
            "name": "x",
            "rows": 30,
            "labels": {"a": "says a"},
            "strategies": [{**strategy, "length": {"max": 9}}],
            "budget": {"tokens": 100},
        }
    )
    admitted = first_round(recipe, Plan.of(recipe)).admitted
    assert admitted.tolist() == [number < 100 // most for number in range(30)]
