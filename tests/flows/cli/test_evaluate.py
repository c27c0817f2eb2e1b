import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flows.cli import run
from flows.evaluate import evaluate, refusal
from schemas.errors import GateError, InputError
from schemas.evaluation import Evaluation, Terms
from tasks.audit.reading import Choice

WORDS = {"fruit": ("apple", "pear", "plum", "quince"), "metal": ("iron", "tin", "zinc", "copper")}


def write(path: Path, *, seed: int, rows: int = 60, sure: float = 0.5) -> Path:
    generator = np.random.default_rng(seed)
    lines = []
    for _ in range(rows):
        kind = ("fruit", "metal")[generator.integers(2)]
        other = ("metal", "fruit")[kind == "metal"]
        told = [generator.choice(WORDS[kind if generator.random() < sure else other])
                for _ in range(5)]  # fmt: skip
        words = " ".join(map(str, told)) + f" {generator.integers(10**6)}"
        lines.append(json.dumps({"words": words, "kind": kind}))
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    return [
        "--synthetic", str(write(tmp_path / "made.jsonl", seed=1, sure=0.6)),
        "--test", str(write(tmp_path / "test.jsonl", seed=2, sure=0.9, rows=150)),
        "--train", str(write(tmp_path / "train.jsonl", seed=3, sure=0.9)),
        "--text", "words", "--label", "kind", "--seeds", "1",
        "--out", str(tmp_path / "new" / "out"),
    ]  # fmt: skip


def found_in(tmp_path: Path) -> Evaluation:
    twin = tmp_path / "new" / "out" / "evaluation.json"
    return Evaluation.model_validate_json(twin.read_bytes())


def test_it_names_the_page_and_says_the_verdict(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["evaluate", *arguments]) == 0
    out, err = capsys.readouterr()
    assert out == f"{tmp_path / 'new' / 'out' / 'report.html'}\n"
    found = found_in(tmp_path)
    own = found.score("tstr")
    assert own is not None
    assert f"Macro-F1 {own.macro_f1.value:.3f} (" in err
    assert "real rows" in err
    page = (tmp_path / "new" / "out" / "report.html").read_text("utf-8")
    assert str(tmp_path) not in page
    assert str(tmp_path) not in found.model_dump_json()


def test_less_than_was_asked_for_exits_1_with_the_report_written(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["evaluate", *arguments, "--at-least", "1.5", "--quiet"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error[CS-V001]: Asked for: at least 1.5 of the real student's macro-F1")
    found = found_in(tmp_path)
    assert (found.at_least, found.passed) == (1.5, False)
    error = refusal(found, tmp_path)
    assert isinstance(error, GateError)
    assert refusal(found.model_copy(update={"passed": True}), tmp_path) is None
    assert run(["evaluate", *arguments, "--at-least", "0.1", "--quiet"]) == 0
    assert found_in(tmp_path).passed is True


def test_json_is_the_whole_evaluation(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["evaluate", *arguments, "--json", "--seed", "5", "--keep-copies"]) == 0
    printed: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert printed == found_in(tmp_path).model_dump(mode="json")
    assert (printed["seed"], printed["num_seeds"]) == (5, 1)


@pytest.mark.parametrize(
    ("option", "value", "code"),
    [
        ("--synthetic", "none.jsonl", "CS-D001"),
        ("--label", "nothing", "CS-D002"),
        ("--label", "words", "CS-E001"),
        ("--student", "nowhere", "CS-M001"),
        ("--seeds", "0", "CS-I001"),
        ("--at-least", "-1", "CS-I001"),
    ],
)
def test_what_is_wrong_exits_2_and_writes_nothing(
    option: str,
    value: str,
    code: str,
    arguments: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["evaluate", *arguments, option, value]) == 2
    assert f"error[{code}]" in capsys.readouterr().err
    assert not (tmp_path / "new" / "out" / "evaluation.json").exists()


@pytest.mark.flow
@pytest.mark.usefixtures("prefect_api")
def test_the_flow_evaluates_refuses_and_shows_what_it_found(tmp_path: Path) -> None:
    made, test = write(tmp_path / "made.jsonl", seed=1), write(tmp_path / "test.jsonl", seed=2)
    columns = Choice("words", "kind")
    out = tmp_path / "out"
    assert evaluate(made, test, out, columns=columns, terms=Terms()) == out / "report.html"
    artifact = artifact_of("made-jsonl-evaluation")
    assert "Macro-F1" in artifact
    assert (out / "report.html").as_uri() in artifact
    with pytest.raises(GateError, match="a macro-F1 of at least 2; it does not hold"):
        evaluate(made, test, out, columns=columns, terms=Terms(at_least=2))
    with pytest.raises(InputError, match="no column 'label'"):
        evaluate(made, test, out, columns=Choice("words", "label"))


def artifact_of(key: str) -> str:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey

    with get_client(sync_client=True) as client:
        wanted = ArtifactFilter(key=ArtifactFilterKey(any_=[key]))
        (found,) = client.read_artifacts(artifact_filter=wanted)
    return str(found.data)
