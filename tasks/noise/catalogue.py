"""The kinds of noise as a list: meaning, parameters and where each was published."""

import importlib
import inspect
import pkgutil
from functools import cache
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import tasks.noise
from schemas.base import Frozen
from schemas.noise import CharacterStep, RatedStep, RecipeStep, Step


class KindParameter(Frozen):
    """One parameter of a kind."""

    name: str
    meaning: str
    default: Any = None
    is_required: bool


class NoiseKind(Frozen):
    """One kind of noise."""

    kind: str
    unit: str
    """What its rate counts by: `character`, or `word` for everything larger."""
    meaning: str
    parameters: tuple[KindParameter, ...]
    """Its own; `rate` or `level`, and `labels`, are those of every kind with `has_rate`."""
    has_rate: bool
    sources: tuple[str, ...]
    """What its operator cites."""


@cache
def step_classes() -> dict[str, type[Frozen]]:
    """Return the members of `RecipeStep` by kind, in the order in which they are declared."""
    return {member.model_fields["kind"].default: member for member in _members(RecipeStep)}


def unit_of(kind: str) -> str:
    """Say what a kind's rate counts by: `character`, or `word` for everything larger."""
    step = step_classes().get(kind)
    return "character" if step is not None and issubclass(step, CharacterStep) else "word"


def catalogue() -> tuple[NoiseKind, ...]:
    """Describe every kind of noise, from the schemas and from what the operators cite."""
    cited = _citations()
    return tuple(
        NoiseKind(
            kind=kind,
            unit=unit_of(kind),
            meaning=meaning_of(kind),
            parameters=_parameters(step),
            has_rate=issubclass(step, RatedStep),
            sources=cited.get(kind, ()),
        )
        for kind, step in step_classes().items()
    )


def _parameters(step: type[Frozen]) -> tuple[KindParameter, ...]:
    shared = (RatedStep if issubclass(step, RatedStep) else Step).model_fields
    return tuple(
        KindParameter(
            name=name,
            meaning=" ".join((field.description or "").split()),
            default=None if field.is_required() else _plain(field.default),
            is_required=field.is_required(),
        )
        for name, field in step.model_fields.items()
        if name not in shared and name != "kind"
    )


def meaning_of(kind: str) -> str:
    """Say in a sentence what a kind does; nothing for a kind that is not known."""
    step = step_classes().get(kind)
    return " ".join((step.__doc__ or "").split("\n\n")[0].split()) if step else ""


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, Frozen) else value


def _members(kind: Any) -> list[Any]:
    if get_origin(kind) is Annotated:
        return _members(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        return [member for part in get_args(kind) for member in _members(part)]
    return [kind]


@cache
def _citations() -> dict[str, tuple[str, ...]]:
    """Return what the docstring of each operator, the function that bears its name, refers to."""
    cited = {}
    for module in pkgutil.iter_modules(tasks.noise.__path__):
        loaded = importlib.import_module(f"tasks.noise.{module.name}")
        for kind in step_classes():
            operator = getattr(loaded, kind, None)
            if inspect.isfunction(operator) and operator.__module__ == loaded.__name__:
                _, _, after = (inspect.getdoc(operator) or "").partition("\nReferences:\n")
                lines = [line.strip() for line in after.split("\n\n")[0].splitlines()]
                cited[kind] = tuple(line for line in lines if line)
    return cited
