"""The gates of an audit as a Great Expectations suite over one line of metrics."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from schemas.audit import GateOutcome, Metric
from schemas.bounds import Bound

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation

Level = Literal["warn", "fail"]
_SEVERITY: Mapping[Level, str] = {"warn": "warning", "fail": "critical"}


@dataclass(frozen=True)
class AuditValidation:
    """What Great Expectations found.

    Args:
        outcomes: One a gate, in the order of the metrics.
        suite: The suite as Great Expectations serialises it.
        result: Its validation result.
        data_docs: The result as a page that opens offline.
    """

    outcomes: tuple[GateOutcome, ...]
    suite: dict[str, Any]
    result: dict[str, Any]
    data_docs: str


def judge_metrics(
    metrics: Mapping[str, Metric], bounds: Mapping[str, Bound | None], *, title: str
) -> AuditValidation:
    """Hold metrics against their bounds.

    The estimate decides, not its interval: a gate says whether this dataset is within bounds. A
    metric without an estimate has no expectation; its gate's outcome says so.

    Args:
        metrics: What was measured, by name.
        bounds: Bounds by metric; None turns a gate off. Each name is one of `metrics`.
        title: Name of the suite, and title of the page.
    """
    with warnings.catch_warnings():
        # Importing Great Expectations meets deprecated modules of the standard library.
        warnings.simplefilter("ignore")
        from tasks.expectations.docs import render_docs
        from tasks.expectations.validate import run_suite, without_chance

    gates = {name: bound for name in metrics if (bound := bounds.get(name)) is not None}
    values = {
        name: metric.estimate.value
        for name in gates
        if (metric := metrics[name]).estimate is not None
    }
    # A suite needs a column: the number of gates stands in where nothing was measured.
    frame = pd.DataFrame({"num_gates": [float(len(gates))], **{k: [v] for k, v in values.items()}})
    expectations = [
        expectation
        for name in values
        for level in _LEVELS
        if (expectation := _expectation(name, gates[name], level, metrics[name])) is not None
    ]
    suite, result = run_suite(title, frame, expectations)
    broken = {
        (one.expectation_config.meta["gate"], one.expectation_config.meta["level"])
        for one in result.results
        if one.expectation_config is not None and not one.success
    }
    return AuditValidation(
        outcomes=tuple(
            _outcome(name, bound, values.get(name), broken) for name, bound in gates.items()
        ),
        suite=suite,
        result=without_chance(result),
        data_docs=render_docs({title: result}, title=title),
    )


_LEVELS: tuple[Level, ...] = ("fail", "warn")


def bound_in_words(bound: Bound, level: Level) -> str:
    """Write the bounds of a level: `<= 0.05`, `0.2 to 0.8`; empty when it has none."""
    low, high = _limits(bound, level)
    if low is not None and high is not None:
        return f"{low:g} to {high:g}"
    if low is not None:
        return f">= {low:g}"
    return "" if high is None else f"<= {high:g}"


def _limits(bound: Bound, level: Level) -> tuple[float | None, float | None]:
    match level:
        case "warn":
            return bound.warn_below, bound.warn_above
        case "fail":
            return bound.fail_below, bound.fail_above


def _expectation(name: str, bound: Bound, level: Level, metric: Metric) -> "Expectation | None":
    from great_expectations.expectations.core.expect_column_values_to_be_between import (
        ExpectColumnValuesToBeBetween,
    )
    from great_expectations.expectations.metadata_types import FailureSeverity

    low, high = _limits(bound, level)
    if low is None and high is None:
        return None
    return ExpectColumnValuesToBeBetween(
        column=name,
        min_value=low,
        max_value=high,
        severity=FailureSeverity(_SEVERITY[level]),
        description=f"{metric.title} ({bound_in_words(bound, level)}): {metric.definition}",
        meta={"gate": name, "level": level},
    )


def _outcome(
    name: str, bound: Bound, observed: float | None, broken: set[tuple[str, Level]]
) -> GateOutcome:
    level: Literal["pass", "warn", "fail", "unmeasured"] = "unmeasured"
    shown: Level = "warn" if bound_in_words(bound, "warn") else "fail"
    if observed is not None:
        level = "fail" if (name, "fail") in broken else "pass"
        if level == "pass" and (name, "warn") in broken:
            level = "warn"
        if level != "pass":
            shown = level
    return GateOutcome(
        metric=name, level=level, observed=observed, bound=bound_in_words(bound, shown)
    )
