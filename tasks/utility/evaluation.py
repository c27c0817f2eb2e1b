"""Is a synthetic set worth training on? Students trained on it and on real rows, tested alike."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np

from schemas.evaluation import EvaluatedData, Evaluation, Score, StudentName, Terms, Worth
from tasks.audit.reading import Choice
from tasks.utility.exam import Answers, Exam, Key
from tasks.utility.learning_curve import learning_order, rows_reaching, worth_of
from tasks.utility.notes import notes_on
from tasks.utility.resampling import RESAMPLES
from tasks.utility.rows import HeldOut, LabelledTexts, Role, read_held_out, read_training_set
from tasks.utility.school import School, majority
from tasks.utility.students import MOST_CHARS, open_student

MOST_TRAINING_ROWS = 50_000
"""Rows that a student learns from; of more it learns from a sample."""
MOST_TRAINING_CHARS = 20_000_000
"""Characters of those rows: the features of so many take some 1 GB."""
_PAIRS: tuple[tuple[StudentName, StudentName], ...] = (
    ("tstr", "trtr"),
    ("tstr", "majority"),
    ("both", "trtr"),
)
"""Students that are held against each other: in question, baseline."""
_KINDS: tuple[StudentName, ...] = ("tstr", "trtr", "both", "majority")
_TAUGHT = {"tstr": "the synthetic set", "trtr": "the real training set", "both": "both"}

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be evaluated.

    Args:
        synthetic: The synthetic set.
        test: Real rows to test on, which no student sees.
        train: Real rows to train on beside the synthetic ones; None where there are none.
        choice: Columns of all of them.
        terms: How.
    """

    synthetic: Path
    test: Path
    train: Path | None
    choice: Choice
    terms: Terms


@dataclass(frozen=True, slots=True)
class Lessons:
    """What students learn from and are tested on.

    Args:
        test: Real rows.
        synthetic: The synthetic rows.
        real: Real rows to train on; None where there are none.
        inputs: Where all of them came from, the synthetic set first.
    """

    test: HeldOut
    synthetic: LabelledTexts
    real: LabelledTexts | None
    inputs: tuple[EvaluatedData, ...]

    def training(self, *, seed: int) -> dict[StudentName, LabelledTexts]:
        """Return what the students of each kind learn from."""
        if self.real is None:
            return {"tstr": self.synthetic}
        both = _drawn(self.synthetic.joined(self.real), seed=seed)
        return {"tstr": self.synthetic, "trtr": self.real, "both": both}


def evaluate(request: Request, *, report: Report = lambda stage: None) -> Evaluation:
    """Train students, test them on real rows, and state what the synthetic set is worth.

    Equal requests on equal rows give equal figures, whatever the order of the rows.

    Args:
        request: What to read.
        report: Told what begins.

    Raises:
        InputError: If a file cannot be read, or there is nothing to train or test on (CS-E001).
    """
    terms = request.terms
    student = open_student(terms.student)
    report("reading")
    lessons = read_lessons(request)
    school = School(student, num_labels=len(lessons.test.names), terms=terms, report=report)
    answers, trts = _answers(school, lessons, terms, report)
    report("resampling")
    exam = Exam(lessons.test.rows.codes, lessons.test.names, answers, seed=terms.seed)
    kinds = [name for name in _KINDS if name in answers]
    parts: list[Key] = [key for key in answers if isinstance(key, int)]
    scores = [*map(exam.score, kinds), *trts]
    return Evaluation(
        name=lessons.inputs[0].path,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        corpusmith=version("corpusmith"),
        student=student.kind,
        seed=terms.seed,
        num_seeds=terms.num_seeds,
        resamples=RESAMPLES,
        inputs=lessons.inputs,
        notes=notes_on(lessons.inputs, keep_copies=terms.keep_copies),
        scores=tuple(scores),
        differences=tuple(exam.difference(*pair) for pair in _PAIRS if {*pair} <= {*kinds}),
        curve=tuple(map(exam.point, [*parts, "trtr"])) if "trtr" in kinds else (),
        worth=_worth(exam, [*parts, "trtr"]) if "trtr" in kinds else None,
        relative=relative_f1(scores),
        at_least=terms.at_least,
        passed=holds(scores, terms.at_least),
    )


