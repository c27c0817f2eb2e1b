"""Sentiment: in what tone are groups spoken of?"""

from collections.abc import Mapping, Sequence

import numpy as np

from schemas.audit import Cell, Estimate, Finding, Group, Metric, Section, Table
from tasks.audit.bias_study import Study, metric, plain
from tasks.bias.association import FEWEST_ROWS, Floats
from tasks.bias.interval import ALPHA, Interval
from tasks.bias.sentiment import SentimentGap, polarity_scores, sentiment_gaps, shipped_polarity

SMALL_GAP = 0.05
"""Differences of mean sentiment (in [-1, 1]) up to which nothing is said."""

_GAP = (
    "Largest difference, without its sign, between the mean sentiment of the rows that name a "
    "group and of those that name only other groups of the axis. Sentiment of a row: positive less "
    "negative words of the polarity lexicon over both, negations turned, in [-1, 1], 0 without "
    "any. Welch interval of that group, not corrected for its choice.",
    "Welch 1947, https://doi.org/10.1093/biomet/34.1-2.28",
)
Gaps = Mapping[str, Sequence[SentimentGap]]


def sentiment(studied: Study) -> dict[str, list[SentimentGap]]:
    """Measure the gaps of every axis."""
    polarity, words = shipped_polarity(), studied.corpus.words
    wanted = sorted(polarity.positive | polarity.negative | polarity.negators)
    known = ((word, words.vocabulary.known(word)) for word in wanted)
    scores = polarity_scores(
        words.codes,
        words.offsets,
        code_of={word: code for word, code in known if code is not None},
        polarity=polarity,
    )
    mentions = studied.mentions
    return {
        axis: sentiment_gaps(scores, mentions.of_axis(axis), groups=mentions.groups(axis))
        for axis in mentions.axes()
    }


def p_values(gaps: Gaps) -> Floats:
    """Return the p-value of every gap, NaN where untested, axis by axis."""
    found = [gap.p_value for of_axis in gaps.values() for gap in of_axis]
    return np.array([np.nan if p is None else p for p in found])


def sentiment_section(gaps: Gaps, *, q_values: Floats, baseline: Gaps | None) -> Section:
    """Report the gaps; `q_values` are in the order of `p_values`."""
    rows: list[tuple[Cell, ...]] = []
    told: list[str] = []
    each = [(axis, gap) for axis, of_axis in gaps.items() for gap in of_axis]
    for (axis, gap), q in zip(each, q_values.tolist(), strict=True):
        if gap.gap is None or np.isnan(q):
            continue
        is_told = q < ALPHA and (gap.gap.low > SMALL_GAP or gap.gap.high < -SMALL_GAP)
        verdict = "different" if is_told else "not different"
        rows.append((plain(axis), plain(gap.group), gap.rows, gap.others, gap.gap.value,
                     gap.gap.low, gap.gap.high, q, verdict))  # fmt: skip
        if is_told:
            told.append(f"{plain(gap.group)} {gap.gap.value:+.2f}")
    untested = len(each) - len(rows)
    return Section(
        group=Group.BIAS,
        metrics=tuple(_metric(axis, gaps[axis], baseline) for axis in gaps),
        tables=(_table(rows, untested),),
        findings=(_finding(told),) if told else (),
    )


def _metric(axis: str, gaps: Sequence[SentimentGap], baseline: Gaps | None) -> Metric:
    estimate = _largest(gaps)
    reason = (
        f"could not be tested for lack of n: it takes {FEWEST_ROWS} rows that name one group of "
        f"{plain(axis)} and {FEWEST_ROWS} that name another"
    )
    return metric(
        f"bias_{axis}_sentiment_gap",
        title=f"Difference of sentiment between groups of {plain(axis)}",
        unit="score",
        better="lower",
        measured=reason
        if estimate is None
        else (estimate, None if baseline is None else _largest(baseline[axis])),
        about=_GAP,
    )


def _largest(gaps: Sequence[SentimentGap]) -> Estimate | None:
    found = [gap.gap for gap in gaps if gap.gap is not None]
    if not found:
        return None
    gap = max(found, key=lambda interval: abs(interval.value))
    low, high = _unsigned(gap)
    return Estimate(value=abs(gap.value), low=low, high=high, n=gap.n)


def _unsigned(gap: Interval) -> tuple[float, float]:
    ends = abs(gap.low), abs(gap.high)
    return (min(ends) if gap.excludes(0) else 0.0), max(ends)


def _table(rows: list[tuple[Cell, ...]], untested: int) -> Table:
    polarity = shipped_polarity()
    return Table(
        name="bias_sentiment",
        group=Group.BIAS,
        title="In what tone groups are spoken of",
        caption="Mean sentiment of the rows that name a group, less that of the rows that name "
        "only other groups of its axis, in [-2, 2]. A gap is told of when q (adjusted for all "
        f"tests) is below 5 % and the interval beyond {SMALL_GAP}. {untested} groups could not be "
        f"tested for lack of n. Polarity lexicon version {polarity.version}: "
        f"{len(polarity.positive)} positive and {len(polarity.negative)} negative words.",
        columns=("axis", "group", "rows", "other rows", "gap", "low", "high", "q", "verdict"),
        rows=tuple(rows),
    )


def _finding(told: Sequence[str]) -> Finding:
    return Finding(
        name="bias_sentiment_differs",
        group=Group.BIAS,
        severity="note",
        what="Rows that name some groups are in another tone than rows that name the others "
        f"(difference of mean sentiment: {', '.join(told[:5])}).",
        action="Read rows of these groups. If the tone is not meant, ask for it by an attribute in "
        "the recipe, the same for all groups.",
    )
