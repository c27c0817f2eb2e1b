"""Tables, metrics and findings of labels and attributes beside groups."""

from collections.abc import Sequence

import numpy as np

from schemas.audit import Cell, Estimate, Evidence, Finding, Group, Metric, Section, Table
from tasks.audit import intervals
from tasks.audit.bias_company import Company, Pair, tested_pairs
from tasks.audit.bias_study import (
    MOST_EVIDENCE,
    MOST_TABLE_ROWS,
    Study,
    estimate,
    evidence,
    metric,
    plain,
)
from tasks.bias.association import FEWEST_ROWS, Floats
from tasks.bias.interval import ALPHA

_V = (
    "Bias-corrected Cramer's V between the label and the one group of the axis that a row names; "
    "rows that name none or several are left out. 0: the label tells nothing about the group; "
    "1: it decides it.",
    "Bergsma 2013, https://doi.org/10.1016/j.jkss.2012.10.002; bootstrap interval",
)
_ASSOCIATED = (
    "Share of the tested pairs of a label and a group that are associated: false discovery rate "
    "5 % over all tests of this group of measures, and the whole interval of the lift beyond four "
    "fifths or five fourths. Pairs of one group are not independent: no interval.",
    "Benjamini and Hochberg 1995, https://doi.org/10.1111/j.2517-6161.1995.tb02031.x",
)
_PREFERRED = (
    "By how many rows a label and a group occur together more or less often than if neither had to "
    "do with the other, summed over the pairs that a finding calls preferences (significant, the "
    "lift beyond four fifths or five fourths against all rows and the axis' other groups), as a "
    "share of the labelled rows. The pairs are chosen by the data: no interval."
)
HOW = (
    "Lift: rows with both, over the rows expected if value and group had nothing to do with each "
    "other; with its 95 % interval (delta method on the logarithm). Against others: how many times "
    "as often rows of the group have the value as rows that name only other groups of the axis "
    "(Katz interval); this tells a preference from a topic that names all groups. q: p-value "
    "(chi-square, or Fisher's exact test where rows are few) adjusted for all tests."
)


PAIR_COLUMNS = (
    "axis", "group", "rows", "expected", "lift", "low", "high", "against others", "low against",
    "high against", "q", "reads as",
)  # fmt: skip
"""Columns of a table of pairs behind that of the value."""


def label_section(
    studied: Study, label: Company | None, *, q_values: Floats, baseline: Company | None
) -> Section:
    """Report labels beside groups; `q_values` has the shape `(L, G)`."""
    if label is None:
        reason = "the data have no labels"
        metrics = [_v_metric(axis, reason) for axis in studied.mentions.axes()]
        unmeasured = (_associated(reason), _preferred(reason))
        return Section(group=Group.BIAS, metrics=(*metrics, *unmeasured))
    pairs = tested_pairs(studied, label, q_values=q_values)
    told_of, tested = [pair for pair in pairs if pair.is_told], len(pairs)
    scarce = f"could not be tested for lack of n: no pair has {FEWEST_ROWS} rows of each"
    return Section(
        group=Group.BIAS,
        metrics=(
            *(_overall(axis, label, baseline) for axis in studied.mentions.axes()),
            _associated(intervals.plain(len(told_of) / tested, tested) if tested else scarce),
            _preferred(_beyond_chance(label, told_of) if tested else scarce),
        ),
        tables=(_pair_table(studied, label, pairs),),
        findings=tuple(_label_findings(studied, label, told_of)),
    )


def _v_metric(axis: str, measured: tuple[Estimate | None, Estimate | None] | str) -> Metric:
    return metric(
        f"bias_{axis}_label_v",
        title=f"How far the label decides the {plain(axis)} that is named",
        unit="score",
        better="lower",
        measured=measured,
        about=_V,
    )


def _overall(axis: str, label: Company, baseline: Company | None) -> Metric:
    found = label.overall[axis]
    other = baseline.overall[axis] if baseline is not None else None
    if found is None:
        return _v_metric(
            axis,
            f"could not be tested for lack of n: it takes {FEWEST_ROWS} rows that name one group, "
            "two labels and two groups",
        )
    return _v_metric(axis, (estimate(found.v), estimate(other.v if other is not None else None)))


def _associated(measured: Estimate | str) -> Metric:
    return metric(
        "bias_associated_share",
        title="Pairs of a label and a group that go together",
        unit="share",
        better="lower",
        measured=measured if isinstance(measured, str) else (measured, None),
        about=_ASSOCIATED,
    )


def _preferred(measured: Estimate | str) -> Metric:
    return metric(
        "bias_preferred_rows",
        title="Rows by which labels prefer groups, beyond chance",
        unit="share",
        better="lower",
        measured=measured if isinstance(measured, str) else (measured, None),
        about=(_PREFERRED, ""),
    )


