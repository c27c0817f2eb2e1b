"""What students answered, and how well: answers to scores, differences and a learning curve.

N test rows, S seeds, K labels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.audit import Estimate
from schemas.evaluation import (
    Confusion,
    CurvePoint,
    Difference,
    LabelScore,
    Score,
    SeedScore,
    StudentName,
)
from tasks.audit import intervals
from tasks.audit.excerpts import printable
from tasks.utility.resampling import RESAMPLES, Resampled, estimate, resample
from tasks.utility.scores import (
    Codes,
    Reals,
    chance_f1,
    confusion,
    expected_calibration_error,
    label_f1,
    macro_f1,
    mcnemar,
)

MOST_CONFUSIONS = 30
"""Pairs of labels that a score lists."""

Key = StudentName | int
"""A kind of student, or one that learnt from so many of the real rows."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What students of one kind, one a seed, said of the tested rows.

    Args:
        rows: Rows that each learnt from.
        seeds: Their seeds, S of them.
        labels: The label that each gave each row, shape `(S, N)`.
        confidences: How probable each held it, shape `(S, N)`; None where nothing says.
    """

    rows: int
    seeds: tuple[int, ...]
    labels: Codes
    confidences: Reals | None


@dataclass(frozen=True, slots=True)
class _Marks:
    """Figures of one kind of student: one a seed, and on each of R resamples their mean."""

    accuracy: Reals
    macro_f1: Reals
    above_chance: Reals
    drawn_accuracy: Reals
    drawn_f1: Reals
    drawn_above: Reals


class Exam:
    """Marks the answers of several students to the same rows.

    Args:
        given: Label of each row, shape `(N,)`, N at least 1.
        names: Names of the K labels.
        seed: Decides the resamples.
        answers: What every student said.
    """

    def __init__(
        self, given: Codes, names: Sequence[str], answers: Mapping[Key, Answers], *, seed: int
    ) -> None:
        self._given, self._names, self._answers = given, names, answers
        labels = np.concatenate([one.labels for one in answers.values()])
        drawn = resample(given, labels, num_labels=len(names), seed=seed)
        self._marks: dict[Key, _Marks] = {}
        start = 0
        for key, one in answers.items():
            end = start + len(one.seeds)
            generator = np.random.default_rng([seed, start])
            picked = start + generator.integers(len(one.seeds), size=(RESAMPLES, len(one.seeds)))
            self._marks[key] = self._mark(one, drawn, picked)
            start = end

    def score(self, name: StudentName) -> Score:
        """State how well a kind of student did."""
        answers, marks = self._answers[name], self._marks[name]
        counts = confusion(self._given, answers.labels[0], len(self._names))
        pairs = _confused(counts, self._names)
        return Score(
            name=name,
            rows=answers.rows,
            accuracy=self._estimate(marks.accuracy, marks.drawn_accuracy),
            macro_f1=self._estimate(marks.macro_f1, marks.drawn_f1),
            above_chance=self._estimate(marks.above_chance, marks.drawn_above),
            calibration_error=self._calibration_error(answers),
            seeds=_seed_scores(answers, marks),
            labels=_label_scores(counts, self._names),
            confusions=pairs[:MOST_CONFUSIONS],
            confusions_left_out=max(0, len(pairs) - MOST_CONFUSIONS),
        )

    def rows(self, key: Key) -> int:
        """Return how many rows a student learnt from."""
        return self._answers[key].rows

    def point(self, key: Key) -> CurvePoint:
        """State how well students of a part of the rows, or of all of them, did."""
        answers, marks = self._answers[key], self._marks[key]
        return CurvePoint(
            rows=answers.rows,
            accuracy=self._estimate(marks.accuracy, marks.drawn_accuracy),
            macro_f1=self._estimate(marks.macro_f1, marks.drawn_f1),
            seeds=_seed_scores(answers, marks),
        )

    def difference(self, name: StudentName, baseline: StudentName) -> Difference:
        """Hold one kind of student against another."""
        own, other = self._marks[name], self._marks[baseline]
        right, other_right = (
            self._answers[one].labels[0] == self._given for one in (name, baseline)
        )
        only_right, only_wrong = (
            int((right & ~other_right).sum()),
            int((~right & other_right).sum()),
        )
        return Difference(
            name=name,
            baseline=baseline,
            accuracy=self._estimate(
                own.accuracy.mean() - other.accuracy.mean(),
                own.drawn_accuracy - other.drawn_accuracy,
            ),
            macro_f1=self._estimate(
                own.macro_f1.mean() - other.macro_f1.mean(), own.drawn_f1 - other.drawn_f1
            ),
            only_right=only_right,
            only_wrong=only_wrong,
            mcnemar=mcnemar(only_right, only_wrong),
        )

    def macro_f1(self, key: Key) -> tuple[float, Reals]:
        """Return the macro-F1 of a student: the mean over seeds, and on the R resamples."""
        return float(self._marks[key].macro_f1.mean()), self._marks[key].drawn_f1

    def _mark(self, answers: Answers, drawn: Resampled, picked: Codes) -> _Marks:
        """Mark one kind; `picked` are the S seeds of each resample, drawn with replacement, (R, S).

        So intervals hold what another seed changes as well as what other rows do.
        """
        counts = np.stack([confusion(self._given, one, len(self._names)) for one in answers.labels])
        hits = np.diagonal(counts, axis1=1, axis2=2).astype(np.float64)
        said, given = (counts.sum(axis=axis).astype(np.float64) for axis in (1, 2))
        found = macro_f1(hits, said, given)
        drawn_accuracy, drawn_f1, drawn_above = (
            np.take_along_axis(figures, picked, axis=1).mean(axis=1)
            for figures in (drawn.accuracy, drawn.macro_f1, drawn.above_chance)
        )
        return _Marks(
            accuracy=hits.sum(axis=1) / self._given.size,
            macro_f1=found,
            above_chance=found - chance_f1(said, given),
            drawn_accuracy=drawn_accuracy,
            drawn_f1=drawn_f1,
            drawn_above=drawn_above,
        )

    def _calibration_error(self, answers: Answers) -> float | None:
        if answers.confidences is None:
            return None
        pairs = zip(answers.labels, answers.confidences, strict=True)
        errors = [expected_calibration_error(sure, said == self._given) for said, sure in pairs]
        return float(np.mean(errors))

    def _estimate(self, values: NDArray[np.float64] | float, draws: Reals) -> Estimate:
        return estimate(float(np.mean(values)), draws, self._given.size)


def _seed_scores(answers: Answers, marks: _Marks) -> tuple[SeedScore, ...]:
    return tuple(
        SeedScore(seed=seed, accuracy=accuracy, macro_f1=f1)
        for seed, accuracy, f1 in zip(
            answers.seeds, marks.accuracy.tolist(), marks.macro_f1.tolist(), strict=True
        )
    )


def _label_scores(counts: Codes, names: Sequence[str]) -> tuple[LabelScore, ...]:
    """Return precision, recall and F1 of the labels that some row has."""
    hits, said, given = np.diagonal(counts), counts.sum(axis=0), counts.sum(axis=1)
    f1 = label_f1(*(column.astype(np.float64) for column in (hits, said, given)))
    return tuple(
        LabelScore(
            label=printable(name),
            n=int(given[code]),
            precision=intervals.share(int(hits[code]), int(said[code])) if said[code] else None,
            recall=intervals.share(int(hits[code]), int(given[code])),
            f1=float(f1[code]),
        )
        for code, name in enumerate(names)
        if given[code]
    )


def _confused(counts: Codes, names: Sequence[str]) -> tuple[Confusion, ...]:
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    places = np.argwhere(wrong).tolist()
    places.sort(key=lambda place: (-wrong[place[0], place[1]], place))
    return tuple(
        Confusion(label=printable(names[own]), given=printable(names[said]), rows=wrong[own, said])
        for own, said in places
    )
