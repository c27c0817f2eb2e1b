"""The suite: what a released corpus must be, derived from its recipe.

Imports Great Expectations: import this module inside functions only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from great_expectations.expectations.core.expect_column_values_to_be_between import (
    ExpectColumnValuesToBeBetween,
)
from great_expectations.expectations.core.expect_column_values_to_be_in_set import (
    ExpectColumnValuesToBeInSet,
)
from great_expectations.expectations.core.expect_column_values_to_be_unique import (
    ExpectColumnValuesToBeUnique,
)
from great_expectations.expectations.core.expect_column_values_to_not_be_null import (
    ExpectColumnValuesToNotBeNull,
)
from great_expectations.expectations.core.expect_table_columns_to_match_set import (
    ExpectTableColumnsToMatchSet,
)
from great_expectations.expectations.expectation import Expectation

from schemas.gates import DatasetGates
from schemas.recipe import Recipe
from schemas.row import RELEASED_FIELDS
from tasks.expectations.custom import (
    ExpectColumnCountsToEqual,
    ExpectColumnSharesToMatch,
    ExpectDistinctNgramShareToBeAtLeast,
    ExpectDuplicateRateToBeAtMost,
    ExpectNearDuplicateRateToBeAtMost,
    ExpectRejectionRateToBeAtMost,
)
from tasks.expectations.frame import COLUMNS
from tasks.generation.protocol import FinishReason
from tasks.planning.plan import Plan

NULLABLE = {field.name for field in RELEASED_FIELDS if field.nullable}
NOT_NULL = tuple(column for column in COLUMNS if column not in NULLABLE)


@dataclass(frozen=True)
class Gate:
    """One gate of the release and the expectations that decide it.

    Args:
        name: As the manifest states it; a dataset gate has its name in the recipe.
        bound: The condition in words.
        meaning: What is measured.
        expectations: All must hold.
    """

    name: str
    bound: str
    meaning: str
    expectations: tuple[Expectation, ...]


@dataclass(frozen=True)
class Gates:
    """Every gate of a release, by the batch on which it is decided.

    Args:
        rows: Decided on the frame of rows.
        corpus: Decided on the one line of corpus figures.
    """

    rows: tuple[Gate, ...]
    corpus: tuple[Gate, ...]


def build_gates(
    recipe: Recipe, *, expected_splits: Mapping[str, int], expected_labels: Mapping[str, int]
) -> Gates:
    """Derive the gates of a release from its recipe.

    Args:
        recipe: The resolved recipe.
        expected_splits: Rows that each split must have.
        expected_labels: Rows that each label must have.
    """
    structure = _structure(recipe)
    sizes = _sizes(expected_splits, expected_labels)
    dataset = recipe.gates.dataset
    return Gates(
        rows=(*structure, *sizes, *_row_gates(recipe), *_dataset_gates(recipe)),
        corpus=_corpus_gates(dataset),
    )


def meaning_of(name: str) -> str:
    """Return what a dataset gate measures, in the recipe's own words."""
    return DatasetGates.model_fields[name].description or name


def _gate(
    name: str, bound: str, meaning: str, *expectations: tuple[type[Any], dict[str, Any]]
) -> Gate:
    return Gate(
        name=name,
        bound=bound,
        meaning=meaning,
        expectations=tuple(
            kind(
                **arguments,
                severity="critical",
                description=f"{name} ({bound}): {meaning}",
                meta={"gate": name},
            )
            for kind, arguments in expectations
        ),
    )


def _structure(recipe: Recipe) -> tuple[Gate, ...]:
    kinds = sorted({strategy.kind for strategy in recipe.strategies})
    endings = [reason for reason in get_args(FinishReason) if reason != "error"]
    return (
        _gate(
            "schema",
            "every column, no other",
            "the columns of the released rows and their computed figures",
            (ExpectTableColumnsToMatchSet, {"column_set": list(COLUMNS), "exact_match": True}),
        ),
        _gate(
            "no_nulls",
            "= 0",
            "values missing in columns that must have one",
            *((ExpectColumnValuesToNotBeNull, {"column": column}) for column in NOT_NULL),
        ),
        _gate(
            "ids_unique",
            "= 0",
            "rows that share their id with another",
            (ExpectColumnValuesToBeUnique, {"column": "id"}),
        ),
        _known("labels_known", "label", list(recipe.labels)),
        _known("strategies_known", "strategy", kinds),
        _known("finish_reasons_known", "finish_reason", endings),
    )


