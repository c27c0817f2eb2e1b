"""Masked words."""

import numpy as np

from schemas.noise_words import WordMask
from tasks.noise.batch import TextBatch
from tasks.noise.dice import Dice
from tasks.noise.lexicon import changes, find_cores, in_case_of
from tasks.noise.splices import Splices
from tasks.noise.strings import Strings, concatenate
from tasks.noise.units import find_words

_COMMON = """
about after again all always and another any ask back because been before best better big book
both bring call change city come could country day different down each early end even every fact
family far find first follow food friend from give good great group hand have head help here high
home house idea important into just keep kind know large last late learn leave life light little
long look make many mean might money month more morning most much name need never new next night
number often old only open other our out over own paper part people place plan play point problem
question right room same school see service show side since small some start state still story
such system take tell than that their them then there these thing think this time today together
too try turn under until use very wait want water way week well what when where which while who
why will with without word work world write year you young
"""
COMMON_WORDS = tuple(_COMMON.split())
"""What a random word is drawn from when a step names no words."""
_HOW = 2


def word_mask(batch: TextBatch, dice: Dice, step: WordMask) -> Splices:
    """Choose words with the text's rate; mask most, replace some at random, keep the rest.

    The punctuation around a word stays, and a word of punctuation alone is never chosen. A random
    word takes the case of the one it replaces. A kept word leaves no edit.

    Args:
        batch: The texts.
        dice: The draws.
        step: The mask, the shares (80, 10 and 10 percent in the paper) and the random words.

    References:
        Devlin et al., BERT, NAACL 2019. https://arxiv.org/abs/1810.04805 Drawn anew at every use
        (dynamic masking): Liu et al., RoBERTa, 2019. https://arxiv.org/abs/1907.11692
    """
    words = find_words(batch)
    cores = find_cores(batch, words, dice.hits(words))
    draws = dice.uniforms(words, cores.picked, counter=_HOW)
    changed = np.flatnonzero(draws < step.mask_share + step.random_share)
    is_random = draws[changed] >= step.mask_share
    picked, starts, ends = cores.picked[changed], cores.starts[changed], cores.ends[changed]
    vocabulary = Strings.of(step.words or COMMON_WORDS)
    which = dice.choices(words, picked, len(vocabulary))
    randoms = np.flatnonzero(is_random)
    befores = batch.strings.slices(starts[randoms], ends[randoms])
    put_in = concatenate(
        [Strings.of([step.mask]), in_case_of(vocabulary.take(which[randoms]), befores)]
    )
    places = np.where(is_random, np.cumsum(is_random), 0)
    return changes(batch, Splices(words.rows_of(picked), starts, ends, put_in.take(places)))
