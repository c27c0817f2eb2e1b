"""A recipe checked as far as it can be without the model's weights in memory."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from schemas.errors import InputError
from schemas.recipe import Recipe
from schemas.recipe_file import TEMPLATE, LoadedRecipe, load_recipe
from tasks.generation.backends import Inspected, inspect_model
from tasks.planning.plan import Plan
from tasks.prompting.examples import Examples, read_examples
from tasks.prompting.rendering import PromptWriter
from tasks.prompting.templates import Template, load_template

_SAMPLE = 256
"""Prompts rendered for a check: the first of the plan."""


@dataclass(frozen=True)
class CheckedRecipe:
    """A recipe and what it names, read and found right.

    Args:
        loaded: The recipe and where it came from.
        template: The prompt template.
        examples: The few-shot examples, None without.
        model: What is known of the model.
        prompts: The first prompts of the plan.
        prompt_tokens: Tokens of each of them, shape `(N,)`.
    """

    loaded: LoadedRecipe
    template: Template
    examples: Examples | None
    model: Inspected
    prompts: tuple[str, ...]
    prompt_tokens: np.ndarray

    @property
    def recipe(self) -> Recipe:
        """The recipe, defaults and overrides applied."""
        return self.loaded.recipe


def check_recipe(path: Path, *, overrides: Sequence[str] = ()) -> CheckedRecipe:
    """Read a recipe and everything it names, and check that its prompts fit the model.

    Args:
        path: The recipe file.
        overrides: `KEY=VALUE` items that replace the recipe's.

    Raises:
        InputError: With the code of what is wrong: recipe (CS-R...), template or examples (CS-P...), model (CS-M...).
    """
    loaded = load_recipe(path, overrides=overrides)
    template = load_template(loaded)
    examples = read_examples(loaded)
    model = inspect_model(loaded.recipe.model, folder=loaded.folder)
    writer = PromptWriter(loaded.recipe, template, examples, model.format_prompt)
    rows = np.arange(min(loaded.recipe.rows, _SAMPLE), dtype=np.int64)
    prompts = writer.write(rows, np.zeros(rows.size, dtype=np.int32))["prompt"].to_pylist()
    tokens = np.array(model.count_tokens(prompts), dtype=np.int64)
    _check_context(loaded, model.info.context_length, int(tokens.max()))
    return CheckedRecipe(loaded, template, examples, model, tuple(prompts), tokens)


def _check_context(loaded: LoadedRecipe, context: int, longest_prompt: int) -> None:
    """Refuse prompts that leave no room for the longest reply."""
    longest_reply = max(strategy.length.max for strategy in loaded.recipe.strategies)
    if longest_prompt + longest_reply > context:
        raise InputError(
            f"a prompt of {longest_prompt} tokens and a reply of up to {longest_reply} exceed the model's "
            f"context of {context}",
            code="CS-P008",
            place=loaded.place(TEMPLATE),
            hint="shorten the template, use fewer examples per row, or lower length.max",
        )