def _known(name: str, column: str, values: Sequence[str]) -> Gate:
    return _gate(
        name,
        "= 0",
        f"rows whose {column} is none that the recipe allows",
        (ExpectColumnValuesToBeInSet, {"column": column, "value_set": list(values)}),
    )


def _sizes(
    expected_splits: Mapping[str, int], expected_labels: Mapping[str, int]
) -> tuple[Gate, ...]:
    return (
        _gate(
            "split_sizes",
            "= 0",
            "rows missing or too many in the splits",
            (ExpectColumnCountsToEqual, {"column": "split", "counts": dict(expected_splits)}),
        ),
        _gate(
            "label_quota",
            "= 0",
            "rows missing or too many in the labels",
            (ExpectColumnCountsToEqual, {"column": "label", "counts": dict(expected_labels)}),
        ),
    )


def _row_gates(recipe: Recipe) -> tuple[Gate, ...]:
    row = recipe.gates.row
    return tuple(
        _gate(
            f"{name}_in_bounds",
            "= 0",
            f"rows whose clean text has fewer than {bounds[0]} or more than {bounds[1]} {name}",
            (
                ExpectColumnValuesToBeBetween,
                {"column": f"score_num_{name}", "min_value": bounds[0], "max_value": bounds[1]},
            ),
        )
        for name, bounds in (("chars", row.chars), ("words", row.words))
        if bounds is not None
    )


def _dataset_gates(recipe: Recipe) -> tuple[Gate, ...]:
    gates = recipe.gates.dataset
    # What whole rows can give: five rows cannot have the shares of ten labels.
    shares = dict.fromkeys(recipe.labels, 0.0)
    for cell in Plan.of(recipe).quotas():
        shares[cell.label] += cell.rows / recipe.rows
    found: list[Gate] = []
    if (least := gates.label_balance) is not None:
        arguments = {"column": "label", "shares": shares, "min_value": least}
        found.append(
            _dataset_gate("label_balance", f">= {least:g}", ExpectColumnSharesToMatch, arguments)
        )
    if (most := gates.duplicate_rate) is not None:
        arguments = {"column": "duplicate", "max_value": most}
        found.append(
            _dataset_gate(
                "duplicate_rate", f"<= {most:g}", ExpectDuplicateRateToBeAtMost, arguments
            )
        )
    if (most := gates.near_duplicate_rate) is not None:
        arguments = {"column": "near_duplicate", "max_value": most}
        found.append(
            _dataset_gate(
                "near_duplicate_rate", f"<= {most:g}", ExpectNearDuplicateRateToBeAtMost, arguments
            )
        )
    return tuple(found)


def _corpus_gates(gates: DatasetGates) -> tuple[Gate, ...]:
    found: list[Gate] = []
    if (least := gates.distinct_2) is not None:
        arguments = {"column": "distinct_2", "min_value": least}
        found.append(
            _dataset_gate(
                "distinct_2", f">= {least:g}", ExpectDistinctNgramShareToBeAtLeast, arguments
            )
        )
    if (most := gates.rejection_rate) is not None:
        arguments = {"column": "rejection_rate", "max_value": most}
        found.append(
            _dataset_gate(
                "rejection_rate", f"<= {most:g}", ExpectRejectionRateToBeAtMost, arguments
            )
        )
    return tuple(found)


def _dataset_gate(name: str, bound: str, kind: type[Any], arguments: dict[str, Any]) -> Gate:
    return _gate(name, bound, meaning_of(name), (kind, arguments))
