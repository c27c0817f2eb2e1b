"""Where every accepted row goes: into which split, and whether through the noise."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas.recipe import Recipe
from schemas.row import ARRANGED_SCHEMA
from tasks.noise.rows import pick_noised
from tasks.planning.rounds import accepted_between
from tasks.planning.streams import Stream, row_keys
from tasks.planning.workspace import Workspace
from tasks.quality.clusters import near_duplicate_clusters
from tasks.release.splits import assign_splits

NEAR_DUPLICATE = 0.8
"""Rows at least this similar (Jaccard, character 5-grams) never stand on two sides of a split."""


def arrange(workspace: Workspace, recipe: Recipe) -> pa.Table:
    """Decide on splits and noise over all accepted rows.

    Returns:
        One line for each accepted row, in row order, with `ARRANGED_SCHEMA`.
    """
    table = pa.concat_tables(_accepted(workspace, recipe, ["row", "attempt", "label"]))
    rows = table["row"].to_numpy().astype(np.int64)
    attempts = table["attempt"].to_numpy().astype(np.int32)
    codes = {label: code for code, label in enumerate(recipe.labels)}
    labels = np.array([codes[label] for label in table["label"].to_pylist()], dtype=np.int64)
    splits = assign_splits(
        labels,
        _clusters(workspace, recipe, rows.size),
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
    if not groups_rows(recipe):
        return np.arange(num_rows, dtype=np.int64)
    texts = (
        text
        for shard in _accepted(workspace, recipe, ["text"])
        for text in shard["text"].to_pylist()
    )
    return near_duplicate_clusters(texts, NEAR_DUPLICATE)


def _accepted(workspace: Workspace, recipe: Recipe, columns: list[str]) -> Iterator[pa.Table]:
    for start in range(0, recipe.rows, recipe.shard_size):
        yield accepted_between(workspace, start, start + recipe.shard_size, columns=columns)
