"""What the commands write: results on stdout, the rest on stderr, nothing that steers a screen."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from schemas.yaml_source import printable

if TYPE_CHECKING:
    from rich.console import Console

_PIPED_WIDTH = 100
"""Columns of a table that nobody's terminal bounds."""
_JOINERS = "\u200c\u200d"
"""Zero-width (non-)joiners: Persian, Indic scripts and emoji are misspelt without them."""


def visible(text: str) -> str:
    """Make control characters visible, line ends and joiners apart.

    Texts, labels and file names are untrusted: none of them may move the cursor, set the window's
    title or turn the direction of writing.
    """
    return "".join(c if c == "\n" or c in _JOINERS else printable(c) for c in text)


def print_json(value: Any) -> None:
    """Print a value as JSON; what a terminal would act on is escaped."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    print("".join(c if c == "\n" or c.isprintable() else _escaped(c) for c in text))


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1] if ord(character) > 0x7F else f"\\u{ord(character):04x}"


def open_console() -> "Console":
    """Open stdout for tables and panels: as wide as the terminal, or 100 columns in a pipe."""
    import os

    from rich.console import Console

    bounded = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(width=None if bounded else _PIPED_WIDTH, highlight=False)


@contextmanager
def working(what: str, *, quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """Show on a terminal that something slow goes on while the body runs.

    Yields:
        What to call with the step that begins.
    """
    if quiet or not sys.stderr.isatty():
        yield lambda step: None
        return
    from rich.console import Console

    with Console(stderr=True).status(f"{what} ...") as status:
        yield lambda step: status.update(f"{what}: {visible(step)} ...")
