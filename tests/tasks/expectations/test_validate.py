"""Great Expectations, really run: a corpus that passes, and each gate failing in its turn."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from schemas.gates import DatasetGates
from schemas.recipe import Recipe
from tasks.expectations.frame import COLUMNS
from tasks.expectations.validate import Validation, validate_release, write_validation

Judge = Callable[..., Validation]
STRUCTURE = [
    "schema",
    "no_nulls",
    "ids_unique",
    "labels_known",
    "strategies_known",
    "finish_reasons_known",
    "split_sizes",
    "label_quota",
    "chars_in_bounds",
    "words_in_bounds",
]


@pytest.fixture
def judge(
    recipe: Recipe, splits: dict[str, int], quotas: dict[str, int], corpus: dict[str, float]
) -> Judge:
    def run(frame: pd.DataFrame, **changed: object) -> Validation:
        return validate_release(
            frame,
            changed.get("corpus", corpus),
            changed.get("recipe", recipe),
            expected_splits=changed.get("splits", splits),
            expected_labels=changed.get("quotas", quotas),
        )

    return run


def failed(validation: Validation) -> set[str]:
    return {gate.name for gate in validation.gates if not gate.passed}


def test_a_good_corpus_passes_every_gate(judge: Judge, frame: pd.DataFrame) -> None:
    validation = judge(frame)
    assert validation.passed
    assert [gate.name for gate in validation.gates] == [*STRUCTURE, *DatasetGates.model_fields]
    observed = {gate.name: gate.observed for gate in validation.gates}
    assert observed == {
        **dict.fromkeys(STRUCTURE, 0.0),
        "schema": None,
        "label_balance": 1.0,
        "duplicate_rate": 0.0,
        "near_duplicate_rate": 0.0,
        "distinct_2": 0.5,
        "rejection_rate": 0.2,
    }
    assert {gate.name: gate.bound for gate in validation.gates}["distinct_2"] == ">= 0.1"


def spoil(frame: pd.DataFrame, column: str, value: object, rows: int = 1) -> pd.DataFrame:
    values = frame[column].astype(object)
    values.iloc[:rows] = values.iloc[150] if value is SAME_AS_ROW_150 else value
    return frame.assign(**{column: values.infer_objects()})


SAME_AS_ROW_150 = object()
SPOILT: list[tuple[str, object, int, set[str], float | None]] = [
    ("text", None, 3, {"no_nulls"}, 3.0),
    ("id", SAME_AS_ROW_150, 1, {"ids_unique"}, 2.0),
    ("label", "no", 1, {"labels_known", "label_quota"}, 1.0),
    ("label", "1", 2, {"label_quota"}, 4.0),
    ("strategy", "greedy", 1, {"strategies_known"}, 1.0),
    ("finish_reason", "error", 1, {"finish_reasons_known"}, 1.0),
    ("split", "test", 1, {"split_sizes"}, 2.0),
    ("score_num_chars", 9.0, 2, {"chars_in_bounds"}, 2.0),
    ("score_num_words", 81.0, 1, {"words_in_bounds"}, 1.0),
    ("duplicate", 1.0, 3, {"duplicate_rate"}, 0.015),
    ("near_duplicate", 1.0, 11, {"near_duplicate_rate"}, 0.055),
]


@pytest.mark.parametrize(("column", "value", "rows", "gates", "observed"), SPOILT)
def test_each_gate_of_the_rows_fails_alone(
    column: str,
    value: object,
    rows: int,
    gates: set[str],
    observed: float | None,
    judge: Judge,
    frame: pd.DataFrame,
) -> None:
    validation = judge(spoil(frame, column, value, rows))
    assert failed(validation) == gates
    first = next(gate for gate in validation.gates if not gate.passed)
    assert first.observed == pytest.approx(observed)


@pytest.mark.parametrize(("column", "rows"), [("duplicate", 2), ("near_duplicate", 10)])
def test_a_rate_at_its_bound_passes(
    column: str, rows: int, judge: Judge, frame: pd.DataFrame
) -> None:
    assert judge(spoil(frame, column, 1.0, rows)).passed


@pytest.mark.parametrize(
    ("figure", "value"),
    [
        ("distinct_2", 0.09),
        ("distinct_2", float("nan")),
        ("distinct_2", None),
        ("rejection_rate", 0.91),
        ("rejection_rate", float("inf")),
    ],
)
def test_each_gate_of_the_corpus_fails_alone(
    figure: str, value: float | None, judge: Judge, frame: pd.DataFrame, corpus: dict[str, float]
) -> None:
    validation = judge(frame, corpus={**corpus, figure: value})
    assert failed(validation) == {figure}
    observed = {gate.name: gate.observed for gate in validation.gates}[figure]
    assert observed == (value if value and np.isfinite(value) else None)
    json.dumps(validation.result, allow_nan=False)


def test_an_unbalanced_corpus_fails(judge: Judge, frame: pd.DataFrame) -> None:
    crowded = spoil(frame, "label", "1", 50)
    validation = judge(crowded, quotas={"1": 100, "<script>alert(1)</script>": 100})
    assert failed(validation) == {"label_balance"}
    assert {gate.name: gate.observed for gate in validation.gates}["label_balance"] == 0.75


def test_a_missing_column_fails_without_a_traceback(judge: Judge, frame: pd.DataFrame) -> None:
    validation = judge(frame.drop(columns="score_num_words"))
    assert failed(validation) == {"schema", "no_nulls", "words_in_bounds"}
    for text in (json.dumps(validation.result), validation.data_docs):
        assert "Traceback" not in text
        assert "site-packages" not in text


def test_a_column_too_many_fails(judge: Judge, frame: pd.DataFrame) -> None:
    assert failed(judge(frame.assign(extra=1))) == {"schema"}


def test_no_rows_cannot_pass(judge: Judge, frame: pd.DataFrame) -> None:
    for empty in (frame.iloc[:0], pd.DataFrame(columns=list(COLUMNS))):
        assert {"split_sizes", "label_quota", "label_balance", "duplicate_rate"} <= failed(
            judge(empty)
        )


def test_gates_that_are_off_are_absent(
    judge: Judge, recipe: Recipe, frame: pd.DataFrame, tmp_path: Path
) -> None:
    off = Recipe.model_validate(recipe.model_dump() | {"gates": "off"})
    validation = judge(spoil(frame, "duplicate", 1.0, 200), recipe=off)
    assert [gate.name for gate in validation.gates] == STRUCTURE[:-2]
    assert validation.passed
    write_validation(validation, tmp_path)


def test_the_suite_is_the_recipes(judge: Judge, recipe: Recipe, frame: pd.DataFrame) -> None:
    suite = judge(frame).suite
    expectations = suite["rows"]["expectations"] + suite["corpus"]["expectations"]
    by_gate: dict[str, list[dict[str, object]]] = {}
    for one in expectations:
        by_gate.setdefault(one["meta"]["gate"], []).append(one)
        assert one["severity"] == "critical"
    for name in DatasetGates.model_fields:
        assert len(by_gate[name]) == 1
    assert by_gate["labels_known"][0]["kwargs"]["value_set"] == list(recipe.labels)
    assert set(by_gate["label_quota"][0]["kwargs"]["counts"]) == set(recipe.labels)
    assert set(by_gate["schema"][0]["kwargs"]["column_set"]) == set(COLUMNS)


def test_results_hold_no_text_of_the_corpus(
    judge: Judge, frame: pd.DataFrame, secret: str, tmp_path: Path
) -> None:
    spoilt = spoil(spoil(frame, "label", f"{secret} as label"), "text", None, 2)
    for column in ("id", "strategy", "finish_reason", "split"):
        spoilt = spoil(spoilt, column, f"{secret} as {column}", 2)
    write_validation(judge(spoilt), tmp_path)
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or secret not in path.read_text(encoding="utf-8")


def test_equal_corpora_have_equal_results(judge: Judge, frame: pd.DataFrame) -> None:
    once, again = judge(frame), judge(frame)
    assert once.result == again.result
    assert once.suite == again.suite


class _Loads(HTMLParser):
    """Collects whatever a page would load, run or follow."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.policy = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "link", "img", "iframe", "object", "embed", "base", "form", "a"}:
            self.found.append(tag)
        if ("http-equiv", "Content-Security-Policy") in attrs:
            self.policy = dict(attrs)["content"] or ""
        for name, value in attrs:
            if name in {"src", "srcset", "poster", "data", "action"} or name.startswith("on"):
                self.found.append(f"{tag} {name}={value}")


