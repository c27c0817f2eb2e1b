"""How long the texts are, and which are shorter or longer than real ones."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from schemas.audit import Cell, Finding, Group, Metric, Section, Table
from tasks.audit.corpus import Corpus
from tasks.audit.intervals import mean, share
from tasks.audit.shape_faults import NO_ROWS, rate_finding, rate_metric, show_rows
from tasks.audit.shape_rates import Rate
from tasks.quality.lengths import (
    QUANTILES,
    TAIL,
    Lengths,
    length_quantiles,
    measure_lengths,
    usual_lengths,
)

_SHORT = Rate(
    "too_short_rate",
    "Shorter than real texts",
    f"Share of all rows with fewer characters than all but {TAIL:.1%} of the reference's rows.",
    "are shorter than nearly every real text",
    "Ask for longer texts, or bound them with the gate `chars` and generate these rows again.",
)
_LONG = Rate(
    "too_long_rate",
    "Longer than real texts",
    f"Share of all rows with more characters than all but {TAIL:.1%} of the reference's rows.",
    "are longer than nearly every real text",
    "Ask for shorter texts, or bound them with the gate `chars` and generate these rows again.",
)


def measure_lengths_of(corpus: Corpus, real: Corpus | None) -> Section:
    """Measure means, quantiles and outliers of length.

    Args:
        corpus: What is audited.
        real: As many rows of the reference, or fewer when it is smaller.
    """
    own = measure_lengths(corpus.strings)
    others = None if real is None else measure_lengths(real.strings)
    metrics = [
        _mean_metric("words", own.words, None if others is None else others.words),
        _mean_metric("characters", own.chars, None if others is None else others.chars),
    ]
    findings = []
    for rate, places, num_real in _outliers(own, others):
        baseline = share(num_real, others.chars.size) if others is not None else None
        metric = rate_metric(rate, places, len(corpus), baseline, missing="no reference was given")
        metrics.append(metric)
        findings += _finding(rate, metric, corpus, places)
    return Section(
        group=Group.SHAPE,
        metrics=tuple(metrics),
        tables=(_table(own, others),),
        findings=tuple(findings),
    )


def _mean_metric(
    unit: Literal["words", "characters"],
    own: NDArray[np.int64],
    real: NDArray[np.int64] | None,
) -> Metric:
    how = "words that white space separates" if unit == "words" else "code points"
    return Metric(
        name=f"{unit}_per_text",
        group=Group.SHAPE,
        title=f"{unit.capitalize()} per text",
        unit=unit,
        better="neither",
        estimate=mean(own.astype(np.float64)) if own.size else None,
        unmeasured=None if own.size else NO_ROWS,
        baseline=mean(real.astype(np.float64)) if own.size and real is not None else None,
        definition=f"Mean number of {how}, over all rows; a null text has none.",
    )


def _outliers(
    own: Lengths, real: Lengths | None
) -> tuple[tuple[Rate, NDArray[np.int64] | None, int], ...]:
    """Return the places of the texts beyond each bound, and how many of the reference are."""
    if real is None:
        return (_SHORT, None, 0), (_LONG, None, 0)
    least, greatest = usual_lengths(real.chars)
    return (
        (_SHORT, np.flatnonzero(own.chars < least), int(np.sum(real.chars < least))),
        (_LONG, np.flatnonzero(own.chars > greatest), int(np.sum(real.chars > greatest))),
    )


def _finding(
    rate: Rate, metric: Metric, corpus: Corpus, places: NDArray[np.int64] | None
) -> list[Finding]:
    # As many as in the reference are expected: they are no finding.
    if places is None or metric.estimate is None or metric.baseline is None:
        return []
    low, high = metric.estimate.low, metric.baseline.high
    if low is None or high is None or low <= max(high, 2 * TAIL):
        return []
    rows = show_rows(corpus.take(places), lambda text: ((), f"{len(text):,} characters"))
    return [rate_finding(rate, metric, rows, places.size)]


def _table(own: Lengths, real: Lengths | None) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, lengths in (("this dataset", own), ("reference", real)):
        if lengths is not None and lengths.chars.size:
            rows.append((name, "words", *length_quantiles(lengths.words)))
            rows.append((name, "characters", *length_quantiles(lengths.chars)))
    return Table(
        name="lengths",
        group=Group.SHAPE,
        title="Lengths of the texts",
        caption="The length that the given share of the texts does not exceed; 50% is the median.",
        columns=("texts", "unit", *(f"{quantile:.0%}" for quantile in QUANTILES)),
        rows=tuple(rows),
    )
