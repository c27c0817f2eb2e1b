"""Which operator makes the edits of a step on words, spans of words or sentences."""

from typing import assert_never

from schemas.noise_words import (
    Contraction,
    Filler,
    Homophone,
    Misspell,
    SentenceShuffle,
    SpanMask,
    Truncate,
    WordDelete,
    WordDuplicate,
    WordMask,
    WordReplace,
    WordStep,
    WordSwap,
)
from tasks.noise.batch import TextBatch
from tasks.noise.contraction import contraction
from tasks.noise.dice import Dice
from tasks.noise.filler import filler
from tasks.noise.homophone import homophone
from tasks.noise.misspell import misspell
from tasks.noise.resources import OpenSteps
from tasks.noise.sentence_shuffle import sentence_shuffle
from tasks.noise.span_mask import span_mask
from tasks.noise.splices import Splices
from tasks.noise.truncate import truncate
from tasks.noise.word_delete import word_delete
from tasks.noise.word_duplicate import word_duplicate
from tasks.noise.word_mask import word_mask
from tasks.noise.word_replace import word_replace
from tasks.noise.word_swap import word_swap

_Lookup = WordReplace | Misspell | Contraction | Homophone


def edit_words(batch: TextBatch, dice: Dice, step: WordStep, opened: OpenSteps) -> Splices:
    """Ask the step's operator what to replace.

    Args:
        batch: The texts.
        dice: The draws.
        step: The step.
        opened: The words of the corpus and the lists of users' files.
    """
    if isinstance(step, _Lookup):
        return _look_up(batch, dice, step, opened)
    match step:
        case WordDelete():
            return word_delete(batch, dice)
        case WordSwap():
            return word_swap(batch, dice)
        case WordDuplicate():
            return word_duplicate(batch, dice)
        case WordMask():
            return word_mask(batch, dice, step)
        case Filler():
            return filler(batch, dice, step)
        case SpanMask():
            return span_mask(batch, dice, step)
        case SentenceShuffle():
            return sentence_shuffle(batch, dice)
        case Truncate():
            return truncate(batch, dice, step)
        case _:
            assert_never(step)


def _look_up(batch: TextBatch, dice: Dice, step: _Lookup, opened: OpenSteps) -> Splices:
    match step:
        case WordReplace():
            return word_replace(batch, dice, step, corpus=opened.vocabulary)
        case Misspell():
            return misspell(batch, dice, step, lexicons=opened.misspellings)
        case Contraction():
            return contraction(batch, dice, step)
        case Homophone():
            return homophone(batch, dice)
        case _:
            assert_never(step)
