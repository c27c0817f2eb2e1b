"""The label classifier of the swap test: fitted to the labels, asked about rows it never saw.

M swapped rows, R rows that are learnt from, K classes.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.audit import Estimate
from tasks.audit import intervals
from tasks.audit.corpus import Corpus
from tasks.audit.labels import LEAST_KAPPA
from tasks.bias.counterfactual import ClassifierChange, SwappedRows, classifier_change
from tasks.quality.label_model import (
    LabelledRows,
    fold_of,
    fold_weights,
    labelled_rows,
    softmax_factor,
)
from tasks.quality.text_features import text_hashes, tfidf
from tasks.quality.word_codes import encode_words

MOST_LEARNT = 20_000
"""Rows that the classifier learns from."""
_KEY = "bias classifier"

Floats32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class LabelJudge:
    """A label classifier at work.

    Args:
        classes: The K labels that it gives.
        taught_by: What it learnt from: "the dataset" or "the reference".
        agreement: Share of the rows it learnt from to which it gives their label out of fold.
        change: How its answers to the M swapped rows change under the swap.
    """

    classes: tuple[str, ...]
    taught_by: str
    agreement: Estimate
    change: ClassifierChange


def train_judge(corpus: Corpus, reference: Corpus | None, rows: SwappedRows) -> LabelJudge | str:
    """Fit a label classifier for swapped rows, or say why there is none.

    It is the classifier of `fit_label_model`, fitted to at most `MOST_LEARNT` rows of the corpus
    or, where its labels cannot be learnt, of a reference that has the same ones. Each of its folds
    is judged by the classifier of the others: so is a swapped row, by its text before the swap, and
    its swap with it. What no fold has learnt from is judged by the first.

    Args:
        corpus: What is audited.
        reference: Real rows.
        rows: Swapped rows of the corpus, at least one.
    """
    own = _train(corpus, rows, "the dataset")
    if not isinstance(own, str) or reference is None:
        return own
    names = set(corpus.labels or ()) - {None}
    if names and names <= set(reference.labels or ()):
        real = _train(reference, rows, "the reference")
        return own if isinstance(real, str) else real
    return own


def _train(corpus: Corpus, rows: SwappedRows, name: str) -> LabelJudge | str:
    if corpus.labels is None:
        return "the data have no labels"
    drawn = corpus.sample(MOST_LEARNT, key=_KEY)
    texts = [*drawn.strings, *rows.texts, *rows.swapped]
    words = encode_words(texts)
    unknown = [None] * (len(texts) - len(drawn))
    known = labelled_rows(words, [*(drawn.labels or ()), *unknown])
    if known.obstacle is not None:
        return known.obstacle
    features, folds = tfidf(words), fold_of(known)
    learnt = features[known.places]
    weights = fold_weights(learnt, known, folds)
    scores = _scores(learnt, weights, folds)
    likely = scores.argmax(axis=1)
    if _kappa(likely, known) < LEAST_KAPPA:
        return "a classifier agrees with the labels hardly more often than by chance"
    factor = softmax_factor(scores, known.given)
    num_rows, num_swaps = len(drawn), len(rows.texts)
    of_swap = _folds_of_texts(text_hashes(words)[num_rows : num_rows + num_swaps], known, folds)
    answers = iter(
        _softmax(_scores(features[start : start + num_swaps], weights, of_swap) * factor)
        for start in (num_rows, num_rows + num_swaps)
    )
    return LabelJudge(
        classes=known.classes,
        taught_by=name,
        agreement=intervals.share(int(np.sum(likely == known.given)), len(likely)),
        # It asks for the texts, then for their swaps, and a fold is a matter of the row.
        change=classifier_change(rows, lambda texts: next(answers)),
    )


def _kappa(likely: NDArray[np.int64], rows: LabelledRows) -> float:
    """Return Cohen's kappa of answers and given labels: agreement beyond chance."""
    answered, asked = (
        np.bincount(classes, minlength=len(rows.classes)) / len(classes)
        for classes in (likely, rows.given)
    )
    chance = float(answered @ asked)
    return (float((likely == rows.given).mean()) - chance) / max(1 - chance, 1 / len(likely))


def _folds_of_texts(
    hashes: NDArray[np.uint64], rows: LabelledRows, folds: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the fold of each text among the rows, 0 where it is none of them."""
    slots = np.minimum(np.searchsorted(rows.hashes, hashes), len(rows.hashes) - 1)
    return np.where(rows.hashes[slots] == hashes, folds[slots], 0)


def _scores(features: Any, weights: list[Floats32], folds: NDArray[np.int64]) -> Floats32:
    """Score each row by the classifier of its fold."""
    scores = np.zeros((len(folds), weights[0].shape[1]), dtype=np.float32)
    for fold, own in enumerate(weights):
        inside = np.flatnonzero(folds == fold)
        scores[inside] = features[inside] @ own
    return scores


def _softmax(scores: Floats32) -> NDArray[np.float64]:
    weights = np.exp(scores.astype(np.float64) - scores.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
