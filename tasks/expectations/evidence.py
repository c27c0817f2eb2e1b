"""What a validation looks at, collected from the shards of a run."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas.recipe import Recipe
from tasks.expectations.frame import COLUMNS, release_frame
from tasks.planning.workspace import Workspace
from tasks.quality.diversity import DistinctN
from tasks.quality.duplicates import DuplicateCounter


@dataclass(frozen=True)
class Evidence:
    """The rows and figures that the gates judge.

    Args:
        rows: One line a row, columns of `COLUMNS`.
        corpus: Figures of the corpus as a whole.
        splits: Rows of each split, in the recipe's order.
        labels: Rows of each label, in the recipe's order.
    """

    rows: pd.DataFrame
    corpus: dict[str, float]
    splits: dict[str, int]
    labels: dict[str, int]


def collect_evidence(
    workspace: Workspace, recipe: Recipe, *, generated: int, accepted: int
) -> Evidence:
    """Read the accepted rows shard by shard.

    Duplicates are counted on the texts that are released, diversity on the texts before noise, which would pass for
    new words.

    Args:
        workspace: A run whose rows are arranged and noised.
        recipe: The resolved recipe.
        generated: Candidates generated.
        accepted: Candidates accepted.
    """
    arranged = pq.read_table(workspace.final / "arranged.parquet", columns=["split"])["split"]
    split_codes = arranged.to_numpy().astype(np.int64)
    names = np.array(list(recipe.splits), dtype=object)
    duplicates, bigrams = DuplicateCounter(), DistinctN(2)
    frames: list[pd.DataFrame] = []
    start = 0
    for path in sorted(workspace.final.glob("shard-*.noised.parquet")):
        table = pq.read_table(path)
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
    counts = Counter(rows["label"])
    return Evidence(
        rows=rows,
        corpus={
            "distinct_2": bigrams.value,
            "rejection_rate": (generated - accepted) / generated if generated else 0.0,
        },
        splits=dict(zip(recipe.splits, np.bincount(split_codes, minlength=names.size).tolist(), strict=True)),
        labels={label: counts[label] for label in recipe.labels},
    )
