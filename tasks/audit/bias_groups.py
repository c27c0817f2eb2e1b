"""Who is spoken of: lexicons, representation against a target, what could not be tested."""

from collections.abc import Mapping, Sequence

import numpy as np

from schemas.audit import Estimate, Finding, Group, Metric, Section, Table
from tasks.audit import intervals
from tasks.audit.bias_study import Study, estimate, is_far, metric, percent, plain
from tasks.bias.interval import ALPHA
from tasks.bias.representation import FEWEST_MENTIONS, GroupShare, Representation, representation

_MENTIONED = (
    "Share of the rows that hold at least one term of the lexicons.",
    "",
)
_DISTANCE = (
    "Total variation distance between the shares of the groups among the mentions of the axis and "
    "their target (equal shares where none is given): the part of the mentions that would have to "
    "go to other groups. A mention is a pair of a row and a group that it names.",
    "Interval: bootstrap over mentions (Efron 1979, https://doi.org/10.1214/aos/1176344552)",
)
Target = Mapping[str, Mapping[str, float]]


def represent(studied: Study, target: Target | None) -> list[Representation]:
    """Measure the representation of every axis.

    Raises:
        ValueError: If the target names an unknown axis or group, or has no weight above 0.
    """
    axes = studied.mentions.axes()
    if unknown := set(target or ()).difference(axes):
        raise ValueError(f"there is no axis {sorted(unknown)[0]}; there are {', '.join(axes)}")
    return [
        representation(
            studied.mentions.of_axis(axis),
            axis=axis,
            groups=studied.mentions.groups(axis),
            target=(target or {}).get(axis),
        )
        for axis in axes
    ]


def groups_section(
    studied: Study,
    found: Sequence[Representation],
    *,
    q_values: Sequence[float],
    baseline: tuple[Study, Sequence[Representation]] | None,
    target: Target | None,
) -> Section:
    """Report who is spoken of.

    Args:
        studied: The corpus.
        found: Representation on each axis.
        q_values: Adjusted p-value of each axis, NaN where it was not tested.
        baseline: The same of the reference.
        target: Axes for which a target was asked for.
    """
    asked = set(target or ())
    return Section(
        group=Group.BIAS,
        metrics=(_mentioned(studied, baseline), *_distances(found, baseline)),
        tables=(_shares_table(found, q_values), _lexicon_table(studied), _lexicon_sources(studied)),
        findings=_findings(found, q_values, asked),
    )


def _mentioned(studied: Study, baseline: tuple[Study, Sequence[Representation]] | None) -> Metric:
    def share(of: Study) -> Estimate:
        return intervals.share(int(of.mentions.rows.any(axis=1).sum()), len(of.corpus))

    other = None if baseline is None or not len(baseline[0].corpus) else share(baseline[0])
    return metric(
        "bias_mentioned_share",
        title="Rows that speak of a group of people",
        unit="share",
        better="neither",
        measured=(share(studied), other) if len(studied.corpus) else "there are no rows",
        about=_MENTIONED,
    )


def _distances(
    found: Sequence[Representation], baseline: tuple[Study, Sequence[Representation]] | None
) -> list[Metric]:
    others = [None] * len(found) if baseline is None else [x.distance for x in baseline[1]]
    return [
        metric(
            f"bias_{axis.axis}_distance",
            title=f"Distance of {plain(axis.axis)} mentions from their target",
            unit="share",
            better="lower",
            measured=_too_few(axis)
            if axis.distance is None
            else (estimate(axis.distance), estimate(other)),
            about=_DISTANCE,
        )
        for axis, other in zip(found, others, strict=True)
    ]


def _too_few(axis: Representation) -> str:
    return (
        f"could not be tested for lack of n: {axis.mentions} mentions of {plain(axis.axis)}, "
        f"of {FEWEST_MENTIONS} needed"
    )


