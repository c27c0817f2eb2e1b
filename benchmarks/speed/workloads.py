"""The prompts: ragged, 5 to 60 tokens, made from a seed without any data set.

*short* is the product's own work, the starter's template with descriptions, attributes and
examples, whose replies end early. *long* is openings of stories made of common words, which
TinyStories models continue to the bound. *shapes* is runs of a word-level tokenizer's words.
"""

import json
import random
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Literal, assert_never

from prompts import label_descriptions, read_template
from tasks.prompting.templates import Template

Workload = Literal["short", "long", "shapes"]
CountTokens = Callable[[Sequence[str]], list[int]]

SHORTEST, LONGEST = 5, 60
_TRIES = 24
"""Prompts drawn for each row, of which the one nearest to its length is taken."""
_EXAMPLES = Path(__file__).resolve().parents[2] / "recipes/quickstart.examples.jsonl"
_ATTRIBUTES = {"form": ("question", "request"), "length": ("short", "medium", "long")}

_NAMES = ("Tom", "Lily", "Ben", "Mia", "Sam", "Anna", "Max", "Sue")
_THINGS = ("ball", "cake", "tree", "boat", "box", "hat", "car", "flower", "book", "bird", "dog")
_KINDS = ("big", "small", "red", "old", "happy", "soft", "shiny", "blue", "funny", "kind")
_PLACES = ("park", "house", "garden", "forest", "shop", "river", "school", "beach")
_VERBS = ("found", "saw", "wanted", "lost", "loved", "liked", "took", "hid")
_SENTENCES = (
    "{name} {verb} a {kind} {thing} in the {place}.",
    "The {thing} was very {kind} and {kind2}.",
    "One day, {name} went to the {place} with {name2}.",
    '"Look at the {thing}!" said {name}.',
    "{name2} was {kind} because the {thing} was in the {place}.",
    "They played with the {kind} {thing} all day.",
)


def prompts_of(
    workload: Workload, *, count: int, seed: int, count_tokens: CountTokens
) -> list[str]:
    """Make the prompts of a workload.

    Args:
        workload: Which.
        count: Number of prompts.
        seed: What they are drawn from.
        count_tokens: Tells how many tokens prompts have, opening token included.

    Returns:
        Prompts whose lengths are spread evenly over `SHORTEST` to `LONGEST` tokens, as far as the
        workload's form has prompts of each length.

    Raises:
        SystemExit: If no prompt fits into these bounds.
    """
    draw: Callable[[random.Random, int], str]
    match workload:
        case "short":
            draw = partial(_message_prompt, template=_template(), examples=_examples())
        case "long":
            draw = _story_opening
        case "shapes":
            draw = _words
        case _:
            assert_never(workload)
    chance = random.Random(seed)
    wanted = [chance.randint(SHORTEST, LONGEST) for _ in range(count)]
    drawn = [draw(chance, length) for length in wanted for _ in range(_TRIES)]
    lengths = count_tokens(drawn)
    chosen = []
    for row, length in enumerate(wanted):
        tries = range(row * _TRIES, (row + 1) * _TRIES)
        fitting = [at for at in tries if SHORTEST <= lengths[at] <= LONGEST]
        if not fitting:
            raise SystemExit(f"{workload}: no prompt of {SHORTEST} to {LONGEST} tokens was drawn")
        chosen.append(drawn[min(fitting, key=lambda at, near=length: abs(lengths[at] - near))])
    return chosen


def _template() -> Template:
    return Template("intent", read_template("intent"), "intent.j2")


def _examples() -> list[str]:
    lines = _EXAMPLES.read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["text"] for line in lines]


def _message_prompt(
    chance: random.Random, length: int, *, template: Template, examples: Sequence[str]
) -> str:
    """Render the starter's template; a long prompt has more attributes and examples."""
    described = chance.choice(list(label_descriptions().values()))
    named = {name: chance.choice(values) for name, values in _ATTRIBUTES.items()}
    most = max(0, (length - 8) // 12)
    return template.render(
        {
            "label": {"name": "", "description": chance.choice(described)},
            "labels": [],
            "attributes": named if length > 20 and chance.random() < 0.5 else {},
            "examples": [
                {"text": text, "label": "", "description": ""}
                for text in chance.sample(examples, chance.randint(0, most))
            ],
            "language": "en",
        }
    )


def _story_opening(chance: random.Random, length: int) -> str:
    """Write sentences of common words and break off within one."""
    words = ["Once upon a time, there was a", chance.choice(_KINDS), chance.choice(_THINGS) + "."]
    while len(words) < LONGEST:
        sentence = chance.choice(_SENTENCES).format(
            name=chance.choice(_NAMES),
            name2=chance.choice(_NAMES),
            verb=chance.choice(_VERBS),
            kind=chance.choice(_KINDS),
            kind2=chance.choice(_KINDS),
            thing=chance.choice(_THINGS),
            place=chance.choice(_PLACES),
        )
        words += sentence.split()
    text = " ".join(words).split()
    return " ".join(text[: max(2, round(length * chance.uniform(0.5, 1)))])


def _words(chance: random.Random, length: int) -> str:
    return " ".join(f"w{chance.randrange(2, 500)}" for _ in range(length))
