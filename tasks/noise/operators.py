"""Which operator makes the edits of a step."""

from typing import assert_never

import numpy as np

from schemas.noise import (
    CharacterStep,
    Operator,
    Plugin,
    TokenDelete,
    TokenReplace,
    TokenStep,
)
from tasks.noise.batch import TextBatch
from tasks.noise.character_operators import edit_characters
from tasks.noise.dice import Dice
from tasks.noise.plugins import plugin
from tasks.noise.resources import OpenSteps
from tasks.noise.splices import Splices
from tasks.noise.tokens import token_delete, token_replace
from tasks.noise.word_operators import edit_words

_NOTHING_OPENED = OpenSteps(())


def find_splices(
    batch: TextBatch, dice: Dice, step: Operator, *, opened: OpenSteps = _NOTHING_OPENED
) -> Splices:
    """Ask a step's operator what to replace in the texts whose rate is above 0.

    Args:
        batch: N texts.
        dice: The draws, with the rate of each text.
        step: The operator and what it needs besides.
        opened: Where it finds what the caller opened.
    """
    rows = np.flatnonzero(dice.rates)
    if rows.size == len(batch):
        return _edit(batch, dice, step, opened)
    if not rows.size:
        return Splices.none()
    part = batch.take(rows)
    splices = _edit(part, Dice(dice.keys[rows], dice.rates[rows]), step, opened)
    return splices.lifted(rows, part=part, whole=batch)


def _edit(batch: TextBatch, dice: Dice, step: Operator, opened: OpenSteps) -> Splices:
    if isinstance(step, CharacterStep):
        return edit_characters(batch, dice, step)
    if isinstance(step, TokenStep):
        return _edit_tokens(batch, dice, step, opened)
    if isinstance(step, Plugin):
        return plugin(batch, dice, step)
    return edit_words(batch, dice, step, opened)


def _edit_tokens(batch: TextBatch, dice: Dice, step: TokenStep, opened: OpenSteps) -> Splices:
    tokenizer = opened.tokenizer(step.tokenizer)
    match step:
        case TokenReplace():
            return token_replace(batch, dice, tokenizer)
        case TokenDelete():
            return token_delete(batch, dice, tokenizer)
        case _:
            assert_never(step)
