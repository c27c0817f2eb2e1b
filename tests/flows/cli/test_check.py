import json
from pathlib import Path

import pytest

from flows.cli import run


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
    assert sum(sum(rows.values()) for rows in plan["quotas"].values()) == plan["rows"] == 1200
    assert plan["quotas"]["[bold]日本語"] == {"greedy": 450, "nucleus": 450}


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
