"""Steps on tokens, on labels, by a user's own function, and mixtures of steps."""

import json
import math
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from schemas.noise_characters import CharacterStep
from schemas.noise_step import DEFAULT, Level, Rate, RatedStep, RatedWordStep, Step
from schemas.noise_words import WordStep

MOST_DEEP = 3
MOST_STEPS = 32
_SUM_TOLERANCE = 1e-6
Weight = Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)]


class _TokenStep(RatedWordStep):
    tokenizer: Literal["model", "starter"] = "model"
    """That of the recipe's model, or the bundled one."""


class TokenReplace(_TokenStep):
    """Replaces tokens by random ones of the vocabulary."""

    kind: Literal["token_replace"] = "token_replace"


class TokenDelete(_TokenStep):
    """Deletes tokens."""

    kind: Literal["token_delete"] = "token_delete"


class Plugin(RatedStep):
    """Edits by a function that a package registers under the entry points `corpusmith.noise`."""

    kind: Literal["plugin"] = "plugin"
    name: str = Field(min_length=1, max_length=200)
    """Name of the entry point."""
    options: dict[str, JsonValue] = Field(default_factory=dict)
    """What the function is given besides."""


TokenStep = TokenReplace | TokenDelete


class _Mixture(Step):
    steps: "tuple[TextStep, ...]" = Field(min_length=1, max_length=MOST_STEPS)
    """Members; mixtures may be among them."""


class OneOf(_Mixture):
    """Applies one of its steps to each text."""

    kind: Literal["one_of"] = "one_of"
    weights: tuple[Weight, ...] | None = None
    """How often each step is the one, relative to the others; equally often when absent."""

    @model_validator(mode="after")
    def _one_weight_a_step(self) -> "OneOf":
        if self.weights is not None and len(self.weights) != len(self.steps):
            raise ValueError(f"weights: {len(self.steps)} steps but {len(self.weights)} weights")
        return self


class SomeOf(_Mixture):
    """Applies some of its steps to each text, in the order in which they stand."""

    kind: Literal["some_of"] = "some_of"
    count: (
        Annotated[int, Field(ge=0)]
        | tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]]
    )
    """How many; or the least and the most, every number between being equally likely."""

    @property
    def bounds(self) -> tuple[int, int]:
        """The least and the greatest number of steps."""
        return self.count if isinstance(self.count, tuple) else (self.count, self.count)

    @model_validator(mode="after")
    def _not_more_than_there_are(self) -> "SomeOf":
        least, most = self.bounds
        if not least <= most <= len(self.steps):
            raise ValueError(
                f"count: must be from 0 to the number of steps, {len(self.steps)}, and the least "
                "not above the most"
            )
        return self


MixtureStep = OneOf | SomeOf
TextStep = Annotated[
    CharacterStep | WordStep | TokenStep | Plugin | MixtureStep, Field(discriminator="kind")
]
"""A step that edits texts; `kind` says which."""


class LabelFlip(Step):
    """Replaces the label of a row and leaves its text: `rate`, or a whole transition `matrix`."""

    kind: Literal["label_flip"] = "label_flip"
    rate: Rate | None = None
    """Probability that the label becomes another one, all others being equally likely."""
    matrix: dict[str, dict[str, Rate]] | None = Field(default=None, min_length=1)
    """Probability of each label given the true one; a label without a row keeps its own."""

    @field_validator("matrix")
    @classmethod
    def _rows_add_up(
        cls, matrix: dict[str, dict[str, float]] | None, info: ValidationInfo
    ) -> dict[str, dict[str, float]] | None:
        for label, row in (matrix or {}).items():
            total = math.fsum(row.values())
            if abs(total - 1) > _SUM_TOLERANCE:
                raise ValueError(f"{label}: the row adds up to {total:g}, not to 1")
        return matrix

    @model_validator(mode="after")
    def _rate_or_matrix(self) -> "LabelFlip":
        if (self.rate is None) == (self.matrix is None):
            raise ValueError("rate: give either a rate or a matrix")
        return self


RecipeStep = Annotated[
    CharacterStep | WordStep | TokenStep | Plugin | MixtureStep | LabelFlip,
    Field(discriminator="kind"),
]
"""A step of a recipe: on texts, or on labels."""

OneOf.model_rebuild()
SomeOf.model_rebuild()

PRESET_KINDS = ("keyboard", "char_delete", "word_delete")


def preset_steps(level: Level) -> list[dict[str, Any]]:
    """Return the steps, as a recipe writes them, for which a preset stands.

    Each text gets one or two of the slips that every writer makes, at the level of the preset.
    """
    members = [{"kind": kind, "level": level} for kind in PRESET_KINDS]
    return [{"kind": "some_of", "count": [1, 2], "steps": members}]


def walk(
    steps: Sequence[Any], path: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Yield every step of a tree with its key path below `steps`, a mixture before its members."""
    for place, step in enumerate(steps):
        yield (*path, place), step
        if isinstance(step, MixtureStep):
            yield from walk(step.steps, (*path, place, "steps"))


def operator_kinds(steps: Sequence[Any]) -> list[str]:
    """Return the kinds of all steps that are no mixtures, each once, in the order of the tree."""
    kinds = (step.kind for _, step in walk(steps) if not isinstance(step, MixtureStep))
    return list(dict.fromkeys(kinds))


def asks_for_tokenizer(steps: Sequence[Any], *, name: str | None = None) -> bool:
    """Tell whether a step works on tokens: of the tokenizer `name`, or of any."""
    tokens = (step for _, step in walk(steps) if isinstance(step, TokenStep))
    return any(name in (None, step.tokenizer) for step in tokens)


def check_tree(steps: Sequence[Any]) -> None:
    """Refuse a tree of steps that is too deep or too large.

    Raises:
        ValueError: With the key at fault before the colon.
    """
    every = list(walk(steps))
    if len(every) > MOST_STEPS:
        raise ValueError(f"steps: {len(every)} steps in all, more than {MOST_STEPS}")
    # A path has one part at the top and two more for each level below it.
    deepest = max((len(path) for path, step in every if isinstance(step, MixtureStep)), default=0)
    if deepest > 2 * MOST_DEEP - 1:
        raise ValueError(f"steps: mixtures are nested more than {MOST_DEEP} deep")


def labels_named(step: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield the labels that a step names, each with its key path below the step."""
    for place, label in enumerate(step.labels or ()):
        yield ("labels", place), label
    if isinstance(step, RatedStep) and isinstance(step.rate, dict):
        yield from ((("rate", label), label) for label in step.rate if label != DEFAULT)
    if isinstance(step, LabelFlip):
        for label, row in (step.matrix or {}).items():
            yield ("matrix", label), label
            yield from ((("matrix", label, target), target) for target in row)


def unknown_label(
    path: tuple[str | int, ...], label: str, *, labels: Sequence[str]
) -> PydanticCustomError:
    """Return the error of a step that names a label which the recipe does not have.

    Args:
        path: Key path of the name in the recipe.
        label: The name.
        labels: Those that there are.
    """
    context = {"path": json.dumps(path), "label": label, "labels": json.dumps(list(labels))}
    return PydanticCustomError("unknown_label", "'{label}' is not a label", context)
