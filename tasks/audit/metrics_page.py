"""Every metric of an audit as a page of the documentation.

`python -m tasks.audit.metrics_page` prints what `docs/metrics.md` holds.
"""

import sys
from collections.abc import Iterator
from typing import assert_never

from schemas.audit import Group, Metric
from schemas.bounds import Bound
from tasks.audit.bounds import Allowed, Excess, Gate, Multiple
from tasks.audit.defaults import DEFAULT_GATES
from tasks.audit.sections import known_metrics
from tasks.report.audit_figures import round_number
from tasks.report.audit_wording import ROOMS

_HEAD = """\
# Metrics of an audit

What [`corpusmith audit`](how-to/audit.md) measures, room by room, and the gates that it has
without a gates file. A gate on a metric goes into `--gates FILE` under the metric's name and
takes the place of the default one. `report.json` holds each figure with its 95 % interval, the
rows it was measured on, and the same figure of the reference where there is one.

A gate's bounds are allowed themselves. *Or as the reference*: what real data have too is not held
against a dataset, as far as the interval of their figure goes. A gate without a bound for a
dataset (no reference, nothing asked for, too few rows) holds nothing against it. A finding that
tells of a metric is as grave as the metric's gate says. Bias has no gates: its findings rest on
tests of significance, corrected for how many are made.

Made by `python -m tasks.audit.metrics_page > docs/metrics.md`; a test holds it to the code.
"""


def metrics_page() -> str:
    """Write the page."""
    known = list(known_metrics().values())
    rooms = [_room(group, [one for one in known if one.group is group]) for group in Group]
    return "\n".join([_HEAD, *rooms])


def _room(group: Group, metrics: list[Metric]) -> str:
    room = ROOMS[group]
    return "\n".join(
        [
            f"## {room.name}",
            "",
            f"{room.question} {room.lead}",
            "",
            "| metric | measures | unit | better | default gate |",
            "| --- | --- | --- | --- | --- |",
            *map(_row, metrics),
            "",
            *(line for metric in metrics for line in _definition(metric)),
        ]
    )


def _row(metric: Metric) -> str:
    gate = DEFAULT_GATES.get(metric.name)
    bounds = "" if gate is None else gate_in_words(gate, metric.unit)
    better = "" if metric.better == "neither" else metric.better
    cells = (f"`{metric.name}`", metric.title, metric.unit, better, bounds)
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _cell(text: str) -> str:
    return _plain(text).replace("|", "\\|")


def _plain(text: str) -> str:
    """Keep what looks like HTML from being read as it."""
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _definition(metric: Metric) -> Iterator[str]:
    gate = DEFAULT_GATES.get(metric.name)
    yield f"**`{metric.name}`**: {_plain(metric.definition)}"
    if metric.source or gate is not None:
        yield ""
    if metric.source:
        yield f"- Source: {_plain(metric.source)}"
    if gate is not None:
        yield f"- Gate: {_plain(gate.reason)}"
    yield ""


def gate_in_words(gate: Gate, unit: str) -> str:
    """Write what a gate allows: `warns above 1 %, fails above 50 %, or as the reference`."""
    parts = [] if gate.alone is None else [_sides(gate.alone, unit)]
    match gate.beside:
        case None:
            pass
        case Allowed():
            parts.append("or as the reference")
        case Excess(bound):
            parts.append(f"beside a reference {_sides(bound, unit)} more than its interval")
        case Multiple(bound):
            parts.append(f"beside a reference {_sides(bound, 'ratio')} times its figure")
        case _:
            assert_never(gate.beside)
    if gate.fewest > 1:
        parts.append(f"from {gate.fewest} observations on")
    if gate.asked is not None:
        parts.append(f"where a {gate.asked} is asked for")
    return "; ".join(parts)


def _sides(bound: Bound, unit: str) -> str:
    written = bound.model_dump(exclude_none=True).items()
    # A plain space: the page is read as source too.
    figures = {side: round_number(value, unit).replace("\xa0", " ") for side, value in written}
    return ", ".join(
        f"{side.split('_')[0]}s {side.split('_')[1]} {value}" for side, value in figures.items()
    )


if __name__ == "__main__":
    sys.stdout.write(metrics_page())
