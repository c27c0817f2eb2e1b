import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.cli.warning_lines import show_own_warnings

ROOT = Path(__file__).resolve().parents[3]
OWN = str(ROOT / "tasks" / "generation" / "loading.py")


Others = list[tuple[type[Warning], str]]


@pytest.fixture(autouse=True)
def others() -> Iterator[Others]:
    """What is shown as before."""
    seen: Others = []

    def show(message: object, category: type[Warning], filename: str, *rest: object) -> None:
        seen.append((category, filename))

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = show
        show_own_warnings()
        yield seen


def test_an_own_warning_is_one_clean_line(
    others: Others, capsys: pytest.CaptureFixture[str]
) -> None:
    warnings.warn_explicit("m\x1b[2J does not\nbear padding", UserWarning, OWN, 107)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("warning: m")
    assert err.endswith("bear padding\n")
    assert err.count("\n") == 1
    assert "\x1b" not in err
    assert others == []


@pytest.mark.parametrize(
    ("category", "filename"),
    [
        (DeprecationWarning, OWN),
        (UserWarning, str(ROOT.parent / "library.py")),
        (UserWarning, str(ROOT / "tests" / "test_x.py")),
        (UserWarning, "<string>"),
    ],
)
def test_other_warnings_keep_their_place(
    category: type[Warning], filename: str, others: Others, capsys: pytest.CaptureFixture[str]
) -> None:
    warnings.warn_explicit("said", category, filename, 7)
    assert others == [(category, filename)]
    assert capsys.readouterr().err == ""


def test_the_command_line_shows_them_so() -> None:
    code = (
        "import warnings\nfrom flows import cli\n"
        f"cli.run = lambda given: warnings.warn_explicit('said', UserWarning, {OWN!r}, 7)\n"
        "cli.main()"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ, cwd=ROOT)
    assert (done.stderr, done.returncode) == ("warning: said\n", 0)
