"""How probable the texts of a corpus are, by a model or by what the generator left in the data."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from schemas.audit import Estimate
from tasks.audit import intervals
from tasks.audit.corpus import Corpus
from tasks.quality.fluency import (
    Ratio,
    TextLikelihood,
    bits_per_character,
    improbable_fence,
    nats_per_unit,
)

MOST_SCORED = 1_000
"""Texts that a model is asked about: the starter model scores some hundred a second."""
_KEY = "fluency"
_MOST_NATS = 700.0
"""The exponential of 710 is more than a float holds."""
_ALL = slice(None)

Places = NDArray[np.int64] | slice


@dataclass(frozen=True)
class Likelihoods:
    """Log-probabilities of the rows of a corpus, or of a sample of it.

    Args:
        corpus: The N rows.
        num_chars: Code points of what was scored: the text before noise where the data hold it and
            the figures are the generator's. Shape `(N,)`.
        logprobs: log p of each as a whole, nats; not finite where it is unknown. Shape `(N,)`.
        num_tokens: Tokens of each, shape `(N,)`; None when a model was asked.
        sampled: N where the corpus has more rows; null when these are all.
    """

    corpus: Corpus
    num_chars: NDArray[np.int64]
    logprobs: NDArray[np.float64]
    num_tokens: NDArray[np.float64] | None
    sampled: int | None = None

    @cached_property
    def known(self) -> NDArray[np.bool_]:
        """Which rows have a log-probability and a character, shape `(N,)`."""
        return np.isfinite(self.logprobs) & (self.num_chars > 0)

    @cached_property
    def bits(self) -> NDArray[np.float64]:
        """Bits a character of each row, shape `(N,)`; NaN where they are not known."""
        bits = np.full(len(self.corpus), np.nan)
        known = self.known
        bits[known] = -self.logprobs[known] / math.log(2) / self.num_chars[known]
        return bits

    @cached_property
    def improbable(self) -> NDArray[np.int64]:
        """Places of the rows far less probable than most (`improbable_fence`), the worst first."""
        if not self.known.any():
            return np.zeros(0, dtype=np.int64)
        fence = improbable_fence(self.bits[self.known])
        places = np.flatnonzero(np.nan_to_num(self.bits, nan=-np.inf) > fence)
        return places[np.argsort(-self.bits[places], kind="stable")]

    def bits_per_character(self, places: Places = _ALL) -> Estimate | None:
        """Estimate the bits a character of the rows at `places`."""
        return _estimate(bits_per_character(self.logprobs[places], self.num_chars[places]))

    def token_perplexity(self, places: Places = _ALL) -> Estimate | None:
        """Estimate the perplexity a token of the rows at `places`; None without tokens."""
        if self.num_tokens is None:
            return None
        ratio = nats_per_unit(self.logprobs[places], self.num_tokens[places])
        return _estimate(ratio, scale=_perplexity)

    def word_perplexity(self) -> Estimate | None:
        """Estimate the perplexity a word."""
        words = self.corpus.words.lengths.astype(np.float64)
        return _estimate(nats_per_unit(self.logprobs, words), scale=_perplexity)

    def improbable_share(self) -> Estimate | None:
        """Estimate the share of improbable rows among those that have a log-probability."""
        num_known = int(self.known.sum())
        return intervals.share(len(self.improbable), num_known) if num_known else None


def likelihoods(corpus: Corpus, *, scorer: TextLikelihood | None) -> Likelihoods | None:
    """Return how probable the texts are.

    Args:
        corpus: The texts.
        scorer: A model, asked about at most `MOST_SCORED` of them; without one, the columns
            `logprob` (mean a token) and `num_tokens` answer for all.

    Returns:
        None when there is neither a model nor both columns.
    """
    if scorer is not None:
        sample = corpus.sample(MOST_SCORED, key=_KEY)
        return Likelihoods(
            sample,
            num_chars=_lengths(sample.strings),
            logprobs=scorer(sample.strings),
            num_tokens=None,
            sampled=len(sample) if len(sample) < len(corpus) else None,
        )
    logprob, num_tokens = corpus.numbers.get("logprob"), corpus.numbers.get("num_tokens")
    if logprob is None or num_tokens is None:
        return None
    clean = corpus.columns.get("clean_text", [None] * len(corpus))
    pairs = zip(corpus.strings, clean, strict=True)
    scored = [text if before is None else before for text, before in pairs]
    with np.errstate(invalid="ignore"):
        # A row may have no tokens, or tokens of no probability.
        logprobs = logprob * num_tokens
    return Likelihoods(corpus, _lengths(scored), logprobs, num_tokens)


def _lengths(texts: list[str]) -> NDArray[np.int64]:
    return np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))


def _perplexity(nats: float) -> float:
    # A text without spaces is one word, of any improbability.
    return math.exp(min(nats, _MOST_NATS))


def _estimate(ratio: Ratio | None, *, scale: Callable[[float], float] = float) -> Estimate | None:
    """Estimate a ratio, or what a growing function makes of it and of its bounds."""
    if ratio is None:
        return None
    if ratio.standard_error is None:
        return intervals.plain(scale(ratio.value), ratio.n)
    reach = intervals.Z * ratio.standard_error
    return Estimate(
        value=scale(ratio.value),
        low=scale(ratio.value - reach),
        high=scale(ratio.value + reach),
        n=ratio.n,
    )
