"""Every task that writes shards: what stands is not made again, what is missing is."""

from pathlib import Path
from typing import Any

import pytest

STAGES = ["plan", "prompts", "candidates", "scored", "selected", "arranged", "noised"]


def snapshot(workspace: Any) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(workspace.folder)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(workspace.folder.rglob("*.parquet"))
    }


def test_a_second_try_makes_nothing(run_bare: Any, scripted: Any, tmp_path: Path) -> None:
    path = scripted(rows=12, shard_size=5)
    before = snapshot(run_bare(path, tmp_path))
    assert snapshot(run_bare(path, tmp_path)) == before


@pytest.mark.parametrize("stage", STAGES)
def test_a_missing_file_is_made_again_as_it_was(
    stage: str, run_bare: Any, scripted: Any, tmp_path: Path
) -> None:
    path = scripted(rows=12, shard_size=5)
    workspace = run_bare(path, tmp_path)
    before = snapshot(workspace)
    lost = next(name for name in reversed(before) if stage in name)
    (workspace.folder / lost).unlink()
    after = snapshot(run_bare(path, tmp_path))
    assert {name: content for name, (_, content) in after.items()} == {
        name: content for name, (_, content) in before.items()
    }
    assert after[lost][0] != before[lost][0]
    if stage != "plan":
        assert {name for name in before if before[name][0] != after[name][0]} <= {
            name for name in before if stage in name
        }
