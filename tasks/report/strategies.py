"""Strategies side by side: yield and cost, agreement, likelihood, and diversity at equal size."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas.manifest import StrategyAccount
from schemas.strategies import Strategy
from tasks.quality.agreement import label_agreement
from tasks.quality.fingerprints import normalise_text
from tasks.quality.self_bleu import self_bleu
from tasks.report.counting import asked_labels
from tasks.report.findings import Comparison, Interval, StrategyFindings
from tasks.report.sketches import BottomK, MeanCounts, distinct_share, row_hash, wilson
from tasks.report.strategy_settings import settings

SAMPLE_TEXTS = 2_000
"""Texts of each strategy that are kept: those with the smallest hash of their id."""
MOST_WORDS, FEWEST_WORDS = 20_000, 100
"""Bounds of the equal number of words that distinct-n is measured on."""
MOST_TEXTS, FEWEST_TEXTS = 500, 10
"""Bounds of the equal number of texts that self-BLEU is measured on."""
AGREEMENT_TEXTS = 5_000
"""Texts of all strategies together that label agreement is measured on, at most."""
_SMALLEST_PART = 10
"""A strategy with less than one part in so many of the largest does not shrink all samples."""
_TEXT_CHARS = 2_000


class _Text(NamedTuple):
    words: list[str]
    label: str


class StrategyCounts:
    """Accumulates what is measured of the accepted rows of every strategy of a recipe."""

    def __init__(self, strategies: Sequence[Strategy]) -> None:
        """Start with no rows of `strategies`, the recipe's."""
        self._strategies = strategies
        self._logprobs = [MeanCounts() for _ in strategies]
        self._lengths = [MeanCounts() for _ in strategies]
        self._samples = [BottomK[_Text](SAMPLE_TEXTS) for _ in strategies]

    def add(self, table: pa.Table, places: NDArray[np.int64]) -> None:
        """Count accepted rows.

        Args:
            table: Columns of `RELEASED_SCHEMA`.
            places: Place of each row's strategy in the recipe, shape `(N,)`.
        """
        for place in np.unique(places).tolist():
            part = table.filter(pa.array(places == place))
            self._logprobs[place].add(np.asarray(part["logprob"].drop_null(), dtype=np.float64))
            # Not the row's tokens: those count the candidates that it was chosen from too.
            num_words = pc.struct_field(part["scores"].combine_chunks(), "num_words")
            self._lengths[place].add(np.asarray(num_words, dtype=np.float64))
            clean = pc.coalesce(part["clean_text"], part["text"]).to_pylist()
            labels = asked_labels(part).to_pylist()
            sample = self._samples[place]
            for name, text, label in zip(part["id"].to_pylist(), clean, labels, strict=True):
                key = row_hash(name)
                if sample.wants(key):
                    words = normalise_text(text[:_TEXT_CHARS]).split()
                    sample.add(key, name, _Text(words, label))

    def findings(
        self, accounts: Sequence[StrategyAccount]
    ) -> tuple[tuple[StrategyFindings, ...], Comparison]:
        """Compare the strategies, in the recipe's order.

        Args:
            accounts: The manifest's account of each of them.

        Returns:
            What was found of each, and what all of it was measured on.
        """
        samples = [[text for _, text in sample] for sample in self._samples]
        words = [sum(len(text.words) for text in sample) for sample in samples]
        num_words = common_size(words, most=MOST_WORDS, fewest=FEWEST_WORDS)
        num_texts = common_size(list(map(len, samples)), most=MOST_TEXTS, fewest=FEWEST_TEXTS)
        agreement, comparison = _agreement(samples)
        found = tuple(
            StrategyFindings(
                kind=account.kind,
                settings=settings(strategy),
                asked=account.requested,
                accepted=account.accepted,
                rejected=account.generated - account.accepted,
                missing=account.requested - account.accepted,
                acceptance=wilson(account.accepted, account.generated),
                tokens_per_row=_per_row(account.tokens, account),
                seconds_per_row=_per_row(account.seconds, account),
                mean_words=self._lengths[place].interval(),
                logprob=self._logprobs[place].interval(),
                agreement=agreement[place],
                distinct=_distinct(samples[place], num_words=num_words),
                self_bleu=_self_bleu(samples[place], num_texts=num_texts),
            )
            for place, (strategy, account) in enumerate(
                zip(self._strategies, accounts, strict=True)
            )
        )
        sizes = {"distinct_words": num_words, "self_bleu_texts": num_texts}
        return found, comparison.model_copy(update=sizes)


def common_size(sizes: Sequence[int], *, most: int, fewest: int) -> int:
    """Choose one sample size for samples that differ, because diversity depends on it.

    Args:
        sizes: What each could give.
        most: Greatest size.
        fewest: Least size that says anything.

    Returns:
        The least of the sizes that are at least `fewest` and a tenth of the largest one, at most
        `most`; smaller ones are not measured. 0 when there is none.
    """
    floor = max(fewest, min(max(sizes, default=0), most) / _SMALLEST_PART)
    enough = [size for size in sizes if size >= floor]
    return min(*enough, most) if enough else 0


def _per_row(spent: float, account: StrategyAccount) -> float | None:
    return spent / account.accepted if account.accepted else None


def _distinct(
    sample: list[_Text], *, num_words: int
) -> tuple[float | None, float | None, float | None]:
    texts = [text.words for text in sample]
    if not 0 < num_words <= sum(map(len, texts)):
        return (None, None, None)
    one, two, three = (distinct_share(texts, n=n, num_words=num_words) for n in (1, 2, 3))
    return (one, two, three)


def _self_bleu(sample: list[_Text], *, num_texts: int) -> Interval | None:
    if not 0 < num_texts <= len(sample):
        return None
    scores = MeanCounts()
    scores.add(np.array(self_bleu([text.words for text in sample[:num_texts]])))
    return scores.interval()


def _agreement(samples: list[list[_Text]]) -> tuple[list[Interval | None], Comparison]:
    """Let all strategies' texts teach one classifier; count each strategy's own agreement."""
    each = AGREEMENT_TEXTS // len(samples)
    texts = [(place, text) for place, sample in enumerate(samples) for text in sample[:each]]
    found = label_agreement(
        [" ".join(text.words) for _, text in texts], [text.label for _, text in texts]
    )
    agreed: Counter[int] = Counter()
    judged: Counter[int] = Counter()
    for (place, _), agrees in zip(texts, found.agrees, strict=True):
        if agrees is not None:
            judged[place] += 1
            agreed[place] += agrees
    return [wilson(agreed[place], judged[place]) for place in range(len(samples))], Comparison(
        distinct_words=0,
        self_bleu_texts=0,
        agreement_texts=judged.total(),
        agreement_left_out=len(texts) - judged.total(),
        agreement_chance=found.chance,
        agreement_obstacle=found.reason,
    )
