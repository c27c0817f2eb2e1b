"""What a validation looks at, collected from the shards of a run."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas.manifest import RowCounts
from schemas.recipe import Recipe
from tasks.expectations.frame import SOURCE_COLUMNS, release_columns, release_frame
from tasks.expectations.validate import Validation, validate_release
from tasks.planning.faults import disk_faults
from tasks.planning.plan import Plan
from tasks.planning.shards import read_written
from tasks.planning.workspace import Workspace
from tasks.quality.database import scratch_folder
from tasks.quality.distinct_ngrams import DistinctNgrams
from tasks.quality.duplicates import DuplicateCounter
from tasks.release.arrangement import groups_rows
from tasks.release.splits import split_totals


@dataclass(frozen=True)
class Evidence:
    """The rows and figures that the gates judge.

    Args:
        rows: One line a row, columns of `COLUMNS`.
        corpus: Figures of the corpus as a whole.
        splits: Rows arranged for each split, in the recipe's order.
        labels: Rows of each label, in the recipe's order.
    """

    rows: pd.DataFrame
    corpus: dict[str, float]
    splits: dict[str, int]
    labels: dict[str, int]


def judge(workspace: Workspace, counts: RowCounts) -> Validation:
    """Validate a run's corpus against its recipe.

    Labels must have their quotas, unless the recipe allows a shortfall and there is one; splits
    must have their exact shares, unless near duplicates that stay together moved the sizes.

    Args:
        workspace: A run whose rows are arranged and noised.
        counts: Its books.
    """
    recipe = workspace.facts.recipe
    evidence = collect_evidence(workspace, recipe, counts)
    short = counts.shortfall > 0 and recipe.budget.allow_shortfall
    sizes = split_totals(recipe.splits, counts.accepted).tolist()
    quotas: Counter[str] = Counter()
    for cell in Plan.of(recipe).quotas():
        quotas[cell.label] += cell.rows
    return validate_release(
        evidence.rows,
        evidence.corpus,
        recipe,
        expected_splits=evidence.splits
        if groups_rows(recipe)
        else dict(zip(recipe.splits, sizes, strict=True)),
        expected_labels=evidence.labels if short else dict(quotas),
    )


def collect_evidence(workspace: Workspace, recipe: Recipe, counts: RowCounts) -> Evidence:
    """Read the accepted rows shard by shard.

    Duplicates are counted on the texts that are released, diversity on the texts before noise,
    which would pass for new words.

    Args:
        workspace: A run whose rows are arranged and noised.
        recipe: The resolved recipe.
        counts: The run's books.
    """
    arranged = read_written(workspace.final / "arranged.parquet", ["split"])["split"]
    splits = arranged.to_numpy().astype(np.int16)
    sizes = np.bincount(splits, minlength=len(recipe.splits)).tolist()
    with disk_faults(workspace.folder), scratch_folder(workspace.folder) as scratch:
        rows, distinct_2 = _read_rows(workspace, splits, list(recipe.splits), scratch)
    labels = rows["label"].value_counts()
    return Evidence(
        rows=rows,
        corpus={
            "distinct_2": distinct_2,
            "rejection_rate": sum(counts.rejected.values()) / max(counts.generated, 1),
        },
        splits=dict(zip(recipe.splits, sizes, strict=True)),
        labels={label: int(labels.get(label, 0)) for label in recipe.labels},
    )


def _read_rows(
    workspace: Workspace, splits: NDArray[np.int16], names: list[str], scratch: Path
) -> tuple[pd.DataFrame, float]:
    """Read the rows for validation and the share of distinct bigrams.

    Args:
        workspace: The run.
        splits: Place in `names` of each row's split, shape `(N,)`.
        names: Names of the splits.
        scratch: Where to keep what does not fit into memory.
    """
    duplicates, bigrams = DuplicateCounter(folder=scratch), DistinctNgrams(2, folder=scratch)
    parts: list[pa.Table] = []
    start = 0
    for table in _blocks(workspace, duplicates):
        copies = duplicates.add(table["text"].to_pylist())
        bigrams.add(pc.coalesce(table["clean_text"], table["text"]).to_pylist())
        codes = splits[start : start + table.num_rows]
        start += table.num_rows
        split = pa.DictionaryArray.from_arrays(codes, names).cast(pa.string())
        parts.append(
            release_columns(table, split=split, duplicate=copies.exact, near_duplicate=copies.near)
        )
    del duplicates
    return release_frame(parts), bigrams.value or 0.0


def _blocks(workspace: Workspace, duplicates: DuplicateCounter) -> Iterator[pa.Table]:
    """Yield the accepted rows, as many at once as the counter likes them at that point."""
    columns = [*SOURCE_COLUMNS, "clean_text"]
    shards: list[pa.Table] = []
    for path in workspace.noised_shards():
        shards.append(read_written(path, columns))
        if sum(shard.num_rows for shard in shards) >= duplicates.block:
            yield pa.concat_tables(shards)
            shards = []
    if shards:
        yield pa.concat_tables(shards)
