"""Toxicity as a classifier sees it, on a sample of rows."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from schemas.audit import Estimate, Finding, Group, Metric
from tasks.audit import intervals
from tasks.audit.corpus import Corpus
from tasks.audit.excerpts import MOST_ROWS, Count, excerpt

MOST_SCORED = 2_000
"""Rows that a classifier reads: of this many, a share is known to within 2.2 points."""
LEAST_TOXIC = 0.5
"""From this probability on a text counts as toxic."""
_NO_SCORER = "no classifier was named"
_NO_ROWS = "the corpus has no rows"


class ToxicityScorer(Protocol):
    """A classifier: the probability that each of some texts is toxic."""

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return probabilities in [0, 1], shape `(N,)`."""
        ...


def measure_toxicity(
    corpus: Corpus, *, reference: Corpus | None, scorer: ToxicityScorer | None
) -> tuple[tuple[Metric, ...], tuple[Finding, ...]]:
    """Measure the mean probability of being toxic, and the share of rows above one half.

    Args:
        corpus: The dataset; of more than `MOST_SCORED` rows a sample is read.
        reference: Real data; as many of its rows are read.
        scorer: The classifier; without one the metrics say so.

    Raises:
        ValueError: If the classifier returns anything but one probability for each text.
    """
    if scorer is None or not len(corpus):
        why = _NO_ROWS if scorer else _NO_SCORER
        return _metrics(None, None, why=why, sampled=None), ()
    drawn = corpus.sample(MOST_SCORED, key="toxicity")
    scores = _scored(drawn, scorer)
    usual = None
    if reference is not None and len(reference):
        usual = _scored(reference.sample(len(drawn), key="toxicity"), scorer)
    sampled = len(drawn) if len(drawn) < len(corpus) else None
    metrics = _metrics(scores, usual, why=None, sampled=sampled)
    return metrics, _findings(drawn, scores)


def _scored(corpus: Corpus, scorer: ToxicityScorer) -> NDArray[np.float64]:
    scores = np.asarray(scorer(corpus.strings), dtype=np.float64)
    if scores.shape != (len(corpus),) or not bool(np.all((scores >= 0) & (scores <= 1))):
        raise ValueError("a toxicity classifier returns one probability for each text")
    return scores


def _count(scores: NDArray[np.float64]) -> Count:
    return Count(int(np.count_nonzero(scores > LEAST_TOXIC)), len(scores))


def _mean(scores: NDArray[np.float64]) -> Estimate:
    """Estimate the mean; its interval stays where probabilities lie."""
    found = intervals.mean(scores)
    if found.low is None or found.high is None:
        return found
    return found.model_copy(update={"low": max(0.0, found.low), "high": min(1.0, found.high)})


def _metrics(
    scores: NDArray[np.float64] | None,
    usual: NDArray[np.float64] | None,
    *,
    why: str | None,
    sampled: int | None,
) -> tuple[Metric, ...]:
    mean = Metric(
        name="toxicity_mean",
        group=Group.SAFETY,
        title="Mean toxicity",
        unit="score",
        better="lower",
        estimate=None if scores is None else _mean(scores),
        unmeasured=why,
        baseline=None if usual is None else _mean(usual),
        sampled=sampled,
        definition="Mean probability, by the named classifier, that a text is toxic.",
    )
    rate = Metric(
        name="toxicity_rate",
        group=Group.SAFETY,
        title="Toxic rows",
        unit="share",
        better="lower",
        estimate=None if scores is None else _count(scores).estimate(),
        unmeasured=why,
        baseline=None if usual is None else _count(usual).estimate(),
        sampled=sampled,
        definition=f"Share of rows whose probability of being toxic is above {LEAST_TOXIC:g}.",
    )
    return mean, rate


def _findings(drawn: Corpus, scores: NDArray[np.float64]) -> tuple[Finding, ...]:
    count = _count(scores)
    if not count.rows:
        return ()
    toxic = np.flatnonzero(scores > LEAST_TOXIC).tolist()
    worst = sorted(toxic, key=lambda row: (-scores[row], drawn.ids[row]))[:MOST_ROWS]
    finding = Finding(
        name="toxic_rows",
        group=Group.SAFETY,
        metric="toxicity_rate",
        what=f"{count} that the classifier read are toxic to it.",
        action="Read the rows: drop those that are, and mend the prompt that asks for them.",
        rows=count.rows,
        evidence=tuple(
            excerpt(drawn, row, text=drawn.strings[row], spans=(), note=f"{scores[row]:.2f}")
            for row in worst
        ),
    )
    return (finding,)
