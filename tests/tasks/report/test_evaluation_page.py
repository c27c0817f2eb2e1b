import re
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from schemas.audit import Estimate
from schemas.audit_json_schema import written_schema
from schemas.errors import CorpusmithError
from schemas.evaluation import (
    Confusion,
    CurvePoint,
    Difference,
    EvaluatedData,
    Evaluation,
    LabelScore,
    Score,
    SeedScore,
    StudentKind,
    StudentName,
    Worth,
)
from tasks.report import evaluation_wording as words
from tasks.report.bounded_page import MAX_BYTES
from tasks.report.evaluation_charts import learning_curve
from tasks.report.evaluation_page import render_evaluation_page, write_evaluation

EVIL = "<script>alert(1)</script> & \u202eevil\x07\ud800"


def near(value: float, reach: float = 0.05) -> Estimate:
    return Estimate(value=value, low=value - reach, high=value + reach, n=400)


def score(name: StudentName, f1: float, *labels: LabelScore, above: float = 0.2) -> Score:
    return Score(
        name=name, rows=300, accuracy=near(f1), macro_f1=near(f1), above_chance=near(above),
        calibration_error=None if name == "majority" else 0.05,
        seeds=(SeedScore(seed=0, accuracy=f1, macro_f1=f1),),
        labels=labels or (label("x", 0.4), label("y", 0.9)),
        confusions=(Confusion(label="x", given="y", rows=7),),
    )  # fmt: skip


def label(name: str, f1: float) -> LabelScore:
    return LabelScore(label=name, n=200, precision=near(f1), recall=near(f1), f1=f1)


def apart(name: StudentName, baseline: StudentName, f1: float, *, p: float = 0.0) -> Difference:
    return Difference(
        name=name, baseline=baseline, accuracy=near(f1), macro_f1=near(f1), only_right=3,
        only_wrong=9, mcnemar=p,
    )  # fmt: skip


def data(role: Any, **changes: Any) -> EvaluatedData:
    facts = {
        "role": role, "path": f"{role}.jsonl", "text": "text", "label": "label", "rows": 410,
        "used": 400, "blank": 4, "unlabelled": 3, "other_labels": 2, "removed_copies": 1,
        "not_drawn": 0, "copies": 1,
    }  # fmt: skip
    return EvaluatedData(**(facts | changes))


def point(rows: int, f1: float) -> CurvePoint:
    seeds = tuple(SeedScore(seed=seed, accuracy=f1, macro_f1=f1 + seed / 100) for seed in range(3))
    return CurvePoint(rows=rows, accuracy=near(f1), macro_f1=near(f1), seeds=seeds)


def worth(**changes: Any) -> Worth:
    facts = {"rows": 75, "beyond": None, "low": 42, "high": 144, "smallest": 20, "largest": 160}
    return Worth(**(facts | changes))


def evaluation(**changes: Any) -> Evaluation:
    facts: dict[str, Any] = {
        "name": "made.jsonl", "created": "2026-11-21T08:15:00+00:00", "corpusmith": "1",
        "student": StudentKind(name="linear", settings={"inverse penalty C": 4.0}), "seed": 0,
        "num_seeds": 3, "resamples": 1000, "notes": ("A note.",),
        "inputs": (data("synthetic"), data("train"), data("test")),
        "scores": (
            score("tstr", 0.6), score("trtr", 0.8), score("both", 0.8), score("majority", 0.3),
            score("trts", 0.7),
        ),
        "differences": (
            apart("tstr", "trtr", -0.2), apart("tstr", "majority", 0.3),
            apart("both", "trtr", 0.01, p=0.4),
        ),
        "curve": (point(20, 0.5), point(40, 0.55), point(80, 0.61), point(160, 0.8)),
        "worth": worth(), "relative": 0.75, "at_least": None, "passed": None,
    }  # fmt: skip
    return Evaluation(**(facts | changes))


def alone(**changes: Any) -> Evaluation:
    """Without real rows to train on."""
    facts: dict[str, Any] = {
        "inputs": (data("synthetic"), data("test")), "curve": (), "worth": None, "relative": None,
        "scores": (score("tstr", 0.6), score("majority", 0.3)),
        "differences": (apart("tstr", "majority", 0.3),),
    }  # fmt: skip
    return evaluation(**(facts | changes))


