"""Fluency: are the texts such as a language model expects, and do they go round in circles?"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from schemas.audit import Cell, Group, Section, Table
from tasks.audit.corpus import Corpus
from tasks.audit.excerpts import printable
from tasks.audit.fluency_findings import findings
from tasks.audit.fluency_metrics import (
    REPETITIVE,
    generator_metric,
    model_metrics,
    repetition_metrics,
)
from tasks.audit.likelihoods import Likelihoods, likelihoods
from tasks.quality.fluency import TextLikelihood
from tasks.quality.ngram_shares import repetitions

MOST_GROUPS = 200


def measure(
    *, corpus: Corpus, reference: Corpus | None, scorer: TextLikelihood | None = None
) -> Section:
    """Measure the fluency of a corpus, of each label and of each strategy.

    Means over rows and ratios of sums do not depend on the size of a corpus: baselines are of all
    rows of the reference, or of a sample of its own.

    Args:
        corpus: What is audited.
        reference: Real data to compare it with, if any.
        scorer: A language model; without one, likelihoods are those that the generator left in the
            columns `logprob` and `num_tokens`.
    """
    own = repetitions(corpus.words)
    theirs = None if reference is None else repetitions(reference.words)
    generated, generated_theirs = _pair(corpus, reference, scorer=None)
    scored, scored_theirs = generated, generated_theirs
    if scorer is not None:
        scored, scored_theirs = _pair(corpus, reference, scorer=scorer)
    metrics = (
        *repetition_metrics(own, theirs=theirs),
        *model_metrics(scored, theirs=scored_theirs, by_model=scorer is not None),
        generator_metric(generated, theirs=generated_theirs),
    )
    return Section(
        group=Group.FLUENCY,
        metrics=metrics,
        tables=tuple(
            _by_group(by, corpus=corpus, repeated=own, generated=generated, scored=scored)
            for by in ("label", "strategy")
            if _names(corpus, by) is not None
        ),
        findings=findings(metrics, corpus=corpus, repeated=own, scored=scored),
    )


def _pair(
    corpus: Corpus, reference: Corpus | None, *, scorer: TextLikelihood | None
) -> tuple[Likelihoods | None, Likelihoods | None]:
    theirs = None if reference is None else likelihoods(reference, scorer=scorer)
    return likelihoods(corpus, scorer=scorer), theirs


def _names(corpus: Corpus, by: str) -> Sequence[str | None] | None:
    return corpus.labels if by == "label" else corpus.columns.get(by)


def _places(corpus: Corpus, by: str) -> dict[str, NDArray[np.int64]]:
    """Return the rows of every group."""
    places: dict[str, list[int]] = {}
    for place, name in enumerate(_names(corpus, by) or ()):
        if name is not None:
            places.setdefault(name, []).append(place)
    return {name: np.array(found, dtype=np.int64) for name, found in places.items()}


def _by_group(
    by: str,
    *,
    corpus: Corpus,
    repeated: NDArray[np.float64],
    generated: Likelihoods | None,
    scored: Likelihoods | None,
) -> Table:
    """Sum up every group."""
    places = _places(corpus, by)
    sampled = {} if scored is None else _places(scored.corpus, by)
    names = sorted(places, key=lambda name: (-len(places[name]), name))
    none = np.zeros(0, dtype=np.int64)
    return Table(
        name=f"fluency_by_{by}",
        group=Group.FLUENCY,
        title=f"Fluency by {by}",
        caption=f"The commonest {by} first. Repetition is the mean share of 3-grams that repeat "
        f"earlier ones of the text, looping the share of texts above {REPETITIVE:.0%}. Bits a "
        "character are of the texts that were scored; perplexity a token is the generator's own.",
        columns=(
            by,
            "rows",
            "repetition",
            "looping",
            "token_perplexity",
            "bits_per_character",
            "texts scored",
        ),
        rows=tuple(
            (
                printable(name),
                len(places[name]),
                *_loops(repeated[places[name]]),
                _token_perplexity(generated, places[name]),
                *_bits(scored, sampled.get(name, none)),
            )
            for name in names[:MOST_GROUPS]
        ),
        left_out=max(0, len(names) - MOST_GROUPS),
    )


def _loops(repeated: NDArray[np.float64]) -> tuple[Cell, Cell]:
    return float(repeated.mean()), float((repeated > REPETITIVE).mean())


def _token_perplexity(generated: Likelihoods | None, places: NDArray[np.int64]) -> Cell:
    estimate = None if generated is None else generated.token_perplexity(places)
    return None if estimate is None else estimate.value


def _bits(scored: Likelihoods | None, places: NDArray[np.int64]) -> tuple[Cell, Cell]:
    estimate = None if scored is None else scored.bits_per_character(places)
    return (None, 0) if estimate is None else (estimate.value, estimate.n)
