"""An audit from files to files: read, measure, judge, write."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from schemas.audit import Audit, Evidence, Inspected, Section
from schemas.audit_gates import AuditFile, load_audit_file, require_known
from tasks.audit.bounds import bounds_of
from tasks.audit.corpus import Corpus
from tasks.audit.defaults import DEFAULT_GATES
from tasks.audit.excerpts import excerpt
from tasks.audit.judges import Judges, open_judges
from tasks.audit.masking import leave_as_is, mask_audit
from tasks.audit.mitigated_files import write_mitigations
from tasks.audit.reading import Choice, read_corpus
from tasks.audit.sections import Inputs, known_metrics, measure_all, region_of
from tasks.audit.verdict import conclude, settle
from tasks.expectations.audit_suite import AuditValidation, judge_metrics

SAMPLE_ROWS = 60
"""Rows that the report shows."""

_NOBODY = Judges()
Role = Literal["audited", "reference", "holdout", "examples", "previous"]


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
        show_personal_data: Show personal data in the report as they are, not masked.
        mitigate: Write the files of `write_mitigations` beside the report.
        generator: Language model that reads the texts: `starter`, a local folder or a hub id.
        toxicity: Sequence classifier, a local folder or a hub id.
        embeddings: Model of sentence-transformers, a local folder or a hub id.
    """

    data: Path
    choice: Choice
    reference: Path | None = None
    holdout: Path | None = None
    examples: Path | None = None
    gates: Path | None = None
    show_personal_data: bool = False
    mitigate: bool = False
    generator: str | None = None
    toxicity: str | None = None
    embeddings: str | None = None


def run_audit(
    request: Request,
    *,
    mitigation: Path | None = None,
    report: Callable[[str], None] = lambda stage: None,
) -> tuple[Audit, AuditValidation]:
    """Audit a dataset.

    Args:
        request: What to read.
        mitigation: Folder for the files of `write_mitigations`; None writes none.
        report: Told what begins, for whoever waits.

    Raises:
        InputError: If a file cannot be read, a model cannot be opened or a gate names no metric;
            nothing was measured.
    """
    judges = _judges(request, report)
    report("reading")
    inputs, inspected = read_request(request, judges)
    return audit_inputs(
        inputs,
        inspected,
        show_personal_data=request.show_personal_data,
        mitigation=mitigation,
        report=report,
    )


def read_request(
    request: Request, judges: Judges = _NOBODY
) -> tuple[Inputs, tuple[Inspected, ...]]:
    """Read the datasets of a request and what the audited one was meant to be.

    Args:
        request: What to read.
        judges: Models that are to be asked.

    Raises:
        InputError: If a file cannot be read or a gate names no metric.
    """
    return _read(request, _wishes(request.gates), judges)


def audit_inputs(
    inputs: Inputs,
    inspected: tuple[Inspected, ...],
    *,
    show_personal_data: bool = False,
    mitigation: Path | None = None,
    report: Callable[[str], None] = lambda stage: None,
) -> tuple[Audit, AuditValidation]:
    """Measure and judge what was read.

    Args:
        inputs: The datasets, and what the audited one was meant to be.
        inspected: Where they came from.
        show_personal_data: Leave personal data in the audit as they are.
        mitigation: Folder for the files of `write_mitigations`; None writes none.
        report: Told what begins.
    """
    sections, seconds = measure_all(inputs, report=lambda group: report(group.value))
    if mitigation is not None:
        report("mitigation")
        sections = _with(sections, write_mitigations(inputs.corpus, mitigation))
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
    if show_personal_data:
        return leave_as_is(audit), validation
    read = (
        inputs.corpus,
        inputs.reference,
        inputs.holdout,
        inputs.examples,
        inputs.previous,
    )
    corpora = [corpus for corpus in read if corpus is not None]
    return mask_audit(audit, corpora, region=region_of(inputs.wishes.language)), validation


def _with(sections: tuple[Section, ...], more: Section) -> tuple[Section, ...]:
    return tuple(
        Section.joined(more.group, [one, more]) if one.group is more.group else one
        for one in sections
    )


def _wishes(path: Path | None) -> AuditFile:
    if path is None:
        return AuditFile()
    wishes = load_audit_file(path)
    if wishes.gates:
        require_known(wishes.gates, known_metrics(), path)
    return wishes


def _judges(request: Request, report: Callable[[str], None]) -> Judges:
    named = (request.generator, request.toxicity, request.embeddings)
    if not any(named):
        return Judges()
    report("models")
    return open_judges(
        generator=request.generator, toxicity=request.toxicity, embeddings=request.embeddings
    )


def _read(
    request: Request, wishes: AuditFile, judges: Judges
) -> tuple[Inputs, tuple[Inspected, ...]]:
    corpus = read_corpus(request.data, request.choice, more=tuple(wishes.attributes))
    inspected = [inspected_as("audited", request.data, corpus, request.choice)]
    others: dict[str, Corpus] = {}
    paths: tuple[tuple[Role, Path | None], ...] = (
        ("reference", request.reference),
        ("holdout", request.holdout),
        ("examples", request.examples),
    )
    for role, path in paths:
        if path is not None:
            others[role] = read_corpus(path, request.choice, vocabulary=corpus.vocabulary)
            inspected.append(inspected_as(role, path, others[role], request.choice))
    inputs = Inputs(
        corpus,
        reference=others.get("reference"),
        holdout=others.get("holdout"),
        examples=others.get("examples"),
        judges=judges,
        wishes=wishes,
    )
    return inputs, tuple(inspected)


def inspected_as(role: Role, path: Path, corpus: Corpus, choice: Choice) -> Inspected:
    """Say what was read, from which file or folder, in which role."""
    label = (choice.label or "label") if corpus.labels is not None else None
    # Where a file lies is nobody's business but its owner's: reports travel.
    return Inspected(role=role, path=path.name, rows=len(corpus), text=choice.text, label=label)


def _sample(corpus: Corpus) -> tuple[Evidence, ...]:
    drawn = corpus.sample(SAMPLE_ROWS, key="report")
    return tuple(
        excerpt(drawn, place, text=drawn.strings[place], spans=(), note="")
        for place in range(len(drawn))
    )
