"""MAUVE: how much of the one distribution of texts the other covers, and the reverse."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.quality.threads import one_blas_thread

SCALE = 5.0
"""c of the divergence curve, as in the paper."""
NUM_LAMBDAS = 25
"""Mixtures on the curve between its two ends."""
ROWS_PER_CLUSTER = 10
"""The paper takes k = n / 10 clusters for n texts a side."""
NUM_COMPONENTS = 64
MOST_ITERATIONS = 100
_SEED = 0

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Mauve:
    """MAUVE of two samples.

    Args:
        value: From above 0 to 1, which equal histograms reach.
        standard_error: By the jackknife over texts, given the clusters; None for fewer than two
            texts on a side.
        num_clusters: Clusters that hold a text.
    """

    value: float
    standard_error: float | None
    num_clusters: int


def divergence_curve(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    *,
    scale: float = SCALE,
    num_lambdas: int = NUM_LAMBDAS,
) -> NDArray[np.float64]:
    """Return the divergence curve of two distributions over the same k clusters.

    For lambda = 1 / (L + 1), ..., L / (L + 1) and the mixture R = lambda P + (1 - lambda) Q its
    points are (exp(-c KL(Q || R)), exp(-c KL(P || R))), KL in nats. The ends (1, 0) and (0, 1),
    which the curve tends to where the supports differ, are added.

    Args:
        first: Probabilities P, shape `(k,)`, summing to 1.
        second: Probabilities Q, shape `(k,)`, summing to 1.
        scale: c, above 0: the larger, the harder a difference is judged.
        num_lambdas: L, at least 1.

    Returns:
        Points from (1, 0) to (0, 1), shape `(L + 2, 2)`, each in [0, 1].
    """
    lambdas = np.arange(1, num_lambdas + 1) / (num_lambdas + 1)
    mixtures = lambdas[:, None] * first + (1 - lambdas)[:, None] * second
    points = [np.exp(-scale * _divergences(side, mixtures)) for side in (second, first)]
    curve = np.stack(points, axis=1)
    return np.concatenate([[[1.0, 0.0]], curve, [[0.0, 1.0]]])


def _divergences(side: NDArray[np.float64], mixtures: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return KL(side || mixture) of each mixture, in nats; 0 log 0 is 0."""
    held = side > 0
    logs = np.log(side[held]) - np.log(mixtures[:, held])
    # Rounding may leave a divergence of equals just below 0.
    divergences: NDArray[np.float64] = np.maximum(logs @ side[held], 0.0)
    return divergences


def mauve_of_counts(
    first: Counts,
    second: Counts,
    *,
    scale: float = SCALE,
    num_lambdas: int = NUM_LAMBDAS,
    smoothing: float = 0.0,
) -> float:
    """Return the area under the divergence curve of two histograms, by trapezoids.

    It is 1 for equal shares, does not change when the two swap, and is least for disjoint ones:
    with c = 5 and infinitely many mixtures 1 / binomial(10, 5) = 0.00397.

    Args:
        first: Texts of the one sample in each cluster, shape `(k,)`, at least one text.
        second: Texts of the other, shape `(k,)`, at least one text.
        scale: c of the curve.
        num_lambdas: Mixtures on the curve.
        smoothing: Added to each count; 0.5 is the estimator of Krichevsky and Trofimov, which the
            paper of 2023 finds best when clusters are many for the texts.

    Raises:
        ValueError: If a histogram is empty.
    """
    if not first.sum() or not second.sum():
        raise ValueError("a histogram without texts")
    shares = [(counts + smoothing) / (counts + smoothing).sum() for counts in (first, second)]
    curve = divergence_curve(*shares, scale=scale, num_lambdas=num_lambdas)
    return float(-np.trapezoid(curve[:, 1], curve[:, 0]))


