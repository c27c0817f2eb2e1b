"""From metrics, findings and gates to a verdict that a person can act on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from schemas.audit import Band, Finding, GateOutcome, Metric, Section, Verdict

NUM_REASONS = 3
_WEIGHT = {"block": 2, "fix": 1, "note": 0}


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


def settle(sections: Sequence[Section], off: frozenset[str]) -> tuple[Section, ...]:
    """Turn findings whose gate is off into notes: the user said not to mind them.

    Args:
        sections: What was found.
        off: Metrics whose gates are off.
    """
    return tuple(
        section.model_copy(
            update={
                "findings": tuple(
                    one.model_copy(update={"severity": "note"}) if one.name in off else one
                    for one in section.findings
                )
            }
        )
        for section in sections
    )


def conclude(sections: Sequence[Section], outcomes: Sequence[GateOutcome]) -> Conclusion:
    """Weigh findings and gates.

    Args:
        sections: What was found, settled.
        outcomes: What the gates said.
    """
    metrics = {metric.name: metric for section in sections for metric in section.metrics}
    grounds = [
        *((2 if one.level == "fail" else 1, 0, _of_gate(one, metrics[one.metric]))
          for one in outcomes if one.level in ("fail", "warn")),
        *((_WEIGHT[one.severity], one.rows or 0, f"{one.what} {one.action}")
          for section in sections for one in section.findings if one.severity != "note"),
    ]  # fmt: skip
    ordered = sorted(grounds, key=lambda ground: (-ground[0], -ground[1], ground[2]))
    worst = ordered[0][0] if ordered else 0
    verdict: Verdict = "block" if worst == 2 else "fix" if worst == 1 else "ship"
    return Conclusion(
        verdict=verdict,
        reasons=tuple(reason for *_, reason in ordered[:NUM_REASONS]) or (_clean(sections),),
        bands=tuple(_band(section, outcomes) for section in sections),
    )


def _of_gate(outcome: GateOutcome, metric: Metric) -> str:
    verb = "fails" if outcome.level == "fail" else "warns"
    return (
        f"{metric.title} is {outcome.observed:.4g}; its gate {verb} unless it is {outcome.bound}."
    )


def _clean(sections: Sequence[Section]) -> str:
    metrics = [metric for section in sections for metric in section.metrics]
    measured = sum(metric.estimate is not None for metric in metrics)
    return (
        f"Nothing was found against it: {measured} of {len(metrics)} metrics were measured, "
        "and no gate was broken."
    )


def _band(section: Section, outcomes: Sequence[GateOutcome]) -> Band:
    metrics: Mapping[str, Metric] = {metric.name: metric for metric in section.metrics}
    gates = [one for one in outcomes if one.metric in metrics and one.level in ("fail", "warn")]
    findings = sorted(
        (one for one in section.findings if one.severity != "note"), key=_severity_first
    )
    if not any(metric.estimate for metric in metrics.values()) and not section.findings:
        why = next((metric.unmeasured for metric in metrics.values() if metric.unmeasured), "")
        return Band(group=section.group, level="unmeasured", why=why or "not measured", action="")
    poor = any(one.level == "fail" for one in gates) or any(
        one.severity == "block" for one in findings
    )
    if findings:
        why, action = findings[0].what, findings[0].action
    elif gates:
        why, action = _of_gate(gates[0], metrics[gates[0].metric]), "Mend it, or move the bound."
    else:
        why, action = "Nothing to mend was found.", ""
    level = "poor" if poor else "fair" if gates or findings else "good"
    return Band(group=section.group, level=level, why=why, action=action)


def _severity_first(finding: Finding) -> tuple[int, int]:
    return -_WEIGHT[finding.severity], -(finding.rows or 0)
