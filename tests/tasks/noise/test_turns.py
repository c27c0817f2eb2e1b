"""Mixtures: which members a text meets, with which keys, and rates by label."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from schemas.noise import OneOf, RecipeStep, SomeOf
from tasks.noise.texts import noise_texts
from tasks.noise.turns import choose_members, take_turns
from tasks.planning.streams import Stream, fold, row_keys, uniforms

STEPS = TypeAdapter(tuple[RecipeStep, ...])
LETTERS = ("keyboard", "char_delete", "word_delete")


def keys_of(num: int, seed: int = 3) -> np.ndarray:
    return row_keys(seed, np.arange(num), 0, Stream.NOISE)


def members(num: int, **more: object) -> list[dict[str, object]]:
    return [{"kind": LETTERS[place % 3], "rate": 0.5, **more} for place in range(num)]


def turns(steps: list[object], num: int = 200, labels: list[str] | None = None) -> list:
    return list(take_turns(STEPS.validate_python(steps), keys=keys_of(num), labels=labels))


def slow_choice(step: OneOf | SomeOf, key: np.uint64) -> set[int]:
    own = fold(key, 0)
    waits = [-np.log(uniforms(own, place + 1)) for place in range(len(step.steps))]
    if isinstance(step, OneOf):
        weights = step.weights or [1] * len(waits)
        waits, count = [wait / weight for wait, weight in zip(waits, weights, strict=True)], 1
    else:
        least, most = step.bounds
        count = least + int(uniforms(own, 0) * (most - least + 1))
    return set(sorted(range(len(waits)), key=waits.__getitem__)[:count])


@settings(deadline=None, max_examples=60)
@given(st.data(), st.integers(1, 6), st.integers(0, 2**40))
def test_the_choice_is_what_the_definition_says(data, num, seed):
    if data.draw(st.booleans()):
        weights = data.draw(st.none() | st.lists(st.floats(0.1, 9), min_size=num, max_size=num))
        step = OneOf(steps=members(num), weights=weights)
    else:
        count = sorted(data.draw(st.tuples(st.integers(0, num), st.integers(0, num))))
        step = SomeOf(steps=members(num), count=tuple(count))
    keys = keys_of(8, seed)
    chosen = choose_members(step, keys)
    assert [set(np.flatnonzero(row)) for row in chosen] == [slow_choice(step, key) for key in keys]


def test_weights_and_counts_are_fair():
    keys, num = keys_of(30_000), 30_000
    shares = choose_members(OneOf(steps=members(3), weights=[1, 2, 5]), keys).mean(0)
    for share, weight in zip(shares, (1 / 8, 2 / 8, 5 / 8), strict=True):
        assert abs(share - weight) < 4 * (weight * (1 - weight) / num) ** 0.5
    counts = Counter(choose_members(SomeOf(steps=members(4), count=[1, 3]), keys).sum(1).tolist())
    assert set(counts) == {1, 2, 3}
    for count in counts.values():
        assert abs(count / num - 1 / 3) < 4 * (2 / 9 / num) ** 0.5


def test_a_member_added_at_the_end_only_takes_texts():
    keys = keys_of(2000)
    before = choose_members(OneOf(steps=members(3), weights=[1, 2, 3]), keys)
    after = choose_members(OneOf(steps=members(4), weights=[1, 2, 3, 4]), keys)
    moved = (before != after[:, :3]).any(1)
    assert (after[moved, 3]).all()
    assert 0 < moved.sum() < 2000


def test_what_is_added_at_the_end_changes_nothing_before_it():
    mixture = {"kind": "some_of", "count": 2, "steps": members(3)}
    short, long = turns([*members(1), mixture]), turns([*members(1), mixture, *members(2)])
    assert len(long) == len(short) + 2
    for turn, same in zip(short, long, strict=False):
        assert (turn.dice.keys == same.dice.keys).all()
        assert (turn.dice.rates == same.dice.rates).all()


def test_every_operator_has_a_key_of_its_own():
    inner = {"kind": "one_of", "steps": members(3)}
    tree = [*members(2), {"kind": "some_of", "count": [1, 2], "steps": [inner, inner, *members(1)]}]
    keys = [int(turn.dice.keys[0]) for turn in turns(tree)]
    assert len(keys) == len(set(keys)) == 2 + 3 + 3 + 1
    own = fold(keys_of(1), 2)
    assert keys[2] == int(fold(fold(own, 1), 1)[0])


def test_one_of_applies_one_operator_to_each_text():
    step = STEPS.validate_python([{"kind": "one_of", "steps": members(3)}])
    rows = noise_texts(["one two three four five six"] * 300, keys=keys_of(300), steps=step)
    kinds = [{edit.kind for edit in row.edits} for row in rows]
    assert max(map(len, kinds)) == 1
    assert set().union(*kinds) == set(LETTERS)


def test_rates_by_label():
    labels = ["a", "b", "c", "b"]
    by_label = {"kind": "keyboard", "rate": {"a": 0.5, "default": 0.25}}
    (turn,) = turns([by_label], 4, labels)
    assert turn.dice.rates.tolist() == [0.5, 0.25, 0.25, 0.25]
    (turn,) = turns([{"kind": "keyboard", "rate": {"a": 0.5}}], 4, labels)
    assert turn.dice.rates.tolist() == [0.5, 0, 0, 0]
    (turn,) = turns([{**by_label, "labels": ["b"]}], 4, labels)
    assert turn.dice.rates.tolist() == [0, 0.25, 0, 0.25]
    mixture = {"kind": "one_of", "labels": ["c"], "steps": [{"kind": "keyboard", "level": "heavy"}]}
    (turn,) = turns([mixture], 4, labels)
    assert turn.dice.rates.tolist() == [0, 0, 0.1, 0]
    with pytest.raises(ValueError, match="labels"):
        turns([by_label], 4)


def test_golden():
    steps = STEPS.validate_python(
        [
            {"kind": "one_of", "weights": [1, 3], "steps": members(2, rate=0.2)},
            {"kind": "some_of", "count": [0, 2], "steps": members(3, rate=0.2)},
        ]
    )
    texts = ["Where is my new card?", "Transfer ten pounds", "PIN 4071"]
    assert [row.text for row in noise_texts(texts, keys=keys_of(3), steps=steps)] == GOLDEN


GOLDEN = ["he my ewcat?", "Trasfren", "PN 4072"]
