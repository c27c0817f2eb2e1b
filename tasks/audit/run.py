"""An audit from files to files: read, measure, judge, write."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from schemas.audit import Audit, Evidence, Inspected
from schemas.audit_gates import AuditFile, load_audit_file, require_known
from tasks.audit.bounds import bounds_of
from tasks.audit.corpus import Corpus
from tasks.audit.defaults import DEFAULT_GATES
from tasks.audit.excerpts import excerpt
from tasks.audit.reading import Choice, read_corpus
from tasks.audit.sections import Inputs, known_metrics, measure_all
from tasks.audit.verdict import conclude, settle
from tasks.expectations.audit_suite import AuditValidation, judge_metrics

SAMPLE_ROWS = 60
"""Rows that the report shows."""

Role = Literal["audited", "reference", "holdout", "examples"]


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be audited, and beside what.

    Args:
        data: The dataset.
        choice: Its columns, and those of the others.
        reference: Real data of the task.
        holdout: Evaluation sets that must not be in the data.
        examples: Seeds that the generator was shown.
        gates: A gates file.
    """

    data: Path
    choice: Choice
    reference: Path | None = None
    holdout: Path | None = None
    examples: Path | None = None
    gates: Path | None = None


def run_audit(
    request: Request, *, report: Callable[[str], None] = lambda stage: None
) -> tuple[Audit, AuditValidation]:
    """Audit a dataset.

    Args:
        request: What to read.
        report: Told what begins, for whoever waits.

    Raises:
        InputError: If a file cannot be read or a gate names no metric; nothing was measured.
    """
    wishes = _wishes(request.gates)
    report("reading")
    inputs, inspected = _read(request, wishes)
    return audit_inputs(inputs, inspected, report=report)


def audit_inputs(
    inputs: Inputs,
    inspected: tuple[Inspected, ...],
    *,
    report: Callable[[str], None] = lambda stage: None,
) -> tuple[Audit, AuditValidation]:
    """Measure and judge what was read.

    Args:
        inputs: The datasets, and what the audited one was meant to be.
        inspected: Where they came from.
        report: Told what begins.
    """
    sections, seconds = measure_all(inputs, report=lambda group: report(group.value))
    report("gates")
    metrics = {metric.name: metric for section in sections for metric in section.metrics}
    bounds = bounds_of(metrics, defaults=DEFAULT_GATES, wishes=inputs.wishes)
    validation = judge_metrics(metrics, bounds.by_metric, title=inputs.corpus.name)
    outcomes = bounds.with_idle(validation.outcomes, metrics)
    settled = settle(sections, outcomes, off=bounds.off)
    conclusion = conclude(settled, outcomes)
    audit = Audit(
        name=inputs.corpus.name,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        corpusmith=version("corpusmith"),
        inputs=inspected,
        verdict=conclusion.verdict,
        reasons=conclusion.reasons,
        bands=conclusion.bands,
        gates=outcomes,
        sections=settled,
        sample=_sample(inputs.corpus),
        seconds=seconds,
    )
    return audit, validation


def _wishes(path: Path | None) -> AuditFile:
    if path is None:
        return AuditFile()
    wishes = load_audit_file(path)
    if wishes.gates:
        require_known(wishes.gates, known_metrics(), path)
    return wishes


def _read(request: Request, wishes: AuditFile) -> tuple[Inputs, tuple[Inspected, ...]]:
    corpus = read_corpus(request.data, request.choice, more=tuple(wishes.attributes))
    inspected = [_inspected("audited", request.data, corpus, request.choice)]
    others: dict[str, Corpus] = {}
    paths: tuple[tuple[Role, Path | None], ...] = (
        ("reference", request.reference),
        ("holdout", request.holdout),
        ("examples", request.examples),
    )
    for role, path in paths:
        if path is not None:
            others[role] = read_corpus(path, request.choice, vocabulary=corpus.vocabulary)
            inspected.append(_inspected(role, path, others[role], request.choice))
    inputs = Inputs(
        corpus,
        reference=others.get("reference"),
        holdout=others.get("holdout"),
        examples=others.get("examples"),
        wishes=wishes,
    )
    return inputs, tuple(inspected)


def _inspected(role: Role, path: Path, corpus: Corpus, choice: Choice) -> Inspected:
    label = (choice.label or "label") if corpus.labels is not None else None
    # Where a file lies is nobody's business but its owner's: reports travel.
    return Inspected(role=role, path=path.name, rows=len(corpus), text=choice.text, label=label)


def _sample(corpus: Corpus) -> tuple[Evidence, ...]:
    drawn = corpus.sample(SAMPLE_ROWS, key="report")
    return tuple(
        excerpt(drawn, place, text=drawn.strings[place], spans=(), note="")
        for place in range(len(drawn))
    )
