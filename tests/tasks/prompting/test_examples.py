import hashlib
import json
from collections import Counter
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import InputError
from schemas.recipe_file import load_recipe
from tasks.planning.plan import Plan
from tasks.prompting.examples import Example, ExampleSet, load_examples

RECIPE = "name: x\nrows: 10\nlabels: {a: says a, b: says b}\nprompt: {examples: {path: e.jsonl}}\n"


def load(folder: Path, lines: list[Any], *overrides: str) -> ExampleSet:
    (folder / "recipe.yaml").write_text(RECIPE)
    (folder / "e.jsonl").write_text("\n".join(map(json.dumps, lines)))
    loaded = load_recipe(folder / "recipe.yaml", overrides=overrides)
    examples = load_examples(loaded, plan=Plan.of(loaded.recipe))
    assert examples is not None
    return examples


def line(text: str, label: str = "a", **more: Any) -> dict[str, Any]:
    return {"text": text, "label": label, **more}


def pool(size: int, label: str = "a") -> tuple[Example, ...]:
    return tuple(Example(f"{label}{number}", label) for number in range(size))


def draw(examples: ExampleSet, rows: Any, attempt: int = 0, label: int = 0) -> list[Any]:
    numbers = np.asarray(rows, dtype=np.int64)
    return examples.draw(
        numbers,
        attempts=np.full(numbers.shape, attempt, dtype=np.int32),
        label_index=np.full(numbers.shape, label, dtype=np.int32),
    )


def test_examples_are_pooled_by_label(tmp_path: Path) -> None:
    lines = [line("one"), line("two", "b"), line(" three ", "a", source="x")]
    examples = load(tmp_path, lines, "prompt.examples.per_row=1")
    assert [[e.text for e in one] for one in examples.pools] == [["one", "three"], ["two"]]
    assert examples.sha256 == hashlib.sha256((tmp_path / "e.jsonl").read_bytes()).hexdigest()


def test_the_same_text_counts_once(tmp_path: Path) -> None:
    lines = [line("Hello  you"), line("hello you "), line("hello you", "b"), line("other", "b")]
    own = load(tmp_path, lines, "prompt.examples.per_row=1")
    assert [len(one) for one in own.pools] == [1, 2]
    mixed = load(tmp_path, lines, "prompt.examples.per_row=2", "prompt.examples.draw=mixed")
    assert mixed.pools[0] == mixed.pools[1] == (Example("Hello  you", "a"), Example("other", "b"))


def test_blank_lines_and_windows_line_ends_pass(tmp_path: Path) -> None:
    load(tmp_path, [line("x"), line("y", "b")], "prompt.examples.per_row=1")
    (tmp_path / "e.jsonl").write_bytes(
        b'\r\n{"text": "x", "label": "a"}\r\n\r\n{"text": "y", "label": "b"}\r\n'
    )
    loaded = load_recipe(tmp_path / "recipe.yaml", overrides=["prompt.examples.per_row=1"])
    examples = load_examples(loaded, plan=Plan.of(loaded.recipe))
    assert examples is not None
    assert [one[0].text for one in examples.pools] == ["x", "y"]


def test_a_label_without_rows_needs_no_examples(tmp_path: Path) -> None:
    few = ["rows=1", "labels.a.share=100", "prompt.examples.per_row=1"]
    assert len(load(tmp_path, [line("x")], *few).pools[1]) == 0
    with pytest.raises(InputError, match=r"the label 'b' has 0 different texts.*per_row is 1"):
        load(tmp_path, [line("x")], "prompt.examples.per_row=1")


def test_too_few_mixed_examples(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there are 2 different texts.*per_row is 3"):
        load(tmp_path, [line("x"), line("y")], "prompt.examples.draw=mixed")


def test_wrong_lines_are_explained(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no label 'aa'") as caught:
        load(tmp_path, [line("x"), line("y", "aa")])
    assert caught.value.place == f"{tmp_path / 'e.jsonl'}:2"
    with pytest.raises(InputError, match="label is missing") as caught:
        load(tmp_path, [{"text": "x", "lable": "a"}])
    assert 'did you mean "lable"?' in caught.value.hint


def test_a_deep_line_is_not_a_crash(tmp_path: Path) -> None:
    load(tmp_path, [line("x"), line("y", "b")], "prompt.examples.per_row=1")
    (tmp_path / "e.jsonl").write_text("[" * 200_000)
    loaded = load_recipe(tmp_path / "recipe.yaml")
    with pytest.raises(InputError, match="not JSON"):
        load_examples(loaded, plan=Plan.of(loaded.recipe))


def test_a_recipe_without_examples_has_none(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text("name: x\nrows: 1\nlabels: {a: b}\n")
    loaded = load_recipe(path)
    assert load_examples(loaded, plan=Plan.of(loaded.recipe)) is None


@settings(deadline=None, max_examples=80)
@given(size=st.integers(1, 30), data=st.data())
def test_a_prompt_never_holds_a_text_twice(size: int, data: st.DataObject) -> None:
    per_row = data.draw(st.integers(0, size))
    examples = ExampleSet((pool(size),), per_row, seed=data.draw(st.integers(0, 99)), sha256="")
    for drawn in draw(examples, range(20)):
        assert len(drawn) == per_row == len(set(drawn))
        assert set(drawn) <= set(pool(size))


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 29), max_size=8))
def test_a_row_is_drawn_alone(rows: list[int]) -> None:
    examples = ExampleSet((pool(9),), 3, seed=5, sha256="")
    whole = draw(examples, range(30))
    assert draw(examples, rows) == [whole[row] for row in rows]


def test_every_ordered_pick_is_equally_likely() -> None:
    examples = ExampleSet((pool(4),), 2, seed=1, sha256="")
    counts = Counter(draw(examples, range(12_000)))
    assert set(counts) == set(permutations(pool(4), 2))
    # Binomial(12000, 1/12): standard deviation 30.3.
    assert all(abs(count - 1000) < 5 * 30.3 for count in counts.values())


def test_own_label_seed_and_attempt_decide() -> None:
    examples = ExampleSet((pool(9), pool(9, "b")), 3, seed=1, sha256="")
    assert {e.label for drawn in draw(examples, range(9), label=1) for e in drawn} == {"b"}
    assert draw(examples, range(9)) != draw(examples, range(9), attempt=1)
    assert draw(examples, range(9)) != draw(
        ExampleSet(examples.pools, 3, seed=2, sha256=""), range(9)
    )
