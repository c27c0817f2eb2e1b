from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.recipe import Recipe
from schemas.recipe_file import load_recipe
from schemas.recipe_identity import recipe_sha256, resolved_yaml, work_key
from schemas.yaml_source import parse_yaml

PRINTED = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=12
)
WORDS = st.sampled_from(["yes", "no", "off", "1e3", "010", "1_000", "~", "null", "1:30", ".5", "="])
TEXTS = PRINTED | WORDS


def recipe(**changes: Any) -> Recipe:
    return Recipe.model_validate(
        {"name": "x", "rows": 5, "labels": {"a": "says a", "b": "says b"}, **changes}
    )


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    labels=st.dictionaries(TEXTS, st.text(min_size=1, max_size=30) | WORDS, min_size=1, max_size=3),
    values=st.lists(TEXTS, min_size=1, max_size=3, unique=True),
    share=st.floats(1e-300, 1e9),
    gates=st.sampled_from(["off", {}, {"row": "off"}, {"row": {"chars": "off"}}]),
    noise=st.none() | st.just({"steps": [{"kind": "char_delete", "rate": 0.25}]}),
)
def test_a_resolved_recipe_loads_again_as_itself(
    labels: Any, values: Any, share: float, gates: Any, noise: Any
) -> None:
    first = recipe(
        labels=labels,
        attributes={"tone": values},
        strategies=[{"kind": "nucleus", "share": share, "stop": values}],
        gates=gates,
        noise=noise,
    )
    assert Recipe.model_validate(parse_yaml(resolved_yaml(first), name="r.yaml").data) == first


def test_a_resolved_recipe_shows_every_default(tmp_path: Path) -> None:
    text = resolved_yaml(recipe(gates={"row": {"chars": "off"}}))
    path = tmp_path / "recipe.yaml"
    path.write_text(text, encoding="utf-8")
    loaded = load_recipe(path)
    assert loaded.recipe.model_fields_set == set(Recipe.model_fields)
    assert loaded.source.data["gates"]["row"]["chars"] == "off"


CHANGES_NO_ROW = [{"model": {"batch_size": 4}}, {"model": {"device": "cpu"}}, {"shard_size": 64}]
CHANGES_ROWS = [
    {"seed": 1},
    {"rows": 6},
    {"name": "y"},
    {"language": "de"},
    {"labels": {"b": "says b", "a": "says a"}},
    {"model": {"dtype": "float16"}},
    {"model": {"deterministic": "strict"}},
    {"model": {"name": "a/b"}},
    {"strategies": [{"kind": "greedy"}]},
    {"noise": {"steps": [{"kind": "keyboard", "rate": 0.1}]}},
    {"gates": "off"},
    {"prompt": {"template": "pairs"}},
]


@pytest.mark.parametrize("changes", CHANGES_NO_ROW)
def test_what_decides_no_row_leaves_the_hash(changes: dict[str, Any]) -> None:
    assert recipe_sha256(recipe(**changes), contents={}) == recipe_sha256(recipe(), contents={})


@pytest.mark.parametrize("changes", CHANGES_ROWS)
def test_what_decides_rows_changes_both_hashes(changes: dict[str, Any]) -> None:
    assert recipe_sha256(recipe(**changes), contents={}) != recipe_sha256(recipe(), contents={})
    assert work_key(recipe(**changes), contents={}) != work_key(recipe(), contents={})


def test_only_the_batch_size_leaves_the_work_key() -> None:
    keys = [work_key(recipe(**changes), contents={}) for changes in ({}, *CHANGES_NO_ROW)]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


def test_contents_count_but_not_their_order() -> None:
    one = recipe_sha256(recipe(), contents={"template": "1", "examples": "2"})
    assert one == recipe_sha256(recipe(), contents={"examples": "2", "template": "1"})
    assert one != recipe_sha256(recipe(), contents={"examples": "2", "template": "3"})
    assert len(one) == 64


@pytest.mark.parametrize("text", ["\x85", "a\x85b", "\n", "a\n\nb", "\u2028", "a\r\n", "", " "])
def test_line_breaks_of_every_kind_come_back(text: str) -> None:
    first = recipe(labels={"a": f"x{text}"})
    assert Recipe.model_validate(parse_yaml(resolved_yaml(first), name="r.yaml").data) == first
