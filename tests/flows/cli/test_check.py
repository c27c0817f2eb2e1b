import json
from pathlib import Path

import pytest

from flows.cli import run
from schemas.strategies import STRATEGY_CLASSES


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "recipe.yaml"
    path.write_text(
        "name: planned\nrows: 1200\n"
        "labels:\n  a label that is rather long, as labels of real tasks can be: {description: x}\n"
        "  '[bold]日本語': {description: y, share: 3}\n"
        "model: {backend: scripted, name: s.jsonl}\n"
        "strategies: [{kind: greedy}, {kind: nucleus, share: 2}, {kind: greedy, stop: [.]}]\n",
        encoding="utf-8",
    )
    (tmp_path / "s.jsonl").write_text('{"text": "hello"}\n', encoding="utf-8")
    return path


def test_json_adds_up(recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", str(recipe), "--json"]) == 0
    out, err = capsys.readouterr()
    plan = json.loads(out)
    assert err == ""
    assert plan["strategies"] == ["greedy", "nucleus"]
    assert plan["backend"] == "scripted"
    # One of the two greedy entries has a stop string, of which a masked model has no use.
    unmasked = ["decoder-only", "encoder-decoder", "openai", "vllm"]
    assert plan["runs_on"]["greedy"] == unmasked
    assert plan["runs_on"]["nucleus"] == [*unmasked[:2], "masked", *unmasked[2:]]
    assert sum(sum(rows.values()) for rows in plan["quotas"].values()) == plan["rows"] == 1200
    assert plan["quotas"]["[bold]日本語"] == {"greedy": 450, "nucleus": 450}


@pytest.mark.parametrize("columns", [60, 100])
def test_many_strategies_stand_in_a_table_of_their_own(
    columns: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    kinds = [strategy.model_fields["kind"].default for strategy in STRATEGY_CLASSES]
    # A script reads no texts, as reranking asks for.
    kinds.remove("noisy_channel")
    recipe = {
        "name": "many",
        "rows": 1650,
        "labels": {"one": "x", "two": {"description": "y", "share": 2}},
        "model": {"backend": "scripted", "name": "s.jsonl"},
        "strategies": [{"kind": kind} for kind in kinds],
    }
    (tmp_path / "recipe.yaml").write_text(json.dumps(recipe), encoding="utf-8")
    (tmp_path / "s.jsonl").write_text('{"text": "hello"}\n', encoding="utf-8")
    monkeypatch.setenv("COLUMNS", str(columns))
    assert run(["check", str(tmp_path / "recipe.yaml")]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    for row in (["one", "550"], ["two", "1,100"], *([kind, "150"] for kind in kinds)):
        assert row in lines
    assert lines.count(["all", "1,650"]) == 2
    out = " ".join(map(" ".join, lines))
    assert "backend scripted" in out
    assert (
        "greedy, temperature, nucleus: decoder-only, encoder-decoder, masked, openai, vllm" in out
    )
    assert "top_k, min_p: decoder-only, encoder-decoder, masked, vllm" in out
    assert "contrastive: decoder-only" in out


@pytest.mark.parametrize("columns", [50, 100])
def test_the_table_names_every_label_whole(
    columns: int,
    recipe: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from rich.cells import cell_len

    monkeypatch.setenv("COLUMNS", str(columns))
    assert run(["check", str(recipe)]) == 0
    out = capsys.readouterr().out
    assert max(map(cell_len, out.splitlines())) <= columns
    assert "[bold]日本語" in out
    assert "…" not in out
    assert "planned: the recipe is right. Model: s\n" in out
    for fact in ("prompts", "tokens", "time", "release"):
        assert f"\n{fact}" in out
    assert "\ntime     unknown\n" in "\n".join(map(str.rstrip, out.splitlines()))
    assert "rows a prompt" not in out


def test_rows_that_share_a_prompt_are_said(
    recipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    several = (
        "strategies=[{kind: beam, num_return_sequences: 2}, {kind: greedy},"
        " {kind: beam, num_return_sequences: 3}, {kind: stochastic_beam}]"
    )
    assert run(["check", str(recipe), "--set", several]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "rows a prompt up to 3 by beam, 4 by stochastic_beam" in out
