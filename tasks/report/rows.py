"""Released and rejected rows as the report shows them: cut to a size that a page can hold."""

import math
from collections import Counter
from typing import Any

from schemas.noise import Edit
from tasks.report.edits import mark_edits
from tasks.report.findings import Excerpt, NoisedRow, RejectedRow, SampleRow
from tasks.report.formatting import shorten, visible

TEXT_CHARS = 500
PROMPT_CHARS = 1_500
DETAIL_CHARS = 200
MAX_ATTRIBUTES = 6
ATTRIBUTE_CHARS = 40
MAX_BYTES_A_CHAR = 3
"""What one character may cost on the page; enough for every script in everyday use."""


def excerpt(text: str, limit: int) -> Excerpt:
    """Keep the beginning of a text and its full length.

    Args:
        text: Any text.
        limit: Most characters to keep; fewer where escapes and marks make the page's bytes swell
            beyond `MAX_BYTES_A_CHAR` for each.
    """
    head = text[:limit]
    while len(visible(head).encode()) > MAX_BYTES_A_CHAR * limit:
        head = head[: len(head) * 3 // 4]
    return Excerpt(text=head, chars=len(text))


def sample_row(row: dict[str, Any]) -> SampleRow:
    """Show a row with the columns of `RELEASED_SCHEMA`."""
    return SampleRow(**_common(row))


def noised_row(row: dict[str, Any]) -> NoisedRow:
    """Show a row whose `clean_text` is not null, with the edits marked."""
    edits = [Edit(**edit) for edit in row["noise"]]
    return NoisedRow(
        **_common(row),
        clean_text=excerpt(row["clean_text"], TEXT_CHARS),
        clean_label=row["clean_label"],
        segments=mark_edits(row["clean_text"], edits, row["text"], limit=TEXT_CHARS),
        edits=dict(sorted(Counter(edit.kind for edit in edits).items())),
    )


def rejected_row(row: dict[str, Any]) -> RejectedRow:
    """Show a row with the columns of `REJECTED_SCHEMA`."""
    return RejectedRow(
        **_common(row),
        stage=row["stage"] or "",
        reason=row["reason"] or "",
        detail=excerpt(row["detail"] or "", DETAIL_CHARS),
    )


def _common(row: dict[str, Any]) -> dict[str, Any]:
    logprob = row["logprob"]
    return {
        "id": shorten(row["id"], 200),
        "label": row["label"],
        "strategy": row["strategy"],
        "attributes": {
            shorten(name, ATTRIBUTE_CHARS): shorten(value, ATTRIBUTE_CHARS)
            for name, value in row["attributes"][:MAX_ATTRIBUTES]
        },
        "text": excerpt(row["text"], TEXT_CHARS),
        "prompt": excerpt(row["prompt"], PROMPT_CHARS),
        "num_tokens": row["num_tokens"],
        "logprob": logprob if logprob is not None and math.isfinite(logprob) else None,
    }
