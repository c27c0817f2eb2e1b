"""Two datasets side by side."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from schemas.audit import Audit, Estimate, GateOutcome, Metric
from schemas.comparison import Change, Comparison, GatePair, LabelPair, MetricPair
from tasks.audit import fidelity, intervals
from tasks.audit.corpus import Corpus
from tasks.audit.excerpts import printable
from tasks.audit.masking import mask_section
from tasks.audit.reading import Choice
from tasks.audit.run import Request, audit_inputs, read_request
from tasks.audit.sections import region_of

MOST_LABELS = 1000
"""Labels that are paired; a column of a million different values is none that one looks through."""
_RANK = {"unmeasured": 0, "pass": 0, "warn": 1, "fail": 2}


@dataclass(frozen=True, slots=True)
class Sides:
    """What is compared.

    Args:
        first: The dataset to compare with: the last good release, say.
        second: The dataset in question.
        choice: Columns of both.
        gates: A gates file for both.
    """

    first: Path
    second: Path
    choice: Choice
    gates: Path | None = None


def compare(sides: Sides, *, report: Callable[[str], None] = lambda stage: None) -> Comparison:
    """Audit two datasets by the same gates and hold the second against the first.

    Args:
        sides: The two datasets; each is read once.
        report: Told what begins.

    Raises:
        InputError: If a file cannot be read or a gate names no metric; nothing was measured.
    """
    report("reading")
    (old, old_source), (new, new_source) = (
        read_request(Request(path, sides.choice, gates=sides.gates))
        for path in (sides.first, sides.second)
    )
    first, _ = audit_inputs(old, old_source, report=lambda stage: report(f"A, {stage}"))
    second, _ = audit_inputs(new, new_source, report=lambda stage: report(f"B, {stage}"))
    report("drift")
    labels = pair_labels(old.corpus, new.corpus)
    num_labels = len({*(old.corpus.labels or ()), *(new.corpus.labels or ())})
    return Comparison(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        corpusmith=version("corpusmith"),
        first=first,
        second=second,
        metrics=pair_metrics(first.metrics(), second.metrics()),
        gates=pair_gates(first, second),
        labels=labels,
        labels_left_out=num_labels - len(labels),
        drift=mask_section(
            fidelity.measure(corpus=new.corpus, reference=old.corpus),
            [new.corpus, old.corpus],
            region=region_of(new.wishes.language),
        ),
        new_labels=_beyond(new.corpus, old.corpus),
        lost_labels=_beyond(old.corpus, new.corpus),
        kept_rows=_kept(old.corpus, new.corpus),
    )


def pair_metrics(
    first: Mapping[str, Metric], second: Mapping[str, Metric]
) -> tuple[MetricPair, ...]:
    """Pair metrics of the same name, in the order of the second dataset's."""
    return tuple(
        MetricPair(
            name=name,
            group=metric.group,
            title=metric.title,
            unit=metric.unit,
            first=first[name].estimate,
            second=metric.estimate,
            change=change_of(first[name].estimate, metric.estimate, better=metric.better),
        )
        for name, metric in second.items()
        if name in first
    )


def pair_gates(first: Audit, second: Audit) -> tuple[GatePair, ...]:
    """Pair the gates of two audits that had the same ones."""
    old: Mapping[str, GateOutcome] = {gate.metric: gate for gate in first.gates}
    return tuple(
        GatePair(
            metric=gate.metric,
            first=old[gate.metric],
            second=gate,
            change=gate_change(old[gate.metric], gate),
        )
        for gate in second.gates
    )


def pair_labels(old: Corpus, new: Corpus) -> tuple[LabelPair, ...]:
    """Count the labels of two datasets, those first whose shares lie farthest apart.

    Args:
        old: The first dataset.
        new: The second one.

    Returns:
        At most `MOST_LABELS` pairs.
    """
    first, second = (Counter(corpus.labels or ()) for corpus in (old, new))
    sizes = max(len(old), 1), max(len(new), 1)

    def farthest_first(label: str | None) -> tuple[float, int, bool, str]:
        apart = abs(first[label] / sizes[0] - second[label] / sizes[1])
        return -apart, -first[label] - second[label], label is None, label or ""

    return tuple(
        _label_pair(label, (first[label], second[label]), (old, new))
        for label in sorted(first.keys() | second.keys(), key=farthest_first)[:MOST_LABELS]
    )


def change_of(first: Estimate | None, second: Estimate | None, *, better: str) -> Change:
    """Tell whether a figure changed by more than chance explains.

    Two figures count as the same while their 95 % intervals overlap. That is cautious: of two equal
    figures, fewer than one pair in a hundred is called unlike.

    Args:
        first: Of the first dataset.
        second: Of the second one.
        better: `lower`, `higher` or `neither`.
    """
    if first is None or second is None:
        return "same" if first is second else "unknown"
    lows = [one.value if one.low is None else one.low for one in (first, second)]
    highs = [one.value if one.high is None else one.high for one in (first, second)]
    if max(lows) <= min(highs):
        return "same"
    if better == "neither":
        return "changed"
    return "better" if (second.value < first.value) == (better == "lower") else "worse"


def gate_change(first: GateOutcome, second: GateOutcome) -> Change:
    """Tell what became of a gate: it got worse when it warns or fails and did not before.

    Nothing is held against a dataset whose metric was not measured, nor for it.
    """
    if _RANK[second.level] > _RANK[first.level]:
        return "worse"
    if (first.level == "unmeasured") != (second.level == "unmeasured"):
        return "unknown"
    return "better" if _RANK[second.level] < _RANK[first.level] else "same"


def _label_pair(
    label: str | None, rows: tuple[int, int], corpora: tuple[Corpus, Corpus]
) -> LabelPair:
    first, second = (
        None if corpus.labels is None or not len(corpus) else intervals.share(count, len(corpus))
        for count, corpus in zip(rows, corpora, strict=True)
    )
    return LabelPair(
        label=None if label is None else printable(label),
        first_rows=rows[0],
        second_rows=rows[1],
        first=first,
        second=second,
        change=change_of(first, second, better="neither"),
    )


def _beyond(corpus: Corpus, other: Corpus) -> tuple[str, ...]:
    """Return the labels that a dataset has and the other lacks; none where one has no labels."""
    if not (corpus.labels and other.labels):
        return ()
    found = set(corpus.labels) - set(other.labels)
    return tuple(sorted(printable(label) for label in found if label is not None))


def _kept(old: Corpus, new: Corpus) -> int:
    known = set(old.normals)
    return sum(normal in known for normal in new.normals)
