from pathlib import Path

import pytest

from flows.cli import run
from recipes import init_files


def test_it_writes_what_check_accepts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "new" / "corpus"
    assert run(["init", str(folder)]) == 0
    out, err = capsys.readouterr()
    assert out == f"{folder / 'recipe.yaml'}\n"
    assert err == f"next: corpusmith check {folder / 'recipe.yaml'}\n"
    assert {path.name: path.read_text("utf-8") for path in folder.iterdir()} == init_files()
    assert run(["check", out.strip()]) == 0
    assert "the recipe is right" in capsys.readouterr().out


def test_it_leaves_other_files_alone_and_overwrites_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    assert run(["init", str(tmp_path)]) == 0
    (tmp_path / "recipe.yaml").write_text("mine", encoding="utf-8")
    assert run(["init", str(tmp_path)]) == 2
    assert "already there: examples.jsonl, prompt.j2, recipe" in capsys.readouterr().err
    assert (tmp_path / "recipe.yaml").read_text("utf-8") == "mine"
    assert (tmp_path / "notes.txt").read_text("utf-8") == "mine"
