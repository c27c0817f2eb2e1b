import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.audit import Estimate, GateOutcome, Group
from schemas.comparison import Comparison
from schemas.errors import InputError
from tasks.audit import run
from tasks.audit.corpus import Corpus
from tasks.audit.reading import Choice, read_corpus
from tasks.audit.side_by_side import (
    MOST_LABELS,
    Sides,
    change_of,
    compare,
    gate_change,
    pair_labels,
)

WORDS = ("red", "green", "blue", "amber", "black", "white", "grey", "pink", "brown", "plain")
GATES = (
    "gates: {duplicate_rate: {warn_above: 0.01, fail_above: 0.1}, "
    "near_duplicate_rate: off, opening_3_top_share: off}\n"
)


def about(value: float, half: float = 0.1) -> Estimate:
    return Estimate(value=value, low=value - half, high=value + half, n=10)


def corpus(labels: Sequence[str | None] | None, *, rows: int | None = None) -> Corpus:
    num = len(labels or ()) if rows is None else rows
    return Corpus(name="c", ids=list(map(str, range(num))), texts=["t"] * num, labels=labels)


def write(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def boxes(*, copies: int = 0) -> list[dict[str, Any]]:
    rows = [
        {"text": f"the {one} box is beside the {two} door", "label": one[0]}
        for one in WORDS
        for two in WORDS
    ]
    return rows + rows[:1] * copies


@pytest.mark.parametrize(
    ("first", "second", "better", "change"),
    [
        (about(0.5), about(0.6), "lower", "same"),
        (about(0.5), about(0.9), "lower", "worse"),
        (about(0.9), about(0.5), "lower", "better"),
        (about(0.5), about(0.9), "higher", "better"),
        (about(0.5), about(0.9), "neither", "changed"),
        (Estimate(value=1.0, n=3), Estimate(value=1.0, n=3), "higher", "same"),
        (Estimate(value=1.0, n=3), Estimate(value=0.5, n=3), "higher", "worse"),
        (None, about(0.5), "lower", "unknown"),
        (None, None, "lower", "same"),
    ],
)
def test_a_change_is_what_chance_does_not_explain(
    first: Estimate | None, second: Estimate | None, better: str, change: str
) -> None:
    assert change_of(first, second, better=better) == change


def test_equal_shares_are_seldom_called_unlike() -> None:
    """The docstring's claim: of two equal figures, fewer than one pair in a hundred."""
    random = np.random.default_rng(0)
    counts = random.binomial(400, 0.3, size=(4000, 2)) / 400
    half = 1.96 * np.sqrt(counts * (1 - counts) / 400)
    unlike = sum(
        change_of(about(a, h), about(b, k), better="lower") != "same"
        for (a, b), (h, k) in zip(counts.tolist(), half.tolist(), strict=True)
    )
    assert 0 < unlike < 40


@pytest.mark.parametrize(
    ("first", "second", "change"),
    [
        ("pass", "warn", "worse"),
        ("pass", "fail", "worse"),
        ("warn", "fail", "worse"),
        ("unmeasured", "warn", "worse"),
        ("unmeasured", "fail", "worse"),
        ("fail", "warn", "better"),
        ("fail", "pass", "better"),
        ("warn", "pass", "better"),
        ("fail", "fail", "same"),
        ("warn", "warn", "same"),
        ("pass", "pass", "same"),
        ("unmeasured", "unmeasured", "same"),
        ("pass", "unmeasured", "unknown"),
        ("warn", "unmeasured", "unknown"),
        ("fail", "unmeasured", "unknown"),
        ("unmeasured", "pass", "unknown"),
    ],
)
def test_a_gate_got_worse_when_it_complains_and_did_not(
    first: Any, second: Any, change: str
) -> None:
    old, new = (
        GateOutcome(metric="m", level=level, observed=None, bound="<= 1")
        for level in (first, second)
    )
    assert gate_change(old, new) == change


LABELS = st.lists(st.sampled_from(["a", "b", "c", "", None]), min_size=1, max_size=30)


@settings(deadline=None, max_examples=60)
@given(first=LABELS, second=LABELS)
def test_labels_are_counted_on_both_sides(
    first: list[str | None], second: list[str | None]
) -> None:
    pairs = pair_labels(corpus(first), corpus(second))
    assert {pair.label for pair in pairs} == set(first) | set(second)
    for pair in pairs:
        assert (pair.first_rows, pair.second_rows) == (
            first.count(pair.label), second.count(pair.label)
        )  # fmt: skip
        assert pair.first is not None
        assert pair.second is not None
        assert pair.first.value * len(first) == pytest.approx(pair.first_rows)
        assert pair.second.value * len(second) == pytest.approx(pair.second_rows)
    apart = [abs(p.first.value - p.second.value) for p in pairs if p.first and p.second]
    assert apart == sorted(apart, reverse=True)
    assert pairs == pair_labels(corpus(first[::-1]), corpus(second[::-1]))


def test_of_very_many_labels_those_that_moved_most_are_paired() -> None:
    many = [str(number) for number in range(2 * MOST_LABELS)]
    pairs = pair_labels(corpus(many), corpus([*many[:-1], "0"]))
    assert len(pairs) == MOST_LABELS
    assert {pair.label for pair in pairs[:2]} == {"0", many[-1]}


@pytest.mark.parametrize("missing", [None, []], ids=["no labels", "no rows"])
def test_shares_of_what_is_not_there_are_unknown(missing: list[str | None] | None) -> None:
    rows = 2 if missing is None else 0
    (pair,) = pair_labels(corpus(missing, rows=rows), corpus(["a", "a"]))
    assert (pair.first, pair.first_rows, pair.second_rows) == (None, 0, 2)
    assert pair.change == "unknown"


@pytest.fixture(scope="module")
def reads() -> list[Path]:
    """Every dataset that was read, as often as it was."""
    return []


@pytest.fixture(scope="module")
def worse(tmp_path_factory: pytest.TempPathFactory, reads: list[Path]) -> Comparison:
    """A dataset held against itself and 30 copies of one row, a label renamed."""
    folder = tmp_path_factory.mktemp("compare")
    gates = folder / "gates.yaml"
    gates.write_text(GATES)
    second = [
        row | {"label": "new" if row["label"] == "r" else row["label"]} for row in boxes(copies=30)
    ]
    sides = Sides(
        write(folder / "a.jsonl", boxes()), write(folder / "b.jsonl", second), Choice(), gates
    )
    with pytest.MonkeyPatch.context() as patch:

        def counted(path: Path, *args: Any, **kwargs: Any) -> Corpus:
            reads.append(path)
            return read_corpus(path, *args, **kwargs)

        patch.setattr(run, "read_corpus", counted)
        return compare(sides)


def test_what_got_worse_is_found(worse: Comparison) -> None:
    assert worse.regressions == ("duplicate_rate",)
    pair = next(pair for pair in worse.metrics if pair.name == "duplicate_rate")
    assert (pair.first, pair.second) != (None, None)
    assert pair.change == "worse"
    assert (worse.new_labels, worse.lost_labels) == (("new",), ("r",))
    assert worse.kept_rows == 130
    assert worse.drift.group == Group.FIDELITY
    assert worse.first.verdict != "block"
    assert worse.second.verdict == "block"


def test_each_dataset_is_read_once(worse: Comparison, reads: list[Path]) -> None:
    assert [path.name for path in reads] == [worse.first.name, worse.second.name]


def test_the_same_dataset_twice_is_the_same(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", boxes())
    found = compare(Sides(path, path, Choice()))
    assert {pair.change for pair in found.metrics} == {"same"}
    assert all(pair.first == pair.second for pair in found.metrics)
    assert {pair.change for pair in found.labels} == {"same"}
    assert (found.regressions, found.new_labels, found.lost_labels) == ((), (), ())
    assert found.kept_rows == len(boxes())
    assert not [one for one in found.drift.findings if one.severity != "note"]


@pytest.mark.parametrize("turned", [False, True])
def test_a_dataset_without_labels_or_rows_is_compared(tmp_path: Path, turned: bool) -> None:
    labelled = write(tmp_path / "a.jsonl", boxes()[:40])
    texts = write(tmp_path / "b.jsonl", [{"text": row["text"]} for row in boxes()[:40]])
    empty = tmp_path / "c.csv"
    empty.write_text("text,label\n")
    for other in (texts, empty):
        sides = (other, labelled) if turned else (labelled, other)
        found = compare(Sides(*sides, Choice()))
        assert (found.new_labels, found.lost_labels) == ((), ())
        assert "unknown" in {pair.change for pair in found.metrics}
        assert all(math.isfinite(p.second.value) for p in found.metrics if p.second)
        assert found.kept_rows == (40 if other == texts else 0)


def test_a_missing_file_is_named_before_anything_is_measured(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", boxes()[:2])
    stages: list[str] = []
    with pytest.raises(InputError):
        compare(Sides(path, tmp_path / "none.jsonl", Choice()), report=stages.append)
    assert stages == ["reading"]
