from typing import Any

import pytest

from schemas.manifest import Determinism, Hardware, Manifest, ModelInfo, RowCounts, TokenCounts
from schemas.recipe import Recipe
from tasks.planning.forecast import forecast


def recipe(**changes: Any) -> Recipe:
    return Recipe.model_validate(
        {
            "name": "x",
            "rows": 100,
            "labels": {"a": "says a"},
            "strategies": [{"kind": "greedy", "length": {"max": 9}}],
            **changes,
        }
    )


def manifest() -> Manifest:
    return Manifest(
        name="x",
        version="earlier",
        created="2026-01-01T00:00:00+00:00",
        verdict="pass",
        recipe_sha256="a" * 64,
        model=ModelInfo(id="m", weights_sha256="b" * 64, backend="scripted", context_length=9),
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


def predict(recipe: Recipe, **changes: Any) -> Any:
    given = {"prompt_bytes": 100.0, "parameters": 10**6, "device": "cpu", "earlier": None}
    return forecast(recipe, **{**given, **changes})


def test_an_earlier_release_is_the_measure() -> None:
    found = predict(recipe(), earlier=manifest())
    assert (found.candidates, found.tokens) == (200, 1200)
    assert found.seconds == pytest.approx(6.0)
    assert "earlier" in found.basis


def test_without_one_it_is_an_order_of_magnitude() -> None:
    found = predict(recipe())
    assert found.candidates == 125
    assert found.tokens == 125 * 9 // 2
    assert found.most_tokens == 100 * 5 * 9
    assert found.seconds > 0
    assert "order of magnitude" in found.basis
    assert predict(recipe(), device="cuda:0").seconds < found.seconds + 1


def test_every_candidate_of_a_row_costs_and_one_is_kept() -> None:
    one = {"kind": "nucleus", "length": {"max": 10}}
    plain = predict(recipe(strategies=[one]))
    found = predict(recipe(strategies=[{**one, "best_of": {"n": 4}}]))
    assert (found.tokens, found.most_tokens) == (4 * plain.tokens, 4 * plain.most_tokens)
    assert found.candidates == plain.candidates
    assert found.megabytes == pytest.approx(plain.megabytes)
    beams = predict(recipe(strategies=[{"kind": "beam", "num_beams": 8, "length": {"max": 10}}]))
    assert beams == plain.model_copy(update={"seconds": beams.seconds})


def test_without_a_pace_the_time_is_unknown() -> None:
    assert predict(recipe(), parameters=0).seconds is None
    assert predict(recipe(), parameters=0, earlier=manifest()).seconds == pytest.approx(6.0)
    nothing = RowCounts(requested=50, generated=0, accepted=0, shortfall=50)
    empty = manifest().model_copy(update={"rows": nothing})
    assert predict(recipe(), parameters=0, earlier=empty).seconds is None


def test_no_forecast_is_above_the_budget() -> None:
    found = predict(recipe(budget={"tokens": 77, "attempts_per_row": 1}))
    assert found.candidates == 100
    assert found.tokens == found.most_tokens == 77
