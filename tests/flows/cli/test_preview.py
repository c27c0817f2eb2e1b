import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.cli import run

TEXTS = {
    "plain": "the parcel came on tuesday after all",
    "wide": "荷物はいつ届きますか、教えてください 📦 " * 4,
    "long": "again and again the line goes on " * 200,
}


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    script = [{"text": text, "label": label} for label, text in TEXTS.items()]
    lines = "\n".join(json.dumps(line) for line in script)
    (tmp_path / "script.jsonl").write_text(lines, encoding="utf-8")
    (tmp_path / "prompt.j2").write_text(
        "{{ label.description }} {{ attributes.tone }}\n"
        "{% for i in range(100) %}line {{ i }}\n{% endfor %}",
        encoding="utf-8",
    )
    path = tmp_path / "recipe.yaml"
    path.write_text(
        "name: shown\nrows: 6\nlabels: {plain: says it, wide: in Japanese, long: at length}\n"
        "attributes: {tone: [kind]}\nprompt: {template: prompt.j2}\n"
        "model: {backend: scripted, name: script.jsonl}\n"
        "strategies: [{kind: greedy, length: {max: 5000}}]\n"
        "noise: {share: 1, steps: [{kind: word_delete, rate: 0.5}]}\n"
        "gates: {row: {label_leak: off}}\n",
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    return path


@pytest.mark.parametrize("columns", [60, 100])
def test_panels_keep_to_the_width_and_long_prompts_are_cut(
    columns: int,
    recipe: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from rich.cells import cell_len

    monkeypatch.setenv("COLUMNS", str(columns))
    assert run(["preview", str(recipe), "-n", "6"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert {cell_len(line) for line in out.splitlines()} == {columns}
    assert "line 5 " in out
    assert "line 60" not in out
    assert "more characters; --json shows" in " ".join(out.replace("│", "").split())
    for fact in ("tone: kind", "word_delete", "rejected: chars", "noised", "accepted", "eos after"):
        assert fact in out


def test_json_holds_everything_and_nothing_is_written(
    recipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(recipe.parent.rglob("*"))
    assert run(["preview", str(recipe), "-n", "2", "--json"]) == 0
    out, err = capsys.readouterr()
    rows = json.loads(out)
    assert err == ""
    assert len(rows) == 2
    for row in rows:
        assert "line 99" in row["prompt"]
        assert (row["clean_text"] or row["text"]) == TEXTS[row["label"]].strip()
    assert sorted(recipe.parent.rglob("*")) == before


def test_no_more_rows_than_the_recipe_has(recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["preview", str(recipe), "-n", "50", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 6


def test_texts_of_one_prompt_are_numbered(recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    beams = "strategies=[{kind: stochastic_beam, num_beams: 2}]"
    assert run(["preview", str(recipe), "-n", "6", "--set", beams]) == 0
    # Six rows of three labels make three pairs.
    assert capsys.readouterr().out.count("text 2 of its prompt") == 3


def test_a_weight_is_shown_where_there_is_one(
    recipe: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from dataclasses import replace

    from tasks.generation.scripted import ScriptedBackend

    answer = ScriptedBackend.generate

    def weigh(self: ScriptedBackend, requests: Any) -> Iterator[Any]:
        for reply in answer(self, requests):
            yield replace(reply, weight=0.12345 if reply.request.row == 1 else None)

    monkeypatch.setattr(ScriptedBackend, "generate", weigh)
    assert run(["preview", str(recipe), "-n", "3"]) == 0
    out = capsys.readouterr().out
    assert out.count("0.123") == out.count(" weight ") == 1
