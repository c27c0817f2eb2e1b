from typing import Any, get_args

import pytest

from schemas.errors import InputError
from schemas.manifest import Family
from schemas.recipe import AnyModel, Recipe
from schemas.strategies import STRATEGY_CLASSES, TOKEN_STRATEGIES
from tasks.generation.families import check_family, columns_of
from tasks.generation.support import (
    FAMILY_SUPPORT,
    MATRIX,
    SUPPORT,
    check_support,
    runs_on,
    supported_kinds,
)

KINDS = [cls.model_fields["kind"].default for cls in STRATEGY_CLASSES]
COLUMNS: dict[Family, str] = {
    "decoder": "decoder-only",
    "encoder_decoder": "encoder-decoder",
    "masked": "masked",
}
MODELS: dict[str, dict[str, Any]] = {
    "transformers": {},
    "scripted": {"name": "s.jsonl"},
    "openai": {"name": "m", "base_url": "http://127.0.0.1:1/v1"},
    "vllm": {"name": "o/m"},
}


def recipe(backend: str, *strategies: dict[str, Any], examples: Any = None) -> Recipe:
    return Recipe.model_validate(
        {
            "name": "r",
            "rows": 1,
            "labels": {"a": "says a"},
            "model": {"backend": backend, **MODELS[backend]},
            "strategies": strategies,
            "prompt": {"examples": examples},
        }
    )


def test_the_table_has_every_backend_and_only_kinds_that_exist() -> None:
    assert set(SUPPORT) == {cls.model_fields["backend"].default for cls in get_args(AnyModel)}
    assert all(kinds <= set(KINDS) for kinds in SUPPORT.values())
    assert SUPPORT["transformers"] == SUPPORT["scripted"] == set(KINDS)


def test_the_matrix_shows_every_strategy_and_every_backend() -> None:
    assert set().union(*MATRIX.values()) == set(KINDS)
    families = {"decoder-only", "encoder-decoder", "masked"}
    assert set(MATRIX) == families | set(SUPPORT) - {"transformers", "scripted"}
    single = {cls.model_fields["kind"].default for cls in TOKEN_STRATEGIES}
    assert FAMILY_SUPPORT["masked"] < single


@pytest.mark.parametrize("family", FAMILY_SUPPORT)
@pytest.mark.parametrize("kind", KINDS)
def test_a_family_takes_exactly_what_the_table_has(family: Family, kind: str) -> None:
    modes: list[dict[str, Any]] = [{}]
    if kind == "noisy_channel":
        modes = [{"mode": "rerank"}, {"mode": "corrupt"}]
    cell = runs_on(kind)[COLUMNS[family]]
    assert bool(cell) == (kind in FAMILY_SUPPORT[family])
    for mode in modes:
        strategy = {"kind": kind, **mode}
        asked = recipe("transformers", strategy, examples={"path": "e.jsonl", "per_row": 1})
        runs = cell in (True, mode.get("mode", "no mode"))
        assert (COLUMNS[family] in columns_of(asked.strategies[0])) == runs
        if runs:
            check_family(asked, family)
            continue
        with pytest.raises(InputError) as caught:
            check_family(asked, family)
        assert (caught.value.code, caught.value.place) == ("CS-M006", "strategies.0")


def test_the_noisy_channel_of_an_encoder_decoder_only_restores() -> None:
    cells = runs_on("noisy_channel")
    assert cells == {
        "decoder-only": True,
        "encoder-decoder": "corrupt",
        "masked": False,
        "openai": False,
        "vllm": False,
    }


@pytest.mark.parametrize(
    ("strategy", "columns"),
    [
        ({}, "decoder-only encoder-decoder masked openai vllm"),
        ({"length": {"min": 5}}, "decoder-only encoder-decoder vllm"),
        ({"length": {"target": 9}}, "decoder-only encoder-decoder"),
        ({"best_of": {"n": 2}}, "decoder-only encoder-decoder"),
        ({"best_of": {"n": 2, "scorer": "label_posterior"}}, "decoder-only"),
    ],
)
def test_what_a_strategy_asks_for_decides_where_it_runs(
    strategy: dict[str, Any], columns: str
) -> None:
    asked = recipe("transformers", {"kind": "nucleus", **strategy})
    assert columns_of(asked.strategies[0]) == columns.split()


@pytest.mark.parametrize("backend", SUPPORT)
@pytest.mark.parametrize("kind", KINDS)
def test_a_recipe_passes_exactly_with_what_the_table_has(backend: str, kind: str) -> None:
    asked = recipe(backend, {"kind": "greedy"}, {"kind": kind})
    if kind in supported_kinds(backend):
        check_support(asked)
        return
    with pytest.raises(InputError) as caught:
        check_support(asked)
    assert (caught.value.code, caught.value.place) == ("CS-M006", "strategies.1.kind")
    assert kind in caught.value.message
    assert "nucleus" in caught.value.hint


@pytest.mark.parametrize(
    ("backend", "strategy", "key"),
    [
        ("openai", {"length": {"min": 5}}, "length.min"),
        ("openai", {"length": {"target": 20}}, "length.target"),
        ("vllm", {"length": {"target": 20}}, "length.target"),
        ("openai", {"best_of": {"n": 2}}, "best_of"),
        ("vllm", {"best_of": {"n": 2}}, "best_of"),
    ],
)
def test_what_a_strategy_asks_for_is_checked_too(
    backend: str, strategy: dict[str, Any], key: str
) -> None:
    with pytest.raises(InputError) as caught:
        check_support(recipe(backend, {"kind": "nucleus", **strategy}))
    assert caught.value.place == f"strategies.0.{key}"
    check_support(recipe("transformers", {"kind": "nucleus", **strategy}))


def test_vllm_takes_a_least_length() -> None:
    check_support(recipe("vllm", {"kind": "nucleus", "length": {"min": 5}}))
