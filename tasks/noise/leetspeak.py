"""Letters written as digits and signs."""

from functools import cache

from tasks.noise.alternatives import Alternatives, replace_characters
from tasks.noise.batch import TextBatch
from tasks.noise.dice import Dice
from tasks.noise.splices import Splices

SIGNS = {
    **{"a": "4@", "b": "8", "c": "(", "e": "3", "g": "69", "i": "1!", "l": "1|", "o": "0"},
    **{"q": "9", "s": "5$", "t": "7+", "z": "2"},
}
"""What each letter is written as, in either case."""


def leetspeak(batch: TextBatch, dice: Dice) -> Splices:
    """Write letters as digits and signs of their shape, each with the text's rate.

    The units are ASCII letters that stand alone; case is lost. Every sign is equally likely.

    Args:
        batch: The texts.
        dice: The draws.

    References:
        Eger et al., NAACL 2019, visual attacks. https://arxiv.org/abs/1903.11508
    """
    return replace_characters(batch, dice, _alternatives())


@cache
def _alternatives() -> Alternatives:
    capitals = {letter.upper(): signs for letter, signs in SIGNS.items()}
    return Alternatives.of(SIGNS | capitals)
