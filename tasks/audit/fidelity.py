"""Fidelity: how far a dataset lies from a reference of real texts, and where it falls short."""

from dataclasses import replace

import numpy as np

from schemas.audit import Group, Section
from tasks.audit.corpus import Corpus
from tasks.audit.fidelity_figures import Comparison, beginnings, compare
from tasks.audit.fidelity_findings import findings
from tasks.audit.fidelity_metrics import metrics, unmeasured
from tasks.audit.fidelity_tables import compare_labels, tables
from tasks.quality.mauve import embed_texts

MOST_ROWS = 100_000
"""Rows a side for what costs as much as it has words."""
MOST_COMPARED = 5_000
"""Rows a side for what compares, clusters or classifies texts."""
_SEED = 0
NO_REFERENCE = "there is no reference: no set of real texts to compare with"


def measure(*, corpus: Corpus, reference: Corpus | None) -> Section:
    """Compare a dataset with a reference.

    The reference is cut into two halves at random. The dataset is compared with the one half, and
    for the baseline the other half is, all three with the same number of rows: as many as the
    smaller of the dataset and half the reference has, at most `MOST_ROWS`, and `MOST_COMPARED` for
    what the metrics say. Rows are drawn by what they hold, whatever their order.

    Args:
        corpus: The dataset.
        reference: Real texts; None leaves every metric unmeasured.
    """
    if reference is None:
        return Section(group=Group.FIDELITY, metrics=unmeasured(NO_REFERENCE))
    if not len(corpus) or not len(reference):
        empty = corpus if not len(corpus) else reference
        return Section(group=Group.FIDELITY, metrics=unmeasured(f"{empty.name} has no rows"))
    found, baseline = _compared(corpus, replace(reference, vocabulary=corpus.vocabulary))
    by_label = compare_labels(found, baseline)
    return Section(
        group=Group.FIDELITY,
        metrics=metrics(found, baseline, whole=(len(corpus), len(reference))),
        tables=tables(found, by_label),
        findings=findings(found, baseline, by_label),
    )


def _compared(corpus: Corpus, reference: Corpus) -> tuple[Comparison, Comparison | None]:
    """Compare the dataset, and the other half of the reference, with one half of the reference."""
    size = min(len(corpus), max(1, len(reference) // 2), MOST_ROWS)
    drawn = _shuffled(reference, 2 * size)
    sides = [_shuffled(corpus, size), drawn.take(np.arange(size))]
    if len(drawn) == 2 * size:
        sides.append(drawn.take(np.arange(size, 2 * size)))
    small = [side.take(np.arange(min(size, MOST_COMPARED))) for side in sides]
    embedded = embed_texts([text for side in small for text in beginnings(side)])
    parts = np.split(embedded, len(small))
    comparisons = [
        compare((sides[i], sides[1]), (small[i], small[1]), (parts[i], parts[1]))
        for i in range(len(sides))
        if i != 1
    ]
    return comparisons[0], comparisons[1] if len(comparisons) == 2 else None


def _shuffled(corpus: Corpus, size: int) -> Corpus:
    """Draw at most `size` rows in random order, which depends on what the rows hold alone."""
    labels = corpus.labels if corpus.labels is not None else [None] * len(corpus)
    keys = [(text, label or "") for text, label in zip(corpus.strings, labels, strict=True)]
    ordered = np.array(sorted(range(len(corpus)), key=keys.__getitem__), dtype=np.int64)
    return corpus.take(np.random.default_rng(_SEED).permutation(ordered)[:size])
