from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from schemas.manifest import Determinism, Hardware, Manifest, ModelInfo, RowCounts, TokenCounts
from tasks.preflight.checks import check_recipe
from tasks.preflight.plan_summary import summarise
from tasks.release.publish import MANIFEST, point_latest

VERSION = "20260101T000000Z-abc123def456"
MODEL = ModelInfo(
    id="owner/m", revision="c1", weights_sha256="w1", backend="transformers", context_length=9
)


def publish(folder: Path) -> None:
    folder.mkdir(parents=True)
    manifest = Manifest(
        name="scripted",
        version=VERSION,
        created="2026-01-01T00:00:00+00:00",
        verdict="pass",
        recipe_sha256="a" * 64,
        model=MODEL,
        packages={},
        rows=RowCounts(requested=50, generated=100, accepted=50, shortfall=0, rejected={"x": 50}),
        splits={"train": 50},
        tokens=TokenCounts(prompt=1, generated=600),
        seconds={"generate": 3.0},
        determinism=Determinism(promise="exact", statement=""),
        hardware=Hardware(device="cpu", cpu="", cpu_count=1),
        gates=(),
        files=(),
    )
    (folder / MANIFEST).write_text(manifest.model_dump_json(), encoding="utf-8")
    point_latest(folder)


@pytest.mark.parametrize(
    ("changes", "seconds"),
    [
        ({}, 2.4),
        ({"id": "renamed", "revision": None}, 2.4),
        ({"weights_sha256": "w2"}, None),
        # The weights of a hub model are not fetched for a check.
        ({"weights_sha256": ""}, 2.4),
        ({"weights_sha256": "", "revision": "c2"}, None),
        ({"weights_sha256": "", "id": "other/m"}, None),
    ],
)
def test_the_pace_is_that_of_a_release_by_the_same_model(
    scripted: Any, tmp_path: Path, changes: dict[str, Any], seconds: float | None
) -> None:
    publish(tmp_path / "out" / "scripted" / VERSION)
    model: Any = SimpleNamespace(info=MODEL.model_copy(update=changes), num_parameters=0)
    checked = replace(check_recipe(scripted(rows=40)), model=model)
    forecast = summarise(checked, out=tmp_path / "out")["forecast"]
    assert forecast["seconds"] == (None if seconds is None else pytest.approx(seconds))
    assert (VERSION in forecast["basis"]) == (seconds is not None)
