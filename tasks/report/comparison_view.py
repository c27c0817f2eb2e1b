"""A comparison cut to the size of a page and put in a reader's order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from schemas.audit import Audit, Finding, Group, Metric, Section
from schemas.comparison import Comparison, GatePair, LabelPair, MetricPair
from tasks.report import audit_view, comparison_wording
from tasks.report.audit_tables import TableView
from tasks.report.audit_view import FindingView, Limits, RoomView
from tasks.report.audit_wording import ROOMS, SEVERITIES, Badge, Room
from tasks.report.comparison_charts import pair_plot
from tasks.report.comparison_wording import CHANGES, difference

_SIDES = ("A", "B")


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two datasets."""

    letter: str
    audit: Audit
    rows: int
    label: str | None


@dataclass(frozen=True, slots=True)
class PairView:
    """Two figures of the same thing: what became of it, by how much, and a drawing of both."""

    pair: MetricPair | LabelPair
    change: Badge
    apart: str
    plot: Markup


@dataclass(frozen=True, slots=True)
class GateView:
    """A gate of both datasets and the metric that it bounds."""

    pair: GatePair
    metric: Metric
    change: Badge


@dataclass(frozen=True, slots=True)
class RoomPair:
    """One room of both audits.

    Args:
        group: Which.
        words: How a page introduces it.
        metrics: Pairs of which at least one side was measured, with the metric of the second;
            those that got worse come first, those that are the same last.
        unmeasured: Metrics that neither side has, with why the second has not.
        num_changed: How many of `metrics` are not the same.
        left_out: How many further metrics the page does not show.
    """

    group: Group
    words: Room
    metrics: tuple[tuple[PairView, Metric], ...]
    unmeasured: tuple[Metric, ...]
    num_changed: int
    left_out: int


@dataclass(frozen=True, slots=True)
class TablePair:
    """One table of both audits; None on the side that lacks it."""

    title: str
    caption: str
    sides: tuple[tuple[Side, TableView | None], ...]

    @property
    def alike(self) -> bool:
        """Whether both tables say the same."""
        first, second = (table and table.table for _, table in self.sides)
        return first == second


@dataclass(frozen=True, slots=True)
class ComparisonView:
    """What the page of a comparison shows.

    Args:
        found: All of it.
        limits: What everything was cut to.
        sides: The first dataset and the second.
        labels: Labels of both, those first whose shares lie farthest apart.
        labels_left_out: How many the page does not show.
        gates: Those that got worse first, unchanged ones last.
        gates_left_out: How many the page does not show.
        come: What is to be mended in the second and was not, or not as badly, in the first.
        gone: The other way round.
        rooms: In the audits' order, fidelity apart.
        drift: The room of fidelity, and its findings.
        bias: What each audit says of bias.
        bias_tables: Its tables.
    """

    found: Comparison
    limits: Limits
    sides: tuple[Side, ...]
    labels: tuple[PairView, ...]
    labels_left_out: int
    gates: tuple[GateView, ...]
    gates_left_out: int
    come: tuple[FindingView, ...]
    gone: tuple[Finding, ...]
    rooms: tuple[RoomPair, ...]
    drift: RoomView
    bias: tuple[tuple[Side, RoomView], ...]
    bias_tables: tuple[TablePair, ...]

    @property
    def says(self) -> object:
        """The words of a comparison, for the template."""
        return comparison_wording

    @property
    def worse(self) -> tuple[PairView, ...]:
        """Metrics that got worse."""
        rows = (row for room in self.rooms for row, _ in room.metrics)
        return tuple(row for row in rows if row.pair.change == "worse")

    @property
    def num_measured(self) -> int:
        """How many metrics the page shows."""
        return sum(len(room.metrics) for room in self.rooms)

    @property
    def num_changed(self) -> int:
        """How many of them are not the same."""
        return sum(room.num_changed for room in self.rooms)


def view(found: Comparison, limits: Limits) -> ComparisonView:
    """Cut a comparison to `limits` and order it."""
    sides = tuple(map(_side, _SIDES, (found.first, found.second)))
    metrics = found.second.metrics()
    gates = sorted(
        (GateView(pair, metrics[pair.metric], CHANGES[pair.change])
         for pair in found.gates if pair.metric in metrics),
        key=lambda gate: list(CHANGES).index(gate.pair.change),
    )  # fmt: skip
    # What is new in the second and the drift are read like an audit of their own.
    news = audit_view.view(_news(found), limits)
    bias = tuple(
        (side, room) for side in sides for room in audit_view.view(_bias_alone(side), limits).rooms
    )
    return ComparisonView(
        found=found,
        limits=limits,
        sides=sides,
        labels=_labels(found.labels[: limits.table_rows]),
        labels_left_out=found.labels_left_out + max(0, len(found.labels) - limits.table_rows),
        gates=tuple(gates[: limits.gates]),
        gates_left_out=max(0, len(gates) - limits.gates),
        come=tuple(
            one
            for of_one_severity in news.findings.values()
            for one in of_one_severity
            if one.finding.group != Group.FIDELITY
        ),
        gone=_beyond(found.first, found.second)[: limits.findings],
        rooms=tuple(_rooms(found, metrics, limits)),
        drift=next(room for room in news.rooms if room.group == Group.FIDELITY),
        bias=bias,
        bias_tables=_table_pairs(sides, bias, first_number=len(found.drift.tables)),
    )


