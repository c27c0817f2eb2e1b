"""Run the suite over a release, and write what came of it."""

import json
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from schemas.manifest import GateResult
from schemas.recipe import Recipe
from tasks.expectations.frame import CORPUS_FIGURES

if TYPE_CHECKING:
    from great_expectations.core.expectation_validation_result import (
        ExpectationSuiteValidationResult,
    )
    from great_expectations.expectations.expectation import Expectation

    from tasks.expectations.audit_suite import AuditValidation
    from tasks.expectations.suite import Gate

# Unexpected values are texts and labels of the corpus: the result states how many, never which.
RESULT_FORMAT = {
    "result_format": "SUMMARY",
    "exclude_unexpected_values": True,
    "include_unexpected_rows": False,
}


@dataclass(frozen=True)
class Validation:
    """What Great Expectations found.

    Args:
        gates: One result a gate: the structural ones, then the recipe's dataset gates.
        suite: The suites, `rows` and `corpus`, as Great Expectations serialises them.
        result: Their validation results; they hold no text of the corpus.
        data_docs: The result as a page that opens offline.
    """

    gates: tuple[GateResult, ...]
    suite: dict[str, Any]
    result: dict[str, Any]
    data_docs: str

    @property
    def passed(self) -> bool:
        """Whether every gate passed."""
        return all(gate.passed for gate in self.gates)


def validate_release(
    frame: pd.DataFrame,
    corpus: Mapping[str, float | None],
    recipe: Recipe,
    *,
    expected_splits: Mapping[str, int],
    expected_labels: Mapping[str, int],
) -> Validation:
    """Validate a corpus against its recipe with Great Expectations.

    Types are not judged here: the Arrow schema holds them. A gate that cannot be measured (no rows,
    a figure that is not a number) has not passed.

    Args:
        frame: One line a row, from `release_frame`.
        corpus: The figures of `CORPUS_FIGURES`, None for one that could not be measured; further
            ones are ignored.
        recipe: The resolved recipe.
        expected_splits: Rows that each split must have.
        expected_labels: Rows that each label must have; the quota, less a shortfall that the recipe
            allows.
    """
    with warnings.catch_warnings():
        # Importing Great Expectations meets deprecated modules of the standard library.
        warnings.simplefilter("ignore")
        from tasks.expectations.docs import render_docs
        from tasks.expectations.suite import build_gates

    gates = build_gates(recipe, expected_splits=expected_splits, expected_labels=expected_labels)
    line = pd.DataFrame({name: [corpus[name]] for name in CORPUS_FIGURES}, dtype="float64")
    batches = {"rows": (frame, gates.rows), "corpus": (line, gates.corpus)}
    suites: dict[str, Any] = {}
    results: dict[str, ExpectationSuiteValidationResult] = {}
    verdicts: list[GateResult] = []
    for name, (data, members) in batches.items():
        suites[name], results[name] = run_suite(
            f"{recipe.name}-{name}",
            data,
            [one for gate in members for one in gate.expectations],
        )
        verdicts += [_verdict(gate, results[name]) for gate in members]
    return Validation(
        gates=tuple(verdicts),
        suite=suites,
        result={name: without_chance(result) for name, result in results.items()},
        data_docs=render_docs(results, title=recipe.name),
    )


def write_validation(validation: "Validation | AuditValidation", folder: Path) -> None:
    """Write `suite.json`, `result.json` and `data_docs/index.html`; folders are made as needed."""
    docs = folder / "data_docs"
    docs.mkdir(parents=True, exist_ok=True)
    _write(folder / "suite.json", json.dumps(validation.suite, indent=2, ensure_ascii=False))
    _write(folder / "result.json", json.dumps(validation.result, indent=2, ensure_ascii=False))
    _write(docs / "index.html", validation.data_docs)


def _write(path: Path, content: str) -> None:
    path.write_text(content.rstrip("\n") + "\n", encoding="utf-8", newline="\n")


def run_suite(
    name: str, frame: pd.DataFrame, expectations: Sequence["Expectation"]
) -> tuple[dict[str, Any], "ExpectationSuiteValidationResult"]:
    """Validate a frame; return the serialised suite and its result, without the corpus's values."""
    from great_expectations import ExpectationSuite, get_context
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = get_context(mode="ephemeral")
    context.enable_analytics(False)
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    asset = context.data_sources.add_pandas(name).add_dataframe_asset(name)
    batch = asset.add_batch_definition_whole_dataframe(name).get_batch({"dataframe": frame})
    suite = ExpectationSuite(name=name, expectations=list(expectations))
    result = batch.validate(suite, result_format=RESULT_FORMAT)
    for one in result.results:
        _plain(one)
    return suite.to_json_dict(), result


def _plain(result: Any) -> None:
    """Make one result fit for JSON and pages: plain numbers, no index lists, no traceback."""
    observed = result.result.get("observed_value")
    if isinstance(observed, float):
        result.result["observed_value"] = float(observed) if math.isfinite(observed) else None
    result.result.pop("partial_unexpected_index_list", None)
    if not result.success and "observed_value" not in result.result:
        result.exception_info = _message(result.exception_info)


def _message(info: dict[str, Any]) -> dict[str, Any]:
    """Keep what went wrong, without the traceback and its paths of this machine."""
    faults = [info] if "raised_exception" in info else list(info.values())
    messages = [fault["exception_message"] for fault in faults if fault["raised_exception"]]
    return {
        "raised_exception": bool(messages),
        "exception_traceback": "" if messages else None,
        "exception_message": messages[0] if messages else None,
    }


def _verdict(gate: "Gate", result: "ExpectationSuiteValidationResult") -> GateResult:
    mine = [
        one
        for one in result.results
        if one.expectation_config is not None and one.expectation_config.meta["gate"] == gate.name
    ]
    return GateResult(
        name=gate.name,
        passed=len(mine) == len(gate.expectations) and all(one.success for one in mine),
        observed=_observed(mine),
        bound=gate.bound,
        meaning=gate.meaning,
    )


def _observed(results: list[Any]) -> float | None:
    """Return the observed number, or the unexpected values of all the gate's expectations."""
    values = [
        one.result.get("observed_value", one.result.get("unexpected_count")) for one in results
    ]
    numbers = [float(value) for value in values if isinstance(value, int | float)]
    return math.fsum(numbers) if numbers and len(numbers) == len(values) else None


def without_chance(result: "ExpectationSuiteValidationResult") -> dict[str, Any]:
    """Serialise a result without load times, so that equal releases have equal results."""
    plain: dict[str, Any] = result.to_json_dict()  # type: ignore[no-untyped-call]
    plain["meta"] = {"great_expectations_version": plain["meta"]["great_expectations_version"]}
    return plain
