"""What a reader of an evaluation has to know before believing its figures."""

from collections.abc import Iterator, Sequence

from schemas.evaluation import EvaluatedData

_NAMES = {
    "synthetic": "the synthetic set",
    "train": "the real training set",
    "test": "the test set",
}
_LABELS_NAMED = 5
_CHARS = 60
"""Characters of a label that a note shows."""


def notes_on(inputs: Sequence[EvaluatedData], *, keep_copies: bool) -> tuple[str, ...]:
    """Say in sentences what was left out, and what was trained on that should not be."""
    return tuple(note for data in inputs for note in _notes(data, keep_copies=keep_copies))


def _notes(data: EvaluatedData, *, keep_copies: bool) -> Iterator[str]:
    name = _NAMES[data.role]
    if data.copies:
        fate = (
            "trained on, as asked: the figures flatter"
            if keep_copies
            else "left out of training, where they would have flattered the figures"
        )
        yield f"Rows of {name} that repeat a test row: {data.copies:,}, {fate}."
    if data.missing_labels:
        yield (
            f"Labels of the test set that {name} lacks, so that its student can never name them: "
            f"{_named(data.missing_labels)}."
        )
    if data.unknown_labels:
        yield (
            f"Labels of {name} that the test set lacks: "
            f"{_named(data.unknown_labels, data.unknown_labels_left_out)}. "
            f"Rows left out for that: {data.other_labels:,}."
        )
    if empty := data.blank + data.unlabelled:
        yield f"Rows of {name} left out because they have no text or no label: {empty:,}."
    if data.not_drawn:
        yield (
            f"Rows of {name} beyond the most that a student learns from: {data.not_drawn:,}; "
            f"{data.used:,} were drawn, the same share of every label."
        )


def _named(labels: Sequence[str], left_out: int = 0) -> str:
    more = len(labels) + left_out - _LABELS_NAMED
    names = [name if len(name) <= _CHARS else name[:_CHARS] + "..." for name in labels]
    return ", ".join(names[:_LABELS_NAMED]) + (f" and {more:,} more" if more > 0 else "")