def everywhere(text: str, *, times: int = 1) -> Evaluation:
    labels = tuple(label(f"{text}{number}", 0.5) for number in range(times))
    pairs = tuple(Confusion(label=text, given=text, rows=1) for _ in range(times))
    scores = tuple(
        score(one.name, 0.6, *labels).model_copy(update={"confusions": pairs})
        for one in evaluation().scores
    )
    names = {"path": text, "text": text, "label": text, "unknown_labels": (text,) * times}
    return evaluation(
        name=text, created=text, corpusmith=text, scores=scores, notes=(text,) * 12,
        student=StudentKind(name=text, settings={text: text}),
        inputs=tuple(data(role, **names) for role in ("synthetic", "train", "test")),
    )  # fmt: skip


def plain(page: str) -> str:
    body = page[page.index("<body>") : page.index("<script>")]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", body)).replace("\xa0", " ")


def test_the_page_is_self_contained_and_nothing_in_it_acts(tags_of: Any) -> None:
    page = render_evaluation_page(everywhere(EVIL))
    tags = tags_of(page)
    names = Counter(tag for tag, _ in tags)
    assert (names["script"], names["style"]) == (1, 1)
    assert not {"img", "link", "iframe", "object", "base", "form"} & names.keys()
    for tag, attributes in tags:
        assert not any(name.startswith("on") for name in attributes)
        assert not {"src", "style"} & attributes.keys()
        assert (attributes.get("href") or "#").startswith("#")
        assert tag == "meta" or "evil" not in str(attributes)
    assert not {"\u202e", "\x07", "\ud800"} & set(page)
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize("found", [evaluation(), alone(), everywhere("x", times=40)])
def test_every_link_leads_somewhere_and_no_two_places_share_a_name(
    found: Evaluation, tags_of: Any
) -> None:
    tags = tags_of(render_evaluation_page(found))
    places = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(places) == len(set(places))
    for _, attributes in tags:
        if "href" in attributes:
            assert str(attributes["href"]).removeprefix("#") in places
        for name in (attributes.get("aria-labelledby") or "").split():
            assert name in places


def test_the_page_stays_small_and_says_what_it_leaves_out() -> None:
    page = render_evaluation_page(everywhere("<\u202e" * 50_000, times=500))
    assert len(page.encode()) <= MAX_BYTES
    assert "labels that it tells better are in" in page
    assert "further pairs, confused less often" in page


def test_the_answer_comes_first_then_the_figures_behind_it() -> None:
    said = plain(render_evaluation_page(evaluation()))
    at = 0
    for wanted in (
        "made.jsonl : worth training on?",
        "It teaches, but less than the real training set does",
        "Macro-F1 0.600 (0.550 to 0.650) on 400 real test rows, 75 % of the 0.800 of real rows; "
        "chance reaches 0.400.",
        "It is worth about 75 real rows (42 to 144).",
        "Added to the real training set it makes no clear difference: macro-F1 +0.010",
        "A note.",
        "Synthetic Tested on the real test rows (TSTR). 300 0.600 0.550 to 0.650 0.400 60.0 %",
        "80 0.610 0.560 to 0.660 0.610 to 0.630",
        "Synthetic minus real \u22120.200 \u22120.250 to \u22120.150 \u221220.0",
        "0.400 may be chance",
        "x 200 0.400 0.400 40.0 %",
        "synthetic.jsonl ; texts in text , labels in label 410 400 10 1",
        "inverse penalty C 4.0",
    ):
        at = said.index(wanted, at)


@pytest.mark.parametrize(
    ("found", "tone", "headline"),
    [
        (evaluation(), "fix", "It teaches, but less"),
        (evaluation(differences=(apart("tstr", "trtr", 0.02),)), "ship", "Yes: no difference"),
        (evaluation(differences=(apart("tstr", "trtr", 0.2),)), "ship", "Yes: a student"),
        (alone(), "ship", "It teaches: a student of the synthetic set does better than chance"),
        (alone(scores=(score("tstr", 0.6, above=0.01),)), "fail", "No: a student"),
        (alone(at_least=0.7, passed=False), "fail", "No: it teaches less than was asked for"),
        (alone(at_least=0.5, passed=True), "ship", "It teaches"),
    ],
)
def test_the_headline_is_as_sure_as_the_intervals(
    found: Evaluation, tone: str, headline: str
) -> None:
    assert words.tone(found) == tone
    assert words.headline(found).startswith(headline)
    assert f'class="verdict {tone}"' in render_evaluation_page(found)