@one_blas_thread()
def mauve(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    *,
    num_clusters: int | None = None,
    smoothing: float = 0.0,
) -> Mauve:
    """Compare two samples of embedded texts.

    The rows of both are put into clusters by one k-means (k-means++ from a fixed seed, Lloyd, at
    most 100 iterations), and the histograms over the clusters are compared (`mauve_of_counts`,
    c = 5). Neither the order of rows nor the roles of the two matter.

    The value depends on the embedding, on the number of texts and on k: two samples of one
    distribution stay below 1, for their histograms differ by chance. Compare it only between
    samples of one size, embedded alike. Published values use the last hidden state of GPT-2;
    with another embedding, such as that of `embed_texts`, they are NOT comparable.

    Args:
        first: Embeddings, shape `(n, D)`, finite, n at least 1.
        second: Embeddings, shape `(m, D)`, finite, m at least 1.
        num_clusters: k; None for a tenth of the smaller sample, at least 2. Never more than there
            are distinct rows.
        smoothing: See `mauve_of_counts`.

    Raises:
        ValueError: If a sample is empty.

    References:
        Pillutla et al., NeurIPS 2021. https://arxiv.org/abs/2102.01454
        Pillutla et al., JMLR 2023. https://jmlr.org/papers/v24/23-0023.html (smoothing)
    """
    if not len(first) or not len(second):
        raise ValueError("a sample without texts")
    wanted = num_clusters or max(2, min(len(first), len(second)) // ROWS_PER_CLUSTER)
    clusters = _quantise(np.concatenate([first, second]), wanted)
    num_held = int(clusters.max()) + 1
    counts = [
        np.bincount(part, minlength=num_held)
        for part in (clusters[: len(first)], clusters[len(first) :])
    ]
    value = mauve_of_counts(*counts, smoothing=smoothing)
    return Mauve(value, _jackknife_error(*counts, smoothing=smoothing), num_held)


def _quantise(rows: NDArray[np.float64], num_clusters: int) -> NDArray[np.int64]:
    """Return the cluster of each row, shape `(N,)`, numbered from 0 without gaps."""
    from sklearn.cluster import KMeans

    # One row stands for its copies, in an order that does not depend on who came first.
    distinct, inverse, copies = np.unique(rows, axis=0, return_inverse=True, return_counts=True)
    k = min(num_clusters, len(distinct))
    model = KMeans(k, n_init=1, max_iter=MOST_ITERATIONS, random_state=_SEED)
    labels = model.fit_predict(distinct, sample_weight=copies)
    clusters: NDArray[np.int64] = np.unique(labels, return_inverse=True)[1][inverse.ravel()]
    return clusters


def _jackknife_error(first: Counts, second: Counts, *, smoothing: float) -> float | None:
    """Return the standard error over texts: each of a cluster leaves the same histogram behind."""
    if first.sum() < 2 or second.sum() < 2:
        return None
    variance = 0.0
    for counts, other in ((first, second), (second, first)):
        held = np.flatnonzero(counts)
        left = np.repeat(counts[None, :], len(held), axis=0)
        left[np.arange(len(held)), held] -= 1
        values = np.array([mauve_of_counts(row, other, smoothing=smoothing) for row in left])
        weights, n = counts[held], counts.sum()
        variance += (n - 1) / n * float(weights @ (values - weights @ values / n) ** 2)
    return math.sqrt(variance)


def embed_texts(normals: Sequence[str]) -> NDArray[np.float64]:
    """Embed texts offline: TF-IDF of words, its 64 strongest singular directions, unit length.

    TF-IDF is sublinear; words that one text alone holds are left out where any others remain. It
    sees which words go together and neither their order nor their sense. The texts' order matters
    in the last bits (randomised SVD with a fixed seed).

    Args:
        normals: Normalised texts (`normalise_text`), N of them.

    Returns:
        Shape `(N, D)` with D at most 64; a text without known words is all zeros.

    References:
        Deerwester et al., JASIS 1990 (latent semantic analysis).
        Halko et al., SIAM Review 2011. https://arxiv.org/abs/0909.4061 (randomised SVD)
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import normalize
    from sklearn.utils.extmath import randomized_svd

    words = TfidfVectorizer(analyzer=str.split, sublinear_tf=True, dtype=np.float64)
    if not any(normals):
        return np.zeros((len(normals), 1))
    matrix = words.fit_transform(normals)
    frequent = np.flatnonzero(matrix.getnnz(axis=0) > 1)
    if len(frequent):
        matrix = matrix[:, frequent]
    size = min(NUM_COMPONENTS, *matrix.shape)
    directions, strengths, _ = randomized_svd(matrix, size, random_state=_SEED)
    # Rounded, lest the last bits of a matrix product tell equal texts apart.
    embedded: NDArray[np.float64] = normalize(directions * strengths).round(9)
    return embedded
