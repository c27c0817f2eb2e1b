import pytest

from schemas.audit import Estimate, Finding, GateOutcome, Group, Metric, Section
from tasks.audit.verdict import conclude, settle

NONE: frozenset[str] = frozenset()


def metric(name: str, value: float | None) -> Metric:
    return Metric(
        name=name,
        group=Group.SHAPE,
        title=name.title(),
        unit="share",
        better="lower",
        estimate=None if value is None else Estimate(value=value, n=10),
        unmeasured="no rows" if value is None else None,
        definition="a definition",
    )


def finding(name: str, severity: str, rows: int = 1) -> Finding:
    return Finding.model_validate(
        {
            "name": name,
            "group": Group.SHAPE,
            "severity": severity,
            "what": f"{rows} rows are {name}.",
            "action": "Mend them.",
            "rows": rows,
        }
    )


def section(*findings: Finding, value: float | None = 0.1) -> Section:
    return Section(group=Group.SHAPE, metrics=(metric("odd", value),), findings=findings)


def outcome(level: str, metric: str = "odd") -> GateOutcome:
    return GateOutcome.model_validate(
        {"metric": metric, "level": level, "observed": 0.1, "bound": "<= 0.05"}
    )


def test_nothing_found_ships() -> None:
    found = conclude([section()], [outcome("pass")])
    assert found.verdict == "ship"
    assert found.reasons == (
        "Nothing was found against it: 1 of 1 metrics were measured, and no gate was broken.",
    )
    assert found.bands[0].level == "good"


def test_a_failed_gate_blocks_and_a_warning_asks_to_fix() -> None:
    failed, warned = (conclude([section()], [outcome(level)]) for level in ("fail", "warn"))
    assert (failed.verdict, failed.bands[0].level) == ("block", "poor")
    assert (warned.verdict, warned.bands[0].level) == ("fix", "fair")
    assert failed.reasons == (
        "Odd: 10.0\xa0%, where at most 5\xa0% is allowed. Mend it, or move the bound.",
    )
    assert failed.bands[0].why == "Odd: 10.0\xa0%, where at most 5\xa0% is allowed."


def test_the_strongest_reasons_come_first() -> None:
    findings = [finding("a", "fix", 9), finding("b", "block", 2), finding("c", "note", 99),
                finding("d", "block", 5), finding("e", "fix", 1)]  # fmt: skip
    found = conclude([section(*findings)], [])
    assert found.verdict == "block"
    assert [reason.split()[3] for reason in found.reasons] == ["d.", "b.", "a."]
    assert found.bands[0].why == "5 rows are d."


@pytest.mark.parametrize(
    ("level", "severity"),
    [("fail", "block"), ("warn", "fix"), ("pass", "note"), ("unmeasured", "note")],
)
def test_a_gate_decides_how_grave_the_findings_of_its_metric_are(level: str, severity: str) -> None:
    own, other = finding("odd", "fix"), finding("ends", "fix")
    told = finding("strange", "fix").model_copy(update={"metric": "odd"})
    (settled,) = settle([section(own, told, other)], [outcome(level)], off=frozenset())
    assert [one.severity for one in settled.findings] == [severity, severity, "fix"]


def test_a_gate_that_is_off_makes_its_finding_a_note() -> None:
    settled = settle([section(finding("odd", "block"))], [], off=frozenset({"odd"}))
    assert settled[0].findings[0].severity == "note"
    assert conclude(settled, []).verdict == "ship"


def test_a_broken_gate_and_its_findings_are_one_reason() -> None:
    told = finding("strange", "note", 4).model_copy(update={"metric": "odd"})
    more = finding("stranger", "note", 9).model_copy(update={"metric": "odd"})
    sections = settle([section(told, more, finding("else", "fix"))], [outcome("warn")], off=NONE)
    found = conclude(sections, [outcome("warn")])
    assert found.reasons == (
        "9 rows are stranger. Mend them.",
        "1 rows are else. Mend them.",
    )


def test_a_gate_without_a_finding_ranks_by_the_rows_that_it_is_about() -> None:
    sections = [section(finding("few", "fix", 2), finding("many", "fix", 20), value=0.5)]
    reasons = conclude(sections, [outcome("warn")]).reasons
    assert [reason.split()[0] for reason in reasons] == ["20", "Odd:", "2"]


def test_what_was_not_measured_says_why() -> None:
    band = conclude([section(value=None)], []).bands[0]
    assert (band.level, band.why) == ("unmeasured", "no rows")
