"""The noise stage: steps applied in order to a batch of texts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from schemas.noise import Edit, Protect, RecipeStep
from tasks.noise.batch import TextBatch
from tasks.noise.edit_log import log_edits
from tasks.noise.operators import find_splices
from tasks.noise.protect import find_protected
from tasks.noise.resources import OpenSteps
from tasks.noise.spans import Spans
from tasks.noise.splices import Edits, apply
from tasks.noise.strings import Mask, Strings
from tasks.noise.turns import take_turns
from tasks.planning.streams import U64


@dataclass(frozen=True, slots=True)
class NoisedBatch:
    """N texts after noise.

    Args:
        texts: The noised texts.
        edits: Every edit of each text in the order made, of the type `schemas.row.EDITS`.
        spans: Where the spans lie now; None when none were given.
    """

    texts: pa.StringArray
    edits: pa.ListArray
    spans: Spans | None

    @property
    def changed(self) -> Mask:
        """Whether each text has an edit, shape `(N,)`."""
        return np.asarray(self.edits.value_lengths().to_numpy() > 0)


@dataclass(frozen=True, slots=True)
class NoisedText:
    """A text after noise.

    Args:
        text: The noised text.
        edits: Every edit in the order made; `undo_edits` takes them back.
    """

    text: str
    edits: tuple[Edit, ...]


def noise_batch(
    texts: pa.StringArray | pa.ChunkedArray | Sequence[str],
    *,
    keys: U64,
    steps: Sequence[RecipeStep] | OpenSteps,
    protect: Protect | None = None,
    spans: Spans | None = None,
    labels: Sequence[str] | None = None,
) -> NoisedBatch:
    """Apply the steps in order to each text.

    A text's result is a function of the text, its key, what is protected in it and the steps: not
    of the other texts. Within a step the edits are made from left to right. No step empties a text.

    Args:
        texts: Clean texts, N of them.
        keys: One key a text (stream `Stream.NOISE`), shape `(N,)`.
        steps: What is done, in this order; a step draws by its place in the tree. Those on labels
            are passed over. With `OpenSteps`, what they need is opened already.
        protect: What must stay as it is: an edit that would touch it is not made, and no draw
            changes.
        spans: Spans of the clean texts to carry along.
        labels: Label of each text, for `protect.label` and for steps that ask for it.

    Returns:
        The texts in the same order, their edits, and the spans.

    Raises:
        ValueError: If the number of keys is not the number of texts, or a text is null or not
            Unicode (a lone surrogate); or if a step needs labels or a tokenizer and has none.
        InputError: If a regular expression of `protect` takes too long, or a plug-in is missing or
            fails.
    """
    strings = Strings.of(texts)
    num_texts = len(strings)
    if keys.shape != (num_texts,):
        raise ValueError(f"keys have the shape {keys.shape}, not ({num_texts},)")
    batch = TextBatch(strings, find_protected(strings, protect, spans=spans, labels=labels))
    edits: list[Edits] = []
    opened = steps if isinstance(steps, OpenSteps) else OpenSteps(steps)
    kinds: list[str] = []
    for number, turn in enumerate(take_turns(opened.steps, keys=keys, labels=labels)):
        splices = find_splices(batch, turn.dice, turn.step, opened=opened).outside(batch)
        batch, own_edits, shifts = apply(batch, splices, step=number)
        edits.append(own_edits)
        kinds.append(turn.step.kind)
        spans = None if spans is None else spans.moved(shifts)
    log = log_edits(edits, kinds=kinds, num_texts=num_texts)
    return NoisedBatch(batch.strings.to_arrow(), log, spans)


def noise_texts(
    texts: Sequence[str], *, keys: U64, steps: Sequence[RecipeStep] | OpenSteps
) -> list[NoisedText]:
    """Apply the steps to a few texts: `noise_batch` with Python's own types.

    Args:
        texts: Clean texts, N of them.
        keys: One key a text (stream `Stream.NOISE`), shape `(N,)`.
        steps: Operators with their rates.

    Returns:
        One noised text for each text, in the same order.

    Raises:
        ValueError: As for `noise_batch`.
    """
    noised = noise_batch(texts, keys=keys, steps=steps)
    return [
        NoisedText(text, tuple(Edit.model_construct(**edit) for edit in edits))
        for text, edits in zip(noised.texts.to_pylist(), noised.edits.to_pylist(), strict=True)
    ]
