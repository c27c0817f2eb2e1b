"""What a validation looks at, collected from the shards of a run."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from schemas.manifest import RowCounts
from schemas.recipe import Recipe
from tasks.expectations.frame import COLUMNS, release_frame
from tasks.expectations.validate import Validation, validate_release
from tasks.planning.plan import Plan
from tasks.planning.shards import read_written
from tasks.planning.workspace import Workspace
from tasks.quality.diversity import DistinctN
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
    split_codes = arranged.to_numpy().astype(np.int64)
    names = np.array(list(recipe.splits), dtype=object)
    duplicates, bigrams = DuplicateCounter(), DistinctN(2)
    frames: list[pd.DataFrame] = []
    start = 0
    for path in workspace.noised_shards():
        table = read_written(path)
        copies = duplicates.add(table["text"].to_pylist())
        bigrams.add(pc.coalesce(table["clean_text"], table["text"]).to_pylist())
        codes = split_codes[start : start + table.num_rows]
        start += table.num_rows
        frames.append(
            release_frame(
                table, split=names[codes], duplicate=copies.exact, near_duplicate=copies.near
            )
        )
    rows = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(COLUMNS))
    labels = Counter(rows["label"])
    return Evidence(
        rows=rows,
        corpus={
            "distinct_2": bigrams.value or 0.0,
            "rejection_rate": sum(counts.rejected.values()) / max(counts.generated, 1),
        },
        splits=dict(
            zip(recipe.splits, np.bincount(split_codes, minlength=names.size).tolist(), strict=True)
        ),
        labels={label: labels[label] for label in recipe.labels},
    )
