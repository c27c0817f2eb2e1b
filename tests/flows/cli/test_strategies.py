import json
import re
from typing import Any

import pytest
from pydantic import TypeAdapter

from flows.cli import run
from schemas.strategies import STRATEGY_CLASSES
from tasks.generation.support import MATRIX, SUPPORT


def told_as_json(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert run(["strategies", "--json"]) == 0
    return {entry["kind"]: entry for entry in json.loads(capsys.readouterr().out)}


def told(capsys: pytest.CaptureFixture[str]) -> str:
    assert run(["strategies"]) == 0
    return capsys.readouterr().out


def test_json_tells_every_strategy_and_parameter(capsys: pytest.CaptureFixture[str]) -> None:
    found = told_as_json(capsys)
    assert len(found) == len(STRATEGY_CLASSES)
    for strategy in STRATEGY_CLASSES:
        fields = dict(strategy.model_fields)
        entry = found[fields.pop("kind").default]
        for shared in ("share", "length", "stop"):
            del fields[shared]
        assert list(entry["parameters"]) == list(fields)
        for name, field in fields.items():
            # What is told as the default means the default: it reads back as it.
            read: TypeAdapter[Any] = TypeAdapter(field.annotation)
            assert read.validate_python(entry["parameters"][name]["default"]) == field.default
        assert all(one["meaning"] for one in entry["parameters"].values())
        # A method from a paper links to it.
        assert entry["source"].startswith("https://") == bool(
            re.search(r"\d{4}\)", entry["meaning"])
        )


def test_json_tells_what_runs_each_strategy(capsys: pytest.CaptureFixture[str]) -> None:
    found = told_as_json(capsys)
    for backend in ("openai", "vllm"):
        assert {kind for kind, entry in found.items() if entry["runs_on"][backend]} == SUPPORT[
            backend
        ]
    families = ("decoder-only", "encoder-decoder", "masked")
    for kind in SUPPORT["transformers"]:
        assert any(found[kind]["runs_on"][family] for family in families)
    assert found["contrastive"]["runs_on"] == {
        "decoder-only": True,
        "encoder-decoder": False,
        "masked": False,
        "openai": False,
        "vllm": False,
    }


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
def test_every_line_fits_and_no_link_is_broken(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    out = told(capsys)
    assert max(len(line) for line in out.splitlines() if "https" not in line) <= columns
    for strategy in STRATEGY_CLASSES:
        assert f"{strategy.model_fields['kind'].default}\n" in out
        assert getattr(strategy, "source", "") in out


def test_the_matrix_has_a_row_for_every_strategy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    head, *rows = told(capsys).partition("runs on")[2].splitlines()
    assert head.split() == list(MATRIX)
    for strategy, row in zip(STRATEGY_CLASSES, rows, strict=False):
        kind, *cells = row.split()
        assert kind == strategy.model_fields["kind"].default
        wanted = ["yes" if kind in kinds else "-" for kinds in MATRIX.values()]
        if kind == "noisy_channel":
            wanted[list(MATRIX).index("encoder-decoder")] = "corrupt"
        assert cells == wanted


def test_a_narrow_terminal_gets_the_matrix_in_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    out = told(capsys)
    assert "top_k runs on decoder-only, encoder-decoder, masked, vllm\n" in out
    restores = "noisy_channel runs on decoder-only, encoder-decoder (mode: corrupt)"
    assert restores in " ".join(out.split())


def test_what_every_sampling_strategy_takes_is_told_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    out = told(capsys)
    assert out.count("best_of:") == 1
    assert "proposal: {kind: nucleus} " in out
    assert "noise: [{kind: keyboard, rate: 0.05}, {kind: word_delete, rate: 0.1}] " in out
    assert "early_stopping: false " in out
