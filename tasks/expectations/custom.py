"""The project's own expectations.

Imports Great Expectations: import this module inside functions only.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import pandas as pd
from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine
from great_expectations.expectations.core.expect_column_mean_to_be_between import (
    ExpectColumnMeanToBeBetween,
)
from great_expectations.expectations.expectation import ColumnAggregateExpectation
from great_expectations.expectations.metrics.column_aggregate_metric_provider import (
    ColumnAggregateMetricProvider,
    column_aggregate_value,
)


class ExpectDuplicateRateToBeAtMost(ExpectColumnMeanToBeBetween):
    """The mean of a 0/1 column, the share of copies of earlier rows, is at most `max_value`."""


class ExpectNearDuplicateRateToBeAtMost(ExpectColumnMeanToBeBetween):
    """The mean of a 0/1 column, the share of near duplicates, is at most `max_value`."""


class ExpectDistinctNgramShareToBeAtLeast(ExpectColumnMeanToBeBetween):
    """A figure of the whole corpus, the share of distinct n-grams, is at least `min_value`."""


class ExpectRejectionRateToBeAtMost(ExpectColumnMeanToBeBetween):
    """A figure of the whole corpus, the share of rejected candidates, is at most `max_value`."""


class ColumnCounts(ColumnAggregateMetricProvider):
    """How often each value occurs in a column, nulls left out."""

    metric_name = "column.counts"

    @column_aggregate_value(engine=PandasExecutionEngine)
    def _pandas(cls, column: pd.Series, **_: Any) -> dict[str, int]:
        return {str(value): int(count) for value, count in column.value_counts().items()}


class ExpectColumnCountsToEqual(ColumnAggregateExpectation):
    """Every value occurs exactly as often as stated, and no other value occurs."""

    counts: dict[str, int]
    """Expected number of rows of each value."""

    metric_dependencies = ("column.counts",)
    success_keys: ClassVar[tuple[str, ...]] = ("counts",)

    def _validate(self, metrics: dict[str, Any], *_: Any, **__: Any) -> dict[str, Any]:
        wrong = misplaced_rows(metrics["column.counts"], self.counts)
        return {"success": wrong == 0, "result": {"observed_value": wrong}}


class ExpectColumnSharesToMatch(ColumnAggregateExpectation):
    """The shares of the values agree with the stated ones: `share_agreement` >= `min_value`."""

    shares: dict[str, float]
    """Stated share of each value, adding up to 1."""
    min_value: float
    """Least agreement, 0 to 1."""

    metric_dependencies = ("column.counts",)
    success_keys: ClassVar[tuple[str, ...]] = ("shares", "min_value")

    def _validate(self, metrics: dict[str, Any], *_: Any, **__: Any) -> dict[str, Any]:
        observed = share_agreement(metrics["column.counts"], self.shares)
        return {
            "success": observed is not None and observed >= self.min_value,
            "result": {"observed_value": observed},
        }


def misplaced_rows(counts: Mapping[str, int], expected: Mapping[str, int]) -> int:
    """Count the rows that are missing or too many: the sum of all differences."""
    values = counts.keys() | expected.keys()
    return sum(abs(counts.get(value, 0) - expected.get(value, 0)) for value in values)


def share_agreement(counts: Mapping[str, int], shares: Mapping[str, float]) -> float | None:
    """Return 1 - total variation distance between observed and stated shares; None without rows.

    1 when they agree, 0 when no row has a value that is stated.
    """
    total = sum(counts.values())
    if not total:
        return None
    values = sorted(counts.keys() | shares.keys())
    distance = sum(abs(counts.get(value, 0) / total - shares.get(value, 0.0)) for value in values)
    # Rounded so that shares in binary cannot turn a perfect 1 into 0.9999999999999999.
    return round(1 - distance / 2, 12)
