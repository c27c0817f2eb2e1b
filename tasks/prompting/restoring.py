"""Prompts of `noisy_channel` rows in the mode `corrupt`: a damaged example of the row's own label.

The label carries over from the example to the text that the model makes of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from schemas.errors import InputError
from schemas.recipe import Recipe
from schemas.recipe_errors import shown
from schemas.recipe_file import EXAMPLES, LoadedRecipe
from schemas.strategies import NoisyChannel
from tasks.planning.plan import Plan
from tasks.planning.streams import U64, Stream, fold, row_keys, uniforms
from tasks.prompting.examples import ExampleSet
from tasks.prompting.templates import Question, load_question


class Corrupt(Protocol):
    """What puts noise into texts."""

    def __call__(
        self, texts: Sequence[str], *, strategy: NoisyChannel, keys: U64, labels: Sequence[str]
    ) -> list[str]:
        """Apply the strategy's `noise` to texts of some labels, each by its own key."""
        ...


@dataclass(frozen=True)
class Restorer:
    """Writes the prompts of rows whose text is restored from a damaged example.

    Args:
        recipe: What is asked for.
        question: Asks for the clean text of a damaged one.
        sources: Examples of each label that has any.
        corrupt: Damages them.
    """

    recipe: Recipe
    question: Question
    sources: Mapping[str, tuple[str, ...]]
    corrupt: Corrupt

    @classmethod
    def of(
        cls, recipe: Recipe, *, examples: ExampleSet | None, corrupt: Corrupt | None
    ) -> "Restorer | None":
        """Prepare the rows of a checked recipe; None when no strategy corrupts.

        Raises:
            ValueError: If one does, and there are no examples or nothing puts noise into them.
        """
        if not corrupting(recipe):
            return None
        if examples is None or corrupt is None:
            raise ValueError("a strategy corrupts examples, but they or the noise are missing")
        sources = _sources(recipe, examples)
        return cls(recipe, load_question("restore", recipe), sources, corrupt)

    def rewrite(self, columns: dict[str, Any]) -> None:
        """Replace what the rows of corrupting strategies have of template, examples and attributes.

        Source and noise are drawn by seed, row and attempt, on a stream of their own. `examples`
        becomes the source and its damaged form, so that the gates measure a text against both. A
        restored text follows no attributes, so it has none. The prompt is not formatted yet.

        Args:
            columns: Columns of `PROMPT_SCHEMA` as lists or arrays, changed in place.
        """
        for index, strategy in corrupting(self.recipe).items():
            places = np.flatnonzero(np.asarray(columns["strategy_index"]) == index)
            if not places.size:
                continue
            labels = [columns["label"][place] for place in places]
            keys = row_keys(
                self.recipe.seed,
                np.asarray(columns["row"])[places],
                np.asarray(columns["attempt"])[places],
                Stream.CORRUPT,
            )
            sources = self._draw(labels, keys)
            damaged = self.corrupt(sources, strategy=strategy, keys=fold(keys, 1), labels=labels)
            for place, label, pair in zip(
                places.tolist(), labels, zip(sources, damaged, strict=True), strict=True
            ):
                columns["attributes"][place] = []
                columns["examples"][place] = list(pair)
                columns["template"][place] = self.question.reference
                columns["prompt"][place] = self._ask(label, pair[1])

    def longest(self, labels: Sequence[str]) -> list[str]:
        """Ask for the longest example of each label, as it is; noise may make it a little longer.

        Args:
            labels: Names of labels; those without an example are passed over.
        """
        own = [label for label in labels if label in self.sources]
        return [self._ask(label, max(self.sources[label], key=len)) for label in own]

    @cached_property
    def _labels(self) -> dict[str, dict[str, str]]:
        return {
            name: {"name": name, "description": label.description}
            for name, label in self.recipe.labels.items()
        }

    def _draw(self, labels: Sequence[str], keys: U64) -> list[str]:
        pools = [self.sources[label] for label in labels]
        draws = uniforms(keys, 0).tolist()
        return [pool[int(draw * len(pool))] for pool, draw in zip(pools, draws, strict=True)]

    def _ask(self, label: str, text: str) -> str:
        return self.question.render(
            {
                "text": text,
                "label": self._labels[label],
                "labels": list(self._labels.values()),
                "language": self.recipe.language,
            }
        )


def corrupting(recipe: Recipe) -> dict[int, NoisyChannel]:
    """Return the strategies that corrupt an example, by their place in the recipe."""
    return {
        index: strategy
        for index, strategy in enumerate(recipe.strategies)
        if isinstance(strategy, NoisyChannel) and strategy.mode == "corrupt"
    }


def check_sources(loaded: LoadedRecipe, *, plan: Plan, examples: ExampleSet | None) -> None:
    """Check that every label has an example wherever one is to be corrupted.

    Raises:
        InputError: CS-R007 if the recipe names no examples, CS-P007 if a label has none of its own.
    """
    for index in corrupting(loaded.recipe):
        if examples is None:
            raise InputError(
                "noisy_channel corrupts examples of each label, but the recipe names none",
                code="CS-R007",
                place=loaded.place(("strategies", index)),
                hint="add prompt.examples: {path: examples.jsonl}, or set mode: rerank",
            )
        used = {c.label for c in plan.quotas() if c.rows and c.strategy_index == index}
        sources = _sources(loaded.recipe, examples)
        for label in loaded.recipe.labels:
            if label in used and label not in sources:
                raise InputError(
                    f"the label {shown(label)} has no example of its own to corrupt",
                    code="CS-P007",
                    place=loaded.place(EXAMPLES),
                    hint="add one, or give the other strategies all rows",
                )


def _sources(recipe: Recipe, examples: ExampleSet) -> dict[str, tuple[str, ...]]:
    own = {
        label: tuple(example.text for example in pool if example.label == label)
        for label, pool in zip(recipe.labels, examples.pools, strict=True)
    }
    return {label: texts for label, texts in own.items() if texts}
