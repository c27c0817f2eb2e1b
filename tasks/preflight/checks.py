"""A recipe checked as far as it can be without the model's weights in memory."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from schemas.errors import InputError
from schemas.manifest import ModelInfo
from schemas.noise import Plugin
from schemas.noise_mixtures import walk
from schemas.recipe import AnyModel, Recipe
from schemas.recipe_file import TEMPLATE, LoadedRecipe, load_recipe
from tasks.generation.backends import Inspected, inspect_model
from tasks.generation.families import check_family
from tasks.generation.support import check_support
from tasks.noise.opening import open_misspellings
from tasks.noise.plugins import load_plugin
from tasks.preflight.audit_data import check_audit, check_reader
from tasks.preflight.corruption import check_corruption, corrupt_texts
from tasks.preflight.ranking import (
    FoundReward,
    check_questions,
    check_scorers,
    find_rewards,
)
from tasks.preflight.remote_inputs import fetch_inputs
from tasks.prompting.rendering import PromptWriter, prepare_prompts

T = TypeVar("T")

_SAMPLE = 256
"""Prompts rendered for a check: the first of the plan."""


@dataclass(frozen=True)
class CheckedRecipe:
    """A recipe and what it names, read and found right.

    Args:
        loaded: The recipe and where it came from.
        model: What is known of the model.
        writer: Writes the prompts: plan, template and examples.
        prompts: The first prompts of the plan.
        prompt_tokens: Tokens of each of them, shape `(N,)`.
        rewards: Reward models by the names that the recipe gives them.
    """

    loaded: LoadedRecipe
    model: Inspected
    writer: PromptWriter
    prompts: tuple[str, ...]
    prompt_tokens: NDArray[np.int64]
    rewards: Mapping[str, FoundReward] = field(default_factory=dict)

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
        InputError: With the code of what is wrong: recipe (CS-R...), template or examples
        (CS-P...), model (CS-M...), data (CS-D...).
    """
    loaded = fetch_inputs(load_recipe(path, overrides=overrides))
    _placed(loaded, lambda: check_support(loaded.recipe))
    # Prompts before the model: their errors show before torch is imported, which takes seconds.
    plain = prepare_prompts(loaded, corrupt=corrupt_texts)
    _check_noise(loaded)
    check_audit(loaded)
    check_corruption(loaded)
    check_scorers(loaded.recipe, place_of=loaded.place)
    model = _placed(loaded, lambda: inspect_model(local_model(loaded), folder=loaded.folder))
    _placed(loaded, lambda: check_family(loaded.recipe, model.info.family))
    check_reader(loaded, model.info)
    rewards = find_rewards(loaded)
    writer = replace(plain, format_prompt=model.format_prompt)
    rows = np.arange(min(loaded.recipe.rows, _SAMPLE), dtype=np.int64)
    table = writer.write(rows, attempts=np.zeros(rows.size, dtype=np.int32))
    prompts = table["prompt"].to_pylist()
    tokens = np.array(model.count_tokens(prompts), dtype=np.int64)
    longest = max(*model.count_tokens(writer.longest()), int(tokens.max()))
    _check_context(loaded, model.info, longest)
    check_questions(loaded, model)
    return CheckedRecipe(loaded, model, writer, tuple(prompts), tokens, rewards)


def local_model(loaded: LoadedRecipe) -> AnyModel:
    """Return the recipe's model with an absolute path in place of a relative one."""
    path = loaded.model_path()
    model = loaded.recipe.model
    return model if path is None else model.model_copy(update={"name": str(path)})


def _placed(loaded: LoadedRecipe, check: Callable[[], T]) -> T:
    """Run a check; an error about a key of the recipe names the file and line of that key."""
    try:
        return check()
    except InputError as error:
        if error.place.partition(".")[0] in ("model", "prompt", "strategies"):
            keys = error.place.split(".")
            error.place = loaded.place(tuple(int(key) if key.isdigit() else key for key in keys))
        raise


def _check_noise(loaded: LoadedRecipe) -> None:
    """Open what noise steps name, so that what is missing is known before anything runs."""
    noise = loaded.recipe.noise
    steps = noise.steps if noise else ()
    open_misspellings(steps, folder=loaded.folder)
    for path, step in walk(steps):
        if isinstance(step, Plugin):
            try:
                load_plugin(step.name)
            except InputError as error:
                error.place = loaded.place(("noise", "steps", *path, "name"))
                raise


def _check_context(loaded: LoadedRecipe, model: ModelInfo, longest_prompt: int) -> None:
    """Refuse prompts that leave no room for the longest reply."""
    longest_reply = max(strategy.length.max for strategy in loaded.recipe.strategies)
    if not model.holds(prompt=longest_prompt, reply=longest_reply):
        raise InputError(
            f"a prompt of {longest_prompt} tokens and a reply of up to {longest_reply} exceed the "
            f"model's context of {model.context_length}",
            code="CS-P008",
            place=loaded.place(TEMPLATE),
            hint="shorten the template, use fewer examples per row, or lower length.max",
        )
