"""The command as a whole: help, lazy imports, exit codes, pipes."""

import subprocess
import sys
from pathlib import Path

import pytest

import flows.cli
from flows.cli import run
from schemas.errors import GateError, InputError, RunError

HEAVY = ("torch", "transformers", "prefect", "great_expectations", "pandas", "pyarrow", "sklearn")
COMMANDS = ("init", "check", "preview", "generate", "strategies")
MAIN = "from flows.cli import main; main()"
RECIPE = "name: a\nrows: 1\nlabels: {x: y}\n"


def heavy_imports(arguments: list[str], environment: dict[str, str]) -> set[str]:
    """Which heavy packages a command imports in a process of its own."""
    code = (
        "import sys\nfrom flows.cli import run\nrun(sys.argv[1:])\n"
        f"print(*(name for name in {HEAVY!r} if name in sys.modules), file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["strategies"], ["--version"], ["nonsense"]]
    + [[command, "--help"] for command in COMMANDS],
    ids=" ".join,
)
def test_what_needs_nothing_imports_nothing_heavy(
    arguments: list[str], environment: dict[str, str]
) -> None:
    assert heavy_imports(arguments, environment) == set()


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"recipe.yaml": "rows: [\n"},
        {"recipe.yaml": f"{RECIPE}rowz: 2\n"},
        {"recipe.yaml": f"{RECIPE}prompt: {{template: none.j2}}\n"},
        {"recipe.yaml": f"{RECIPE}prompt: {{template: t.j2}}\n", "t.j2": "{{ nothing }}"},
        {"recipe.yaml": f"{RECIPE}prompt: {{examples: {{path: none.jsonl}}}}\n"},
        {"recipe.yaml": f"{RECIPE}model: {{name: ./none}}\n"},
    ],
    ids=["missing", "not-yaml", "unknown-key", "no-template", "bad-template", "examples", "model"],
)
def test_a_wrong_recipe_is_refused_before_anything_slow_is_imported(
    files: dict[str, str], tmp_path: Path, environment: dict[str, str]
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    slow = heavy_imports(["generate", str(tmp_path / "recipe.yaml")], environment)
    assert slow.isdisjoint({"torch", "transformers", "prefect", "great_expectations"})


def test_without_arguments_it_shows_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    out, err = capsys.readouterr()
    assert all(command in out for command in COMMANDS)
    assert err == ""


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("columns", [60, 100])
def test_help_keeps_to_the_width(
    command: str, columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERMINAL_WIDTH", str(columns))
    assert run([command, "--help"]) == 0
    out = capsys.readouterr().out
    assert f"corpusmith {command}" in out
    assert "\x1b" not in out
    assert max(map(len, out.splitlines())) <= columns


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (GateError("m", code="CS-V001"), 1),
        (InputError("m", code="CS-R001"), 2),
        (RunError("m", code="CS-G001"), 3),
        (KeyboardInterrupt(), 130),
        (RuntimeError("m\x1b[31m"), 3),
        (OSError(28, "No space left on device", "data.parquet"), 3),
        (None, 0),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else str(value),
)
def test_exit_codes(
    error: BaseException | None,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def app(*arguments: object, **options: object) -> None:
        if error is not None:
            raise error

    monkeypatch.setattr(flows.cli, "app", app)
    assert run(["check"]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert "\x1b" not in err
    assert "Traceback" not in err
    assert err.count("error[") == (code in (1, 2, 3))


def test_debug_may_stand_anywhere(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--debug", "check", "none.yaml"], ["check", "none.yaml", "--debug"]):
        assert run(arguments) == 2
        assert "Traceback" in capsys.readouterr().err


def test_a_reader_that_leaves_early_is_no_error(environment: dict[str, str]) -> None:
    command = f"{sys.executable} -c '{MAIN}' strategies --json | head -n 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "[\n", "")


def test_a_narrow_character_set_is_no_error(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text('name: a\nrows: 1\nlabels: {"é", x}\n', encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", MAIN, "check", str(tmp_path / "ünknown.yaml")],
        capture_output=True,
        text=True,
        env={**environment, "PYTHONIOENCODING": "ascii"},
        check=False,
    )
    assert done.returncode == 2
    assert "\\xfcnknown.yaml" in done.stderr
