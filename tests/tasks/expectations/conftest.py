"""A corpus of 200 rows that passes every gate, as a frame."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from schemas.recipe import Recipe
from schemas.row import RELEASED_SCHEMA, SCORES
from tasks.expectations.frame import release_columns, release_frame

LABELS = {"yes": "agrees", "1": "counts", "<script>alert(1)</script>": "breaks | `pages` $x"}
QUOTAS = {"yes": 50, "1": 50, "<script>alert(1)</script>": 100}
SPLITS = {"train": 160, "validation": 20, "test": 20}
CORPUS = {"distinct_2": 0.5, "rejection_rate": 0.2}
SECRET = "a private sentence"


@pytest.fixture(scope="session")
def recipe() -> Recipe:
    labels = {
        name: {"description": text, "share": QUOTAS[name] / 50} for name, text in LABELS.items()
    }
    return Recipe.model_validate({"name": "mini", "rows": 200, "labels": labels})


@pytest.fixture(scope="session")
def table() -> pa.Table:
    scores = dict.fromkeys(SCORES, 0.0) | {"num_chars": 40.0, "num_words": 6.0}
    labels = np.repeat(list(QUOTAS), list(QUOTAS.values()))
    rows = [
        {
            "id": f"mini-{index:06d}-0",
            "text": f"{SECRET} {index}",
            "label": str(label),
            "noise": [],
            "prompt": "p",
            "template": "t",
            "attributes": [],
            "model": "m",
            "strategy": "nucleus",
            "seed": index,
            "attempt": 0,
            "num_tokens": 9,
            "logprob": None if index == 5 else -1.0,
            "finish_reason": "eos",
            "scores": scores,
        }
        for index, label in enumerate(labels)
    ]
    return pa.Table.from_pylist(rows, schema=RELEASED_SCHEMA)


@pytest.fixture
def frame(table: pa.Table) -> pd.DataFrame:
    none = np.zeros(200, dtype=np.bool_)
    split = np.repeat(list(SPLITS), list(SPLITS.values()))
    columns = release_columns(table, split=pa.array(split), duplicate=none, near_duplicate=none)
    return release_frame([columns])


@pytest.fixture(scope="session")
def splits() -> dict[str, int]:
    return dict(SPLITS)


@pytest.fixture(scope="session")
def quotas() -> dict[str, int]:
    return dict(QUOTAS)


@pytest.fixture(scope="session")
def corpus() -> dict[str, float]:
    return dict(CORPUS)


@pytest.fixture(scope="session")
def secret() -> str:
    return SECRET
