"""Training: students of every seed learn from rows, and answer for others."""

from collections.abc import Callable, Sequence

import numpy as np

from schemas.evaluation import Terms
from tasks.utility.exam import Answers
from tasks.utility.learning_curve import curve_sizes, learning_order
from tasks.utility.rows import LabelledTexts
from tasks.utility.scores import Codes
from tasks.utility.students import Graduate, Student

_BLOCK_TEXTS = 2048


class School:
    """Trains students of one kind.

    Args:
        student: The kind.
        num_labels: K labels to tell apart.
        terms: The seeds.
        report: Told what begins.
    """

    def __init__(
        self,
        student: Student,
        *,
        num_labels: int,
        terms: Terms,
        report: Callable[[str], None] = lambda stage: None,
    ) -> None:
        self._student, self._num_labels, self._report = student, num_labels, report
        self._seeds = tuple(range(terms.seed, terms.seed + terms.num_seeds))

    def teach(self, rows: LabelledTexts) -> dict[int, Graduate]:
        """Train on all rows: a student a seed, or one where the seed changes nothing."""
        seeds = self._seeds if self._student.draws_lots else self._seeds[:1]
        return {seed: self._learn(rows, seed) for seed in seeds}

    def ask(self, graduates: dict[int, Graduate], texts: Sequence[str], *, rows: int) -> Answers:
        """Let students label N texts.

        Args:
            graduates: Students by their seeds.
            texts: The texts.
            rows: How many rows each learnt from.
        """
        labels = np.empty((len(graduates), len(texts)), dtype=np.int64)
        confidences = np.empty(labels.shape)
        for place, graduate in enumerate(graduates.values()):
            for start in range(0, len(texts), _BLOCK_TEXTS):
                block = slice(start, start + _BLOCK_TEXTS)
                found = graduate.probabilities(texts[block])
                labels[place, block] = found.argmax(axis=1)
                confidences[place, block] = found.max(axis=1)
        return Answers(rows, tuple(graduates), labels, confidences)

    def ask_parts(self, rows: LabelledTexts, texts: Sequence[str]) -> list[Answers]:
        """Train on growing parts of the rows, another sample a seed, and let students label texts.

        Returns:
            By growing parts (`curve_sizes`), without that of all rows.
        """
        orders = {seed: learning_order(rows, seed=seed) for seed in self._seeds}
        found = []
        for size in curve_sizes(len(rows), self._num_labels)[:-1]:
            self._report(f"training on {size:,} real rows")
            graduates = {
                seed: self._learn(rows.take(order[:size]), seed) for seed, order in orders.items()
            }
            found.append(self.ask(graduates, texts, rows=size))
        return found

    def _learn(self, rows: LabelledTexts, seed: int) -> Graduate:
        return self._student.learn(rows, num_labels=self._num_labels, seed=seed)


def majority(given: Codes, *, seed: int) -> Answers:
    """Answer with the commonest label of the rows themselves: no constant answer is right oftener.

    Args:
        given: Label of each row, shape `(N,)`; of labels equally common the first counts.
        seed: What its one answer is filed under.
    """
    commonest = np.bincount(given).argmax()
    labels = np.full((1, given.size), commonest, dtype=np.int64)
    return Answers(0, (seed,), labels, None)
