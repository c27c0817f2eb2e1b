"""Bounds of a metric, where it warns and where it fails; and how a setting is turned off."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from schemas.base import Frozen

Number = Annotated[float, Field(allow_inf_nan=False)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Bound(Frozen):
    """Warn or fail when a metric lies beyond. The bounds themselves are allowed."""

    warn_above: Number | None = None
    fail_above: Number | None = None
    warn_below: Number | None = None
    fail_below: Number | None = None

    @model_validator(mode="after")
    def _warns_before_it_fails(self) -> "Bound":
        if not self.model_dump(exclude_none=True):
            raise ValueError("give one of warn_above, fail_above, warn_below and fail_below")
        for first, then, between in (
            (self.warn_above, self.fail_above, "warn_above lies above fail_above"),
            (self.fail_below, self.warn_below, "warn_below lies below fail_below"),
        ):
            if first is not None and then is not None and first > then:
                raise ValueError(f"{between}: a metric warns before it fails")
        return self


def is_off(value: Any) -> bool:
    """Tell whether a setting was turned off: readers of YAML 1.1 turn `off` into false."""
    return value is False or value == "off"


def _off_is_none(value: Any) -> Any:
    return None if is_off(value) else value


def or_off(kind: Any) -> BeforeValidator:
    """Accept `off` for None, and say so in the JSON Schema."""
    return BeforeValidator(_off_is_none, json_schema_input_type=kind | Literal["off", False] | None)


GateBound = Annotated[Bound | None, or_off(Bound)]
"""A bound, or `off`."""
