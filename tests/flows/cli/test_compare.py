import json
from pathlib import Path
from typing import Any

import pytest

from flows.cli import run
from flows.compare import compare, regression
from schemas.comparison import Comparison
from schemas.errors import GateError
from tasks.audit.reading import Choice
from tasks.audit.side_by_side import Sides

WORDS = ("red", "green", "blue", "amber", "black", "white", "grey", "pink")
GATES = (
    "gates: {duplicate_rate: {warn_above: 0.01, fail_above: 0.1}, "
    "near_duplicate_rate: off, opening_3_top_share: off}\n"
)


def write(path: Path, *, copies: int = 0) -> Path:
    rows = [
        {"words": f"the {one} box is beside the {two} door", "kind": one[0]}
        for one in WORDS
        for two in WORDS
    ]
    path.write_text("\n".join(map(json.dumps, rows + rows[:1] * copies)), encoding="utf-8")
    return path


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    """The good dataset, the bad one, and the options that both need."""
    gates = tmp_path / "gates.yaml"
    gates.write_text(GATES, encoding="utf-8")
    return [
        str(write(tmp_path / "good.jsonl")), str(write(tmp_path / "bad.jsonl", copies=30)),
        "--text", "words", "--label", "kind", "--gates", str(gates),
        "--out", str(tmp_path / "new" / "out"),
    ]  # fmt: skip


def report_of(tmp_path: Path) -> Comparison:
    return Comparison.model_validate_json((tmp_path / "new" / "out" / "report.json").read_bytes())


def test_a_gate_that_got_worse_exits_1_with_the_report_written(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["compare", *arguments]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "1 gate got worse; " in err
    assert "worse: Copies" in err or "worse: " in err
    assert "error[CS-V001]: 1 gate got worse: duplicate_rate" in err
    assert report_of(tmp_path).regressions == ("duplicate_rate",)
    page = (tmp_path / "new" / "out" / "report.html").read_text("utf-8")
    assert "1 gate got worse" in page
    assert str(tmp_path) not in page


def test_a_gate_that_got_better_exits_0_and_names_the_page(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments[:2] = arguments[1::-1]
    assert run(["compare", *arguments, "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert out == f"{tmp_path / 'new' / 'out' / 'report.html'}\n"
    assert err == ""
    assert [gate.change for gate in report_of(tmp_path).gates if gate.metric == "duplicate_rate"] \
        == ["better"]  # fmt: skip


def test_json_holds_what_became_of_every_figure(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["compare", *arguments, "--json"]) == 1
    printed: dict[str, Any] = json.loads(capsys.readouterr().out)
    found = report_of(tmp_path)
    assert printed["regressions"] == ["duplicate_rate"]
    assert printed["verdicts"] == {"first": found.first.verdict, "second": found.second.verdict}
    assert len(printed["metrics"]) == len(found.metrics)
    assert {one["change"] for one in printed["gates"]} == {one.change for one in found.gates}
    assert (printed["new_labels"], printed["kept_rows"]) == ([], 94)


@pytest.mark.parametrize(
    ("place", "wrong", "code"),
    [(0, "none.jsonl", "CS-D001"), (1, "none.jsonl", "CS-D001"), (3, "nothing", "CS-D002")],
)
def test_what_cannot_be_read_exits_2(
    arguments: list[str],
    place: int,
    wrong: str,
    code: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments[place] = wrong
    assert run(["compare", *arguments]) == 2
    assert code in capsys.readouterr().err
    assert not (tmp_path / "new" / "out" / "report.html").exists()


def test_the_error_names_a_few_gates_and_counts_the_others(
    arguments: list[str], tmp_path: Path
) -> None:
    run(["compare", *arguments, "--quiet"])
    found = report_of(tmp_path)
    (gate,) = [one for one in found.gates if one.change == "worse"]
    many = found.model_copy(update={"gates": (gate,) * 7})
    error = regression(many, tmp_path)
    assert isinstance(error, GateError)
    assert (
        error.message == "7 gates got worse: " + ", ".join(["duplicate_rate"] * 5) + " and 2 more"
    )
    assert regression(found.model_copy(update={"gates": ()}), tmp_path) is None


@pytest.mark.flow
@pytest.mark.usefixtures("prefect_api")
def test_the_flow_raises_when_a_gate_got_worse(arguments: list[str], tmp_path: Path) -> None:
    good, bad = map(Path, arguments[:2])
    choice, gates = Choice("words", "kind"), tmp_path / "gates.yaml"
    assert compare(Sides(good, good, choice, gates), tmp_path) == tmp_path / "report.html"
    with pytest.raises(GateError, match="1 gate got worse"):
        compare(Sides(good, bad, choice, gates), tmp_path)
