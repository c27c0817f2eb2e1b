import re
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import InputError
from schemas.json_schema import recipe_json_schema
from schemas.recipe_errors import PLAIN_PATTERNS, keys_at, shown, suggest
from schemas.recipe_file import load_recipe

GOOD = """name: x
rows: 5
labels: {a: says a, kind: says b}
attributes: {tone: [warm, cold]}
strategies:
  - kind: nucleus
    top_p: 0.9
  - {kind: top_k, top_k: 5}
"""


def error_of(tmp_path: Path, text: str, *overrides: str) -> InputError:
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        load_recipe(path, overrides=overrides)
    return caught.value


def test_the_place_is_file_line_and_key_path(tmp_path: Path) -> None:
    error = error_of(tmp_path, GOOD.replace("0.9", "1.9"))
    assert error.place == f"{tmp_path / 'recipe.yaml'}:7 strategies[0].top_p"
    assert error.message == "top_p must be at most 1.0, not 1.9"


def test_a_key_named_like_its_kind_has_its_place(tmp_path: Path) -> None:
    error = error_of(tmp_path, GOOD.replace("top_k: 5", "top_k: 0"))
    assert error.place.endswith(":8 strategies[1].top_k")


def test_an_unknown_key_is_suggested_among_those_of_its_kind(tmp_path: Path) -> None:
    error = error_of(tmp_path, GOOD, "strategies.1.top_p=0.5")
    assert error.code == "CS-R003"
    assert error.hint.endswith("num_return_sequences, share, stop, temperature, top_k")


def test_a_spelling_error_counts_before_the_missing_key(tmp_path: Path) -> None:
    error = error_of(tmp_path, GOOD.replace("rows", "rosw"))
    assert error.code == "CS-R003"
    assert 'did you mean "rows"?' in error.hint
    assert re.search(r"and 1 more: .*rows", error.hint)


def test_further_errors_are_counted_with_their_places(tmp_path: Path) -> None:
    error = error_of(tmp_path, GOOD, "rows=0", "seed=-1", "shard_size=0", "language=?", "name=A")
    assert "and 4 more: --set " in error.hint
    assert error.hint.endswith(", ...)")


def test_many_errors_are_all_counted_and_few_explained(tmp_path: Path) -> None:
    error = error_of(tmp_path, GOOD + "".join(f"k{number}: 1\n" for number in range(20_000)))
    assert error.code == "CS-R003"
    assert "and 19,999 more: " in error.hint
    assert len(error.hint) < 1000


def test_a_union_is_one_error(tmp_path: Path) -> None:
    error = error_of(tmp_path, GOOD, "model.batch_size=0")
    assert error.message == "batch_size must be at least 1, or 'auto', not 0"
    assert "more" not in error.hint


def test_choices_are_listed(tmp_path: Path) -> None:
    error = error_of(tmp_path, GOOD, "strategies.0.kind=nuclues")
    assert 'did you mean "nucleus"?' in error.hint
    assert "greedy, temperature, top_k, nucleus, min_p, typical" in error.hint


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ("rows=abc", "rows must be a whole number, not 'abc'"),
        ("rows=1.5", "rows must be a whole number, not 1.5"),
        ("attributes.stars=[a, 1]", "attributes.stars[1] must be text; put it in quotes, not 1"),
        ("noise={steps: [1]}", "noise.steps[0] must be a mapping of keys to values, not 1"),
        ("budget.allow_shortfall=maybe", "must be true or false, not 'maybe'"),
        ("gates.row.finished=0.5", "finished must be true or off, not 0.5"),
        ("gates.row.chars=[5]", "gates.row.chars has too few items"),
        ("gates.row.chars=[1,2,3]", "chars must have at most 2 items"),
        ("labels.a.share=.inf", "share must be a finite number"),
        ("gates=null", "gates must be a mapping of keys to values, not null"),
        ("shard_size=1e99", "shard_size must be a whole number"),
        ("strategies.0.length.min=100", "min (100) is greater than max (64)"),
        ("labels={'': x}", "the name '' must be one or more characters"),
    ],
)
def test_messages_are_plain(tmp_path: Path, item: str, words: str) -> None:
    error = error_of(tmp_path, GOOD, item)
    assert words in error.message
    assert "Input should" not in error.message


def test_every_pattern_of_the_schema_has_words() -> None:
    found: set[str] = set()

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("pattern"), str):
                found.add(node["pattern"])
            found.update(node.get("patternProperties", {}))
            for inner in node.values():
                walk(inner)
        elif isinstance(node, list):
            for inner in node:
                walk(inner)

    walk(recipe_json_schema())
    assert found == set(PLAIN_PATTERNS)


@pytest.mark.parametrize(
    ("path", "data", "key"),
    [
        ((), {}, "shard_size"),
        (("gates", "row"), {"gates": {"row": {}}}, "near_duplicate"),
        (("labels", "x"), {"labels": {"x": {}}}, "description"),
        (("noise", "steps", 0), {"noise": {"steps": [{"kind": "keyboard"}]}}, "rate"),
        (("model",), {"model": {}}, "batch_size"),
        (("strategies", 0, "length"), {"strategies": [{"kind": "greedy", "length": {}}]}, "max"),
    ],
)
def test_keys_are_found_at_their_place(path: Any, data: Any, key: str) -> None:
    assert key in keys_at(path, data=data, json_schema=recipe_json_schema())


def test_a_long_value_is_cut_and_an_escape_is_shown() -> None:
    assert len(shown("x" * 1000)) == 60
    assert shown("\x1b[31m").isprintable()


def test_nothing_is_suggested_from_afar() -> None:
    assert suggest("zzz", ["rows", "name"]) == ""