def test_the_pages_load_nothing(judge: Judge, frame: pd.DataFrame, tmp_path: Path) -> None:
    write_validation(judge(spoil(frame, "duplicate", 1.0, 9)), tmp_path)
    assert sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.*")) == [
        "data_docs/index.html",
        "result.json",
        "suite.json",
    ]
    page = (tmp_path / "data_docs" / "index.html").read_text(encoding="utf-8")
    loads = _Loads()
    loads.feed(page)
    assert loads.found == []
    assert loads.policy.startswith("default-src 'none'")
    assert not re.search(r"https?://|@import|url\(", page)
    assert "duplicate_rate" in page
    assert "Failed" in page
    for name in ("suite.json", "result.json"):
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert text.endswith("}\n")
        assert set(json.loads(text)) == {"rows", "corpus"}


def test_a_run_prints_nothing(
    frame: pd.DataFrame, judge: Judge, capfd: pytest.CaptureFixture[str]
) -> None:
    judge(frame)
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_importing_does_not_load_great_expectations() -> None:
    code = (
        "import sys, tasks.expectations.validate, tasks.expectations.frame;"
        "sys.exit('great_expectations' in sys.modules)"
    )
    root = Path(__file__).resolve().parents[3]
    assert subprocess.run([sys.executable, "-c", code], cwd=root).returncode == 0
