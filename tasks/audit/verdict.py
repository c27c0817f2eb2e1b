"""From metrics, findings and gates to a verdict that a person can act on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from schemas.audit import Band, Finding, GateOutcome, Group, Metric, Section, Verdict
from tasks.report.audit_figures import bound_words, figure

NUM_REASONS = 3
Severity = Literal["block", "fix", "note"]
_WEIGHT: Mapping[Severity, int] = {"block": 2, "fix": 1, "note": 0}
_SEVERITY: Mapping[str, Severity] = {
    "fail": "block",
    "warn": "fix",
    "pass": "note",
    "unmeasured": "note",
}


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What becomes of the dataset, and why.

    Args:
        verdict: `block` when a gate failed or a finding blocks, `fix` when a gate warned or a
            finding is to be mended, else `ship`.
        reasons: At most `NUM_REASONS` sentences, the strongest first.
        bands: One a section, in their order.
    """

    verdict: Verdict
    reasons: tuple[str, ...]
    bands: tuple[Band, ...]


@dataclass(frozen=True, slots=True)
class _Ground:
    """Something that speaks against the dataset: a broken gate, or a finding without one."""

    group: Group
    weight: int
    rows: int
    what: str
    action: str

    @property
    def rank(self) -> tuple[int, int, str]:
        """Sorts the strongest first."""
        return -self.weight, -self.rows, self.what


def settle(
    sections: Sequence[Section], outcomes: Sequence[GateOutcome], *, off: frozenset[str]
) -> tuple[Section, ...]:
    """Let gates decide how grave the findings are that put their metrics into words.

    A gate that fails blocks, one that warns asks to mend; what passes, was not measured or is
    turned off is a note. Findings of a metric without a gate stay as they are.

    Args:
        sections: What was found.
        outcomes: What the gates said.
        off: Metrics whose gates are off.
    """
    decided = {one.metric: _SEVERITY[one.level] for one in outcomes} | dict.fromkeys(off, "note")
    return tuple(
        section.model_copy(
            update={
                "findings": tuple(
                    one.model_copy(update={"severity": decided.get(one.measured_by, one.severity)})
                    for one in section.findings
                )
            }
        )
        for section in sections
    )


def conclude(sections: Sequence[Section], outcomes: Sequence[GateOutcome]) -> Conclusion:
    """Weigh findings and gates.

    A broken gate and the findings of its metric are one ground, told by the finding of most rows.

    Args:
        sections: What was found, settled.
        outcomes: What the gates said.
    """
    grounds = sorted(_grounds(sections, outcomes), key=lambda ground: ground.rank)
    worst = grounds[0].weight if grounds else 0
    verdict: Verdict = "block" if worst == 2 else "fix" if worst == 1 else "ship"
    reasons = tuple(f"{ground.what} {ground.action}" for ground in grounds[:NUM_REASONS])
    return Conclusion(
        verdict=verdict,
        reasons=reasons or (_clean(sections),),
        bands=tuple(
            _band(section, [ground for ground in grounds if ground.group is section.group])
            for section in sections
        ),
    )


def _grounds(sections: Sequence[Section], outcomes: Sequence[GateOutcome]) -> Iterator[_Ground]:
    broken = {one.metric: one for one in outcomes if one.level in ("fail", "warn")}
    metrics = {metric.name: metric for section in sections for metric in section.metrics}
    telling: dict[str, list[Finding]] = {name: [] for name in broken}
    for finding in (one for section in sections for one in section.findings):
        if finding.measured_by in broken:
            telling[finding.measured_by].append(finding)
        elif finding.severity != "note":
            yield _of_finding(finding)
    for name, outcome in broken.items():
        if found := telling[name]:
            yield _of_finding(max(found, key=lambda one: one.rows or 0))
        else:
            yield _of_gate(outcome, metrics[name])


def _of_finding(finding: Finding) -> _Ground:
    return _Ground(
        group=finding.group,
        weight=_WEIGHT[finding.severity],
        rows=finding.rows or 0,
        what=finding.what,
        action=finding.action,
    )


def _of_gate(outcome: GateOutcome, metric: Metric) -> _Ground:
    if metric.estimate is None:
        raise ValueError(f"the gate of {metric.name} is broken by nothing")
    bad = metric.unit == "share" and metric.better == "lower"
    return _Ground(
        group=metric.group,
        weight=_WEIGHT[_SEVERITY[outcome.level]],
        rows=round(metric.estimate.value * metric.estimate.n) if bad else 0,
        what=f"{metric.title}: {figure(metric.estimate.value, metric.unit)}, where "
        f"{bound_words(outcome.bound, metric.unit)} is allowed.",
        action="Mend it, or move the bound.",
    )


def _clean(sections: Sequence[Section]) -> str:
    metrics = [metric for section in sections for metric in section.metrics]
    measured = sum(metric.estimate is not None for metric in metrics)
    return (
        f"Nothing was found against it: {measured} of {len(metrics)} metrics were measured, "
        "and no gate was broken."
    )


def _band(section: Section, grounds: Sequence[_Ground]) -> Band:
    metrics = section.metrics
    if grounds:
        worst = grounds[0]
        level: Literal["fair", "poor"] = "poor" if worst.weight == 2 else "fair"
        return Band(group=section.group, level=level, why=worst.what, action=worst.action)
    if not any(metric.estimate for metric in metrics) and not section.findings:
        why = next((metric.unmeasured for metric in metrics if metric.unmeasured), "not measured")
        return Band(group=section.group, level="unmeasured", why=why, action="")
    return Band(group=section.group, level="good", why="Nothing to mend was found.", action="")
