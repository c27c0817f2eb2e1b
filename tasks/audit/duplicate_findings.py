"""What a reader should know of duplicates, each with the rows that show it."""

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from schemas.audit import Evidence, Finding, Group, Metric
from tasks.audit.corpus import Corpus
from tasks.audit.duplicate_rows import NEAR_SIMILARITY, DuplicateRows, Leaks, Meanings
from tasks.audit.excerpts import MOST_ROWS, beginning, excerpt
from tasks.quality.duplicate_groups import RowGroups
from tasks.quality.similarity import jaccard, shingles_of_normal


def find_copies(found: DuplicateRows, metric: Metric) -> Finding | None:
    """Report rows whose normalised text repeats an earlier one's; the largest groups first."""
    num_copies, num_exact = found.equal.num_repeats, found.exact.num_repeats
    if num_copies == 0:
        return None
    evidence = (
        _pair(found.corpus, row, first, _copy_note(found, row, size))
        for row, first, size in _largest(found.equal)
    )
    return Finding(
        name="copies",
        group=Group.DUPLICATES,
        metric=metric.name,
        what=(
            f"{_of(num_copies, len(found))} repeat an earlier row once case and punctuation are"
            f" ignored; {num_exact:,} of them byte for byte.{_beside(metric)}"
        ),
        action=(
            "Keep one row of each group. Copies weigh like more rows in training and, spread over"
            " splits, let a test be passed by heart. When generating, raise the temperature or vary"
            " the prompts."
        ),
        rows=num_copies,
        evidence=tuple(evidence),
    )


def find_near_duplicates(found: DuplicateRows, metric: Metric) -> Finding | None:
    """Report rows that small edits make of others, beyond copies; the largest groups first."""
    num_near = found.near.groups.num_repeats
    num_edited = num_near - found.equal.num_repeats
    if num_edited == 0:
        return None
    sizes = found.near.groups.sizes
    links = found.near.links
    order = np.lexsort((-found.near.similarities, -sizes[links[:, 0]]))
    evidence = (
        _pair(
            found.corpus,
            int(links[place, 1]),
            int(links[place, 0]),
            f"similarity {found.near.similarities[place]:.2f};"
            f" a group of {sizes[links[place, 0]]:,} rows",
        )
        for place in _one_a_group(order, found.near.groups.firsts[links[:, 0]])
    )
    return Finding(
        name="near_duplicates",
        group=Group.DUPLICATES,
        metric=metric.name,
        what=(
            f"{_of(num_near, len(found))} are a copy of another row or all but one (a few letters"
            f" or a word apart); {num_edited:,} of them are no exact copies.{_beside(metric)}"
        ),
        action=(
            "Read the pairs. Where only a name or a filler word changes, keep one row of each group"
            " and generate others from more varied prompts; where the changed word changes the"
            " label, keep both."
        ),
        rows=num_near,
        evidence=tuple(evidence),
    )


def find_conflicting_labels(found: DuplicateRows) -> Finding | None:
    """Report copies and near duplicates with different labels; copies first."""
    equal, near, labels = found.conflicts, found.near_conflicts, found.corpus.labels
    if equal is None or near is None or labels is None or near.num_outvoted == 0:
        return None
    pairs: list[Evidence] = []
    for groups, rows in ((found.equal, equal.rows), (found.near.groups, near.rows & ~equal.rows)):
        pairs += [
            _pair(found.corpus, row, other, f"labelled {labels[row]}, the other {labels[other]}")
            for row, other in _disagreeing(groups, np.flatnonzero(rows), labels)
        ]
    return Finding(
        name="conflicting_labels",
        group=Group.DUPLICATES,
        metric="conflicting_label_rate",
        what=(
            f"{_of(equal.num_outvoted, equal.num_valued)} carry another label than most copies of"
            f" the same text do; with near duplicates {near.num_outvoted:,}."
        ),
        action=(
            "Decide on one label for each text and drop or relabel the others; if both are right,"
            " the labels overlap and their descriptions should say where one ends."
        ),
        rows=near.num_outvoted,
        evidence=tuple(pairs[:MOST_ROWS]),
    )


def find_split_overlap(found: DuplicateRows, leaks: Leaks) -> Finding | None:
    """Report held-out rows that stand in another split, copies first."""
    num_copied, num_near = int(leaks.copied.sum()), int(leaks.near.sum())
    if num_near == 0:
        return None
    splits, n = found.corpus.columns["split"], len(leaks.held_out)
    pairs: list[Evidence] = []
    for groups, rows in (
        (found.equal, leaks.held_out[leaks.copied]),
        (found.near.groups, leaks.held_out[leaks.near & ~leaks.copied]),
    ):
        pairs += [
            _pair(found.corpus, row, other, f"in {splits[row]}, the other in {splits[other]}")
            for row, other in _disagreeing(groups, rows, splits)
        ]
    return Finding(
        name="split_overlap",
        group=Group.DUPLICATES,
        metric="near_split_overlap_rate",
        what=(
            f"{_of(num_near, n)} outside the split {leaks.training} have a copy"
            f" or a near duplicate in another split; {num_copied:,} of them a copy."
        ),
        action=(
            "Move each group of duplicates to one side before splitting: a model that learnt these"
            " rows by heart scores on them."
        ),
        rows=num_near,
        evidence=tuple(pairs[:MOST_ROWS]),
    )


