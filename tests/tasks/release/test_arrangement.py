from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tasks.planning.rounds import accepted_between
from tasks.release.arrangement import arrange

STRATEGIES = [{"kind": "greedy"}]


def arranged(workspace: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = arrange(workspace, workspace.facts.recipe).to_pylist()
    return rows


def test_every_accepted_row_has_its_place(run_bare: Any, scripted: Any, tmp_path: Path) -> None:
    workspace = run_bare(scripted(rows=40), tmp_path)
    rows = arranged(workspace)
    assert [row["row"] for row in rows] == list(range(40))
    assert Counter(row["split"] for row in rows) == {0: 32, 1: 4, 2: 4}
    assert sum(row["noised"] for row in rows) == 10
    assert rows == pq.read_table(workspace.final / "arranged.parquet").to_pylist()


def test_the_cut_into_shards_moves_no_row(run_bare: Any, write_recipe: Any, tmp_path: Path) -> None:
    found = []
    for size in (3, 64):
        path = write_recipe(tmp_path / str(size), rows=20, shard_size=size)
        found.append(arranged(run_bare(path, tmp_path / f"out-{size}")))
    assert found[0] == found[1]


@pytest.mark.parametrize("near", ["off", 0.9])
def test_near_duplicates_stay_together(
    near: Any, run_bare: Any, scripted: Any, tmp_path: Path
) -> None:
    gates = {"row": {"near_duplicate": near, "duplicate": "off"}, "dataset": "off"}
    path = scripted(rows=30, good=8, bad=0, gates=gates, strategies=STRATEGIES)
    workspace = run_bare(path, tmp_path)
    texts = accepted_between(workspace, 0, 30, columns=["text"])["text"].to_pylist()
    sides: dict[str, set[int]] = {}
    for text, row in zip(texts, arranged(workspace), strict=True):
        sides.setdefault(text, set()).add(row["split"])
    if near == "off":
        assert len(sides) < len(texts)
    assert all(len(side) == 1 for side in sides.values())


def test_no_rows(run_bare: Any, scripted: Any, tmp_path: Path) -> None:
    gates = {"row": {"chars": [9000, 9999]}}
    path = scripted(rows=3, gates=gates, budget={"attempts_per_row": 1})
    assert arranged(run_bare(path, tmp_path)) == []
