"""Whole runs through the command, as a person and as a program meet them."""

import json
import os
import pty
import re
import struct
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

fcntl = pytest.importorskip("fcntl")
termios = pytest.importorskip("termios")
pytestmark = [pytest.mark.flow, pytest.mark.slow]
MAIN = [sys.executable, "-c", "from flows.cli import main; main()"]
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    words = ("red", "green", "blue", "amber", "black", "white", "grey", "pink")
    lines = [
        {"text": f"the {one} box beside the {two} door", "sleep_seconds": 0.05}
        for one in words
        for two in words
    ]
    (tmp_path / "s.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    path = tmp_path / "recipe.yaml"
    path.write_text(
        "name: boxes\nrows: 30\nlabels: {x: y}\nmodel: {backend: scripted, name: s.jsonl}\n"
        "gates: {row: {near_duplicate: off, duplicate: off}, dataset: off}\nshard_size: 10\n",
        encoding="utf-8",
    )
    return path


@pytest.fixture
def environment(environment: dict[str, str], prefect_api: str) -> dict[str, str]:
    """The session's server: `tests/faults/test_processes.py` has runs with their own."""
    return {**environment, "PREFECT_API_URL": prefect_api}


@pytest.fixture
def arguments(recipe: Path) -> list[str]:
    """The command line of a run, to which a test may add."""
    return [*MAIN, "generate", str(recipe), "--out", str(recipe.parent / "out")]


def test_a_pipe_gets_json_alone_and_progress_apart(
    arguments: list[str], environment: dict[str, str]
) -> None:
    done = subprocess.run(
        [*arguments, "--json"], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["rows"]["accepted"] == 30
    assert (Path(told["release"]) / "manifest.json").is_file()
    first, *_, last = done.stderr.splitlines()
    assert first == "boxes: started"
    assert last.startswith("boxes: 30 of 30 rows accepted, 30 generated, 0 rejected, ")
    assert last.endswith(" tokens/s, round 1")


def test_quiet_leaves_one_line_on_stdout_and_failures_on_stderr(
    arguments: list[str], environment: dict[str, str]
) -> None:
    done = subprocess.run(
        [*arguments, "--quiet"], capture_output=True, text=True, env=environment, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (Path(done.stdout.strip()) / "report.html").is_file()
    assert done.stdout.count("\n") == 1
    failing = [*arguments, "--quiet", "--set", "gates.row.words=[40, 80]"]
    done = subprocess.run(failing, capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    first, where, to_do = done.stderr.splitlines()
    assert first == (
        "error[CS-V002]: 30 of 30 rows are missing; most, 30, of label 'x' by nucleus: words 150"
    )
    assert where.endswith("-failed/report.html")
    assert to_do.startswith("  to do: ")


def on_a_terminal(arguments: list[str], environment: dict[str, str]) -> tuple[int, str]:
    """Run a command on a pseudo-terminal of 70 columns; return its exit code and what it showed."""
    main, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 70, 0, 0))
    kept = {name: value for name, value in environment.items() if name != "COLUMNS"}
    with subprocess.Popen(
        arguments, stdin=child, stdout=child, stderr=child, env={**kept, "TERM": "xterm"}
    ) as process:
        os.close(child)
        shown = b""
        # The end of a terminal is an input/output error.
        with suppress(OSError):
            while part := os.read(main, 65_536):
                shown += part
    os.close(main)
    return process.returncode, shown.decode()


def test_a_terminal_gets_a_live_panel(arguments: list[str], environment: dict[str, str]) -> None:
    code, shown = on_a_terminal(arguments, environment)
    assert code == 0, shown
    frames = ESCAPES.sub("", shown).split("╭─ boxes ")[1:]
    assert len(frames) > 3
    names = ["accepted", "generated", "rejected", "speed", "time", "memory"]
    for frame in frames:
        lines = [line for line in frame.splitlines() if line.startswith("│")]
        assert [line.split()[1] for line in lines[1:7]] == names
        assert {len(line) for line in lines} == {70}
    assert any("candidates, round 1" in frame for frame in frames)
    assert any("all rows accepted; publishing" in frame for frame in frames)
    assert "\x1b[?25h" in shown, "the cursor is back"
    last = shown.rstrip().splitlines()[-1]
    assert (Path(ESCAPES.sub("", last)) / "README.md").is_file()


def test_no_color_is_heeded(
    recipe: Path, arguments: list[str], environment: dict[str, str]
) -> None:
    preview = [*MAIN, "preview", str(recipe), "-n", "1"]
    coloured = on_a_terminal(preview, environment)[1]
    plain = on_a_terminal(preview, {**environment, "NO_COLOR": "1"})[1]
    colour = re.compile(r"\x1b\[[0-9;]*3[0-7][0-9;]*m")
    assert colour.search(coloured)
    assert not colour.search(plain)
