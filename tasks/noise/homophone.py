"""English words that sound the same."""

from functools import cache

from tasks.noise.batch import TextBatch
from tasks.noise.dice import Dice
from tasks.noise.homophone_sets import HOMOPHONES
from tasks.noise.lexicon import Lexicon, find_cores
from tasks.noise.splices import Splices
from tasks.noise.units import find_words


def homophone(batch: TextBatch, dice: Dice) -> Splices:
    """Replace words by one that sounds the same, each with the text's rate.

    The rate is that of the words that have a homophone; the others are left. The punctuation around
    a word stays, and its case is kept.

    Args:
        batch: The texts.
        dice: The draws.

    References:
        Liu et al., Robust neural machine translation with joint textual and phonetic embedding, ACL
        2019 (noise of homophones). https://arxiv.org/abs/1810.06729
    """
    words = find_words(batch)
    cores = find_cores(batch, words, dice.hits(words))
    return _lexicon().replace(batch, dice, units=words, cores=cores)


@cache
def _lexicon() -> Lexicon:
    entries: dict[str, list[str]] = {}
    for words in HOMOPHONES:
        for word in words:
            others = entries.setdefault(word, [])
            others += [other for other in words if other != word and other not in others]
    return Lexicon.of(entries)