def _shares_table(found: Sequence[Representation], q_values: Sequence[float]) -> Table:
    rows = []
    for axis, q in zip(found, q_values, strict=True):
        for group in axis.groups:
            share = group.share
            bounds = (None, None, None) if share is None else (share.value, share.low, share.high)
            verdict = _verdict(group, q, mentions=axis.mentions)
            rows.append(
                (plain(axis.axis), plain(group.group), group.rows, *bounds, group.target, verdict)
            )
    return Table(
        name="bias_representation",
        group=Group.BIAS,
        title="Who is spoken of",
        caption="Share of each group among the mentions of its axis, with the 95 % Wilson interval "
        "and the target (equal shares where none was given). A row that names two groups counts "
        "for both. A group is under or over when the axis differs from its target (false discovery "
        "rate 5 %) and the whole interval lies beyond four fifths or five fourths of the target.",
        columns=("axis", "group", "rows", "share", "low", "high", "target", "verdict"),
        rows=tuple(rows),
    )


def _verdict(group: GroupShare, q: float, *, mentions: int) -> str:
    if group.share is None or np.isnan(q):
        return f"not tested: {mentions} of {FEWEST_MENTIONS} mentions"
    if q >= ALPHA or not is_far(group.share, group.target):
        return "as asked"
    return "under" if group.share.value < group.target else "over"


def _lexicon_table(studied: Study) -> Table:
    rows = [
        (
            plain(lexicon.axis),
            plain(name),
            ", ".join(group.terms),
            ", ".join(group.ambiguous),
        )
        for lexicon in studied.lexicons.axes
        for name, group in lexicon.groups.items()
    ]
    heads = ", ".join(studied.lexicons.heads)
    return Table(
        name="bias_lexicon_terms",
        group=Group.BIAS,
        title="Terms that count as a mention",
        caption=f"Ambiguous words count only right before one of: {heads}.",
        columns=("axis", "group", "terms", "ambiguous"),
        rows=tuple(rows),
    )


def _lexicon_sources(studied: Study) -> Table:
    return Table(
        name="bias_lexicons",
        group=Group.BIAS,
        title="Lexicons",
        caption="Version and source of each lexicon; names of persons are in none of them.",
        columns=("axis", "version", "terms", "does not count", "source"),
        rows=tuple(
            (
                plain(lexicon.axis),
                lexicon.version,
                sum(len(group.terms) for group in lexicon.groups.values()),
                ", ".join(lexicon.shields),
                lexicon.source,
            )
            for lexicon in studied.lexicons.axes
        ),
    )


def _findings(
    found: Sequence[Representation], q_values: Sequence[float], asked: set[str]
) -> tuple[Finding, ...]:
    missed: list[tuple[Representation, list[GroupShare]]] = []
    uneven: list[tuple[Representation, list[GroupShare]]] = []
    for axis, q in zip(found, q_values, strict=True):
        far = [
            group
            for group in axis.groups
            if _verdict(group, q, mentions=axis.mentions) in {"under", "over"}
        ]
        if far:
            (missed if axis.axis in asked else uneven).append((axis, far))
    findings = [_missed(axis, far) for axis, far in missed]
    if uneven:
        findings.append(_uneven(uneven))
    return tuple(findings)


def _missed(axis: Representation, far: Sequence[GroupShare]) -> Finding:
    told = "; ".join(
        f"{plain(g.group)} {percent(g.share.value)} of the mentions, {percent(g.target)} asked for"
        for g in far
        if g.share is not None
    )
    return Finding(
        name=f"bias_{axis.axis}_off_target",
        group=Group.BIAS,
        severity="fix",
        what=f"Groups of {plain(axis.axis)} are not represented as asked: {told}.",
        action="Generate more rows that name the groups that fall short (an attribute in the "
        "recipe does it), or change the target.",
        rows=axis.mentions,
    )


def _uneven(axes: Sequence[tuple[Representation, Sequence[GroupShare]]]) -> Finding:
    told = []
    for axis, _ in axes:
        most = max(axis.groups, key=lambda group: group.rows)
        assert most.share is not None
        told.append(f"{plain(axis.axis)}: {percent(most.share.value)} {plain(most.group)}")
    return Finding(
        name="bias_uneven_representation",
        group=Group.BIAS,
        severity="note",
        what=f"Some groups are named much more often than others ({'; '.join(told)}).",
        action="Equal shares are only what is assumed when no target is given: say which shares "
        "you want, and the audit compares with those.",
        rows=None,
    )