def relative_f1(scores: Sequence[Score]) -> float | None:
    """Return the macro-F1 of the synthetic student over that of the real one.

    None without a real student, or when its macro-F1 is 0.
    """
    f1 = {score.name: score.macro_f1.value for score in scores}
    return f1["tstr"] / f1["trtr"] if f1.get("trtr") else None


def holds(scores: Sequence[Score], at_least: float | None) -> bool | None:
    """Tell whether the synthetic student is good enough; None when nothing was asked for.

    Its macro-F1 has to be at least `at_least` times that of the real student; where there is no
    real student, at least `at_least`.
    """
    if at_least is None:
        return None
    f1 = {score.name: score.macro_f1.value for score in scores}
    return f1["tstr"] >= at_least * f1.get("trtr", 1.0)


def read_lessons(request: Request) -> Lessons:
    """Read what students learn from and are tested on.

    Raises:
        InputError: If a file cannot be read, or there is nothing to train or test on (CS-E001).
    """
    test = read_held_out(request.test, request.choice)
    synthetic, synthetic_data = _read_training(request, request.synthetic, "synthetic", test)
    if request.train is None:
        return Lessons(test, synthetic, None, (synthetic_data, test.data))
    real, real_data = _read_training(request, request.train, "train", test)
    return Lessons(test, synthetic, real, (synthetic_data, real_data, test.data))


def _read_training(
    request: Request, path: Path, role: Role, test: HeldOut
) -> tuple[LabelledTexts, EvaluatedData]:
    terms = request.terms
    rows, data = read_training_set(
        path, request.choice, role=role, test=test, keep_copies=terms.keep_copies
    )
    drawn = _drawn(rows, seed=terms.seed)
    counts = {"used": len(drawn), "not_drawn": len(rows) - len(drawn)}
    return drawn, data.model_copy(update=counts)


def _drawn(rows: LabelledTexts, *, seed: int) -> LabelledTexts:
    lengths = np.array([min(len(text), MOST_CHARS) for text in rows.texts])
    if len(rows) <= MOST_TRAINING_ROWS and lengths.sum() <= MOST_TRAINING_CHARS:
        return rows
    order = learning_order(rows, seed=seed)[:MOST_TRAINING_ROWS]
    fitting = int(np.searchsorted(lengths[order].cumsum(), MOST_TRAINING_CHARS, side="right"))
    return rows.take(order[:fitting])


def _answers(
    school: School, lessons: Lessons, terms: Terms, report: Report
) -> tuple[dict[Key, Answers], list[Score]]:
    """Return what every student says of the test rows, and the score on the synthetic ones."""
    texts = lessons.test.rows.texts
    found: dict[Key, Answers] = {}
    trts: list[Score] = []
    for name, rows in lessons.training(seed=terms.seed).items():
        report(f"training on {_TAUGHT[name]}")
        graduates = school.teach(rows)
        found[name] = school.ask(graduates, texts, rows=len(rows))
        if name == "trtr":
            said = school.ask(graduates, lessons.synthetic.texts, rows=len(rows))
            names = lessons.test.names
            exam = Exam(lessons.synthetic.codes, names, {"trts": said}, seed=terms.seed)
            trts.append(exam.score("trts"))
    found["majority"] = majority(lessons.test.rows.codes, seed=terms.seed)
    if lessons.real is not None:
        parts = school.ask_parts(lessons.real, texts)
        found.update({part.rows: part for part in parts})
    return found, trts


def _worth(exam: Exam, keys: Sequence[Key]) -> Worth:
    sizes = [exam.rows(key) for key in keys]
    value, drawn = exam.macro_f1("tstr")
    curve, drawn_curves = zip(*(exam.macro_f1(key) for key in keys), strict=True)
    found = rows_reaching(sizes, np.array(curve), value)
    return worth_of(sizes, np.stack(drawn_curves, axis=1), drawn, found=found)
