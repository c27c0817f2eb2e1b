"""Noise outside a recipe: a file's `noise` section, or `KIND:RATE` items of the command line."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from schemas.base import Frozen
from schemas.errors import InputError
from schemas.noise import NoiseConfig
from schemas.noise_step import LEVELS
from schemas.recipe import Model, TransformersModel
from schemas.recipe_errors import recipe_error
from schemas.recipe_file import load_recipe, read_recipe_text
from schemas.yaml_source import KeyPath, Source, parse_yaml, plain_scalar


class NoiseFile(Frozen):
    """A noise section by itself, with the seed that it draws by."""

    noise: NoiseConfig
    seed: int = Field(default=0, ge=0, lt=2**63)
    """Key of all randomness."""


@dataclass(frozen=True, slots=True)
class LoadedNoise:
    """Noise and what it refers to.

    Args:
        noise: Share, steps and what they must leave.
        seed: Key of all randomness.
        model: Whose tokenizer steps on tokens mean by `model`.
        folder: Where relative paths start, resolved.
    """

    noise: NoiseConfig
    seed: int
    model: Model
    folder: Path


def load_noise(path: Path) -> LoadedNoise:
    """Read the noise section and the seed of a recipe, or of a file that holds nothing else.

    Args:
        path: A YAML file: a whole recipe, or `noise:` and perhaps `seed:` alone.

    Raises:
        InputError: As `load_recipe` does; `CS-R004` if a recipe has no noise section.
    """
    source = parse_yaml(read_recipe_text(path), name=str(path))
    if isinstance(source.data, dict) and set(source.data) <= {"noise", "seed"}:
        file = _checked(source)
        return LoadedNoise(file.noise, file.seed, TransformersModel(), path.parent.resolve())
    loaded = load_recipe(path)
    recipe = loaded.recipe
    if recipe.noise is None:
        raise InputError(
            "the recipe has no noise section",
            code="CS-R004",
            place=str(path),
            hint="add `noise: {steps: [...]}`, or name the steps with --step KIND:RATE",
        )
    return LoadedNoise(recipe.noise, recipe.seed, recipe.model, loaded.folder)


def parse_steps(items: Sequence[str]) -> LoadedNoise:
    """Turn `KIND:RATE` items into steps, in their order, for every row.

    Args:
        items: Such as `keyboard:0.03`, or a level, `keyboard:medium`.

    Raises:
        InputError: `CS-R003` to `CS-R006`, with the item as its place.
    """
    steps: list[dict[str, Any]] = []
    places: dict[KeyPath, str] = {(): "--step"}
    for number, item in enumerate(items):
        kind, colon, rate = item.partition(":")
        places["noise", "steps", number] = f"--step {item}"
        key = "level" if rate in LEVELS else "rate"
        steps.append({"kind": kind, **({key: _scalar(rate)} if colon else {})})
    file = _checked(Source({"noise": {"share": 1.0, "steps": steps}}, places))
    return LoadedNoise(file.noise, file.seed, TransformersModel(), Path.cwd())


def _scalar(text: str) -> Any:
    try:
        return plain_scalar(text)
    except ValueError:
        return text


def _checked(source: Source) -> NoiseFile:
    try:
        return NoiseFile.model_validate(source.data)
    except ValidationError as error:
        schema = NoiseFile.model_json_schema()
        raise recipe_error(error, source=source, json_schema=schema) from None
