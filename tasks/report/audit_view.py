"""An audit cut to the size of a page and put in a reader's order."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from schemas.audit import (
    Audit,
    Band,
    Evidence,
    Finding,
    GateOutcome,
    Group,
    Metric,
    Section,
)
from tasks.report.audit_excerpts import Excerpt, excerpt
from tasks.report.audit_tables import TableView, table_view
from tasks.report.audit_wording import OUTCOMES, ROOMS, SEVERITIES, Room


@dataclass(frozen=True, slots=True)
class Limits:
    """What a page shows at most; the rest is only in the JSON twin.

    Args:
        findings: Of the whole audit.
        evidence: Rows of a finding.
        chars: Code points of a row's text.
        sentence: Code points of a sentence, a definition, a note.
        gates: Of the whole audit.
        metrics: Of a room, and as many that were not measured.
        tables: Of a room.
        table_rows: Of a table.
        table_columns: Of a table.
        cell: Code points of a cell of a table, a name or an id.
        sample: Rows of the sample.
    """

    findings: int
    evidence: int
    chars: int
    sentence: int
    gates: int
    metrics: int
    tables: int
    table_rows: int
    table_columns: int
    cell: int
    sample: int


@dataclass(frozen=True, slots=True)
class RowView:
    """A row of the dataset, alone or beside the text that it is compared with."""

    evidence: Evidence
    text: Excerpt
    other: Excerpt | None


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding, its place on the page and the rows that show it."""

    number: int
    finding: Finding
    rows: tuple[RowView, ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class MetricView:
    """A metric and what its gate said."""

    metric: Metric
    outcome: GateOutcome | None


@dataclass(frozen=True, slots=True)
class RoomView:
    """One room: what it asks, where it stands, its findings, figures and tables."""

    group: Group
    words: Room
    band: Band | None
    findings: tuple[FindingView, ...]
    measured: tuple[MetricView, ...]
    unmeasured: tuple[Metric, ...]
    tables: tuple[TableView, ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class AuditView:
    """What the page of an audit shows.

    Args:
        audit: All of it.
        limits: What everything was cut to.
        findings: By severity, the worst first.
        num_findings: How many there are of each severity, shown or not.
        findings_left_out: How many findings the page does not show.
        gates: By outcome, failed ones first.
        gates_left_out: How many gates the page does not show.
        rooms: In the audit's order.
        sample: Rows to search.
    """

    audit: Audit
    limits: Limits
    findings: Mapping[str, tuple[FindingView, ...]]
    num_findings: Mapping[str, int]
    findings_left_out: int
    gates: tuple[tuple[GateOutcome, Metric], ...]
    gates_left_out: int
    rooms: tuple[RoomView, ...]
    sample: tuple[RowView, ...]


def view(audit: Audit, limits: Limits) -> AuditView:
    """Cut an audit to `limits` and order it."""
    metrics = audit.metrics()
    everything = [finding for section in audit.sections for finding in section.findings]
    findings = [
        _finding(number, finding, limits)
        for number, finding in enumerate(sorted(everything, key=_worst_first)[: limits.findings], 1)
    ]
    order = list(OUTCOMES)
    gates = sorted(
        ((gate, metrics[gate.metric]) for gate in audit.gates if gate.metric in metrics),
        key=lambda gate: order.index(gate[0].level),
    )
    return AuditView(
        audit=audit,
        limits=limits,
        findings={
            severity: tuple(of_it)
            for severity, of_it in groupby(findings, key=lambda one: one.finding.severity)
        },
        num_findings=Counter(finding.severity for finding in everything),
        findings_left_out=len(everything) - len(findings),
        gates=tuple(gates[: limits.gates]),
        gates_left_out=max(0, len(gates) - limits.gates),
        rooms=tuple(_rooms(audit, findings, limits)),
        sample=tuple(_row(row, limits) for row in audit.sample[: limits.sample]),
    )


def _worst_first(finding: Finding) -> tuple[int, int]:
    return list(SEVERITIES).index(finding.severity), -(finding.rows or 0)


def _finding(number: int, finding: Finding, limits: Limits) -> FindingView:
    rows = tuple(_row(evidence, limits) for evidence in finding.evidence[: limits.evidence])
    return FindingView(number, finding, rows, left_out=len(finding.evidence) - len(rows))


def _row(evidence: Evidence, limits: Limits) -> RowView:
    text, other = evidence.text, evidence.other
    return RowView(
        evidence=evidence,
        text=excerpt(text, evidence.spans, limit=limits.chars, chars=evidence.chars),
        other=None if other is None else excerpt(other, limit=limits.chars, chars=len(other)),
    )


def _rooms(audit: Audit, findings: Sequence[FindingView], limits: Limits) -> Iterable[RoomView]:
    bands = {band.group: band for band in audit.bands}
    outcomes = {gate.metric: gate for gate in audit.gates}
    number = 0
    for section in audit.sections:
        tables = section.tables[: limits.tables]
        yield RoomView(
            group=section.group,
            words=ROOMS[section.group],
            band=bands.get(section.group),
            findings=tuple(one for one in findings if one.finding.group == section.group),
            measured=_measured(section, outcomes, limits),
            unmeasured=tuple(m for m in section.metrics if m.estimate is None)[: limits.metrics],
            tables=tuple(
                table_view(
                    number + place,
                    table,
                    num_rows=limits.table_rows,
                    num_columns=limits.table_columns,
                )
                for place, table in enumerate(tables)
            ),
            left_out=_left_out(section, limits),
        )
        number += len(tables)


def _measured(
    section: Section, outcomes: Mapping[str, GateOutcome], limits: Limits
) -> tuple[MetricView, ...]:
    measured = [metric for metric in section.metrics if metric.estimate is not None]
    return tuple(
        MetricView(metric, outcomes.get(metric.name)) for metric in measured[: limits.metrics]
    )


def _left_out(section: Section, limits: Limits) -> int:
    num_measured = sum(metric.estimate is not None for metric in section.metrics)
    num_unmeasured = len(section.metrics) - num_measured
    return sum(
        max(0, num - most)
        for num, most in (
            (num_measured, limits.metrics),
            (num_unmeasured, limits.metrics),
            (len(section.tables), limits.tables),
        )
    )
