"""Python's warnings, where this project gives them: one line each, as a user reads them."""

import sys
import warnings
from pathlib import Path
from typing import TextIO

from schemas.yaml_source import printable

_HOME = Path(__file__).resolve().parents[2]
_PACKAGES = ("flows", "tasks", "prompts", "schemas", "recipes")


def show_own_warnings() -> None:
    """From now on show each `UserWarning` of this project's modules as `warning: ...` on stderr.

    Other warnings are shown as before: they are for whoever works on the code.
    """
    show_other = warnings.showwarning

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if file is None and issubclass(category, UserWarning) and _is_own(filename):
            print(f"warning: {printable(str(message))}", file=sys.stderr, flush=True)
        else:
            show_other(message, category, filename, lineno, file, line)

    warnings.showwarning = show


def _is_own(filename: str) -> bool:
    path = Path(filename).resolve()
    return path.is_relative_to(_HOME) and path.relative_to(_HOME).parts[0] in _PACKAGES
