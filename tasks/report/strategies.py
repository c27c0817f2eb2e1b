"""Strategies side by side: acceptance, likelihood and diversity at equal sample size."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.strategies import Strategy
from tasks.quality.fingerprints import normalise_text
from tasks.report.findings import StrategyFindings
from tasks.report.sketches import BottomK, MeanCounts, distinct_2, row_hash, wilson
from tasks.report.wording import settings

DIVERSITY_TEXTS = 2_000
DIVERSITY_WORDS = 20_000
FEWEST_DIVERSITY_WORDS = 200
_TEXT_CHARS = 2_000


class StrategyCounts:
    """Accumulates what is measured of accepted rows for every kind of strategy."""

    def __init__(self) -> None:
        self._logprobs: dict[str, MeanCounts] = {}
        self._tokens: Counter[str] = Counter()
        self._words: dict[str, BottomK[list[str]]] = {}

    def add(self, table: pa.Table) -> None:
        """Count accepted rows (columns of `RELEASED_SCHEMA`)."""
        for kind in pc.unique(table["strategy"]).to_pylist():
            part = table.filter(pc.equal(table["strategy"], kind))
            logprobs = np.asarray(part["logprob"].drop_null(), dtype=np.float64)
            self._logprobs.setdefault(kind, MeanCounts()).add(logprobs)
            self._tokens[kind] += int(pc.sum(part["num_tokens"]).as_py())
            clean = pc.coalesce(part["clean_text"], part["text"])
            words = self._words.setdefault(kind, BottomK(DIVERSITY_TEXTS))
            for row_id, text in zip(part["id"].to_pylist(), clean.to_pylist(), strict=True):
                key = row_hash(row_id)
                if words.wants(key):
                    words.add(key, row_id, normalise_text(text[:_TEXT_CHARS]).split())

    def num_diversity_words(self) -> int:
        """Return the greatest number of words that every strategy with enough of them can give."""
        totals = [sum(len(words) for _, words in sample) for sample in self._words.values()]
        enough = [total for total in totals if total >= FEWEST_DIVERSITY_WORDS]
        return min([*enough, DIVERSITY_WORDS]) if enough else 0

    def findings(
        self,
        strategies: Sequence[Strategy],
        *,
        accepted: Counter[str],
        rejected: Counter[str],
        missing: Counter[str],
    ) -> tuple[StrategyFindings, ...]:
        """Compare the kinds of `strategies`, in the recipe's order.

        Args:
            strategies: The recipe's strategies.
            accepted: Accepted rows by kind.
            rejected: Rejected candidates by kind.
            missing: Rows asked for and not accepted, by kind.
        """
        total = sum(strategy.share for strategy in strategies)
        by_kind: dict[str, list[Strategy]] = {}
        for strategy in strategies:
            by_kind.setdefault(strategy.kind, []).append(strategy)
        return tuple(
            StrategyFindings(
                kind=kind,
                settings=tuple(map(settings, same)),
                asked=sum(strategy.share for strategy in same) / total,
                accepted=accepted[kind],
                rejected=rejected[kind],
                missing=missing[kind],
                acceptance=wilson(accepted[kind], accepted[kind] + rejected[kind]),
                logprob=self._logprobs.get(kind, MeanCounts()).interval(),
                mean_tokens=self._tokens[kind] / accepted[kind] if accepted[kind] else None,
                distinct_2=self._distinct_2(kind),
            )
            for kind, same in by_kind.items()
        )

    def _distinct_2(self, kind: str) -> float | None:
        texts = [words for _, words in self._words.get(kind, BottomK(1))]
        num_words = self.num_diversity_words()
        if not 0 < num_words <= sum(map(len, texts)):
            return None
        return distinct_2(texts, num_words=num_words)
