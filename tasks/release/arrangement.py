"""Where every accepted row goes: into which split, and whether through the noise."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas.recipe import Recipe
from schemas.row import ARRANGED_SCHEMA
from tasks.noise.rows import pick_noised
from tasks.planning.faults import disk_faults
from tasks.planning.rounds import candidates
from tasks.planning.streams import Stream, row_keys
from tasks.planning.workspace import Workspace
from tasks.quality.clusters import near_duplicate_clusters
from tasks.quality.database import scratch_folder
from tasks.release.splits import assign_splits

NEAR_DUPLICATE = 0.8
"""Rows at least this similar (Jaccard, character 5-grams) never stand on two sides of a split."""


def arrange(workspace: Workspace, recipe: Recipe) -> pa.Table:
    """Decide on splits and noise over all accepted rows.

    Returns:
        One line for each accepted row, in row order, with `ARRANGED_SCHEMA`.
    """
    found = pa.concat_tables(_accepted(workspace, ["row", "attempt", "label"])).combine_chunks()
    order = np.argsort(found["row"].to_numpy(), kind="stable")
    rows = found["row"].to_numpy()[order].astype(np.int64)
    attempts = found["attempt"].to_numpy()[order].astype(np.int32)
    codes = pc.index_in(found["label"], pa.array(list(recipe.labels)))
    labels = codes.to_numpy()[order].astype(np.int64)
    splits = assign_splits(
        labels,
        _clusters(workspace, recipe, rows.size)[order],
        recipe.splits,
        keys=row_keys(recipe.seed, rows, attempts, Stream.SPLIT),
    )
    share = recipe.noise.share if recipe.noise else 0.0
    noised = pick_noised(rows, attempts, share=share, seed=recipe.seed)
    return pa.table([rows, splits, noised], schema=ARRANGED_SCHEMA)


def groups_rows(recipe: Recipe) -> bool:
    """Tell whether accepted rows can be near duplicates: not when a row gate rejected every one."""
    gate = recipe.gates.row.near_duplicate
    return gate is None or gate > NEAR_DUPLICATE


def _clusters(workspace: Workspace, recipe: Recipe, num_rows: int) -> NDArray[np.int64]:
    """Group the accepted rows, in (round, row) order: any order gives the same groups."""
    if not groups_rows(recipe):
        return np.arange(num_rows, dtype=np.int64)
    texts = (text for shard in _accepted(workspace, ["text"]) for text in shard["text"].to_pylist())
    with disk_faults(workspace.folder), scratch_folder(workspace.folder) as scratch:
        return near_duplicate_clusters(texts, NEAR_DUPLICATE, folder=scratch)


def _accepted(workspace: Workspace, columns: list[str]) -> Iterator[pa.Table]:
    """Yield the accepted rows in (round, row) order."""
    for table in candidates(workspace, columns=[*columns, "reason"]):
        yield table.filter(pc.is_null(table["reason"])).select(columns)
