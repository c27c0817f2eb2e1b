from collections import Counter
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.recipe import Recipe
from tasks.planning.attributes import draw_attributes

TONE = ["warm", "cold", "dry"]
CHANNEL = {"values": ["chat", "email"], "weights": [3, 1]}


def draw(attributes: Any, rows: Any = range(50), attempt: int = 0, seed: int = 1) -> list[Any]:
    recipe = Recipe.model_validate(
        {"name": "x", "seed": seed, "rows": 1, "labels": {"a": "b"}, "attributes": attributes}
    )
    numbers = np.asarray(rows, dtype=np.int64)
    attempts = np.full(numbers.shape, attempt, dtype=np.int32)
    return draw_attributes(recipe, rows=numbers, attempts=attempts)


def test_no_attributes() -> None:
    assert draw({}, rows=[4, 5]) == [{}, {}]
    assert draw({"tone": TONE}, rows=[]) == []


def test_the_recipes_order_is_kept() -> None:
    assert list(draw({"tone": TONE, "channel": CHANNEL})[0]) == ["tone", "channel"]
    assert list(draw({"channel": CHANNEL, "tone": TONE})[0]) == ["channel", "tone"]


def test_other_attributes_change_no_draw() -> None:
    alone = [values["tone"] for values in draw({"tone": TONE})]
    both = [values["tone"] for values in draw({"channel": CHANNEL, "tone": TONE})]
    assert alone == both


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 49), max_size=10))
def test_a_row_is_drawn_alone(rows: list[int]) -> None:
    whole = draw({"tone": TONE, "channel": CHANNEL})
    assert draw({"tone": TONE, "channel": CHANNEL}, rows) == [whole[row] for row in rows]


def test_seed_and_attempt_change_the_draw() -> None:
    draws = [draw({"tone": TONE}, attempt=a, seed=s) for a, s in ((0, 1), (1, 1), (0, 2))]
    assert draws[0] != draws[1]
    assert draws[0] != draws[2]


def test_weights_are_frequencies() -> None:
    counts = Counter(values["channel"] for values in draw({"channel": CHANNEL}, range(10_000)))
    # Binomial(10000, 3/4): standard deviation 43.
    assert abs(counts["chat"] - 7500) < 4 * 43


def test_attributes_are_independent() -> None:
    drawn = draw({"a": ["0", "1"], "b": ["0", "1"]}, range(10_000))
    equal = sum(values["a"] == values["b"] for values in drawn)
    assert abs(equal - 5000) < 4 * 50


def test_weights_of_wildly_different_size() -> None:
    tiny = {"values": ["never", "always"], "weights": [1e-300, 1e9]}
    assert {values["x"] for values in draw({"x": tiny}, range(1000))} == {"always"}
    tiny = {"values": ["always", "never"], "weights": [1e9, 1e-300]}
    assert {values["x"] for values in draw({"x": tiny}, range(1000))} == {"always"}


def test_the_draws_are_for_ever() -> None:
    drawn = draw({"tone": TONE}, range(12))
    assert (
        " ".join(values["tone"] for values in drawn)
        == "cold cold dry cold cold warm dry cold cold warm dry dry"
    )
