"""Toxicity as a classifier sees it, on a sample of rows."""

from collections.abc import Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class ToxicityModel:
    """A classifier under its name.

    Args:
        name: What its folder or the hub calls it.
        harmful_labels: Those of its labels that count as toxic.
        score: The classifier at work.
    """

    name: str
    harmful_labels: tuple[str, ...]
    score: ToxicityScorer

    def __str__(self) -> str:
        """Name it for a definition: "toxic-bert (toxic, insult)"."""
        return f"{self.name} ({', '.join(self.harmful_labels)})"


def measure_toxicity(
    corpus: Corpus, *, reference: Corpus | None, model: ToxicityModel | None
) -> tuple[tuple[Metric, ...], tuple[Finding, ...]]:
    """Measure the mean probability of being toxic, and the share of rows above one half.

    Args:
        corpus: The dataset; of more than `MOST_SCORED` rows a sample is read.
        reference: Real data; as many of its rows are read.
        model: The classifier; without one the metrics say so.

    Raises:
        ValueError: If the classifier returns anything but one probability for each text.
    """
    if model is None or not len(corpus):
        return _metrics(None, None, model=model, sampled=None), ()
    drawn = corpus.sample(MOST_SCORED, key="toxicity")
    scores = _scored(drawn, model)
    usual = None
    if reference is not None and len(reference):
        usual = _scored(reference.sample(len(drawn), key="toxicity"), model)
    sampled = len(drawn) if len(drawn) < len(corpus) else None
    return _metrics(scores, usual, model=model, sampled=sampled), _findings(drawn, scores)


def _scored(corpus: Corpus, model: ToxicityModel) -> NDArray[np.float64]:
    scores = np.asarray(model.score(corpus.strings), dtype=np.float64)
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
    model: ToxicityModel | None,
    sampled: int | None,
) -> tuple[Metric, ...]:
    by, why = "the named classifier", _NO_SCORER
    if model is not None:
        by, why = str(model), _NO_ROWS
    mean = Metric(
        name="toxicity_mean",
        group=Group.SAFETY,
        title="Mean toxicity",
        unit="score",
        better="lower",
        estimate=None if scores is None else _mean(scores),
        unmeasured=why if scores is None else None,
        baseline=None if usual is None else _mean(usual),
        sampled=sampled,
        definition=f"Mean probability that a text is toxic, by {by}.",
    )
    rate = Metric(
        name="toxicity_rate",
        group=Group.SAFETY,
        title="Toxic rows",
        unit="share",
        better="lower",
        estimate=None if scores is None else _count(scores).estimate(),
        unmeasured=why if scores is None else None,
        baseline=None if usual is None else _count(usual).estimate(),
        sampled=sampled,
        definition=f"Share of rows whose probability of being toxic is above {LEAST_TOXIC:g}, by "
        f"{by}.",
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
