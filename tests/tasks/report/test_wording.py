from collections.abc import Callable
from typing import Any

import pytest

from schemas.gates import Reason
from schemas.manifest import GateResult
from tasks.report.wording import bound_in_words, grounds, reason_meaning


def test_every_reason_has_a_meaning_of_its_own() -> None:
    meanings = [reason_meaning(reason) for reason in Reason]
    assert all(meaning.endswith(".") for meaning in meanings)
    assert len(set(meanings)) == len(meanings)
    assert reason_meaning("<unheard of>") == ""


@pytest.mark.parametrize(
    ("bound", "words"),
    [
        (">= 0.9", "at least 0.9"),
        ("<=0.01", "at most 0.01"),
        ("< 3", "less than 3"),
        ("= 0", "exactly 0"),
        ("odd", "odd"),
    ],
)
def test_bounds_in_words(bound: str, words: str) -> None:
    assert bound_in_words(bound) == words


def test_a_shortfall_is_a_ground(small: Any) -> None:
    assert grounds(small.manifest) == (
        "5 of 125 rows asked for are missing: the budget was spent before they were accepted.",
        "2 of 2 dataset gates passed.",
    )


def test_an_allowed_shortfall_is_said(small: Any) -> None:
    allowed = small.manifest.model_copy(update={"verdict": "pass"})
    assert grounds(allowed)[0].endswith("accepted; the recipe allows that.")


def test_failed_gates_are_grounds(release: Callable[..., Any], row: Callable[..., Any]) -> None:
    gates = (
        GateResult(
            name="distinct_2", passed=False, observed=0.05, bound=">= 0.1", meaning="Pairs."
        ),
        GateResult(
            name="schema",
            passed=False,
            observed=None,
            bound="every column, no other",
            meaning="the columns",
        ),
    )
    run = release(accepted=[row(0)], changes={"gates": gates, "verdict": "fail"})
    assert grounds(run.manifest) == (
        "2 of 2 dataset gates failed.",
        "distinct_2 is 0.0500; it has to be at least 0.1 (Pairs).",
        "schema failed; it has to be every column, no other (the columns).",
        "The one row asked for was accepted.",
    )


def test_a_failure_without_a_failed_gate_is_not_left_unexplained(
    release: Callable[..., Any], row: Callable[..., Any]
) -> None:
    run = release(accepted=[row(0)], changes={"gates": (), "verdict": "fail"})
    sentences = grounds(run.manifest)
    assert sentences[0] == "No dataset gate was set."
    assert "expectations/" in sentences[-1]
