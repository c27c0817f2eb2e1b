"""The page of an evaluation in a real browser: nothing loads, overflows or acts."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from schemas.audit import Estimate
from schemas.evaluation import (
    Confusion,
    CurvePoint,
    Difference,
    EvaluatedData,
    Evaluation,
    LabelScore,
    Score,
    StudentKind,
    Worth,
)
from tasks.report.evaluation_page import write_evaluation

pytestmark = pytest.mark.browser

HOSTILE = (
    '"><img src="http://localhost:1/x" onerror="document.title=1"><script>document.title=2</script>'
)
LONG = "unbroken" * 12_500
F1 = Estimate(value=0.6, low=0.5, high=0.7, n=400)


@pytest.fixture(scope="module")
def page_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("evaluation")
    names = (LONG, HOSTILE, "left\u202eright\u200b", *(f"label_{number}" for number in range(20)))
    scores = tuple(
        Score(
            name=name, rows=300, accuracy=F1, macro_f1=F1, above_chance=F1, calibration_error=0.1,
            seeds=(), confusions=(Confusion(label=LONG, given=HOSTILE, rows=9),),
            labels=tuple(
                LabelScore(label=label, n=20, precision=F1, recall=F1, f1=0.6) for label in names
            ),
        )
        for name in ("tstr", "trtr", "both", "majority", "trts")
    )  # fmt: skip
    data = EvaluatedData(
        role="synthetic", path=LONG, text=LONG, label=HOSTILE, rows=400, used=400, blank=0,
        unlabelled=0, other_labels=0, removed_copies=0, not_drawn=0, copies=0,
    )  # fmt: skip
    found = Evaluation(
        name="made.jsonl", created="2026-11-21T08:15:00Z", corpusmith="1", seed=0, num_seeds=3,
        student=StudentKind(name=LONG, settings={HOSTILE: LONG}), resamples=1000,
        inputs=(data, data.model_copy(update={"role": "test"})), notes=(LONG, HOSTILE),
        scores=scores, relative=1.0, at_least=None, passed=None,
        differences=(
            Difference(
                name="tstr", baseline="trtr", accuracy=F1, macro_f1=F1, only_right=3,
                only_wrong=9, mcnemar=0.3,
            ),
        ),
        curve=tuple(
            CurvePoint(rows=20 * 2**step, accuracy=F1, macro_f1=F1, seeds=()) for step in range(9)
        ),
        worth=Worth(rows=75, beyond=None, low=42, high=144, smallest=20, largest=5120),
    )  # fmt: skip
    write_evaluation(found, folder)
    return (folder / "report.html").as_uri()


def test_hostile_texts_stay_text(page: Any) -> None:
    assert page.title() == "made.jsonl: worth training on?"
    assert page.locator("img").count() == 0
    assert page.get_by_text(HOSTILE, exact=True).count() >= 1
    assert page.locator("b", has_text="202E").count() >= 1


def test_the_answer_is_seen_without_scrolling_and_the_curve_has_a_name(page: Any) -> None:
    box = page.get_by_role("heading", name="Yes: a student").bounding_box()
    assert box["y"] + box["height"] < 800
    assert page.get_by_role("img", name="Macro-F1 by real rows learnt from").is_visible()


def test_a_reader_of_the_outline_finds_every_part(assert_outline: Callable[[], None]) -> None:
    assert_outline()


def test_names_in_the_drawing_lie_within_it_and_apart(page: Any) -> None:
    page.set_viewport_size({"width": 380, "height": 740})
    frame = page.locator("svg.histogram").bounding_box()
    boxes = [one.bounding_box() for one in page.locator("svg.histogram text").all()]
    for box in boxes:
        assert box["x"] >= frame["x"]
        assert box["x"] + box["width"] <= frame["x"] + frame["width"] + 0.5
    for one, other in itertools.combinations(boxes, 2):
        across = one["x"] < other["x"] + other["width"] and other["x"] < one["x"] + one["width"]
        down = one["y"] < other["y"] + other["height"] and other["y"] < one["y"] + one["height"]
        assert not (across and down)


@pytest.mark.parametrize("width", [390, 360])
def test_nothing_overflows_a_phone(overflow: Callable[[int], int], width: int) -> None:
    assert overflow(width) == 0


def test_text_has_contrast(assert_contrast: Callable[..., None]) -> None:
    assert_contrast(more_than=200)
