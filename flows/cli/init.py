"""`corpusmith init`: something small that works, to start from."""

from pathlib import Path
from typing import Annotated

import typer

from recipes import init_files
from schemas.errors import InputError


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
) -> None:
    """Write a small working recipe, a prompt template and an examples file to start from."""
    files = init_files()
    taken = sorted(name for name in files if (folder / name).exists())
    if taken or (folder.exists() and not folder.is_dir()):
        raise InputError(
            f"{', '.join(taken)} is already there" if taken else "this is a file, not a folder",
            code="CS-I002",
            place=str(folder),
            hint="name another folder; nothing was changed",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise InputError(
            f"the folder cannot be written: {error.strerror or error}",
            code="CS-O001",
            place=str(folder),
            hint="name a folder that you may write to",
        ) from error
    print(folder / "recipe.yaml")
