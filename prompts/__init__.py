"""Prompt templates and label descriptions as data, and the one loader that reads them."""

from functools import cache
from importlib.resources import files

from schemas.yaml_source import parse_yaml

_SUFFIX = ".j2"
QUESTIONS = ("label_of", "label_of_starter", "restore", "restore_starter")
"""Templates that strategies render about a text; no recipe can name them for its rows."""


@cache
def template_names() -> tuple[str, ...]:
    """Return the names of the shipped templates that a recipe can name, sorted."""
    names = (file.name for file in files(__package__).iterdir())
    shipped = {name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)}
    return tuple(sorted(shipped.difference(QUESTIONS)))


def read_template(name: str) -> str:
    """Return the text of a shipped template.

    Raises:
        KeyError: If no template has that name.
    """
    if name not in (*template_names(), *QUESTIONS):
        raise KeyError(name)
    return files(__package__).joinpath(name + _SUFFIX).read_text(encoding="utf-8")


@cache
def label_descriptions() -> dict[str, list[str]]:
    """Return what the starter model has learned to call labels: `dataset/label` to descriptions.

    The result is shared: do not change it.
    """
    text = files(__package__).joinpath("labels.yaml").read_text(encoding="utf-8")
    descriptions: dict[str, list[str]] = parse_yaml(text, name="labels.yaml").data
    return descriptions
