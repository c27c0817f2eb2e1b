"""Faults that a row has or has not: their shares, and the rows that show them."""

from collections.abc import Callable, Mapping, Sequence
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from schemas.audit import Estimate, Evidence, Finding, Group, Metric, Section, Table
from tasks.audit.corpus import Corpus
from tasks.audit.excerpts import MOST_CHARS, MOST_ROWS, excerpt
from tasks.audit.intervals import share
from tasks.audit.shape_rates import RATES, Rate
from tasks.quality.encoding import Fault, explain_fault, fault_spans, find_faults
from tasks.quality.leftover_rules import RULES, Family
from tasks.quality.leftovers import find_leftovers

NO_ROWS = "the dataset has no rows"
_MOST_SPANS = 20
_SAMPLE_KEY = "shape"

Places = NDArray[np.int64]
Mark = Callable[[str], tuple[Sequence[tuple[int, int]], str]]
"""Gives the spans of a text that a finding is about, and a note on it."""


def measure_rates(corpus: Corpus, real: Corpus | None) -> Section:
    """Measure every rate of `RATES`, with a finding for each that occurs.

    Args:
        corpus: What is audited.
        real: As many rows of the reference, or fewer when it is smaller.
    """
    leftovers = find_leftovers(corpus.strings)
    places = _places(corpus, leftovers)
    real_leftovers = None if real is None else find_leftovers(real.strings)
    real_places = {} if real is None else _places(real, real_leftovers or {})
    metrics, findings = [], []
    for rate in RATES:
        baseline = None
        if real is not None and rate.name in real_places:
            baseline = share(int(real_places[rate.name].size), len(real))
        metric = rate_metric(rate, places.get(rate.name), len(corpus), baseline)
        metrics.append(metric)
        if metric.estimate is not None and metric.estimate.value:
            found = places[rate.name]
            findings.append(rate_finding(rate, metric, _show(corpus, found, rate), found.size))
    table = _leftover_table(
        leftovers, len(corpus), real_leftovers, 0 if real is None else len(real)
    )
    return Section(
        group=Group.SHAPE, metrics=tuple(metrics), tables=(table,), findings=tuple(findings)
    )


def rate_metric(
    rate: Rate,
    places: Places | None,
    num_rows: int,
    baseline: Estimate | None,
    *,
    missing: str = "the data have no labels",
) -> Metric:
    """State a rate; `missing` says why where `places` is None."""
    estimate = None if places is None or not num_rows else share(int(places.size), num_rows)
    return Metric(
        name=rate.name,
        group=Group.SHAPE,
        title=rate.title,
        unit="share",
        better="lower",
        estimate=estimate,
        unmeasured=None if estimate else (missing if num_rows else NO_ROWS),
        baseline=baseline if estimate else None,
        definition=rate.definition,
        source=rate.source,
    )


def rate_finding(
    rate: Rate, metric: Metric, evidence: tuple[Evidence, ...], num_rows: int
) -> Finding:
    """Say what a rate above 0 means."""
    estimate = metric.estimate
    if estimate is None:
        raise ValueError(f"{metric.name} was not measured")
    base = metric.baseline
    what = f"{num_rows:,} of {estimate.n:,} rows ({estimate.value:.2%}) {rate.found}"
    real = "" if base is None else f" (reference: {base.value:.2%})"
    return Finding(
        name=rate.name,
        group=Group.SHAPE,
        what=f"{what}{real}.",
        action=rate.action,
        rows=num_rows,
        evidence=evidence,
    )


def show_rows(corpus: Corpus, mark: Mark) -> tuple[Evidence, ...]:
    """Show at most 20 rows of a corpus of faulty ones: the same ones whatever their order."""
    shown = corpus.sample(MOST_ROWS, key=_SAMPLE_KEY)
    rows = [_evidence(shown, place, mark) for place in range(len(shown))]
    return tuple(sorted(rows, key=lambda row: (row.id, row.text)))


def _evidence(corpus: Corpus, place: int, mark: Mark) -> Evidence:
    spans, note = mark(corpus.strings[place])
    return excerpt(corpus, place, spans=spans[:_MOST_SPANS], note=note)


def _show(corpus: Corpus, places: Places, rate: Rate) -> tuple[Evidence, ...]:
    def mark(text: str) -> tuple[Sequence[tuple[int, int]], str]:
        match rate.subject:
            case None:
                return (), ""
            case Fault() as fault:
                spans = fault_spans(text, fault)
                start, end = spans[0]
                return spans, explain_fault(text[start : min(end, start + MOST_CHARS)], fault)
            case Family() as family:
                found = {rule: rule.spans(text) for rule in RULES if rule.family is family}
                names = ", ".join(rule.name for rule, spans in found.items() if spans)
                return sorted(span for spans in found.values() for span in spans), names
            case _:
                assert_never(rate.subject)

    return show_rows(corpus.take(places), mark)


def _places(corpus: Corpus, leftovers: Mapping[str, Places]) -> dict[str, Places]:
    """Return the rows with each fault, by the name of its rate."""
    nulls = np.array([text is None for text in corpus.texts], dtype=bool)
    blank = np.array([not _is_visible(text) for text in corpus.strings], dtype=bool)
    places = {"null_rate": np.flatnonzero(nulls), "empty_rate": np.flatnonzero(blank & ~nulls)}
    if corpus.labels is not None:
        unlabelled = np.array([label is None for label in corpus.labels], dtype=bool)
        places["null_label_rate"] = np.flatnonzero(unlabelled)
    faults = find_faults(corpus.strings)
    for rate in RATES:
        match rate.subject:
            case None:
                continue
            case Fault() as fault:
                places[rate.name] = faults[fault]
            case Family() as family:
                found = [leftovers[rule.name] for rule in RULES if rule.family is family]
                places[rate.name] = np.unique(np.concatenate(found))
            case _:
                assert_never(rate.subject)
    return places


def _is_visible(text: str) -> bool:
    return any(char.isprintable() and not char.isspace() for char in text)


def _leftover_table(
    found: Mapping[str, Places],
    num_rows: int,
    real: Mapping[str, Places] | None,
    num_real: int,
) -> Table:
    rows = []
    for rule in RULES:
        count = int(found[rule.name].size)
        estimate = share(count, num_rows) if num_rows else None
        in_real = real[rule.name].size / num_real if real and num_real else None
        bounds = (estimate.value, estimate.low, estimate.high) if estimate else (None, None, None)
        rows.append((rule.name, rule.meaning, count, *bounds, in_real))
    return Table(
        name="leftovers",
        group=Group.SHAPE,
        title="Leftovers, rule by rule",
        caption="Rows that each rule matches. A rule cannot tell a real text that looks the same: "
        "read its share beside that of the reference.",
        columns=("rule", "what it finds", "rows", "share", "low", "high", "share in reference"),
        rows=tuple(rows),
    )
