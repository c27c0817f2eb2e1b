"""Every measure of an audit, one room after the other."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.audit import Group, Metric, Section
from schemas.audit_gates import AuditFile
from tasks.audit import (
    bias,
    contamination,
    diversity,
    drift,
    duplicates,
    fidelity,
    fluency,
    labels,
    named_people,
    personal_data,
    privacy,
    safety,
    shape,
)
from tasks.audit.corpus import Corpus
from tasks.audit.judges import Judges
from tasks.bias.counterfactual import PairScorer
from tasks.quality.fluency import TextLikelihood


@dataclass(frozen=True, slots=True)
class Inputs:
    """What an audit is given.

    Args:
        corpus: The audited rows.
        reference: Real texts of the task.
        holdout: Real texts that no model may have seen: evaluation sets.
        examples: Seeds that the generator was shown.
        judges: Models that are asked about the texts.
        previous: The version of a release before this one.
        wishes: What the dataset was meant to be.
    """

    corpus: Corpus
    reference: Corpus | None = None
    holdout: Corpus | None = None
    examples: Corpus | None = None
    judges: Judges = field(default_factory=Judges)
    previous: Corpus | None = None
    wishes: AuditFile = field(default_factory=AuditFile)


def measure_all(
    inputs: Inputs, *, report: Callable[[Group], None] = lambda group: None
) -> tuple[tuple[Section, ...], dict[str, float]]:
    """Measure every room.

    Args:
        inputs: The datasets.
        report: Told each room before it is measured.

    Returns:
        One section a room, in the order of `Group`, and the seconds of processor time of each.
    """
    sections, seconds = [], {}
    for group, members in groupby(_measures(inputs), key=lambda entry: entry[0]):
        report(group)
        start = time.process_time()
        parts = [measure() for _, measure in members]
        seconds[group.value] = round(time.process_time() - start, 2)
        sections.append(Section.joined(group, parts))
    return tuple(sections), seconds


def known_metrics() -> Mapping[str, Metric]:
    """Return every metric that an audit measures, from one of no rows."""
    sections, _ = measure_all(Inputs(Corpus(name="nothing", ids=[], texts=[])))
    return {metric.name: metric for section in sections for metric in section.metrics}


Measures = Sequence[tuple[Group, Callable[[], Section]]]
"""The measures of an audit by room; those of one room follow one another."""


def _measures(inputs: Inputs) -> Measures:
    corpus, reference, wishes = inputs.corpus, inputs.reference, inputs.wishes
    judges, examples = inputs.judges, inputs.examples
    texts = None if judges.scorer is None else _scorer_of_texts(judges.scorer)
    both: dict[str, Any] = {"corpus": corpus, "reference": reference}
    return (
        (
            Group.SHAPE,
            lambda: shape.measure(
                **both,
                examples=examples,
                language=wishes.language,
                asked=wishes.labels,
                asked_attributes=wishes.attributes,
            ),
        ),
        (Group.FLUENCY, lambda: fluency.measure(**both, scorer=texts)),
        (Group.DIVERSITY, lambda: diversity.measure(**both)),
        (Group.DUPLICATES, lambda: duplicates.measure(**both, embed=judges.embed)),
        (Group.LABELS, lambda: labels.measure(**both, posterior=judges.posterior)),
        (Group.FIDELITY, lambda: fidelity.measure(**both)),
        (Group.DRIFT, lambda: drift.measure(corpus=corpus, previous=inputs.previous)),
        (
            Group.PRIVACY,
            lambda: privacy.measure(**both, holdout=inputs.holdout, examples=examples),
        ),
        (
            Group.PRIVACY,
            lambda: personal_data.measure(**both, region=region_of(wishes.language)),
        ),
        (
            Group.PRIVACY,
            lambda: named_people.measure(corpus=corpus, language=wishes.language),
        ),
        (Group.CONTAMINATION, lambda: contamination.measure(corpus=corpus, holdout=inputs.holdout)),
        (Group.SAFETY, lambda: safety.measure(**both, toxicity=judges.toxicity)),
        (
            Group.BIAS,
            lambda: bias.measure(**both, target=wishes.groups or None, scorer=judges.scorer),
        ),
    )


def _scorer_of_texts(scorer: PairScorer) -> TextLikelihood:
    def score(texts: Sequence[str]) -> NDArray[np.float64]:
        return np.array(scorer([("", text) for text in texts]), dtype=np.float64)

    return score


def region_of(language: str | None) -> str | None:
    """Return the region of a language tag: `GB` of `en-GB`."""
    parts = (language or "").split("-")[1:]
    return next((part.upper() for part in parts if len(part) == 2 and part.isalpha()), None)
