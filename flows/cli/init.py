"""`corpusmith init`: something small that works, to start from."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from schemas.errors import InputError


def init(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A folder; no file in it is ever overwritten.")
    ],
) -> None:
    """Write a small working recipe, a prompt template and an examples file to start from."""
    from recipes import init_files

    texts = init_files()
    try:
        _refuse_taken(folder, sorted(name for name in texts if (folder / name).exists()))
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            with (folder / name).open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
    except (OSError, ValueError) as error:
        raise InputError(
            f"the folder cannot be written: {getattr(error, 'strerror', None) or error}",
            code="CS-O001",
            place=str(folder),
            hint="name a folder that you may write to",
        ) from error
    recipe = folder / "recipe.yaml"
    print(f"next: corpusmith check {recipe}", file=sys.stderr)
    print(recipe)


def _refuse_taken(folder: Path, taken: list[str]) -> None:
    if taken or (folder.exists() and not folder.is_dir()):
        raise InputError(
            f"already there: {', '.join(taken)}" if taken else "this is a file, not a folder",
            code="CS-I002",
            place=str(folder),
            hint="name another folder; nothing was changed",
        )
