"""Which operator makes the edits of a step."""

from typing import assert_never

import numpy as np

from schemas.noise import CharacterStep, CharDelete, Keyboard, NoiseStep, WordDelete, WordStep
from tasks.noise.batch import TextBatch
from tasks.noise.char_delete import char_delete
from tasks.noise.dice import Dice
from tasks.noise.keyboard import keyboard
from tasks.noise.splices import Splices
from tasks.noise.word_delete import word_delete


def find_splices(batch: TextBatch, dice: Dice, step: NoiseStep) -> Splices:
    """Ask a step's operator what to replace in the texts whose rate is above 0.

    Args:
        batch: N texts.
        dice: The draws, with the rate of each text.
        step: The operator and what it needs besides.
    """
    rows = np.flatnonzero(dice.rates)
    if rows.size == len(batch):
        return _edit(batch, dice, step)
    if not rows.size:
        return Splices.none()
    part = batch.take(rows)
    splices = _edit(part, Dice(dice.keys[rows], dice.rates[rows]), step)
    return splices.lifted(rows, part=part, whole=batch)


def _edit(batch: TextBatch, dice: Dice, step: NoiseStep) -> Splices:
    if isinstance(step, CharacterStep):
        return _edit_characters(batch, dice, step)
    return _edit_words(batch, dice, step)


def _edit_characters(batch: TextBatch, dice: Dice, step: CharacterStep) -> Splices:
    match step:
        case Keyboard():
            return keyboard(batch, dice)
        case CharDelete():
            return char_delete(batch, dice)
        case _:
            assert_never(step)


def _edit_words(batch: TextBatch, dice: Dice, step: WordStep) -> Splices:
    match step:
        case WordDelete():
            return word_delete(batch, dice)
        case _:
            assert_never(step)
