import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from schemas.audit import Estimate
from schemas.evaluation import Evaluation, StudentKind, Terms
from tasks.audit.reading import Choice
from tasks.utility import evaluation as room
from tasks.utility import learning_curve
from tasks.utility.evaluation import Request, evaluate, holds, read_lessons, relative_f1
from tasks.utility.resampling import RESAMPLES
from tasks.utility.rows import LabelledTexts

Rows = list[dict[str, Any]]
Make = Callable[..., Rows]
Write = Callable[[str, Rows], Path]


def request(write: Write, synthetic: Rows, test: Rows, train: Rows | None, **terms: Any) -> Request:
    return Request(
        write("synthetic.jsonl", synthetic),
        write("test.jsonl", test),
        None if train is None else write("train.jsonl", train),
        Choice(),
        Terms(**terms),
    )


def figures(found: Evaluation) -> dict[str, Any]:
    return found.model_dump(exclude={"created"})


@pytest.fixture
def sets(make: Make) -> tuple[Rows, Rows, Rows]:
    """A poor synthetic set, test rows, and a better real set."""
    return make(160, seed=1, wrong=0.6), make(300, seed=2), make(300, seed=3, share=0.6)


def test_a_poor_set_lies_between_chance_and_the_real_one(
    sets: tuple[Rows, Rows, Rows], write: Write
) -> None:
    found = evaluate(request(write, *sets, at_least=0.99))
    f1 = {score.name: score.macro_f1.value for score in found.scores}
    assert list(f1) == ["tstr", "trtr", "both", "majority", "trts"]
    assert f1["majority"] < f1["tstr"] < f1["trtr"]
    own = found.score("tstr")
    assert own is not None
    assert own.above_chance.low is not None
    assert own.above_chance.low > 0
    assert found.relative == f1["tstr"] / f1["trtr"]
    assert found.passed is (f1["tstr"] >= 0.99 * f1["trtr"])
    apart = found.difference("tstr", "trtr")
    assert apart is not None
    assert apart.macro_f1.value == pytest.approx(f1["tstr"] - f1["trtr"])
    right = {score.name: score.accuracy.value * 300 for score in found.scores}
    assert apart.only_right - apart.only_wrong == pytest.approx(right["tstr"] - right["trtr"])
    assert [point.rows for point in found.curve] == [18, 37, 75, 150, 300]
    assert found.curve[-1].macro_f1.value == f1["trtr"]
    assert [len(point.seeds) for point in found.curve] == [3, 3, 3, 3, 1]
    assert found.worth is not None
    assert found.resamples == RESAMPLES
    for data in found.inputs:
        assert data.rows == data.used


def test_the_order_of_rows_changes_no_figure(sets: tuple[Rows, Rows, Rows], write: Write) -> None:
    found = evaluate(request(write, *sets, num_seeds=1))
    backwards = evaluate(request(write, *(rows[::-1] for rows in sets), num_seeds=1))
    assert figures(found) == figures(backwards)
    other = evaluate(request(write, *sets, num_seeds=1, seed=7))
    assert figures(other) != figures(found)
    assert other.score("tstr").accuracy.value == found.score("tstr").accuracy.value  # type: ignore[union-attr]


def test_a_real_set_as_the_synthetic_one_is_worth_about_its_own_rows(
    make: Make, write: Write
) -> None:
    train = make(400, seed=5, wrong=0.3)
    found = evaluate(request(write, train[:100], make(600, seed=6), train, num_seeds=5))
    assert found.worth is not None
    assert found.worth.low <= 100
    assert found.worth.high is None or found.worth.high >= 100


def test_copies_of_test_rows_flatter_and_are_left_out(make: Make, write: Write) -> None:
    test = make(120, seed=8)
    copies = [{**row, "text": str(row["text"]).upper() + "."} for row in test]
    noise = make(120, seed=9, wrong=1.0)
    honest = evaluate(request(write, noise + copies, test, None))
    flattered = evaluate(request(write, noise + copies, test, None, keep_copies=True))
    alone = evaluate(request(write, noise, test, None))
    assert honest.inputs[0].removed_copies == 120
    assert "repeat a test row: 120, left out" in honest.notes[0]
    assert "the figures flatter" in flattered.notes[0]
    assert flattered.scores[0].macro_f1.value > honest.scores[0].macro_f1.value + 0.1
    assert honest.scores == alone.scores


def test_without_real_rows_to_train_on(make: Make, write: Write) -> None:
    found = evaluate(request(write, make(60, seed=1), make(60, seed=2), None, at_least=0.5))
    assert [score.name for score in found.scores] == ["tstr", "majority"]
    assert [(one.name, one.baseline) for one in found.differences] == [("tstr", "majority")]
    assert (found.curve, found.worth, found.relative, found.passed) == ((), None, None, True)
    assert [data.role for data in found.inputs] == ["synthetic", "test"]


def test_labels_of_one_side_only(make: Make, write: Write) -> None:
    synthetic = [row for row in make(90, seed=1) if row["label"] != "bird"]
    synthetic += [{"text": f"other {number}", "label": "other"} for number in range(9)]
    found = evaluate(request(write, synthetic, make(90, seed=2), None))
    assert any("lacks, so that its student can never name them: bird." in n for n in found.notes)
    assert any(
        "that the test set lacks: other. Rows left out for that: 9." in n for n in found.notes
    )
    by_label = {one.label: one for one in found.scores[0].labels}
    assert list(by_label) == ["bird", "fruit", "metal"]
    assert (by_label["bird"].precision, by_label["bird"].recall.value) == (None, 0)


