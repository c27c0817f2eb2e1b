"""Gates: what is allowed of a dataset, alone and beside its reference."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.audit import Estimate, GateOutcome, Group, Metric
from schemas.audit_gates import AuditFile
from schemas.bounds import Bound
from tasks.audit.bounds import Allowed, Excess, Gate, Multiple, bound_beside, bounds_of
from tasks.audit.defaults import DEFAULT_GATES
from tasks.audit.metrics_page import gate_in_words, metrics_page
from tasks.audit.sections import known_metrics

ROOT = Path(__file__).resolve().parents[3]
SHARES = st.floats(0.001, 1)


def metric(name: str, value: float | None, reference: Estimate | None = None) -> Metric:
    return Metric(
        name=name, group=Group.SHAPE, title="T", unit="share", better="lower", definition="d",
        estimate=None if value is None else Estimate(value=value, n=100),
        unmeasured="no rows" if value is None else None, baseline=reference,
    )  # fmt: skip


def near(value: float, low: float, high: float) -> Estimate:
    return Estimate(value=value, low=low, high=high, n=100)


LIMITS = Bound(warn_above=0.1, fail_above=0.5)


@pytest.mark.parametrize(
    ("gate", "reference", "expected"),
    [
        (Gate("r", LIMITS), None, LIMITS),
        (Gate("r", LIMITS), near(0.9, 0.8, 1), LIMITS),
        (Gate("r", LIMITS, Allowed()), None, LIMITS),
        (Gate("r", LIMITS, Allowed()), near(0.2, 0.1, 0.3), Bound(warn_above=0.3, fail_above=0.5)),
        (Gate("r", LIMITS, Allowed()), near(0.7, 0.6, 0.8), Bound(warn_above=0.8, fail_above=0.8)),
        # A reference of few rows without a case has a wide interval, and excuses nothing.
        (Gate("r", LIMITS, Allowed()), near(0, 0, 0.8), LIMITS),
        (Gate("r", Bound(warn_below=0.9), Allowed()), near(0.6, 0.5, 0.7), Bound(warn_below=0.5)),
        (Gate("r", None, Excess(Bound(warn_above=0.1))), None, None),
        (
            Gate("r", Bound(warn_above=0.9), Excess(Bound(warn_above=0.1))),
            near(0.07, 0.06, 0.08),
            Bound(warn_above=0.18),
        ),
        (
            Gate("r", None, Excess(Bound(warn_below=0.1))),
            near(0.7, 0.6, 0.8),
            Bound(warn_below=0.5),
        ),
        (
            Gate("r", Bound(fail_below=2), Multiple(Bound(warn_below=0.5))),
            near(100, 90, 110),
            Bound(fail_below=2, warn_below=50),
        ),
        (
            Gate("r", Bound(fail_below=2), Multiple(Bound(warn_below=0.5))),
            near(3, 2, 4),
            Bound(fail_below=2, warn_below=2),
        ),
        (Gate("r", LIMITS, fewest=101), None, None),
    ],
)
def test_bounds_beside_a_reference(
    gate: Gate, reference: Estimate | None, expected: Bound | None
) -> None:
    assert bound_beside(gate, metric("m", 0.2, reference)) == expected


@settings(deadline=None, max_examples=60)
@given(SHARES, SHARES, SHARES, st.booleans())
def test_what_the_reference_has_too_is_never_held_against_a_dataset(
    warn: float, fail: float, real: float, above: bool
) -> None:
    ends = {"warn": max(warn, fail), "fail": min(warn, fail)}
    sides = {f"{k}_below": v for k, v in ends.items()}
    if above:
        sides = {"warn_above": ends["fail"], "fail_above": ends["warn"]}
    gate = Gate("r", Bound.model_validate(sides), Allowed())
    found = bound_beside(gate, metric("m", real, near(real, real, real)))
    assert found is not None
    # Bounds have three digits.
    slack = 0.006 * real
    for side, value in found.model_dump(exclude_none=True).items():
        assert value >= real - slack if side.endswith("above") else value <= real + slack


def test_the_file_of_a_user_goes_before_the_defaults() -> None:
    known = {name: metric(name, 0.2) for name in ("a", "b", "c", "d")}
    gates = {name: Gate("r", LIMITS) for name in ("a", "b", "c")}
    gates["d"] = Gate("r", LIMITS, asked="language")
    wishes = AuditFile.model_validate({"gates": {"a": {"fail_above": 1}, "b": "off"}})
    found = bounds_of(known, defaults=gates, wishes=wishes)
    assert found.by_metric == {"a": Bound(fail_above=1), "b": None, "c": LIMITS}
    assert (found.off, found.idle) == ({"b"}, {"d"})
    asked = bounds_of(known, defaults=gates, wishes=AuditFile(language="en"))
    assert asked.by_metric["d"] == LIMITS


def test_a_gate_without_a_bound_is_listed_as_unmeasured() -> None:
    known = {name: metric(name, 0.2) for name in ("a", "b", "c")}
    gates = {"a": Gate("r", None, Excess(LIMITS)), "b": Gate("r", LIMITS)}
    passed = GateOutcome(metric="b", level="pass", observed=0.2, bound="<= 0.5")
    found = bounds_of(known, defaults=gates, wishes=AuditFile()).with_idle((passed,), known)
    idle = GateOutcome(metric="a", level="unmeasured", observed=0.2, bound="")
    assert found == (idle, passed)


def test_every_default_gate_bounds_a_metric_on_its_worse_side() -> None:
    known = known_metrics()
    assert set(DEFAULT_GATES) <= set(known)
    for name, gate in DEFAULT_GATES.items():
        assert gate.reason.endswith("."), name
        bounds = [gate.alone, getattr(gate.beside, "bound", None)]
        sides = {
            side
            for bound in bounds
            if bound is not None
            for side in bound.model_dump(exclude_none=True)
        }
        assert sides, name
        ways = {side.split("_")[1] for side in sides}
        match known[name].better:
            case "lower":
                assert ways == {"above"}, name
            case "higher":
                assert ways == {"below"}, name


def test_no_section_asks_to_mend_but_for_what_has_no_figure() -> None:
    """Every threshold that blocks or asks to mend is a gate; significance and absence are not."""
    own = {}
    for path in sorted((ROOT / "tasks" / "audit").glob("*.py")):
        found = re.findall(r'severity="(?:fix|block)"', path.read_text("utf-8"))
        if found and not path.name.startswith("bias"):
            own[path.name] = len(found)
    assert own == {"labels.py": 1, "shape_shares.py": 1}


def test_the_page_of_metrics_is_current() -> None:
    page = (ROOT / "docs" / "metrics.md").read_text("utf-8")
    assert page == metrics_page(), "python -m tasks.audit.metrics_page > docs/metrics.md"


def test_gates_in_words() -> None:
    gate = Gate("r", Bound(warn_above=0.01, fail_above=0.5), Allowed(), fewest=50)
    words = "warns above 1 %, fails above 50 %; or as the reference; from 50 observations on"
    assert gate_in_words(gate, "share") == words
    gate = Gate("r", Bound(fail_below=2), Multiple(Bound(warn_below=0.5)))
    words = "fails below 2; beside a reference warns below 0.5 times its figure"
    assert gate_in_words(gate, "score") == words
