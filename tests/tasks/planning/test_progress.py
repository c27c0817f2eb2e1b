from collections import Counter
from pathlib import Path

import pytest

from tasks.planning.costs import Cost, note_cost
from tasks.planning.progress import Progress, ProgressReader
from tasks.planning.workspace import Workspace


def test_progress_counts_what_lies_in_the_workspace(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "work")
    reader = ProgressReader(workspace, 10)
    assert reader.read() == Progress(10)
    note_cost(
        workspace.shard(0, 0, "candidates"),
        Cost(stage="candidates", rows=6, tokens=60, seconds=2.0),
    )
    note_cost(
        workspace.shard(0, 1, "candidates"),
        Cost(stage="candidates", rows=1, tokens=8, seconds=1.0, done=False),
    )
    note_cost(
        workspace.shard(0, 0, "selected"),
        Cost(stage="selected", rows=6, rejected={"empty": 1, "words": 1}),
    )
    progress = reader.read()
    assert (progress.generated, progress.accepted, progress.tokens) == (7, 4, 68)
    assert progress.rejected == Counter(empty=1, words=1)
    assert progress.tokens_per_second == pytest.approx(68 / 3)
    note_cost(
        workspace.shard(0, 1, "candidates"),
        Cost(stage="candidates", rows=4, tokens=40, seconds=3.0),
    )
    assert reader.read().generated == 10
    note_cost(workspace.shard(1, 0, "prompts"), Cost(stage="prompts", rows=1))
    assert reader.read().round == 1


def test_the_last_counts_stand_when_the_workspace_has_gone(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "work")
    note_cost(workspace.shard(0, 0, "candidates"), Cost(stage="candidates", rows=6))
    reader = ProgressReader(workspace, 10)
    seen = reader.read()
    workspace.delete()
    assert reader.read() == seen
    assert seen.generated == 6


def test_half_a_file_is_left_out(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    path = workspace.shard(0, 0, "candidates").with_suffix(".json")
    path.parent.mkdir(parents=True)
    path.write_text('{"stage": "candid')
    assert ProgressReader(workspace, 10).read().generated == 0


def test_what_remains_is_told_from_pace_and_acceptance() -> None:
    assert Progress(100).remaining_seconds is None
    half = Progress(
        100, generated=80, accepted=40, rejected=Counter(empty=40), generating_seconds=40.0
    )
    # 60 rows are missing, half of what is made is kept, and a candidate takes half a second.
    assert half.remaining_seconds == pytest.approx(60)
    done = Progress(40, generated=80, accepted=40, generating_seconds=40.0)
    assert done.remaining_seconds == 0
