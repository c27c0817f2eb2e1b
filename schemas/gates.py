"""Gates: which candidates are rejected (row) and which datasets are not released (dataset)."""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from schemas.base import Frozen
from schemas.bounds import GateBound, is_off, or_off

Bounds = tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]]
Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Stage(StrEnum):
    """Where in its journey a candidate was dropped."""

    GENERATE = "generate"
    ROW_GATE = "row_gate"
    SELECT = "select"


class Reason(StrEnum):
    """Why a candidate was dropped; `rejected/` and the manifest use these words."""

    GENERATION_ERROR = "generation_error"
    OUTPUT_INVALID = "output_invalid"
    USD_BUDGET = "usd_budget"
    EMPTY = "empty"
    UNFINISHED = "unfinished"
    CHARS = "chars"
    WORDS = "words"
    LENGTH_TARGET = "length_target"
    REPETITION = "repetition"
    PROMPT_ECHO = "prompt_echo"
    EXAMPLE_ECHO = "example_echo"
    LABEL_LEAK = "label_leak"
    MEMORISED = "memorised"
    DUPLICATE = "duplicate"
    NEAR_DUPLICATE = "near_duplicate"


UNSENT = "not sent: what is left of budget.usd does not cover it"
"""Error of a row that was not sent to an endpoint for want of money; it is not tried again."""


class RowGates(Frozen):
    """Reject a candidate, and try its row again. `NAME: off` turns one gate off.

    An empty text is always rejected; nothing turns that off.
    """

    chars: Annotated[Bounds | None, or_off(Bounds)] = (10, 400)
    """Least and greatest number of characters."""
    words: Annotated[Bounds | None, or_off(Bounds)] = (2, 80)
    """Least and greatest number of words."""
    length_target: Annotated[Literal[True] | None, or_off(Literal[True])] = True
    """Reject a text that misses its strategy's `length.target`, in words or characters, by more
    than `length.tolerance` of it."""
    finished: Annotated[Literal[True] | None, or_off(Literal[True])] = True
    """Reject a text that was cut at the greatest length (finish reason `length`)."""
    repetition: Annotated[Fraction | None, or_off(Fraction)] = 0.5
    """Reject when a greater share of the word 3-grams repeats an earlier one of the same text."""
    prompt_echo: Annotated[Fraction | None, or_off(Fraction)] = 0.8
    """Reject when a greater share of the word 3-grams stands in the prompt (examples apart)."""
    example_echo: Annotated[Fraction | None, or_off(Fraction)] = 0.8
    """Reject at this similarity (Jaccard, character 5-grams) to an example in the prompt."""
    label_leak: Annotated[Literal[True] | None, or_off(Literal[True])] = True
    """Reject a text that holds the label's name as a whole word or phrase."""
    memorised: Annotated[Literal[True] | None, or_off(Literal[True])] = True
    """Reject a copy (case and punctuation apart) of an example or of known training text."""
    duplicate: Annotated[Literal[True] | None, or_off(Literal[True])] = True
    """Reject a copy (case and punctuation apart) of a row accepted earlier."""
    near_duplicate: Annotated[Fraction | None, or_off(Fraction)] = 0.8
    """Reject a text whose Jaccard similarity to a row accepted earlier is at least this."""

    @model_validator(mode="after")
    def _ordered(self) -> "RowGates":
        for name, bounds in (("chars", self.chars), ("words", self.words)):
            if bounds is not None and bounds[0] > bounds[1]:
                raise ValueError(f"{name}: {bounds[0]} is greater than {bounds[1]}")
        return self

    @classmethod
    def all_off(cls) -> "RowGates":
        """Turn every gate off but the one for empty texts."""
        return cls.model_validate(dict.fromkeys(cls.model_fields, "off"))


class DatasetGates(Frozen):
    """Fail the run: nothing is released. `NAME: off` turns one gate off."""

    label_balance: Annotated[Fraction | None, or_off(Fraction)] = 0.9
    """Least 1 - total variation distance between the label shares got and asked for."""
    duplicate_rate: Annotated[Fraction | None, or_off(Fraction)] = 0.01
    """Greatest share of rows whose text equals an earlier one's, case and punctuation apart."""
    near_duplicate_rate: Annotated[Fraction | None, or_off(Fraction)] = 0.05
    """Greatest share of rows with a near duplicate (Jaccard 0.8) at an earlier row."""
    distinct_2: Annotated[Fraction | None, or_off(Fraction)] = 0.1
    """Least share of distinct word 2-grams among all word 2-grams of the clean texts."""
    rejection_rate: Annotated[Fraction | None, or_off(Fraction)] = 0.9
    """Greatest share of generated candidates that were rejected."""

    @classmethod
    def all_off(cls) -> "DatasetGates":
        """Turn every gate off."""
        return cls.model_validate(dict.fromkeys(cls.model_fields, "off"))


def _row_gates(value: Any) -> Any:
    return RowGates.all_off() if is_off(value) else value


def _dataset_gates(value: Any) -> Any:
    return DatasetGates.all_off() if is_off(value) else value


AuditGates = dict[str, GateBound]
"""Bounds by the metric's name."""


class GatesConfig(Frozen):
    """Gates of rows, of the dataset and of its audit; `off` in place of any turns all of it off."""

    row: Annotated[
        RowGates,
        BeforeValidator(_row_gates, json_schema_input_type=RowGates | Literal["off", False]),
    ] = RowGates()
    dataset: Annotated[
        DatasetGates,
        BeforeValidator(
            _dataset_gates, json_schema_input_type=DatasetGates | Literal["off", False]
        ),
    ] = DatasetGates()
    audit: Annotated[AuditGates | None, or_off(AuditGates)] = Field(default_factory=dict)
    """Bounds of the audit's metrics, in place of the audit's own; with `off` its verdict fails no
    run."""

    @classmethod
    def all_off(cls) -> "GatesConfig":
        """Turn every gate off but the one for empty texts."""
        return cls(row=RowGates.all_off(), dataset=DatasetGates.all_off(), audit=None)


def _all_gates(value: Any) -> Any:
    return GatesConfig.all_off() if is_off(value) else value


Gates = Annotated[
    GatesConfig,
    BeforeValidator(_all_gates, json_schema_input_type=GatesConfig | Literal["off", False]),
]
"""The gates as a recipe writes them: a mapping, or `off` for none."""
