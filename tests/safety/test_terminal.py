"""Nothing that a file, a name or a model says may steer the terminal that shows it."""

import json
from pathlib import Path

import pytest

from flows.cli import run

EVIL = "ok\x1b]0;owned\x07\x1b[2J\x1b[31m\r\x9b2K\x08\u202egnp.exe\u2066"
"""Sets the title, clears the screen, colours, overwrites a line, turns the writing direction."""
HARMLESS = ("\n", "\u200c", "\u200d")


def harmless(text: str) -> bool:
    return all(c.isprintable() or c in HARMLESS for c in text)


def write(folder: Path, **changes: str) -> Path:
    (folder / "s.jsonl").write_text(json.dumps({"text": f"hello {EVIL} there"}), encoding="utf-8")
    (folder / "e.jsonl").write_text(json.dumps({"text": EVIL, "label": "x"}), encoding="utf-8")
    recipe = {
        "name": "a",
        "rows": 2,
        "labels": {"x": EVIL},
        "attributes": {"tone": [EVIL]},
        "prompt": {"examples": {"path": "e.jsonl", "per_row": 1}},
        "model": {"backend": "scripted", "name": "s.jsonl"},
        "noise": {"share": 1, "steps": [{"kind": "keyboard", "rate": 0.5}]},
        "gates": {"row": {"finished": "off"}},
        **changes,
    }
    path = folder / "recipe.yaml"
    path.write_text(json.dumps(recipe), encoding="utf-8")
    return path


@pytest.mark.parametrize("command", [["preview"], ["preview", "--json"], ["check"]], ids=" ".join)
def test_what_rows_hold_is_shown_harmless(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*command, str(write(tmp_path))]) == 0
    out, err = capsys.readouterr()
    assert harmless(out)
    assert err == ""
    if command[0] == "preview":
        assert "x1b" in out or "u001b" in out


def test_json_still_holds_what_the_model_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["preview", "--json", str(write(tmp_path))]) == 0
    for row in json.loads(capsys.readouterr().out):
        assert row["raw_text"] == f"hello {EVIL} there"
        assert row["attributes"] == {"tone": EVIL}


@pytest.mark.parametrize(
    "changes",
    [
        {"name": EVIL},
        {"labels": {EVIL: "x"}},
        {"rows": EVIL},
        {EVIL: 1},
        {"language": EVIL},
        {"prompt": {"template": EVIL}},
        {"prompt": {"examples": {"path": EVIL}}},
        {"model": {"backend": EVIL}},
        {"model": {"name": EVIL}},
        {"model": {"backend": "scripted", "name": EVIL}},
        {"strategies": [{"kind": EVIL}]},
        {"strategies": [{"kind": "greedy", EVIL: 1}]},
        {"splits": {EVIL: 1}},
        {"attributes": {EVIL: ["a"]}},
    ],
    ids=lambda changes: str(next(iter(changes)))[:12].encode("unicode_escape").decode(),
)
def test_errors_show_names_harmless(
    changes: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["generate", str(write(tmp_path, **changes)), "--out", str(tmp_path / "o")]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert harmless(err), ascii(err)
    assert err.count("error[") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", EVIL],
        [EVIL],
        ["check", f"--{EVIL}"],
        ["check", "r.yaml", "--set", f"{EVIL}=1"],
        ["check", "r.yaml", "--set", EVIL],
        ["generate", "r.yaml", "--resume", EVIL],
        ["init", f"/proc/{EVIL}"],
        ["check", "name-\udcff-of-bytes"],
    ],
    ids=["recipe", "command", "option", "key", "set", "choice", "folder", "bytes"],
)
def test_errors_show_the_command_line_harmless(
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "r.yaml").write_text("name: a\nrows: 1\nlabels: {x: y}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert harmless(err), ascii(err)


def test_file_names_in_hints_and_tables_are_harmless(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / f"a{EVIL.replace('/', '')}"
    folder.mkdir()
    write(folder)
    (folder / "s.jsonl").rename(folder / f"{EVIL}.jsonl")
    (folder / f"{EVIL}.yaml").write_text("", encoding="utf-8")
    (folder / f"{EVIL}.j2").write_text("", encoding="utf-8")
    for command in (
        ["check", str(folder / "recipes.yaml")],
        ["check", str(folder / "recipe.yaml"), "--set", "prompt.template=ok.j2"],
        ["check", str(folder / "recipe.yaml"), "--set", "prompt.examples.path=ok.jsonl"],
    ):
        assert run(command) == 2
        assert harmless(capsys.readouterr().err)
    name = json.dumps(f"{EVIL}.jsonl")
    assert run(["check", str(folder / "recipe.yaml"), "--set", f"model.name={name}"]) == 0
    out = capsys.readouterr().out
    assert harmless(out)
    assert "x1b" in out
