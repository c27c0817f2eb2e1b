"""What a classifier that never saw a row thinks of its label: out-of-fold class probabilities.

The classifier is a ridge regression of the classes' indicators on TF-IDF, solved for all classes at
once by conjugate gradients, its scores turned into probabilities by one temperature. On the 10,003
training rows of banking77 (77 classes) it agrees with the label in 84.5 % of rows and takes 3 s on
one core, on those of clinc150 (15,000 rows, 150 classes) in 92.6 %. It costs some 30 products
with a sparse matrix a fold, where a logistic regression needs hundreds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.quality.text_features import text_hashes, tfidf
from tasks.quality.threads import in_threads
from tasks.quality.word_codes import WordCodes

NUM_FOLDS = 5
FEWEST_PER_LABEL = 5
"""Distinct texts that a label needs: one for every fold."""
REGULARISATION = 1.0
NUM_ITERATIONS = 15
"""Steps of the solver: on banking77 and clinc150 15 more change the agreement by some 0.1 %."""
MOST_PRODUCTS = 40_000_000
"""Non-zero features times classes that one fold learns from; of more rows it learns from a part."""
MOST_CLASSES = 500
MOST_PROBABILITIES = 15_000_000
"""Probabilities that are kept, rows times classes."""
_BLOCK = 16_384
_TINY = np.float32(1e-30)

Matrix = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class LabelledRows:
    """The M rows of a corpus whose label can be learnt, ordered by text, so by nothing else.

    Args:
        places: Where each row stands in the corpus, shape `(M,)`.
        given: Class of each, shape `(M,)`.
        hashes: Hash of each text, ascending, shape `(M,)`.
        classes: The K labels that have at least `FEWEST_PER_LABEL` distinct texts, sorted.
        obstacle: Why nothing can be learnt; None when K lies between 2 and `MOST_CLASSES`.
    """

    places: NDArray[np.int64]
    given: NDArray[np.int64]
    hashes: NDArray[np.uint64]
    classes: tuple[str, ...]
    obstacle: str | None


@dataclass(frozen=True, slots=True)
class LabelModel:
    """What the classifiers of the other folds say of M rows.

    Args:
        rows: The rows.
        likely: Most probable class of each, shape `(M,)`.
        confidence: Its probability, shape `(M,)`.
        self_confidence: Probability of the given class, shape `(M,)`.
        sample: Rows whose probabilities of all classes are kept, shape `(S,)`; all M, or those
            that come first, as many as `MOST_PROBABILITIES` allow.
        probabilities: Theirs, shape `(S, K)`; each row sums to 1.
    """

    rows: LabelledRows
    likely: NDArray[np.int64]
    confidence: Matrix
    self_confidence: Matrix
    sample: NDArray[np.int64]
    probabilities: Matrix

    @property
    def agrees(self) -> NDArray[np.bool_]:
        """Whether the most probable class is the given one, shape `(M,)`."""
        return np.asarray(self.likely == self.rows.given)


def labelled_rows(words: WordCodes, labels: Sequence[str | None]) -> LabelledRows:
    """Choose the rows that have a label with enough texts, ordered by the hash of their text.

    Args:
        words: The words of N texts.
        labels: Their labels; a row without one is left out.
    """
    names = sorted({label for label in labels if label is not None})
    code_of = {name: code for code, name in enumerate(names)}
    given = np.array([-1 if label is None else code_of[label] for label in labels], dtype=np.int64)
    hashes = text_hashes(words)
    order = np.lexsort((given, hashes))
    order = order[given[order] >= 0]
    given, hashes = given[order], hashes[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (given[1:] != given[:-1]) | (hashes[1:] != hashes[:-1])
    enough = np.bincount(given[new], minlength=len(names)) >= FEWEST_PER_LABEL
    kept = enough[given]
    return LabelledRows(
        places=order[kept],
        given=(np.cumsum(enough) - 1)[given[kept]],
        hashes=hashes[kept],
        classes=tuple(name for name, is_kept in zip(names, enough, strict=True) if is_kept),
        obstacle=_obstacle(len(names), int(enough.sum())),
    )


def _obstacle(num_labels: int, num_classes: int) -> str | None:
    if num_labels == 0:
        return "no row has a label"
    if num_labels == 1:
        return "there is only one label"
    if num_classes < 2:
        return f"fewer than two labels have {FEWEST_PER_LABEL} different texts"
    if num_classes > MOST_CLASSES:
        return f"{num_classes} labels are more than the {MOST_CLASSES} that can be judged"
    return None


def fold_of(rows: LabelledRows) -> NDArray[np.int64]:
    """Return the fold of each row, shape `(M,)`, by its text alone.

    Rows of one normalised text share a fold. Within each class the distinct texts are dealt to the
    folds in turn in the order of their hashes; a text of several classes counts with the first.
    """
    first = np.ones(len(rows.hashes), dtype=bool)
    first[1:] = rows.hashes[1:] != rows.hashes[:-1]
    of_text = rows.given[first]
    order = np.argsort(of_text, kind="stable")
    sizes = np.bincount(of_text, minlength=len(rows.classes))
    rank = np.empty(len(of_text), dtype=np.int64)
    rank[order] = np.arange(len(of_text)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    # Classes begin at different folds, or the first would get the remainder of each.
    return np.asarray(((rank + of_text) % NUM_FOLDS)[np.cumsum(first) - 1])


def fit_label_model(words: WordCodes, rows: LabelledRows) -> LabelModel:
    """Classify each row by a classifier that learnt from the rows of the other folds.

    Folds: `fold_of`. Features: `tfidf` of all rows (labels play no part in it). The weights W
    minimise |X W - Y|^2 + `REGULARISATION` |W|^2, Y being the indicators of the given classes,
    after `NUM_ITERATIONS` steps of conjugate gradients from 0. Where a fold would learn from more
    than `MOST_PRODUCTS`, the classes with the most rows give fewer: each at most the same number,
    those whose texts hash lowest. Probabilities are the softmax of the scores times one factor,
    which maximises the likelihood of the given labels out of fold, as in temperature scaling.

    Args:
        words: The words of the corpus.
        rows: Its labelled rows, with at least two classes.

    Raises:
        ValueError: If there is an obstacle.

    References:
        Hestenes & Stiefel 1952. https://doi.org/10.6028/jres.049.044
        Guo et al., ICML 2017. https://arxiv.org/abs/1706.04599
    """
    if rows.obstacle is not None:
        raise ValueError(rows.obstacle)
    features = tfidf(words)[rows.places]
    folds = fold_of(rows)
    weights = fold_weights(features, rows, folds)
    sample = np.arange(min(len(rows.given), MOST_PROBABILITIES // len(rows.classes)))
    scores = _scores(features, weights, folds, sample)
    factor = softmax_factor(scores, rows.given[sample])
    likely = np.empty(len(folds), dtype=np.int64)
    confidence, self_confidence = np.empty((2, len(folds)), dtype=np.float32)
    for start in range(0, len(folds), _BLOCK):
        block = np.arange(start, min(start + _BLOCK, len(folds)))
        found = _softmax(_scores(features, weights, folds, block) * factor)
        likely[block] = found.argmax(axis=1)
        confidence[block] = found.max(axis=1)
        self_confidence[block] = found[np.arange(len(block)), rows.given[block]]
    return LabelModel(rows, likely, confidence, self_confidence, sample, _softmax(scores * factor))


def fold_weights(features: Any, rows: LabelledRows, folds: NDArray[np.int64]) -> list[Matrix]:
    """Return the weights of the classifier of each fold, which learnt from the other ones.

    Args:
        features: Of the rows, sparse, shape `(M, F)`.
        rows: The rows, with at least two classes.
        folds: Fold of each, shape `(M,)`.

    Returns:
        `NUM_FOLDS` matrices, each of shape `(F, K)`: a row's scores are its features times them.
    """

    def learn(fold: int) -> Matrix:
        learnt = _learnt(features, rows, folds != fold)
        return _solve(features, rows.given, learnt, len(rows.classes))

    return in_threads(learn, range(NUM_FOLDS))


def softmax_factor(scores: Matrix, given: NDArray[np.int64]) -> float:
    """Return the factor between 0.01 and 1000 by which scores explain the given classes best."""
    from scipy.optimize import minimize_scalar

    def loss(log_factor: float) -> float:
        scaled = scores * np.float32(np.exp(log_factor))
        scaled -= scaled.max(axis=1, keepdims=True)
        own = scaled[np.arange(len(given)), given]
        return float((np.log(np.exp(scaled).sum(axis=1)) - own).mean())

    bounds = (np.log(0.01), np.log(1000))
    found = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 0.01})
    return float(np.exp(found.x))


def _learnt(features: Any, rows: LabelledRows, usable: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Choose the rows that a fold learns from: the same most a class, so that they fit."""
    places = np.flatnonzero(usable)
    per_row = max(features.nnz / max(features.shape[0], 1), 1) * len(rows.classes)
    sizes = np.bincount(rows.given[places], minlength=len(rows.classes))
    most = largest_quota(sizes, int(MOST_PRODUCTS / per_row))
    order = np.argsort(rows.given[places], kind="stable")
    rank = np.arange(len(places)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.sort(places[order[rank < most]])


def largest_quota(sizes: NDArray[np.int64], total: int) -> int:
    """Return the greatest m such that min(size, m) summed over `sizes` is at most `total`."""
    low, high = 0, int(sizes.max())
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (
            (middle, high) if np.minimum(sizes, middle).sum() <= total else (low, middle - 1)
        )
    return low


def _solve(
    features: Any, given: NDArray[np.int64], learnt: NDArray[np.int64], num_classes: int
) -> Matrix:
    """Return ridge weights, shape `(F, K)`, by conjugate gradients on the normal equations."""
    inputs = features[learnt]
    outputs = inputs.T.tocsr()
    targets = np.zeros((len(learnt), num_classes), dtype=np.float32)
    targets[np.arange(len(learnt)), given[learnt]] = 1
    residual = outputs @ targets
    weights: Matrix = np.zeros_like(residual)
    direction = residual.copy()
    norm = (residual**2).sum(axis=0)
    for _ in range(NUM_ITERATIONS):
        image = outputs @ (inputs @ direction) + np.float32(REGULARISATION) * direction
        step = norm / np.maximum((direction * image).sum(axis=0), _TINY)
        weights += step * direction
        residual -= step * image
        before, norm = norm, (residual**2).sum(axis=0)
        direction *= norm / np.maximum(before, _TINY)
        direction += residual
    return weights


def _scores(
    features: Any, weights: list[Matrix], folds: NDArray[np.int64], block: NDArray[np.int64]
) -> Matrix:
    scores = np.empty((len(block), weights[0].shape[1]), dtype=np.float32)
    for fold, own in enumerate(weights):
        inside = folds[block] == fold
        scores[inside] = features[block[inside]] @ own
    return scores


def _softmax(scores: Matrix) -> Matrix:
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    scores /= scores.sum(axis=1, keepdims=True)
    return scores