def test_rows_beyond_the_most_are_not_drawn(
    make: Make, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MOST_TRAINING_ROWS", 50)
    lessons = read_lessons(request(write, make(80, seed=1), make(30, seed=2), make(60, seed=3)))
    assert [(data.used, data.not_drawn) for data in lessons.inputs] == [(50, 30), (50, 10), (30, 0)]
    assert {name: len(rows) for name, rows in lessons.training(seed=0).items()} == {
        "tstr": 50, "trtr": 50, "both": 50,
    }  # fmt: skip


class Coin:
    """A student that learns nothing and guesses by its seed: the better the higher the seed."""

    kind = StudentKind(name="coin", settings={})
    draws_lots = True

    def __init__(self, test: Rows) -> None:
        self._names = sorted({row["label"] for row in test})
        self._label = {row["text"]: row["label"] for row in test}

    def learn(self, rows: LabelledTexts, *, num_labels: int, seed: int) -> "Coin":
        other = Coin([])
        other._names, other._label, other.seed = self._names, self._label, seed
        return other

    seed = 0

    def probabilities(self, texts: Sequence[str]) -> np.ndarray:
        generator = np.random.default_rng(self.seed)
        found = generator.dirichlet(np.ones(len(self._names)), size=len(texts))
        for place in np.flatnonzero(generator.random(len(texts)) < self.seed / 10).tolist():
            found[place] = np.eye(len(self._names))[self._names.index(self._label[texts[place]])]
        return found


def test_a_student_that_draws_lots_is_trained_once_a_seed(
    make: Make, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    test = make(200, seed=2)
    monkeypatch.setattr(room, "open_student", lambda name: Coin(test))
    found = evaluate(request(write, make(60, seed=1), test, None, seed=1, num_seeds=4))
    (own, _) = found.scores
    assert [one.seed for one in own.seeds] == [1, 2, 3, 4]
    assert own.macro_f1.value == pytest.approx(np.mean([one.macro_f1 for one in own.seeds]))
    first = evaluate(request(write, make(60, seed=1), test, None, seed=1, num_seeds=1)).scores[0]
    assert first.seeds == own.seeds[:1]
    assert first.confusions == own.confusions
    # Seeds as unlike as these make the interval of their mean wider than test rows alone do.
    assert width(own.macro_f1) > width(first.macro_f1)


def width(estimate: Estimate) -> float:
    assert estimate.low is not None
    assert estimate.high is not None
    return estimate.high - estimate.low


def test_long_texts_count_by_their_characters(
    make: Make, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MOST_TRAINING_CHARS", 1000)
    lessons = read_lessons(request(write, make(80, seed=1), make(30, seed=2), make(20, seed=3)))
    for rows in lessons.training(seed=0).values():
        assert 900 < sum(map(len, rows.texts)) <= 1000 or len(rows) == 20
    assert [data.rows - data.used - data.not_drawn for data in lessons.inputs] == [0, 0, 0]


@pytest.mark.parametrize(
    ("real", "at_least", "passed"),
    [(0.8, 0.5, True), (0.8, 0.51, False), (None, 0.4, True), (None, 0.41, False), (0.0, 2, True)],
)
def test_the_bound_is_relative_where_there_is_a_real_student(
    real: float | None, at_least: float, passed: bool, make: Make, write: Write
) -> None:
    (score, *_) = evaluate(request(write, make(30, seed=1), make(30, seed=2), None)).scores
    own = score.model_copy(update={"macro_f1": score.macro_f1.model_copy(update={"value": 0.4})})
    scores = [own]
    if real is not None:
        f1 = score.macro_f1.model_copy(update={"value": real})
        scores.append(score.model_copy(update={"name": "trtr", "macro_f1": f1}))
    assert holds(scores, at_least) is passed
    assert holds(scores, None) is None
    assert relative_f1(scores) == (0.4 / real if real else None)


def lines(path: Path) -> Rows:
    pairs = [line.split(" ", 1) for line in path.read_text("utf-8").splitlines()]
    return [{"text": text, "label": label} for label, text in pairs]


@pytest.mark.shared
@pytest.mark.slow
def test_supergen_teaches_less_than_a_quarter_of_sst2(
    shared: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Half of the rows, and of the curve the upper end: the whole takes four times as long.
    monkeypatch.setattr(learning_curve, "MOST_POINTS", 2)
    data = shared / "data"
    made = json.loads((data / "supergen_sst2" / "train.json").read_text("utf-8"))
    synthetic = [{"text": row["text"], "label": row["label"]} for row in made]
    dev, train = (lines(data / "sst2" / f"stsa.binary.{name}") for name in ("dev", "train"))
    found = evaluate(request(write, synthetic[:3000], dev, train[::2], num_seeds=1))
    accuracy = {score.name: score.accuracy.value for score in found.scores}
    assert accuracy["tstr"] == pytest.approx(0.606, abs=0.03)
    assert accuracy["trtr"] == pytest.approx(0.79, abs=0.02)
    assert accuracy["trts"] == pytest.approx(0.89, abs=0.02)
    assert found.worth is not None
    assert (found.worth.beyond, found.worth.smallest, found.worth.low) == ("fewer", 1730, 0)
    assert [data.removed_copies for data in found.inputs[::2]] == [0, 0]
