from typing import Any

import pytest

from schemas.audit import Audit, Estimate, GateOutcome, Group, Inspected, Section
from schemas.comparison import Change, Comparison, GatePair, LabelPair, MetricPair
from tasks.report import comparison_wording as words


def audit(verdict: Any = "ship", *, labels: bool = True) -> Audit:
    label = "label" if labels else None
    return Audit(
        name="a", created="", corpusmith="1", verdict=verdict, reasons=(), bands=(), gates=(),
        sections=(),
        inputs=(Inspected(role="audited", path="a", rows=10, text="text", label=label),),
    )  # fmt: skip


def found(*changes: Change, gates: tuple[Change, ...] = (), **facts: Any) -> Comparison:
    outcome = GateOutcome(metric="m", level="pass", observed=1, bound="<= 1")
    return Comparison(**{
        "created": "", "corpusmith": "1", "first": audit(), "second": audit(), "kept_rows": 10,
        "drift": Section(group=Group.FIDELITY, metrics=()),
        "metrics": tuple(
            MetricPair(
                name="m", group=Group.SHAPE, title="M", unit="share", first=None, second=None,
                change=change,
            )
            for change in changes
        ),
        "gates": tuple(
            GatePair(metric="m", first=outcome, second=outcome, change=change) for change in gates
        ),
    } | facts)  # fmt: skip


@pytest.mark.parametrize(
    ("comparison", "sentence", "tone"),
    [
        (
            found("worse", "changed", "same", gates=("worse", "worse", "better")),
            "2 gates got worse; 1 measure got worse, 1 changed where neither direction is better.",
            "fail",
        ),
        (
            found("better", "unknown", gates=("better",)),
            "No gate got worse; no measure got worse, 1 got better.",
            "ship",
        ),
        (
            found("same", "unknown"),
            "No gate was set; no measure changed by more than chance explains.",
            "ship",
        ),
        (
            found(second=audit("fix")),
            "No gate was set; no measure changed by more than chance explains.",
            "fix",
        ),
        (found("worse", gates=("same",)), None, "fix"),
    ],
)
def test_the_headline_names_what_got_worse_first(
    comparison: Comparison, sentence: str | None, tone: str
) -> None:
    assert sentence is None or words.headline(comparison) == sentence
    assert words.tone(comparison) == tone


@pytest.mark.parametrize(
    ("first", "second", "sentence"),
    [
        ("ship", "ship", "The verdict is ship for both."),
        ("ship", "fix", "The verdict got worse: ship for A, fix for B."),
        ("block", "fix", "The verdict got better: block for A, fix for B."),
    ],
)
def test_what_became_of_the_verdict(first: str, second: str, sentence: str) -> None:
    assert words.verdict_change(found(first=audit(first), second=audit(second))) == sentence


def test_what_became_of_the_labels() -> None:
    share = Estimate(value=0.5, n=4)
    pair = LabelPair(
        label="x", first_rows=2, second_rows=2, first=share, second=share, change="changed"
    )
    assert words.label_change(found(labels=(pair,), new_labels=("a", "b"))) == (
        "2 labels are new in B, no label of A is lost; 1 share differs by more than chance "
        "explains."
    )
    none = audit(labels=False)
    assert words.label_change(found(first=none)) == "A has no labels to compare with."
    assert words.label_change(found(second=none)) == "B has no labels, A has."
    assert words.label_change(found(first=none, second=none)) == "Neither dataset has labels."


@pytest.mark.parametrize(
    ("first", "second", "unit", "said"),
    [
        (0.02, 0.051, "share", "higher by 3.10 percentage points"),
        (12.5, 11.0, "words", "lower by 1.50 words"),
        (12.0, 11.0, "words", "lower by 1 word"),
        (0.1 + 0.2, 0.3, "score", "equal"),
        (0.0, 0.0, "share", "equal"),
    ],
)
def test_a_difference_in_words(first: float, second: float, unit: str, said: str) -> None:
    old, new = Estimate(value=first, n=1), Estimate(value=second, n=1)
    assert words.difference(old, new, unit) == said
    assert words.difference(None, new, unit) == ""