def _beyond_chance(label: Company, pairs: Sequence[Pair]) -> Estimate:
    beyond = (abs(pair.rows - pair.expected) for pair in pairs if pair.is_preference)
    num_rows = label.associations.n
    return intervals.plain(sum(beyond) / num_rows, num_rows)


def _pair_table(studied: Study, label: Company, pairs: Sequence[Pair]) -> Table:
    rows = [pair_row(studied, label, pair) for pair in pairs]
    return Table(
        name="bias_label_groups",
        group=Group.BIAS,
        title="Groups that go with labels",
        caption=f"{HOW} {untested([label])}",
        columns=("label", *PAIR_COLUMNS),
        rows=tuple(rows[:MOST_TABLE_ROWS]),
        left_out=max(0, len(rows) - MOST_TABLE_ROWS),
    )


def untested(companies: Sequence[Company]) -> str:
    """Say how many pairs could not be tested."""
    scarce = sum(company.associations.untested for company in companies)
    every = sum(company.associations.p_value.size for company in companies)
    return (
        f"{scarce:,} of {every:,} pairs could not be tested for lack of n ({FEWEST_ROWS} rows of "
        "the value and of the group)."
    )


def pair_row(studied: Study, company: Company, pair: Pair) -> tuple[Cell, ...]:
    """Show a pair as a row of a table: the value, then `PAIR_COLUMNS`."""
    axis, group = studied.mentions.columns[pair.group]
    lift, other = pair.lift, pair.against_others
    against = (None, None, None) if other is None else (other.value, other.low, other.high)
    return (
        company.values[pair.value], plain(axis), plain(group), pair.rows, round(pair.expected, 1),
        lift.value, lift.low, lift.high, *against, pair.q, _reading(pair),
    )  # fmt: skip


def _reading(pair: Pair) -> str:
    if not pair.is_told:
        return "not associated" if pair.q >= ALPHA else "small"
    if pair.against_others is None:
        return "no other group to compare with"
    return "preference" if pair.is_preference else "topic"


def _times(lift: float) -> str:
    return f"{lift:.0f}" if lift >= 10 else f"{lift:.2f}"


def told(studied: Study, company: Company, pairs: Sequence[Pair]) -> str:
    """Put the three strongest pairs into words."""
    parts = []
    for pair in pairs[:3]:
        group, lift = plain(studied.mentions.columns[pair.group][1]), pair.lift
        parts.append(
            f"{company.values[pair.value]!r} and {group} {_times(lift.value)} times as often as by "
            f"chance ({_times(lift.low)} to {_times(lift.high)})"
        )
    return "; ".join(parts)


def _label_findings(studied: Study, label: Company, pairs: Sequence[Pair]) -> list[Finding]:
    findings = []
    if preferred := [pair for pair in pairs if pair.is_preference]:
        findings.append(
            Finding(
                name="bias_labels_prefer_groups",
                metric="bias_preferred_rows",
                group=Group.BIAS,
                what=f"Some labels go with some groups of people: {told(studied, label, preferred)}"
                f"; {len(preferred)} such pairs in all.",
                action="A model trained on this learns the label from the group. Add rows of these "
                "groups under other labels (the mitigation table counts them), use the swapped "
                "copies or the weights offered there.",
                rows=int(sum(pair.rows for pair in preferred)),
                evidence=pair_evidence(studied, label, preferred),
            )
        )
    if topical := [pair for pair in pairs if not pair.is_preference]:
        findings.append(
            Finding(
                name="bias_labels_follow_topic",
                group=Group.BIAS,
                severity="note",
                what="Some labels name groups of people more, or less, than others do: "
                f"{told(studied, label, topical)}; {len(topical)} such pairs in all.",
                action="The other groups of the axis go with them as well, or are too rare to "
                "compare: often it is the label's topic (travel names countries). If it is not, "
                "add rows that name these groups under the other labels.",
                rows=int(sum(pair.rows for pair in topical)),
                evidence=pair_evidence(studied, label, topical),
            )
        )
    return findings


def pair_evidence(studied: Study, company: Company, pairs: Sequence[Pair]) -> tuple[Evidence, ...]:
    """Show rows of the strongest pairs; each pair gets its part of the places."""
    shown: list[Evidence] = []
    strongest = [pair for pair in pairs if pair.rows][:5]
    for pair in strongest:
        both = studied.mentions.rows[:, pair.group] & (company.codes == pair.value)
        places = np.flatnonzero(both)[: MOST_EVIDENCE // len(strongest)].tolist()
        group = plain(studied.mentions.columns[pair.group][1])
        note = f"{company.values[pair.value]} and {group}: lift {_times(pair.lift.value)}"
        shown.extend(evidence(studied, places, columns=[pair.group], note=note))
    return tuple(shown)
