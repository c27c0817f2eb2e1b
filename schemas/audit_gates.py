"""Gates of an audit: the bounds beyond which a metric warns or fails, and what was asked for."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from schemas.base import Frozen
from schemas.bounds import Bound, GateBound, Weight
from schemas.errors import InputError
from schemas.recipe_errors import recipe_error, suggest
from schemas.recipe_file import read_recipe_text
from schemas.yaml_source import parse_yaml


class AuditFile(Frozen):
    """What `--gates FILE` holds: bounds by metric, and what the dataset was meant to be."""

    gates: dict[str, GateBound] = Field(default_factory=dict)
    """Bounds by the metric's name; `off` turns a default gate off, and with it what its metric
    would say against the dataset."""
    language: str | None = Field(default=None, pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$")
    """Language that the texts should have."""
    labels: dict[str, Weight] | None = None
    """Weight of each label asked for."""
    attributes: dict[str, dict[str, Weight]] = Field(default_factory=dict)
    """Weight of each value of a column asked for."""
    groups: dict[str, dict[str, Weight]] = Field(default_factory=dict)
    """Target weight of each group by axis: `gender: {female: 1, male: 1}`."""


def load_audit_file(path: Path) -> AuditFile:
    """Read a gates file.

    Raises:
        InputError: As for a recipe: `CS-R001` to `CS-R006`, with file and line.
    """
    source = parse_yaml(read_recipe_text(path), name=str(path))
    try:
        return AuditFile.model_validate(source.data)
    except ValidationError as error:
        schema = AuditFile.model_json_schema()
        raise recipe_error(error, source=source, json_schema=schema) from None


def require_known(gates: Mapping[str, Bound | None], known: Mapping[str, Any], path: Path) -> None:
    """Refuse a gate on a metric that no audit measures.

    Raises:
        InputError: `CS-R006`, with the nearest names.
    """
    for name in gates:
        if name not in known:
            raise InputError(
                f"there is no metric {name!r}",
                code="CS-R006",
                place=f"{path}, gates.{name}",
                hint=suggest(name, known) or "the report.json of any audit names every metric",
            )
