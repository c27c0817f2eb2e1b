from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from schemas.row import REJECTED_SCHEMA, RELEASED_SCHEMA
from tasks.planning.rounds import candidates
from tasks.release.outcome import rejected, released


def test_every_candidate_is_released_or_rejected(
    run_bare: Any, scripted: Any, tmp_path: Path
) -> None:
    workspace = run_bare(scripted(rows=20, shard_size=6, bad=24), tmp_path)
    kept, splits, strategies = zip(*released(workspace), strict=True)
    lost, lost_strategies = zip(*rejected(workspace), strict=True)
    assert all(table.schema.equals(RELEASED_SCHEMA) for table in kept)
    assert all(table.schema.equals(REJECTED_SCHEMA) for table in lost)
    assert [table.num_rows for table in kept] == [6, 6, 6, 2] == [part.size for part in splits]
    ids = [*pa.concat_tables(kept)["id"].to_pylist(), *pa.concat_tables(lost)["id"].to_pylist()]
    made = [i for t in candidates(workspace, columns=["id"]) for i in t["id"].to_pylist()]
    assert sorted(ids) == sorted(made)
    assert None not in pa.concat_tables(lost)["reason"].to_pylist()
    kinds = [strategy.kind for strategy in workspace.facts.recipe.strategies]
    for tables, places in ((kept, strategies), (lost, lost_strategies)):
        named = [kinds[place] for place in np.concatenate(places)]
        assert named == pa.concat_tables(tables)["strategy"].to_pylist()
