"""A corpus of hand-made rows: few, and awkward enough to break a careless writer."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from schemas.manifest import (
    Determinism,
    GateResult,
    Hardware,
    Manifest,
    ModelInfo,
    RowCounts,
    TokenCounts,
)
from schemas.recipe import Recipe
from schemas.row import REJECTED_SCHEMA, RELEASED_SCHEMA, SCORES
from tasks.release.card import render_card
from tasks.release.croissant import CROISSANT, render_croissant
from tasks.release.draft import ReleaseDraft

LABELS = {
    "../../x": "climbs | out of the `folder`",
    "yes": "agrees\nand goes on",
    "1": "<script>alert(1)</script>",
    "Grüße 你好": "greets: [a link](https://example.org) # not a heading",
    "null": "is nothing",
    "a|b `c` <b>": {"description": "markup * _ ~ \\ &amp;", "share": 2},
}
SPLITS = {"train": 0.5, "validation": 0.25, "test": 0.25}


@pytest.fixture
def recipe() -> Recipe:
    return Recipe.model_validate(
        {
            "name": "mini",
            "rows": 24,
            "labels": LABELS,
            "attributes": {"tone": ["calm", "loud"]},
            "noise": {"share": 0.5, "steps": [{"kind": "keyboard", "rate": 0.1}]},
            "splits": SPLITS,
        }
    )


def _row(index: int) -> dict[str, object]:
    noised = index % 2 == 0
    edit = {"kind": "keyboard", "start": 1, "end": 2, "before": "e", "after": "r"}
    return {
        "id": f"mini-{index:06d}-0",
        "text": f"h{'r' if noised else 'e'}llo, line\n{index} 👋 <b>",
        "label": list(LABELS)[index % len(LABELS)],
        "clean_text": f"hello, line\n{index} 👋 <b>" if noised else None,
        "noise": [edit] if noised else [],
        "prompt": "Write | a `text`",
        "template": "intent@0123456789ab",
        "attributes": [("tone", "calm"), ("channel", "1")] if index % 3 else [],
        "model": "starter@0123456789ab",
        "strategy": "nucleus",
        "seed": 2**63 - 1 - index,
        "attempt": 0,
        "num_tokens": 5 + index,
        "logprob": None if index == 3 else -1.5,
        "finish_reason": "eos",
        "scores": dict.fromkeys(SCORES, 0.25),
    }


@pytest.fixture
def released() -> Callable[[int], pa.Table]:
    return lambda num_rows: pa.Table.from_pylist(
        [_row(index) for index in range(num_rows)], schema=RELEASED_SCHEMA
    )


@pytest.fixture
def rejected() -> pa.Table:
    verdict = {"stage": "row_gate", "reason": "chars", "detail": "3 characters"}
    return pa.Table.from_pylist([_row(99) | verdict], schema=REJECTED_SCHEMA)


@pytest.fixture
def manifest() -> Manifest:
    return Manifest(
        name="mini",
        version="20261121T081500Z-abc123def456",
        created="2026-11-21T08:15:00Z",
        verdict="pass",
        recipe_sha256="abc123def456" + "0" * 52,
        model=ModelInfo(
            id="starter",
            weights_sha256="0123456789ab" + "0" * 52,
            licence="apache-2.0",
            backend="transformers",
            context_length=256,
        ),
        packages={"numpy": "2.4.0"},
        rows=RowCounts(requested=24, generated=25, accepted=24, shortfall=0, rejected={"chars": 1}),
        splits={"train": 12, "validation": 6, "test": 6},
        tokens=TokenCounts(prompt=100, generated=50),
        seconds={"generate": 1.0},
        determinism=Determinism(promise="exact", statement="No row depends on its neighbours."),
        hardware=Hardware(device="cpu", cpu="a processor", cpu_count=2),
        gates=(
            GateResult(
                name="distinct_2", passed=True, observed=0.5, bound=">= 0.1", meaning="2-grams"
            ),
        ),
        files=(),
    )


SPLIT = np.repeat([0, 1, 2], [12, 6, 6])
"""Where each of the 24 rows goes."""


@pytest.fixture
def write_release(
    recipe: Recipe, released: Callable[[int], pa.Table], rejected: pa.Table
) -> Callable[[Path, Manifest], Path]:
    """Writes and publishes a whole miniature release under `home`."""

    def write(home: Path, manifest: Manifest) -> Path:
        splits = list(manifest.splits)
        with ReleaseDraft(home, version=manifest.version, splits=splits, row_group_rows=8) as draft:
            table = released(24)
            for start in range(0, 24, 5):
                draft.add_rows(table.slice(start, 5), SPLIT[start : start + 5])
            draft.add_rejected(rejected)
            draft.write_text("README.md", render_card(recipe, manifest))
            draft.write_text(CROISSANT, render_croissant(recipe, manifest, draft.data_files()))
            draft.write_text("expectations/suite.json", "{}")
            return draft.publish(manifest)

    return write


@pytest.fixture
def release(
    tmp_path: Path, manifest: Manifest, write_release: Callable[[Path, Manifest], Path]
) -> Path:
    return write_release(tmp_path / "mini", manifest)
