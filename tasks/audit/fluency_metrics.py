"""Metrics of fluency: what they are called, what they mean, and how they are asked for."""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from schemas.audit import Estimate, Group, Metric
from tasks.audit import intervals
from tasks.audit.likelihoods import Likelihoods
from tasks.quality.ngram_shares import REPEATED_N

REPETITIVE = 0.2
"""Share of repeated 3-grams above which a text goes round in circles."""
_FROM_TOKENS = (
    "Where a row was chosen among several candidates, `num_tokens` counts them all, and it weighs "
    "too much."
)

_REPETITION = partial(
    Metric,
    name="repetition",
    group=Group.FLUENCY,
    title="Words that repeat earlier ones of the same text",
    unit="share",
    better="lower",
    definition=f"Mean over all texts of the share of word {REPEATED_N}-grams that repeat an "
    "earlier one of the same text, case and punctuation apart. The interval is the normal one.",
    source="Holtzman et al. 2020, https://arxiv.org/abs/1904.09751",
)
_REPETITIVE = partial(
    Metric,
    name="repetitive_share",
    group=Group.FLUENCY,
    title="Texts that go round in circles",
    unit="share",
    better="lower",
    definition=f"Share of texts of which more than {REPETITIVE:.0%} of the word {REPEATED_N}-grams "
    "repeat an earlier one of the same text. The interval is Wilson's.",
)
_BITS = partial(
    Metric,
    name="bits_per_character",
    group=Group.FLUENCY,
    title="Bits that a language model needs for a character",
    unit="bits",
    better="neither",
    source="Cochran, Sampling Techniques, 1977, section 6.3 (interval of a ratio)",
)
_PERPLEXITY = partial(
    Metric,
    name="token_perplexity",
    group=Group.FLUENCY,
    title="Choices that the generator had for a token (perplexity)",
    unit="score",
    better="neither",
    definition="Exponential of the mean negative log-probability of the generated tokens, from the "
    f"columns `logprob` and `num_tokens`. {_FROM_TOKENS} The interval is of the delta method.",
    source="Jelinek et al. 1977, https://doi.org/10.1121/1.2016299",
)
_WORD_PERPLEXITY = partial(
    Metric,
    name="word_perplexity",
    group=Group.FLUENCY,
    title="Choices that a language model has for a word (perplexity)",
    unit="score",
    better="neither",
    definition="Exponential of the negative log-probability of all texts over their words, under "
    "the model that was given. The interval is of the delta method.",
    source="Jelinek et al. 1977, https://doi.org/10.1121/1.2016299",
)
_IMPROBABLE = partial(
    Metric,
    name="improbable_share",
    group=Group.FLUENCY,
    title="Texts that are far less probable than most",
    unit="share",
    better="lower",
    definition="Share of texts whose bits a character, as logarithms, lie more than 3.5 robust "
    "deviations (1.4826 times the median absolute one) above the median of the same corpus. The "
    "interval is Wilson's.",
    source="Iglewicz and Hoaglin, How to Detect and Handle Outliers, ASQC 1993",
)


_ABSENT = "no model was given, and the data have no columns logprob and num_tokens"
_NOT_GENERATED = "the data have no columns logprob and num_tokens"
_NO_MODEL = "no model was given"


def repetition_metrics(
    own: NDArray[np.float64], *, theirs: NDArray[np.float64] | None
) -> tuple[Metric, ...]:
    """Sum up how texts repeat themselves.

    Args:
        own: `repetitions` of the corpus, shape `(N,)`.
        theirs: Those of the reference.
    """
    asked = ((_REPETITION, _mean_share), (_REPETITIVE, _share_of_loops))
    return tuple(
        metric(
            estimate=ask(own) if own.size else None,
            unmeasured=None if own.size else "there are no rows",
            baseline=ask(theirs) if own.size and theirs is not None and theirs.size else None,
        )
        for metric, ask in asked
    )


def _mean_share(repeated: NDArray[np.float64]) -> Estimate:
    found = intervals.mean(repeated)
    # The normal interval of rare repeats reaches below none.
    return found if found.low is None else found.model_copy(update={"low": max(0.0, found.low)})


def _share_of_loops(repeated: NDArray[np.float64]) -> Estimate:
    return intervals.share(int((repeated > REPETITIVE).sum()), repeated.size)


def model_metrics(
    scored: Likelihoods | None, *, theirs: Likelihoods | None, by_model: bool
) -> tuple[Metric, ...]:
    """Sum up how probable texts are, whole and relative to each other.

    Args:
        scored: Likelihoods of the corpus, if there are any.
        theirs: Those of the reference.
        by_model: Whether they are of a model that was given, not of the generator.
    """
    whose = "the model that was given" if by_model else "the generator at temperature 1"
    bits = partial(
        _BITS,
        definition=f"Negative log-probability of the texts under {whose}, over ln 2 and their code "
        "points, sum by sum. Below a reference's, texts are more predictable than real ones; above "
        f"it, less like what the model knows.{'' if by_model else ' ' + _FROM_TOKENS} The interval "
        "is of the delta method.",
    )
    pair = (scored, theirs)
    of_words = pair if by_model else (None, None)
    return (
        _figure(bits, Likelihoods.bits_per_character, pair, absent=_ABSENT),
        _figure(_IMPROBABLE, Likelihoods.improbable_share, pair, absent=_ABSENT),
        _figure(_WORD_PERPLEXITY, Likelihoods.word_perplexity, of_words, absent=_NO_MODEL),
    )


def generator_metric(scored: Likelihoods | None, *, theirs: Likelihoods | None) -> Metric:
    """Return the perplexity a token of what a generator left in the data."""
    pair = (scored, theirs)
    return _figure(_PERPLEXITY, Likelihoods.token_perplexity, pair, absent=_NOT_GENERATED)


def _figure(
    metric: partial[Metric],
    ask: Callable[[Likelihoods], Estimate | None],
    pair: tuple[Likelihoods | None, Likelihoods | None],
    *,
    absent: str,
) -> Metric:
    """Ask a corpus, and its reference, for one figure."""
    own, theirs = pair
    if own is None:
        return metric(estimate=None, unmeasured=absent)
    estimate = ask(own)
    if estimate is None:
        return metric(estimate=None, unmeasured="no text has a log-probability")
    baseline = None if theirs is None else ask(theirs)
    return metric(estimate=estimate, baseline=baseline, sampled=own.sampled)
