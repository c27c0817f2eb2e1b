"""Which operator makes the edits of a step."""

from typing import assert_never

from schemas.noise import CharacterStep, CharDelete, Keyboard, NoiseStep, WordDelete, WordStep
from tasks.noise.batch import TextBatch
from tasks.noise.char_delete import char_delete
from tasks.noise.dice import Dice
from tasks.noise.keyboard import keyboard
from tasks.noise.splices import Splices
from tasks.noise.word_delete import word_delete


def find_splices(batch: TextBatch, dice: Dice, step: NoiseStep) -> Splices:
    """Ask a step's operator what to replace in each text.

    Args:
        batch: N texts, each with a rate above 0.
        dice: The draws, with the rates.
        step: The operator and what it needs besides.
    """
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