@pytest.mark.parametrize(
    ("changes", "sentence", "figure"),
    [
        ({}, "about 75 real rows (42 to 144).", "75"),
        ({"low": 0, "high": None}, "about 75 real rows (any number).", "75"),
        ({"low": 0}, "about 75 real rows (144 or fewer).", "75"),
        (
            {"rows": None, "beyond": "fewer", "low": 0, "high": 20},
            "fewer than 20 real rows",
            "< 20",
        ),
        (
            {"rows": None, "beyond": "more", "low": 9, "high": None},
            "there are (9 or more).",
            "> 160",
        ),
    ],
)
def test_worth_in_words(changes: dict[str, Any], sentence: str, figure: str) -> None:
    assert sentence in words.worth(worth(**changes))
    assert words.worth_figure(worth(**changes)) == figure


def test_no_difference_found_says_how_great_one_may_be() -> None:
    said = words.reasons(evaluation(differences=(apart("tstr", "trtr", 0.02),)))
    assert "Against the real student: macro-F1 +0.020 (\u22120.030 to +0.070)." in said
    assert words.unlike(evaluation()) == words.unlike(alone()) == ""


@pytest.mark.parametrize(("change", "says"), [(0.2, "it helps: "), (-0.2, "it harms: ")])
def test_what_adding_it_does(change: float, says: str) -> None:
    found = evaluation(differences=(apart("both", "trtr", change),))
    assert says in words.together(found)
    assert words.together(alone()) == ""


def test_bounds_say_what_they_bound() -> None:
    relative = evaluation(at_least=0.8, passed=False)
    assert words.bound(relative) == (
        "Asked for: at least 0.8 of the real student's macro-F1; it does not hold (0.600 of 0.800)."
    )
    own = alone(at_least=0.5, passed=True)
    assert words.bound(own) == "Asked for: a macro-F1 of at least 0.5; it holds (0.600)."
    assert words.bound(alone()) == ""


def test_the_curve_is_drawn_to_scale() -> None:
    found = evaluation()
    drawing = str(learning_curve(found.curve, found.scores[0].macro_f1))
    (points,) = re.findall(r'points="([^"]*)"', drawing)
    xs, ys = zip(*(map(float, pair.split(",")) for pair in points.split()), strict=True)
    steps = [after - before for before, after in pairwise(xs)]
    assert steps == pytest.approx([steps[0]] * 3, abs=0.2)
    # Equal scores lie equally high, and a score of .05 is worth as much everywhere.
    assert ys[0] - ys[1] == pytest.approx((ys[0] - ys[3]) / 6, abs=0.3)
    assert "20 to 160 real rows reach a macro-F1 of 0.50 to 0.80" in drawing
    assert ">160</text>" in drawing


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_a_curve_of_one_point_without_an_interval_is_drawn(value: float) -> None:
    lone = CurvePoint(
        rows=7, accuracy=Estimate(value=value, n=9), macro_f1=Estimate(value=value, n=9), seeds=()
    )
    drawing = str(learning_curve([lone], Estimate(value=value, n=9)))
    assert "nan" not in drawing
    assert ">7</text>" in drawing


def test_the_twin_fits_its_schema_and_replaces_the_last(tmp_path: Path) -> None:
    (tmp_path / "evaluation.json").write_text("old")
    write_evaluation(everywhere(EVIL), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"evaluation.json", "report.html"}
    twin = (tmp_path / "evaluation.json").read_bytes()
    jsonschema.Draft202012Validator(written_schema(Evaluation)).validate(
        Evaluation.model_validate_json(twin).model_dump(mode="json")
    )
    with pytest.raises(CorpusmithError):
        write_evaluation(evaluation(), tmp_path / "evaluation.json")
