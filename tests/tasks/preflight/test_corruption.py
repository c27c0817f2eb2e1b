"""Noise for restored examples: what it may need, and that it is the noise stage's own."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from schemas.errors import InputError
from schemas.strategies import NoisyChannel
from tasks.noise.texts import noise_batch
from tasks.preflight.checks import check_recipe
from tasks.preflight.corruption import corrupt_texts

LABELS = ("alpha", "beta", "gamma")


@pytest.fixture
def recipe_of(scripted: Any) -> Any:
    def write(*noise: dict, **strategy: Any) -> Path:
        corrupt = {"kind": "noisy_channel", "mode": "corrupt", "noise": list(noise), **strategy}
        path: Path = scripted(
            strategies=[corrupt], prompt={"examples": {"path": "e.jsonl", "per_row": 0}}
        )
        lines = [{"text": f"the {label} text to damage", "label": label} for label in LABELS]
        (path.parent / "e.jsonl").write_text("\n".join(map(json.dumps, lines)))
        return path

    return write


MIXTURE = {"kind": "one_of", "steps": [{"kind": "keyboard", "rate": 0.2}]}


@pytest.mark.parametrize(
    "step",
    [
        {"kind": "keyboard", "rate": 0.3},
        {"kind": "misspell", "rate": 0.5},
        {"kind": "word_replace", "rate": 0.5, "words": ["oops"]},
        MIXTURE,
    ],
)
def test_steps_that_need_only_the_text_are_fine(recipe_of, step):
    prompts = check_recipe(recipe_of(step, {"kind": "word_swap", "rate": 0.3})).prompts
    assert len(prompts) == 40
    assert len(set(prompts)) > 10


@pytest.mark.parametrize(
    ("step", "needed"),
    [
        ({"kind": "token_replace", "rate": 0.1, "tokenizer": "starter"}, "a tokenizer"),
        ({"kind": "token_delete", "rate": 0.1, "tokenizer": "starter"}, "a tokenizer"),
        ({"kind": "word_replace", "rate": 0.1}, "the words of the corpus"),
        ({"kind": "misspell", "rate": 0.1, "path": "list.tsv"}, "a list of misspellings"),
    ],
)
@pytest.mark.parametrize("inside", [False, True])
def test_steps_that_need_more_are_refused(recipe_of, step, needed, inside):
    steps = [{"kind": "one_of", "steps": [step]}] if inside else [step]
    with pytest.raises(InputError) as caught:
        check_recipe(recipe_of(MIXTURE, *steps))
    assert caught.value.code == "CS-R007"
    assert needed in caught.value.message
    assert "strategies[0].noise[1]" in caught.value.place


def test_a_missing_plug_in_and_an_unknown_label_are_named(recipe_of):
    with pytest.raises(InputError) as caught:
        check_recipe(recipe_of({"kind": "plugin", "name": "absent", "rate": 0.1}))
    assert caught.value.place.endswith("strategies[0].noise[0].name")
    with pytest.raises(InputError) as caught:
        check_recipe(recipe_of({"kind": "keyboard", "rate": 0.1, "labels": ["alpa"]}))
    assert "strategies[0].noise[0].labels[0]" in caught.value.place
    assert "alpha" in caught.value.hint


@pytest.mark.parametrize(
    ("proposal", "key"),
    [
        ({"kind": "nucleus", "best_of": {"n": 2}}, "best_of"),
        ({"kind": "nucleus", "num_return_sequences": 2}, "num_return_sequences"),
    ],
)
def test_a_proposal_is_one_text(recipe_of, proposal, key):
    with pytest.raises(InputError) as caught:
        check_recipe(recipe_of(MIXTURE, proposal=proposal))
    assert key in caught.value.message


def test_the_noise_is_the_noise_stages_own_and_each_texts_own():
    strategy = NoisyChannel(mode="corrupt")
    texts = [f"a sentence with the number {number}" for number in range(30)]
    keys = np.arange(30, dtype=np.uint64)
    damaged = corrupt_texts(texts, strategy=strategy, keys=keys, labels=["a"] * 30)
    expected = noise_batch(texts, keys=keys, steps=strategy.noise, labels=["a"] * 30)
    assert damaged == expected.texts.to_pylist()
    assert sum(one != other for one, other in zip(texts, damaged, strict=True)) > 15
    alone = corrupt_texts(texts[7:8], strategy=strategy, keys=keys[7:8], labels=["a"])
    assert alone == damaged[7:8]


def test_labels_reach_the_steps():
    strategy = NoisyChannel(
        mode="corrupt", noise=[{"kind": "char_delete", "rate": {"a": 1.0, "default": 0.0}}]
    )
    keys = np.arange(2, dtype=np.uint64)
    damaged = corrupt_texts(["one two", "one two"], strategy=strategy, keys=keys, labels=["a", "b"])
    assert damaged[0] != "one two" == damaged[1]
