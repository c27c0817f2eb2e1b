"""Which row goes into which split: stratified by label, near duplicates on one side."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tasks.planning.quotas import largest_remainder
from tasks.planning.streams import uniforms

Ints = NDArray[np.int64]


def split_totals(splits: Mapping[str, float], num_rows: int) -> Ints:
    """Divide `num_rows` by largest remainder, with no split empty while rows suffice.

    Args:
        splits: Share of each split, positive; they need not add up to 1.
        num_rows: Rows to divide, at least 0.

    Returns:
        Rows of each split, shape `(S,)`, adding up to `num_rows`; each at least 1 when `num_rows >=
        S`.
    """
    totals = np.asarray(largest_remainder(list(splits.values()), num_rows), dtype=np.int64)
    if num_rows >= totals.size:
        for split in np.flatnonzero(totals == 0):
            totals[np.argmax(totals)] -= 1
            totals[split] += 1
    return totals


def split_targets(label_counts: Ints, totals: Ints) -> Ints:
    """Divide every label's rows among the splits so that both margins hold.

    Each cell starts at the whole part of its proportional share; a label's remaining rows go one
    each to the splits that are furthest from their proportional share of the labels so far. What is
    then still missing in one split and too many in another is moved in the label that has the most
    rows there.

    Args:
        label_counts: Rows of each label, shape `(L,)`.
        totals: Rows of each split, shape `(S,)`, adding up to the rows of all labels.

    Returns:
        Rows of each label in each split, shape `(L, S)`: rows add up to `label_counts`, columns to
        `totals`.
    """
    num_rows = max(int(totals.sum()), 1)
    targets = label_counts[:, None] * totals[None, :] // num_rows
    deficit = np.zeros(totals.size)
    for label, count in enumerate(label_counts):
        deficit += count * totals / num_rows - targets[label]
        spare = int(count - targets[label].sum())
        raised = np.argsort(-deficit, kind="stable")[:spare]
        targets[label, raised] += 1
        deficit[raised] -= 1
    while np.any(surplus := targets.sum(axis=0) - totals):
        giver, taker = int(np.argmax(surplus)), int(np.argmin(surplus))
        label = int(np.argmax(targets[:, giver]))
        targets[label, giver] -= 1
        targets[label, taker] += 1
    return targets


def assign_splits(
    labels: Ints, clusters: Ints, splits: Mapping[str, float], *, keys: NDArray[np.uint64]
) -> Ints:
    """Assign every row to a split, stratified by label, with no cluster on two sides.

    Clusters of several rows come first, the largest before the smaller (ties in keyed order), each
    into the split in which its labels still need the most rows. Single rows then fill what every
    label still needs, in keyed order. A split left empty takes the smallest cluster of the largest
    split that can spare one. Without clusters every label meets `split_targets` exactly; with
    clusters of one label each, a label's rows in a split miss their target by less than its largest
    cluster, unless a split had to be filled. The result depends on the rows alone, not on their
    order nor on the cluster ids.

    Args:
        labels: Label of each row as a code from 0, shape `(N,)`.
        clusters: Near-duplicate cluster of each row, any ids, shape `(N,)`.
        splits: Share of each split.
        keys: Key of each row's `Stream.SPLIT` stream, shape `(N,)`.

    Returns:
        Place in `splits` of each row's split, shape `(N,)`.
    """
    result = np.full(labels.size, -1, dtype=np.int64)
    if not labels.size:
        return result
    order = np.lexsort((keys, uniforms(keys, 0)))
    counts = np.bincount(labels)
    totals = split_totals(splits, labels.size)
    need = split_targets(counts, totals)
    for rows in _groups(clusters, order, at_least=2):
        members = np.bincount(labels[rows], minlength=counts.size)
        split = int(np.argmax(members @ need))
        need[:, split] -= members
        result[rows] = split
    single = order[result[order] < 0]
    single = single[np.argsort(labels[single], kind="stable")]
    each = np.bincount(labels[single], minlength=counts.size)
    for label, rows in enumerate(np.split(single, np.cumsum(each)[:-1])):
        result[rows] = np.repeat(np.arange(len(splits)), _fill(need[label], rows.size))
    empty = (np.bincount(result, minlength=totals.size) == 0) & (totals > 0)
    if empty.any():
        _fill_empty(result, _groups(clusters, order, at_least=1), np.flatnonzero(empty))
    return result


def _groups(clusters: Ints, order: Ints, *, at_least: int) -> list[Ints]:
    """List the rows of each cluster, the largest first; ties by their first row in keyed order."""
    _, first, inverse, sizes = np.unique(
        clusters[order], return_index=True, return_inverse=True, return_counts=True
    )
    chosen = np.flatnonzero(sizes >= at_least)
    chosen = chosen[np.lexsort((first[chosen], -sizes[chosen]))]
    by_cluster = order[np.argsort(inverse, kind="stable")]
    ends = np.cumsum(sizes)
    return [by_cluster[ends[i] - sizes[i] : ends[i]] for i in chosen]


def _fill(need: Ints, count: int) -> Ints:
    """Give `count` rows to the greatest needs: just the needs, unless a split is overfilled."""
    given = np.maximum(need, 0)
    for _ in range(int(given.sum()) - count):
        shortage = np.where(given > 0, need - given, np.iinfo(np.int64).max)
        given[np.argmin(shortage)] -= 1
    return given


def _fill_empty(result: Ints, groups: list[Ints], empty: Ints) -> None:
    """Move a smallest cluster into each empty split, from the largest that has two or more."""
    for split in empty:
        owners = np.array([result[rows[0]] for rows in groups])
        sizes = np.bincount(result)
        sizes[np.bincount(owners) < 2] = 0
        if sizes.any():
            smallest = np.flatnonzero(owners == np.argmax(sizes))[-1]
            result[groups[smallest]] = split