def _side(letter: str, audit: Audit) -> Side:
    own = next((one for one in audit.inputs if one.role == "audited"), None)
    return Side(letter, audit, rows=own.rows if own else 0, label=own.label if own else None)


def _beyond(audit: Audit, other: Audit) -> tuple[Finding, ...]:
    """Return what is to be mended in one audit and not, or not as badly, in the other; worst first.

    Fidelity is left out: neither audit had a reference.
    """
    order = list(SEVERITIES)
    elsewhere: dict[tuple[Group, str], int] = {}
    for one in _findings(other):
        key, rank = (one.group, one.name), order.index(one.severity)
        elsewhere[key] = min(rank, elsewhere.get(key, rank))
    note = order.index("note")
    return tuple(
        one
        for one in sorted(_findings(audit), key=lambda one: order.index(one.severity))
        if order.index(one.severity) < min(note, elsewhere.get((one.group, one.name), note))
    )


def _findings(audit: Audit) -> Iterable[Finding]:
    return (
        one
        for section in audit.sections
        for one in section.findings
        if section.group != Group.FIDELITY
    )


def _news(found: Comparison) -> Audit:
    come = _beyond(found.second, found.first)
    sections = [
        Section(
            group=group, metrics=(), findings=tuple(one for one in come if one.group == group)
        )
        for group in Group
        if group != Group.FIDELITY
    ]  # fmt: skip
    update = {"sections": (found.drift, *sections), "bands": (), "gates": (), "sample": ()}
    return found.second.model_copy(update=update)


def _bias_alone(side: Side) -> Audit:
    sections = tuple(one for one in side.audit.sections if one.group == Group.BIAS)
    return side.audit.model_copy(update={"sections": sections, "gates": (), "sample": ()})


def _labels(pairs: Sequence[LabelPair]) -> tuple[PairView, ...]:
    """Draw all labels on one axis, so that they can be compared with each other too."""
    shares = [share for pair in pairs for share in (pair.first, pair.second) if share]
    longest = max(
        (share.value if share.high is None else share.high for share in shares), default=0
    )
    return tuple(
        PairView(
            pair=pair,
            change=CHANGES[pair.change],
            apart=difference(pair.first, pair.second, "share"),
            plot=pair_plot(pair.first, pair.second, "share", reach=longest),
        )
        for pair in pairs
    )


def _rooms(found: Comparison, metrics: Mapping[str, Metric], limits: Limits) -> Iterable[RoomPair]:
    for section in found.second.sections:
        if section.group == Group.FIDELITY:
            continue
        pairs = [pair for pair in found.metrics if pair.group == section.group]
        measured = sorted(
            (pair for pair in pairs if pair.first or pair.second),
            key=lambda pair: list(CHANGES).index(pair.change),
        )
        neither = [metrics[pair.name] for pair in pairs if not (pair.first or pair.second)]
        shown = measured[: limits.metrics]
        yield RoomPair(
            group=section.group,
            words=ROOMS[section.group],
            metrics=tuple(
                (
                    PairView(
                        pair,
                        change=CHANGES[pair.change],
                        apart=difference(pair.first, pair.second, pair.unit),
                        plot=pair_plot(pair.first, pair.second, pair.unit),
                    ),
                    metrics[pair.name],
                )
                for pair in shown
            ),
            unmeasured=tuple(neither[: limits.metrics]),
            num_changed=sum(pair.change != "same" for pair in shown),
            left_out=len(measured) - len(shown) + max(0, len(neither) - limits.metrics),
        )


def _table_pairs(
    sides: Sequence[Side], bias: Sequence[tuple[Side, RoomView]], *, first_number: int
) -> tuple[TablePair, ...]:
    tables = {side.letter: {t.table.name: t for t in room.tables} for side, room in bias}
    names = dict.fromkeys(name for of_side in reversed(tables.values()) for name in of_side)
    pairs = []
    number = first_number
    for name in names:
        both: list[tuple[Side, TableView | None]] = []
        for side in sides:
            table = tables.get(side.letter, {}).get(name)
            both.append((side, table and replace(table, number=number)))
            number += 1
        shown = next(table for _, table in reversed(both) if table)
        pairs.append(TablePair(shown.table.title, shown.table.caption, tuple(both)))
    return tuple(pairs)