def find_same_meanings(meanings: Meanings, metric: Metric) -> Finding | None:
    """Report rows of the sample that say the same in other words; near duplicates are not shown."""
    corpus, neighbours = meanings.corpus, meanings.neighbours
    num_alike = int(meanings.alike.sum())
    if num_alike == 0:
        return None
    rows = np.flatnonzero(meanings.alike)
    rows = rows[np.argsort(-neighbours.similarities[rows], kind="stable")]
    pairs = dict.fromkeys(
        (max(row, other), min(row, other))
        for row, other in zip(rows.tolist(), neighbours.places[rows].tolist(), strict=True)
    )
    values = {pair: neighbours.similarities[pair[0]] for pair in pairs}
    reworded = (pair for pair in pairs if not _is_near(corpus, *pair))
    return Finding(
        name="same_meanings",
        group=Group.DUPLICATES,
        metric=metric.name,
        what=(
            f"{_of(num_alike, len(corpus))} have another among them that says the same, in other"
            f" words or in the same.{_beside(metric)}"
        ),
        action=(
            "Read the pairs: where many only reorder words or exchange one, the generator has"
            " little left to say; add attributes or examples that vary what is said."
        ),
        rows=num_alike,
        evidence=tuple(
            _pair(corpus, *pair, f"similarity {values[pair]:.2f}")
            for pair in islice(reworded, MOST_ROWS)
        ),
    )


def _of(count: int, n: int) -> str:
    return f"{count:,} of {n:,} rows ({count / n:.1%})"


def _beside(metric: Metric) -> str:
    if metric.baseline is None:
        return ""
    return f" Of as many rows of the reference it is {metric.baseline.value:.1%}."


def _is_near(corpus: Corpus, row: int, other: int) -> bool:
    normals = corpus.normals
    shared = jaccard(shingles_of_normal(normals[row]), shingles_of_normal(normals[other]))
    return shared >= NEAR_SIMILARITY


def _largest(groups: RowGroups) -> Iterator[tuple[int, int, int]]:
    """Yield a repeat, the first row and the size of each of the largest groups."""
    repeats = np.flatnonzero(groups.repeats)
    firsts, places = np.unique(groups.firsts[repeats], return_index=True)
    sizes = groups.sizes[firsts]
    for group in np.argsort(-sizes, kind="stable")[:MOST_ROWS].tolist():
        yield int(repeats[places[group]]), int(firsts[group]), int(sizes[group])


def _one_a_group(order: NDArray[np.int64], groups: NDArray[np.int64]) -> list[int]:
    """Return the first place in `order` of each group, of 20 groups."""
    first_of: dict[int, int] = {}
    for place, group in zip(order.tolist(), groups[order].tolist(), strict=True):
        first_of.setdefault(group, place)
        if len(first_of) == MOST_ROWS:
            break
    return list(first_of.values())


def _disagreeing(
    groups: RowGroups, rows: NDArray[np.int64], values: Sequence[str | None]
) -> Iterator[tuple[int, int]]:
    """Yield one of `rows` and a row of another value for each of the largest groups they are in."""
    firsts, places = np.unique(groups.firsts[rows], return_index=True)
    for group in np.argsort(-groups.sizes[firsts], kind="stable")[:MOST_ROWS].tolist():
        row = int(rows[places[group]])
        members = np.flatnonzero(groups.firsts == firsts[group]).tolist()
        yield row, next(m for m in members if values[m] not in {None, values[row]})


def _copy_note(found: DuplicateRows, row: int, size: int) -> str:
    same = found.exact.firsts[row] == found.equal.firsts[row]
    return f"one of {size:,} rows, {'byte for byte' if same else 'but for case and punctuation'}"


def _pair(corpus: Corpus, row: int, other: int, note: str) -> Evidence:
    spans = _difference(beginning(corpus.strings[row]), beginning(corpus.strings[other]))
    beside = corpus.ids[other], corpus.strings[other]
    return excerpt(corpus, row, spans=spans, note=note, beside=beside)


def _difference(text: str, other: str) -> tuple[tuple[int, int], ...]:
    """Return the part of a text between what both begin with and what both end with."""
    start = _num_equal(text, other)
    end = _num_equal(text[start:][::-1], other[start:][::-1])
    return ((start, len(text) - end),) if start < len(text) - end else ()


def _num_equal(text: str, other: str) -> int:
    pairs = enumerate(zip(text, other, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(text), len(other)))
