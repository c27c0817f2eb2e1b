"""Labels as the generator reads them: what it would answer when asked for a text's label."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from schemas.audit import Estimate, Metric
from tasks.audit import intervals
from tasks.audit.corpus import Corpus
from tasks.audit.label_measures import DISAGREEMENT, POSTERIOR

MOST_ROWS = 500
"""Rows whose label a generator is asked for."""
MOST_ANSWERS = 20_000
"""Rows times labels: the generator weighs every label of every row."""
MOST_LABELS = 200
_KEY = "posterior"


class LabelPosterior(Protocol):
    """A generator that reads texts."""

    def __call__(self, texts: Sequence[str], labels: Sequence[str], /) -> NDArray[np.float64]:
        """Return p(label | text), shape `(N, L)`; rows sum to 1 or are NaN where it is unknown."""
        ...


@dataclass(frozen=True, slots=True)
class _Answers:
    """What a generator made of a sample of rows."""

    probability: Estimate
    disagreement: Estimate
    sampled: int | None


def posterior_metrics(
    *, corpus: Corpus, reference: Corpus | None, posterior: LabelPosterior | None
) -> Iterator[Metric]:
    """Measure what a generator makes of the labels.

    The mean probability is that of the column `label_posterior` where the data have one.

    Args:
        corpus: The rows.
        reference: Real rows; those with a label of the corpus give the baseline.
        posterior: Asked about a sample; None leaves what only it can tell unmeasured.
    """
    labels = sorted({label for label in corpus.labels or () if label is not None})
    found = _ask(corpus, labels, posterior)
    real = "no reference" if reference is None else _ask(reference, labels, posterior)
    usual = None if isinstance(real, str) else real
    column = corpus.numbers.get(POSTERIOR.name)
    if column is not None:
        yield _of_column(column)
    elif isinstance(found, str):
        yield POSTERIOR.metric(None, unmeasured=found)
    else:
        yield POSTERIOR.metric(
            found.probability,
            unmeasured=None,
            baseline=None if usual is None else usual.probability,
            sampled=found.sampled,
        )
    if isinstance(found, str):
        yield DISAGREEMENT.metric(None, unmeasured=found)
    else:
        yield DISAGREEMENT.metric(
            found.disagreement,
            unmeasured=None,
            baseline=None if usual is None else usual.disagreement,
            sampled=found.sampled,
        )


def _of_column(values: NDArray[np.float64]) -> Metric:
    values = values[np.isfinite(values)]
    if values.size == 0:
        return POSTERIOR.metric(None, unmeasured="no row has a label posterior")
    return POSTERIOR.metric(intervals.mean(values), unmeasured=None)


def _ask(corpus: Corpus, labels: Sequence[str], posterior: LabelPosterior | None) -> _Answers | str:
    """Ask a generator for the labels of a sample, or say why it cannot be asked."""
    if posterior is None:
        return "no generator was given"
    if not 2 <= len(labels) <= MOST_LABELS:
        return f"the data have {len(labels)} labels, not 2 to {MOST_LABELS}"
    place_of = {label: place for place, label in enumerate(labels)}
    given = [-1 if label is None else place_of.get(label, -1) for label in corpus.labels or ()]
    labelled = corpus.take(np.flatnonzero(np.array(given, dtype=np.int64) >= 0))
    rows = labelled.sample(min(MOST_ROWS, MOST_ANSWERS // len(labels)), key=_KEY)
    if not len(rows):
        return "no row has one of the labels"
    found = posterior(rows.strings, labels)
    own = found[np.arange(len(rows)), [place_of[str(label)] for label in rows.labels or ()]]
    known = np.isfinite(own)
    if not known.any():
        return "the generator gave no finite likelihood to a label"
    # Of labels that are told in the same words none is the better one.
    disagrees = int(np.sum(own[known] < found[known].max(axis=1)))
    return _Answers(
        probability=_within_unit(intervals.mean(own[known])),
        disagreement=intervals.share(disagrees, int(known.sum())),
        sampled=len(rows) if len(rows) < len(corpus) else None,
    )


def _within_unit(estimate: Estimate) -> Estimate:
    """Keep the bounds of a mean where probabilities lie."""
    if estimate.low is None or estimate.high is None:
        return estimate
    bounds = {"low": max(0.0, estimate.low), "high": min(1.0, estimate.high)}
    return estimate.model_copy(update=bounds)
