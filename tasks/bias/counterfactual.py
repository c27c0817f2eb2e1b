"""Counterfactual test: what does a model make of the same text about the other gender?

M swapped rows, K of them one-sided, C classes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import regex
from numpy.typing import NDArray

from tasks.bias.swap import swap_counted, swappable_words

Classifier = Callable[[Sequence[str]], NDArray[np.float64]]
"""Texts to the probabilities of C classes, shape `(N, C)`."""
PairScorer = Callable[[Sequence[tuple[str, str]]], Sequence[float]]
"""Prompts with continuations to log p(continuation | prompt) in nats; "" is no prompt."""

_TOKEN = regex.compile(r"[\p{L}\p{M}\p{N}_]++")


@dataclass(frozen=True, slots=True)
class SwappedRows:
    """Rows that the swap changes.

    Args:
        places: Places of the rows in the corpus, M of them.
        texts: Their texts.
        swapped: The texts with their gendered words turned round.
        sides: 1 where all gendered words of the text are female, -1 where all are male, 0 where
            both occur; shape `(M,)`.
        left_out: Gendered rows with a word that has no counterpart ("mum"): half swapped they
            would say something else.
    """

    places: tuple[int, ...]
    texts: tuple[str, ...]
    swapped: tuple[str, ...]
    sides: NDArray[np.int64]
    left_out: int

    def versions(self) -> tuple[list[str], list[str]]:
        """Return the female and the male version of each one-sided row, K each."""
        rows = zip(self.texts, self.swapped, self.sides.tolist(), strict=True)
        pairs = [(a, b) if side > 0 else (b, a) for a, b, side in rows if side]
        return [female for female, _ in pairs], [male for _, male in pairs]


def swap_rows(texts: Sequence[str], *, gendered: frozenset[str]) -> SwappedRows:
    """Swap the rows that hold gendered words with counterparts, and no others.

    Args:
        texts: The corpus.
        gendered: All words that the lexicon knows for gendered, in lower case.
    """
    unpaired = gendered - swappable_words()
    places, kept, swapped, sides, left_out = [], [], [], [], 0
    for place, text in enumerate(texts):
        found = swap_counted(text)
        if not found.from_male and not found.from_female:
            continue
        if not unpaired.isdisjoint(map(str.lower, _TOKEN.findall(text))):
            left_out += 1
            continue
        places.append(place)
        kept.append(text)
        swapped.append(found.text)
        sides.append((found.from_male == 0) - (found.from_female == 0))
    return SwappedRows(
        tuple(places), tuple(kept), tuple(swapped), np.array(sides, dtype=np.int64), left_out
    )


@dataclass(frozen=True, slots=True)
class ClassifierChange:
    """How a classifier's answers change under the swap.

    Args:
        changes: Total variation distance between the probabilities of each text and of its swap,
            in [0, 1], shape `(M,)`.
        flipped: Whether the most probable class changes, shape `(M,)`.
        towards_female: Probability of each class for the female version, less that for the male
            version, of the one-sided rows, in [-1, 1], shape `(K, C)`.
    """

    changes: NDArray[np.float64]
    flipped: NDArray[np.bool_]
    towards_female: NDArray[np.float64]


def classifier_change(rows: SwappedRows, classifier: Classifier) -> ClassifierChange:
    """Compare a classifier's answers to texts and to their swaps.

    Args:
        rows: At least one row.
        classifier: What is tested; asked for all texts, then for all swaps.

    References:
        Garg et al., AIES 2019 (counterfactual fairness). https://arxiv.org/abs/1809.10610
    """
    before = np.asarray(classifier(list(rows.texts)), dtype=np.float64)
    after = np.asarray(classifier(list(rows.swapped)), dtype=np.float64)
    one_sided = rows.sides != 0
    # For a text about a man the swap is the female version.
    signs = rows.sides[one_sided, None]
    return ClassifierChange(
        changes=np.abs(after - before).sum(axis=1) / 2,
        flipped=before.argmax(axis=1) != after.argmax(axis=1),
        towards_female=(before - after)[one_sided] * signs,
    )


def likelihood_change(rows: SwappedRows, scorer: PairScorer) -> NDArray[np.float64]:
    """Return log p(female version) - log p(male version) of the one-sided rows, in nats.

    Both are of whole texts without a prompt. A row whose score is not finite (it does not fit into
    the model's context) is left out.

    Args:
        rows: Swapped rows.
        scorer: The generator.

    Returns:
        Shape `(K,)` or less: above 0 where the model expects the female version.

    References:
        Nangia et al., EMNLP 2020 (likelihoods of minimal pairs). https://arxiv.org/abs/2010.00133
    """
    female, male = rows.versions()
    scores = np.array(scorer([("", text) for text in (*female, *male)]), dtype=np.float64)
    both = scores.reshape(2, -1)
    both = both[:, np.isfinite(both).all(axis=0)]
    return np.asarray(both[0] - both[1])
