"""What the figures of fluency mean to someone who wants to train on the corpus."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from schemas.audit import Finding, Group, Metric
from tasks.audit.corpus import Corpus
from tasks.audit.excerpts import MOST_ROWS
from tasks.audit.fluency_metrics import REPETITIVE
from tasks.audit.likelihoods import Likelihoods
from tasks.audit.shown_rows import shown_row
from tasks.quality.diversity import word_ngrams
from tasks.quality.ngram_shares import REPEATED_N


def findings(
    metrics: Sequence[Metric],
    *,
    corpus: Corpus,
    repeated: NDArray[np.float64],
    scored: Likelihoods | None,
) -> tuple[Finding, ...]:
    """Say what stands out.

    Args:
        metrics: Every metric of the section.
        corpus: What they were measured on.
        repeated: Repetition of each text, shape `(N,)`.
        scored: Likelihoods of its rows or of a sample of them.
    """
    by_name = {metric.name: metric for metric in metrics}
    found = [_loops(by_name["repetitive_share"], corpus=corpus, repeated=repeated)]
    if scored is not None:
        found += [
            _off_reference(by_name["bits_per_character"]),
            _improbable(by_name["improbable_share"], scored=scored),
            _unscored(scored),
        ]
    return tuple(finding for finding in found if finding is not None)


def _loops(metric: Metric, *, corpus: Corpus, repeated: NDArray[np.float64]) -> Finding | None:
    places = np.flatnonzero(repeated > REPETITIVE)
    share = metric.estimate
    if share is None or share.low is None or not places.size:
        return None
    worst = places[np.argsort(-repeated[places], kind="stable")][:MOST_ROWS].tolist()
    return Finding(
        name="repetitive_texts",
        group=Group.FLUENCY,
        metric=metric.name,
        what=f"{places.size:,} of {len(corpus):,} texts ({share.value:.2%}) go round in circles: "
        f"more than {REPETITIVE:.0%} of their word {REPEATED_N}-grams repeat an earlier one.",
        action="Turn on the row gate `repetition`, or drop these rows. If there are many, sample "
        "with nucleus or min_p instead of greedy or beam, and shorten the texts asked for.",
        rows=int(places.size),
        evidence=tuple(
            shown_row(
                corpus,
                place,
                phrase=_repeated_phrase(corpus.normals[place]),
                note=f"{repeated[place]:.0%} of the 3-grams repeat",
            )
            for place in worst
        ),
    )


def _repeated_phrase(normal: str) -> str:
    """Return the words that a text repeats most often."""
    counts = Counter(word_ngrams(normal.split(), REPEATED_N))
    return " ".join(counts.most_common(1)[0][0])


def _off_reference(metric: Metric) -> Finding | None:
    own, other = metric.estimate, metric.baseline
    if own is None or other is None or None in (own.low, own.high, other.low, other.high):
        return None
    figures = f"{own.value:.2f} bits a character against {other.value:.2f} of the reference"
    if (own.high or 0.0) < (other.low or 0.0):
        return Finding(
            name="blander_than_reference",
            group=Group.FLUENCY,
            severity="note",
            what=f"A language model finds the texts more predictable than real ones: {figures}.",
            action="Sample at a higher temperature or top_p, or give more varied prompts, if the "
            "real texts are what a trained model will meet.",
        )
    if (own.low or 0.0) > (other.high or 0.0):
        return Finding(
            name="stranger_than_reference",
            group=Group.FLUENCY,
            severity="note",
            what=f"A language model finds the texts less probable than real ones: {figures}.",
            action="Read some: they may be broken, of another subject or of another style than the "
            "reference. Lower the temperature if they are broken.",
        )
    return None


def _improbable(metric: Metric, *, scored: Likelihoods) -> Finding | None:
    share, places = metric.estimate, scored.improbable
    if share is None or not places.size:
        return None
    middle = float(np.median(scored.bits[scored.known]))
    return Finding(
        name="improbable_texts",
        group=Group.FLUENCY,
        severity="note",
        what=f"{len(places):,} of {share.n:,} texts that were scored ({share.value:.1%}) are far "
        f"less probable than most, whose median is {middle:.2f} bits a character.",
        action="Read them: garbled and off-topic texts gather here. Drop what is broken.",
        rows=len(places),
        evidence=tuple(
            shown_row(scored.corpus, place, note=f"{scored.bits[place]:.2f} bits a character")
            for place in places[:MOST_ROWS].tolist()
        ),
    )


def _unscored(scored: Likelihoods) -> Finding | None:
    places = np.flatnonzero(~np.isfinite(scored.logprobs))
    if not places.size:
        return None
    return Finding(
        name="texts_not_scored",
        group=Group.FLUENCY,
        severity="note",
        what=f"{places.size:,} of {len(scored.corpus):,} texts have no log-probability, and no "
        "figure of likelihood counts them.",
        action="They may be too long for the model, or come from a generator that reports none; "
        "name a model with a longer context if they matter.",
        rows=int(places.size),
        evidence=tuple(shown_row(scored.corpus, place) for place in places[:MOST_ROWS].tolist()),
    )
