"""The noise stage: steps applied in order to a batch of texts, and undone again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import assert_never

from schemas.noise import CharDelete, Edit, Keyboard, NoiseStep, WordDelete
from tasks.noise.buffers import TextBuffer
from tasks.noise.char_delete import char_delete
from tasks.noise.keyboard import keyboard
from tasks.noise.splices import Splices, splice
from tasks.noise.word_delete import word_delete
from tasks.planning.streams import U64, fold


@dataclass(frozen=True, slots=True)
class NoisedText:
    """A text after noise.

    Args:
        text: The noised text.
        edits: Every edit in the order made; `undo_edits` takes them back.
    """

    text: str
    edits: tuple[Edit, ...]


def noise_texts(texts: Sequence[str], *, keys: U64, steps: Sequence[NoiseStep]) -> list[NoisedText]:
    """Apply the steps in order to each text.

    A text's result is a function of the text, its key and the steps: not of the other texts. Within
    a step the edits are made from left to right. No step empties a text.

    Args:
        texts: Clean texts, N of them.
        keys: One key a text (stream `Stream.NOISE`), shape `(N,)`.
        steps: Operators with their rates; a step draws by its place among them.

    Returns:
        One noised text for each text, in the same order.

    Raises:
        ValueError: If the number of keys is not the number of texts.
    """
    if keys.shape != (len(texts),):
        raise ValueError(f"keys have the shape {keys.shape}, not ({len(texts)},)")
    noised = list(texts)
    logs: list[list[Edit]] = [[] for _ in texts]
    for number, step in enumerate(steps):
        buffer = TextBuffer.of_texts(noised)
        splices = _find_splices(buffer, fold(keys, number), step)
        for owner, replacements in splices.by_text(buffer):
            noised[owner], edits = splice(buffer.texts[owner], replacements, kind=step.kind)
            logs[owner] += edits
    return [NoisedText(text, tuple(edits)) for text, edits in zip(noised, logs, strict=True)]


def undo_edits(text: str, edits: Iterable[Edit]) -> str:
    """Return the clean text: take back the edits, last to first.

    Args:
        text: The noised text.
        edits: Its edits in the order made.

    Raises:
        ValueError: If an edit's `after` does not stand where the log says: the log is of another
            text.
    """
    for edit in reversed(tuple(edits)):
        end = edit.start + len(edit.after)
        if text[edit.start : end] != edit.after:
            raise ValueError(f"{edit.after!r} does not stand at {edit.start} in {text!r}")
        text = text[: edit.start] + edit.before + text[end:]
    return text


def _find_splices(buffer: TextBuffer, keys: U64, step: NoiseStep) -> Splices:
    match step:
        case Keyboard():
            return keyboard(buffer, keys, step)
        case CharDelete():
            return char_delete(buffer, keys, step)
        case WordDelete():
            return word_delete(buffer, keys, step)
        case _:
            assert_never(step)
