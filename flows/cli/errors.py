"""One error, one block: the code, what is wrong and where, what to do."""

import sys

from schemas.errors import CorpusmithError


def show_error(error: CorpusmithError) -> None:
    """Print an error as one short block on stderr."""
    lines = [f"error[{error.code}]: {printable(error.message)}"]
    if error.place:
        lines.append(f"  where: {printable(error.place)}")
    if error.hint:
        lines.append(f"  to do: {printable(error.hint)}")
    print("\n".join(lines), file=sys.stderr, flush=True)


def printable(text: str) -> str:
    """Make control characters of untrusted text visible, so that no file can write to the terminal."""
    return "".join(
        character if character.isprintable() or character == "\n" else repr(character)[1:-1]
        for character in text
    )
