"""A page that stays small whatever it shows, and its machine-readable twin."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_json

from tasks.planning.faults import disk_faults
from tasks.report.page import render_template, template_pieces

MAX_BYTES = 2_000_000
"""Size of a page at most, whatever the dataset."""


def bounded_page(template: str, contexts: Iterable[Mapping[str, object]]) -> str:
    """Render a template with the first of some contexts that makes the page small enough.

    Args:
        template: The template's file name.
        contexts: At least one, each showing less than the one before. The last must be small
            enough for the worst texts there are.
    """
    last: Mapping[str, object] = {}
    for last in contexts:
        if (page := _within(template_pieces(template, **last), most=MAX_BYTES)) is not None:
            return page
    return render_template(template, **last)


def write_page_and_twin(page: str, twin: BaseModel, folder: Path) -> None:
    """Write `report.html` and `report.json` into an existing folder.

    Raises:
        CorpusmithError: If they cannot be written.
    """
    with disk_faults(folder / "report.html"):
        (folder / "report.html").write_text(page, encoding="utf-8", newline="\n")
        (folder / "report.json").write_bytes(encodable_json(twin))


def encodable_json(report: BaseModel) -> bytes:
    """Write a report as JSON.

    Halves of surrogate pairs, which no file of UTF-8 can hold, are replaced.
    """
    plain = _encodable(report.model_dump(mode="json"))
    return to_json(plain, indent=2, inf_nan_mode="null") + b"\n"


def _within(pieces: Iterable[str], *, most: int) -> str | None:
    """Join pieces of at most so many bytes together; None as soon as there are more."""
    kept, size = [], 0
    for piece in pieces:
        kept.append(piece)
        size += len(piece.encode())
        if size > most:
            return None
    return "".join(kept)


def _encodable(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case list():
            return [_encodable(inner) for inner in value]
        case dict():
            return {_encodable(key): _encodable(inner) for key, inner in value.items()}
        case _:
            return value
