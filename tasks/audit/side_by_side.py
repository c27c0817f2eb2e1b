"""Two datasets side by side."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from schemas.audit import Audit, Estimate, GateOutcome, Metric
from schemas.audit_gates import load_audit_file
from schemas.comparison import Change, Comparison, GatePair, MetricPair
from tasks.audit import fidelity
from tasks.audit.corpus import Corpus
from tasks.audit.masking import mask_section
from tasks.audit.reading import Choice, read_corpus
from tasks.audit.run import Request, run_audit
from tasks.audit.sections import region_of


def compare(
    first: Path,
    second: Path,
    choice: Choice,
    *,
    gates: Path | None = None,
    report: Callable[[str], None] = lambda stage: None,
) -> Comparison:
    """Audit two datasets by the same gates and hold the second against the first.

    Args:
        first: The dataset to compare with: the last good release, say.
        second: The dataset in question.
        choice: Columns of both.
        gates: A gates file.
        report: Told what begins.

    Raises:
        InputError: If a file cannot be read.
    """
    audits = [
        run_audit(Request(path, choice, gates=gates), report=report)[0] for path in (first, second)
    ]
    report("drift")
    old = read_corpus(first, choice)
    new = read_corpus(second, choice, vocabulary=old.vocabulary)
    labels = [set(corpus.labels or ()) - {None} for corpus in (old, new)]
    return Comparison(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        corpusmith=version("corpusmith"),
        first=audits[0],
        second=audits[1],
        metrics=pair_metrics(audits[0].metrics(), audits[1].metrics()),
        gates=_pair_gates(*audits),
        drift=mask_section(
            fidelity.measure(corpus=new, reference=old), [new, old], region=_region(gates)
        ),
        new_labels=_names(labels[1] - labels[0]),
        lost_labels=_names(labels[0] - labels[1]),
        kept_rows=_kept(old, new),
    )


def _region(gates: Path | None) -> str | None:
    return None if gates is None else region_of(load_audit_file(gates).language)


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


def _pair_gates(first: Audit, second: Audit) -> tuple[GatePair, ...]:
    old: Mapping[str, GateOutcome] = {gate.metric: gate for gate in first.gates}
    return tuple(
        GatePair(metric=gate.metric, first=old[gate.metric], second=gate) for gate in second.gates
    )


def _names(labels: set[str | None]) -> tuple[str, ...]:
    return tuple(sorted(str(label) for label in labels))


def _kept(old: Corpus, new: Corpus) -> int:
    known = set(old.normals)
    return sum(normal in known for normal in new.normals)
