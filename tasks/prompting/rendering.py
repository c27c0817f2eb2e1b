"""From row numbers to prompts: plan, attributes, examples and template put together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas.errors import InputError
from schemas.recipe import Recipe
from schemas.recipe_file import LoadedRecipe
from schemas.row import PROMPT_SCHEMA, row_id
from tasks.planning.attributes import draw_attributes
from tasks.planning.plan import Plan, row_seeds
from tasks.prompting.examples import Example, ExampleSet, load_examples
from tasks.prompting.restoring import Corrupt, Restorer, check_sources
from tasks.prompting.templates import Template, load_template


@dataclass(frozen=True)
class PromptWriter:
    """Writes the prompt of any row and attempt, as a function of their numbers alone.

    Args:
        recipe: What is asked for.
        plan: The recipe's plan.
        template: What is rendered.
        examples: Few-shot examples to draw from; None for none.
        format_prompt: Wraps a rendered template as the model wants it.
        restorer: Writes the prompts of rows whose text is a restored example; None for no such row.
    """

    recipe: Recipe
    plan: Plan
    template: Template
    examples: ExampleSet | None = None
    format_prompt: Callable[[str], str] = str
    restorer: Restorer | None = None

    @property
    def contents(self) -> dict[str, str]:
        """SHA-256 of the templates and of the examples file, for the recipe's hash."""
        digests = {"template": self.template.sha256}
        if self.restorer is not None:
            digests["restore"] = self.restorer.question.sha256
        return digests if self.examples is None else digests | {"examples": self.examples.sha256}

    def write(self, rows: NDArray[np.int64], *, attempts: NDArray[np.int32]) -> pa.Table:
        """Render the prompts of some rows.

        Attributes and examples are drawn by a group's leader and the attempt, so that the rows of a
        group share one prompt at the same attempt, and a row tried again has the prompt that its
        leader had or would have.

        Args:
            rows: Row numbers in [0, rows of the plan), shape `(N,)`, in any order.
            attempts: How often each row was tried before, shape `(N,)`.

        Returns:
            A table of `PROMPT_SCHEMA` with N rows, in the order given.

        Raises:
            InputError: If the template fails for a row.
            ValueError: If a row number is out of range.
        """
        planned = self.plan.shard(rows)
        attributes = draw_attributes(self.recipe, rows=planned.leader, attempts=attempts)
        examples = self._examples(planned.leader, attempts, planned.label_index)
        labels = [self.plan.labels[place] for place in planned.label_index]
        reference = self.template.reference
        group_seeds = row_seeds(self.recipe.seed, rows=planned.leader, attempts=attempts)
        is_shared = self.plan.rows_per_prompt > 1
        columns: dict[str, Any] = {
            "row": rows,
            "attempt": attempts.astype(np.int32),
            "id": [
                row_id(self.recipe.name, row, attempt)
                for row, attempt in zip(rows.tolist(), attempts.tolist(), strict=True)
            ],
            "label": labels,
            "strategy_index": planned.strategy_index,
            "strategy": [self.plan.kinds[place] for place in planned.strategy_index],
            "seed": row_seeds(self.recipe.seed, rows=rows, attempts=attempts),
            "group_seed": group_seeds,
            "member": planned.member,
            "draw_id": [
                f"{seed:016x}" if is_shared[place] else None
                for seed, place in zip(group_seeds.tolist(), planned.strategy_index, strict=True)
            ],
            "attributes": [list(values.items()) for values in attributes],
            "examples": [[example.text for example in drawn] for drawn in examples],
            "template": [reference] * len(rows),
            "prompt": self._prompts(labels, attributes, examples),
        }
        if self.restorer is not None:
            self.restorer.rewrite(columns)
        columns["prompt"] = list(map(self.format_prompt, columns["prompt"]))
        return pa.table(columns, schema=PROMPT_SCHEMA)

    def check(self) -> None:
        """Render the template with every label that has rows, and with every attribute's values.

        Raises:
            InputError: `CS-P002` to `CS-P004`.
        """
        places = self._used_labels()
        axes = self.recipe.attributes
        first = {name: axis.values[0] for name, axis in axes.items()}
        others = [first | {name: value} for name, axis in axes.items() for value in axis.values[1:]]
        places = [*places, *places[:1] * len(others)]
        examples = self._examples(
            np.arange(len(places)),
            np.zeros(len(places), dtype=np.int32),
            np.array(places, dtype=np.int32),
        )
        labels = [self.plan.labels[place] for place in places]
        attributes = [first] * (len(places) - len(others)) + others
        for prompt in self._prompts(labels, attributes, examples):
            if not prompt.strip():
                raise InputError(
                    "the template renders to an empty prompt",
                    code="CS-P002",
                    place=self.template.place,
                    hint="write at least `{{ label.description }}`",
                )

    def longest(self) -> list[str]:
        """Render, for every label that has rows, the prompt with the longest values and examples.

        No prompt of the run has more characters, save what a template or noise makes of them.
        """
        places = self._used_labels()
        attributes = {
            name: max(axis.values, key=len) for name, axis in self.recipe.attributes.items()
        }
        examples: list[tuple[Example, ...]] = [()] * len(places)
        if self.examples is not None:
            examples = [self.examples.longest(place) for place in places]
        labels = [self.plan.labels[place] for place in places]
        prompts = self._prompts(labels, [attributes] * len(places), examples)
        if self.restorer is not None:
            prompts += self.restorer.longest(labels)
        return list(map(self.format_prompt, prompts))

    def _used_labels(self) -> list[int]:
        used = {cell.label for cell in self.plan.quotas() if cell.rows}
        return [place for place, label in enumerate(self.plan.labels) if label in used]

    def _examples(
        self,
        rows: NDArray[np.int64],
        attempts: NDArray[np.int32],
        label_index: NDArray[np.int32],
    ) -> list[tuple[Example, ...]]:
        if self.examples is None:
            return [()] * len(rows)
        return self.examples.draw(rows, attempts=attempts, label_index=label_index)

    def _prompts(
        self,
        labels: list[str],
        attributes: list[dict[str, str]],
        examples: list[tuple[Example, ...]],
    ) -> list[str]:
        known = {
            name: {"name": name, "description": label.description}
            for name, label in self.recipe.labels.items()
        }
        shared = {"labels": list(known.values()), "language": self.recipe.language}
        return [
            self.template.render(
                {
                    **shared,
                    "label": known[label],
                    "attributes": values,
                    "examples": [_example_variables(one, known) for one in drawn],
                }
            )
            for label, values, drawn in zip(labels, attributes, examples, strict=True)
        ]


def prepare_prompts(
    loaded: LoadedRecipe,
    *,
    format_prompt: Callable[[str], str] = str,
    corrupt: Corrupt | None = None,
) -> PromptWriter:
    """Load and check everything that the recipe's prompts need.

    The template is rendered once for every label, so that its errors show before any generation.

    Args:
        loaded: The recipe.
        format_prompt: Wraps a rendered template as the model wants it.
        corrupt: Puts noise into examples that are to be restored; None if no strategy does that.

    Raises:
        InputError: `CS-P001` to `CS-P007`, `CS-R007`, `CS-R008`.
    """
    plan = Plan.of(loaded.recipe)
    template = load_template(loaded)
    examples = load_examples(loaded, plan=plan)
    check_sources(loaded, plan=plan, examples=examples)
    restorer = Restorer.of(loaded.recipe, examples=examples, corrupt=corrupt)
    writer = PromptWriter(loaded.recipe, plan, template, examples, format_prompt, restorer)
    writer.check()
    return writer


def _example_variables(example: Example, known: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    return {
        "text": example.text,
        "label": example.label,
        "description": known[example.label]["description"],
    }
