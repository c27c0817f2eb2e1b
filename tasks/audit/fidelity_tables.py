"""The tables of fidelity: the words that tell two sets apart, and every label for itself."""

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.audit import Group, Table
from tasks.audit.corpus import Corpus
from tasks.audit.fidelity_evidence import shown
from tasks.audit.fidelity_figures import Comparison
from tasks.quality.divergences import Distance, jensen_shannon, unknown_words

FEWEST_OF_LABEL = 20
"""Rows that a label needs on every side to be compared."""
MOST_LABELS = 200
"""Labels that are compared: the most frequent."""
MOST_WORDS = 40


@dataclass(frozen=True)
class LabelFigures:
    """How the rows of one label compare with those of the reference, as many of each.

    Args:
        label: The label.
        n: Rows compared on each side.
        words: Mean words of a text.
        reference_words: Mean words of a text of the reference.
        divergence: Of the words, in bits; None where a side has none.
        baseline_divergence: That of the other half of the reference; None without one.
        missing: Share of the reference's words that the label's rows never use; None likewise.
        baseline_missing: That of the other half.
    """

    label: str
    n: int
    words: float
    reference_words: float
    divergence: Distance | None
    baseline_divergence: Distance | None
    missing: Distance | None
    baseline_missing: Distance | None

    @property
    def excess(self) -> float:
        """How much more of the reference's words these rows lack than its other half does."""
        if self.missing is None or self.baseline_missing is None:
            return 0.0
        return self.missing.value - self.baseline_missing.value

    @property
    def z(self) -> float:
        """The excess in standard errors."""
        sides = (self.missing, self.baseline_missing)
        errors = [side.standard_error or 0.0 for side in sides if side]
        return self.excess / (math.hypot(*errors) or math.inf)


def tables(found: Comparison, by_label: tuple[LabelFigures, ...]) -> tuple[Table, ...]:
    """Return the tables that have a row."""
    drawn = (_tell_tale(found), _one_sided(found), _labels(by_label))
    return tuple(table for table in drawn if table.rows)


def _tell_tale(found: Comparison) -> Table:
    features = found.test.features if found.test else ()
    rows = [(shown(f.words), f.first_share, f.second_share, f.gap_share) for f in features]
    return Table(
        name="tell_tale_words",
        group=Group.FIDELITY,
        title="Words that tell this set from the reference",
        caption="The words and pairs of words that the classifier of the two-sample test goes by, "
        "the strongest first: part of the rows of each side that hold them, and their part of the "
        "gap between the mean scores of the two sides.",
        columns=("words", "rows of this set", "rows of the reference", "part of the gap"),
        rows=tuple(rows),
    )


def _one_sided(found: Comparison) -> Table:
    """Tabulate the most frequent words that only one side uses."""
    rows: list[tuple[str, str, int]] = []
    left_out = 0
    for side, own, other in (
        ("the reference", found.reference, found.sample),
        ("this set", found.sample, found.reference),
    ):
        counts = _words_of(own, without=other)
        rows.extend((shown(word), side, count) for word, count in counts[:MOST_WORDS])
        left_out += max(0, len(counts) - MOST_WORDS)
    return Table(
        name="one_sided_words",
        group=Group.FIDELITY,
        title="Words that only one side uses",
        caption=f"The {MOST_WORDS} most frequent of each side, with how often they occur in "
        f"{len(found.sample)} rows.",
        columns=("word", "used by", "occurrences"),
        rows=tuple(rows),
        left_out=left_out,
    )


def _words_of(own: Corpus, *, without: Corpus) -> list[tuple[str, int]]:
    counts = np.bincount(own.words.codes, minlength=len(own.vocabulary))
    counts[without.words.codes] = 0
    words = own.vocabulary.words()
    pairs = [(words[code], int(counts[code])) for code in np.flatnonzero(counts).tolist()]
    return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))


def _labels(figures: tuple[LabelFigures, ...]) -> Table:
    rows = [
        (
            shown(f.label), f.n, f.words, f.reference_words,
            _value(f.divergence), _value(f.baseline_divergence),
            _value(f.missing), _value(f.baseline_missing),
        )
        for f in figures
    ]  # fmt: skip
    return Table(
        name="labels_against_reference",
        group=Group.FIDELITY,
        title="Each label against the same label of the reference",
        caption="Labels that fall shortest of the other half of the reference first; as many rows "
        f"of each side, and only labels with at least {FEWEST_OF_LABEL} of them. The divergence "
        "is that of Jensen and Shannon, in bits.",
        columns=(
            "label", "rows of each side", "mean words", "mean words of the reference",
            "divergence", "divergence of the other half",
            "words missing", "words missing in the other half",
        ),
        rows=tuple(rows),
    )  # fmt: skip


def _value(distance: Distance | None) -> float | None:
    return distance.value if distance else None


def compare_labels(found: Comparison, baseline: Comparison | None) -> tuple[LabelFigures, ...]:
    """Compare each label that all sides have often enough, the worst first.

    The worst is the one that lacks most words of the reference beyond those its other half lacks.
    """
    sides = [found.sample, found.reference, *([baseline.sample] if baseline else [])]
    counts = [Counter(side.labels or ()) for side in sides]
    common = [
        (min(count[label] for count in counts), label)
        for label in counts[0]
        if label is not None and min(count[label] for count in counts) >= FEWEST_OF_LABEL
    ]
    kept = {label: n for n, label in sorted(common, key=lambda pair: (-pair[0], pair[1]))}
    wanted = dict(list(kept.items())[:MOST_LABELS])
    places = [_places_of(side, wanted) for side in sides]
    figures = [
        _figures(label, [side.take(of[label]) for side, of in zip(sides, places, strict=True)])
        for label in wanted
    ]
    return tuple(sorted(figures, key=lambda f: -f.excess))


def _places_of(side: Corpus, wanted: dict[str, int]) -> dict[str, NDArray[np.int64]]:
    """Return the first rows of each wanted label, as many as wanted."""
    places: dict[str, list[int]] = {label: [] for label in wanted}
    for place, label in enumerate(side.labels or ()):
        if label in wanted and len(places[label]) < wanted[label]:
            places[label].append(place)
    return {label: np.array(held, dtype=np.int64) for label, held in places.items()}


def _figures(label: str, sides: list[Corpus]) -> LabelFigures:
    words = [side.words for side in sides]
    others = (words[0], *words[2:])
    divergences = [jensen_shannon(other, words[1], n=1) for other in others]
    missing = [unknown_words(words[1], other) for other in others]
    return LabelFigures(
        label=label,
        n=len(sides[0]),
        words=float(words[0].lengths.mean()),
        reference_words=float(words[1].lengths.mean()),
        divergence=divergences[0],
        baseline_divergence=divergences[1] if len(others) == 2 else None,
        missing=missing[0],
        baseline_missing=missing[1] if len(others) == 2 else None,
    )
