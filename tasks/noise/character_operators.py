"""Which operator makes the edits of a step on characters."""

from typing import assert_never

from schemas.noise_characters import (
    Case,
    CharacterStep,
    CharDelete,
    CharInsert,
    CharRepeat,
    CharSubstitute,
    CharSwap,
    Diacritics,
    Homoglyph,
    Keyboard,
    Leetspeak,
    Ocr,
    Punctuation,
    Whitespace,
    ZeroWidth,
)
from tasks.noise.batch import TextBatch
from tasks.noise.char_delete import char_delete
from tasks.noise.char_insert import char_insert
from tasks.noise.char_repeat import char_repeat
from tasks.noise.char_substitute import char_substitute
from tasks.noise.char_swap import char_swap
from tasks.noise.diacritics import diacritics
from tasks.noise.dice import Dice
from tasks.noise.homoglyph import homoglyph
from tasks.noise.keyboard import keyboard
from tasks.noise.leetspeak import leetspeak
from tasks.noise.letter_case import letter_case
from tasks.noise.ocr import ocr
from tasks.noise.punctuation import punctuation
from tasks.noise.splices import Splices
from tasks.noise.whitespace import whitespace
from tasks.noise.zero_width import zero_width


def edit_characters(batch: TextBatch, dice: Dice, step: CharacterStep) -> Splices:  # noqa: C901 - one line a case
    """Ask a step's operator what to replace in each text.

    Args:
        batch: N texts, each with a rate above 0.
        dice: The draws, with the rates.
        step: The operator and what it needs besides.
    """
    match step:
        case Keyboard():
            return keyboard(batch, dice, layout=step.layout)
        case CharDelete():
            return char_delete(batch, dice)
        case CharInsert():
            return char_insert(batch, dice, alphabet=step.alphabet)
        case CharSubstitute():
            return char_substitute(batch, dice)
        case CharSwap():
            return char_swap(batch, dice)
        case CharRepeat():
            return char_repeat(batch, dice)
        case Ocr():
            return ocr(batch, dice)
        case Homoglyph():
            return homoglyph(batch, dice)
        case ZeroWidth():
            return zero_width(batch, dice)
        case Diacritics():
            return diacritics(batch, dice, mode=step.mode)
        case Leetspeak():
            return leetspeak(batch, dice)
        case Case():
            return letter_case(batch, dice, mode=step.mode)
        case Whitespace():
            return whitespace(batch, dice, mode=step.mode)
        case Punctuation():
            return punctuation(batch, dice, mode=step.mode)
        case _:
            assert_never(step)
