"""Released and rejected rows as the report shows them: cut to a size that a page can hold."""

import math
from collections import Counter
from typing import Any

from schemas.noise import Edit
from tasks.report.edits import mark_edits
from tasks.report.findings import Excerpt, NoisedRow, RejectedRow, SampleRow
from tasks.report.formatting import shorten

TEXT_CHARS = 500
PROMPT_CHARS = 1_200
DETAIL_CHARS = 200
MAX_ATTRIBUTES = 8


def excerpt(text: str, limit: int) -> Excerpt:
    """Keep the first `limit` characters of a text and its full length."""
    return Excerpt(text=text[:limit], chars=len(text))


def sample_row(row: dict[str, Any]) -> SampleRow:
    """Show a row with the columns of `RELEASED_SCHEMA`."""
    return SampleRow(**_common(row))


def noised_row(row: dict[str, Any]) -> NoisedRow:
    """Show a row whose `clean_text` is not null, with the edits marked."""
    edits = [Edit(**edit) for edit in row["noise"]]
    return NoisedRow(
        **_common(row),
        clean_text=excerpt(row["clean_text"], TEXT_CHARS),
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
            shorten(name): shorten(value) for name, value in row["attributes"][:MAX_ATTRIBUTES]
        },
        "text": excerpt(row["text"], TEXT_CHARS),
        "prompt": excerpt(row["prompt"], PROMPT_CHARS),
        "num_tokens": row["num_tokens"],
        "logprob": logprob if logprob is not None and math.isfinite(logprob) else None,
    }
