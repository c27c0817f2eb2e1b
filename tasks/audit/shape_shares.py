"""Shares of labels and attribute values beside those that were asked for."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from schemas.audit import Cell, Estimate, Finding, Group, Metric, Section, Table
from tasks.audit.corpus import Corpus
from tasks.audit.excerpts import printable
from tasks.audit.intervals import share
from tasks.audit.shape_faults import NO_ROWS
from tasks.quality.shares import Deviation, Fit, compare_shares, normalised_entropy

_MOST_VALUES = 5000
_MOST_SHOWN = 200
_SURE = 0.01
_TEST = "Hope, JRSS B 1968. https://doi.org/10.1111/j.2517-6161.1968.tb00759.x"
_EVENNESS = "Pielou, J. Theor. Biol. 1966. https://doi.org/10.1016/0022-5193(66)90013-0"
_NO_LABELS = "the data have no labels"

Shares = Mapping[str, float]
Column = Sequence[str | None]


@dataclass(frozen=True, slots=True)
class Axis:
    """A column whose shares were asked for, and how they came out.

    Args:
        name: `label`, or the attribute's name.
        fit: None where nothing was asked or there is nothing to compare.
        reason: Why `fit` is None.
    """

    name: str
    fit: Fit | None
    reason: str = ""


def measure_labels(corpus: Corpus, real: Corpus | None, *, asked: Shares | None) -> Section:
    """Measure label shares against those asked for, and how even they are.

    Args:
        corpus: What is audited.
        real: As many rows of the reference, or fewer when it is smaller.
        asked: Weight of each label; None or empty when nothing was asked.
    """
    axis = _axis("label", corpus.labels, asked, no_column=_NO_LABELS)
    theirs = None if real is None else real.labels
    balance = _balance_metric(
        "label_balance", "Label shares as asked", axis, "label shares", len(corpus)
    )
    if axis.fit is not None and theirs is not None:
        fit = _axis("label", theirs, asked, no_column="").fit
        balance = balance.model_copy(update={"baseline": _balance(fit) if fit else None})
    evenness = _evenness_metric(corpus, theirs, asked=bool(asked))
    tables = () if corpus.labels is None else (_share_table(corpus.labels, theirs, asked),)
    return Section(
        group=Group.SHAPE,
        metrics=(balance, evenness),
        tables=(
            *tables,
            *_test_table("label_test", "Labels against what was asked", [axis] if asked else []),
        ),
        findings=(*_findings(balance, [axis]), *_uneven(evenness, asked=bool(asked))),
    )


def measure_attributes(corpus: Corpus, *, asked: Mapping[str, Shares]) -> Section:
    """Measure the shares of attribute values against those asked for.

    Args:
        corpus: What is audited; attributes are among its columns.
        asked: By attribute the weight of each value.
    """
    axes = [
        _axis(name, corpus.columns.get(name), weights, no_column=f"there is no column {name}")
        for name, weights in sorted(asked.items())
    ]
    fits = [axis for axis in axes if axis.fit is not None]
    reasons = "; ".join(axis.reason for axis in axes) or "no attributes were asked for"
    worst = max(
        fits,
        key=lambda axis: axis.fit.distance.value if axis.fit else 0.0,
        default=Axis("", None, reasons),
    )
    metric = _balance_metric(
        "attribute_balance",
        "Attribute shares as asked",
        worst,
        "value shares, of the attribute for which it is lowest",
        len(corpus),
    )
    return Section(
        group=Group.SHAPE,
        metrics=(metric,),
        tables=(
            *_value_table(axes),
            *_test_table("attribute_tests", "Attributes against what was asked", axes),
        ),
        findings=_findings(metric, axes),
    )


def _axis(name: str, column: Column | None, asked: Shares | None, *, no_column: str) -> Axis:
    if not asked:
        return Axis(name, None, "no shares were asked for")
    if column is None:
        return Axis(name, None, no_column)
    values = [value for value in column if value is not None]
    if not values:
        return Axis(name, None, f"every {name} is null" if len(column) else NO_ROWS)
    return Axis(name, compare_shares(values, asked=asked))


def _balance(fit: Fit) -> Estimate:
    return _estimate(
        Deviation(1 - fit.distance.value, fit.distance.margin), n=int(fit.counts.sum())
    )


def _estimate(figure: Deviation, *, n: int) -> Estimate:
    value = min(1.0, max(0.0, figure.value))
    return Estimate(
        value=value,
        low=max(0.0, value - figure.margin),
        high=min(1.0, value + figure.margin),
        n=n,
    )


def _balance_metric(name: str, title: str, axis: Axis, of: str, num_rows: int) -> Metric:
    return Metric(
        name=name,
        group=Group.SHAPE,
        title=title,
        unit="score",
        better="higher",
        estimate=_balance(axis.fit) if axis.fit else None,
        unmeasured=None if axis.fit else (axis.reason if num_rows else NO_ROWS),
        definition=f"1 - total variation distance (half the sum of absolute differences) between "
        f"the {of} got and asked for, over rows with a value. The interval, from 999 samples drawn "
        "by the shares got, covers at least 95 %.",
    )


def _evenness_metric(corpus: Corpus, theirs: Column | None, *, asked: bool) -> Metric:
    estimate, reason = _evenness(corpus.labels)
    return Metric(
        name="label_evenness",
        group=Group.SHAPE,
        title="Evenness of the labels",
        unit="score",
        better="neither" if asked else "higher",
        estimate=estimate,
        unmeasured=None if estimate else (reason if len(corpus) else NO_ROWS),
        baseline=_evenness(theirs)[0] if estimate else None,
        definition="Shannon entropy of the label shares over the logarithm of the number of labels "
        "that occur: 1 when all are equally frequent, and for a single one. The interval is the "
        "95 % quantile of the distance to 999 samples drawn by the shares got.",
        source=_EVENNESS,
    )


def _evenness(labels: Column | None) -> tuple[Estimate | None, str]:
    if labels is None:
        return None, _NO_LABELS
    counts = Counter(label for label in labels if label is not None)
    if not counts:
        return None, "every label is null"
    if len(counts) > _MOST_VALUES:
        return None, f"labels take more than {_MOST_VALUES:,} values: they look like free text"
    ordered = np.sort(np.fromiter(counts.values(), dtype=np.int64))
    return _estimate(normalised_entropy(ordered), n=int(ordered.sum())), ""


def _uneven(evenness: Metric, *, asked: bool) -> tuple[Finding, ...]:
    estimate = evenness.estimate
    if asked or estimate is None or estimate.high is None or estimate.high >= 0.9:
        return ()
    return (
        Finding(
            name="label_evenness",
            group=Group.SHAPE,
            severity="note",
            what=f"The labels are uneven: their entropy is {estimate.value:.2f} of the greatest.",
            action="Say which shares were wanted, generate more of the rare labels, or weight them "
            "in training.",
        ),
    )


def _findings(metric: Metric, axes: Sequence[Axis]) -> tuple[Finding, ...]:
    findings = []
    for axis in axes:
        if axis.fit is None:
            continue
        fit, distance = axis.fit, axis.fit.distance
        never = [
            name
            for name, count, wanted in zip(fit.values, fit.counts, fit.asked, strict=True)
            if wanted and not count
        ]
        if fit.p > _SURE:
            continue
        if never:
            findings.append(_never_seen(axis.name, never))
        findings.append(
            Finding(
                name=metric.name,
                group=Group.SHAPE,
                what=f"{distance.value:.1%} of the rows would need another {axis.name} to give the "
                f"shares that were asked for (p = {fit.p:.3g}).",
                action="Generate more rows of what is short, or drop rows of what is too frequent.",
                rows=round(distance.value * int(fit.counts.sum())),
            )
        )
    return tuple(findings)


def _never_seen(axis: str, values: Sequence[str | None]) -> Finding:
    names = ", ".join(printable(str(value)) for value in values[:5])
    more = f" and {len(values) - 5:,} more" if len(values) > 5 else ""
    return Finding(
        name="values_never_seen",
        group=Group.SHAPE,
        severity="fix",
        what=f"No row has a {printable(axis)} that was asked for: {names}{more}.",
        action="Generate rows of what is missing, or take it out of what is asked for.",
    )


def _share_table(labels: Column, theirs: Column | None, asked: Shares | None) -> Table:
    seen = Counter(label for label in labels if label is not None)
    real = Counter(label for label in theirs or () if label is not None)
    total = sum(asked.values()) if asked else 0.0
    names = sorted(seen.keys() | (asked or {}).keys(), key=lambda name: (-seen[name], name))
    num_rows, num_real = seen.total(), real.total()
    rows: list[tuple[Cell, ...]] = []
    for name in names[:_MOST_SHOWN]:
        got = share(seen[name], num_rows) if num_rows else None
        bounds = (got.value, got.low, got.high) if got else (None, None, None)
        wanted = asked.get(name, 0.0) / total if asked else None
        in_real = real[name] / num_real if num_real else None
        rows.append((printable(name), seen[name], *bounds, wanted, in_real))
    return Table(
        name="label_shares",
        group=Group.SHAPE,
        title="Labels",
        caption="Share of each label among the labelled rows, with its 95 % interval, the most "
        "frequent first.",
        columns=("label", "rows", "share", "low", "high", "asked", "share in reference"),
        rows=tuple(rows),
        left_out=max(0, len(names) - _MOST_SHOWN),
    )


def _value_table(axes: Sequence[Axis]) -> tuple[Table, ...]:
    rows: list[tuple[Cell, ...]] = []
    for axis in axes:
        if axis.fit is None:
            continue
        fit, num_rows = axis.fit, int(axis.fit.counts.sum())
        for value, count, wanted in zip(fit.values, fit.counts, fit.asked, strict=True):
            name = "(any other)" if value is None else printable(value)
            rows.append((axis.name, name, int(count), count / num_rows, float(wanted)))
    table = Table(
        name="attribute_shares",
        group=Group.SHAPE,
        title="Attributes",
        caption="Share of each value among the rows that have one, beside the share asked for.",
        columns=("attribute", "value", "rows", "share", "asked"),
        rows=tuple(rows[:_MOST_SHOWN]),
        left_out=max(0, len(rows) - _MOST_SHOWN),
    )
    return (table,) if rows else ()


def _test_table(name: str, title: str, axes: Sequence[Axis]) -> tuple[Table, ...]:
    table = Table(
        name=name,
        group=Group.SHAPE,
        title=title,
        caption="Pearson's chi-square goodness of fit; p is the share of 999 samples, drawn by the "
        f"shares asked for, that fit no better (at least 0.001). {_TEST} No statistic where a "
        "value was seen that nobody asked for.",
        columns=("of", "rows", "values", "total variation", "chi-square", "p", "why not tested"),
        rows=tuple((axis.name, *_test_cells(axis)) for axis in axes),
    )
    return (table,) if axes else ()


def _test_cells(axis: Axis) -> tuple[Cell, ...]:
    fit = axis.fit
    if fit is None:
        return (*(None,) * 5, axis.reason)
    num_rows, num_values = int(fit.counts.sum()), len(fit.values)
    return num_rows, num_values, fit.distance.value, fit.chi_square, fit.p, ""
