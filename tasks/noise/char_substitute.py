"""Wrong characters: a letter for a letter, a digit for a digit."""

from tasks.noise.alphabets import others_of_alphabet
from tasks.noise.alternatives import replace_characters
from tasks.noise.batch import TextBatch
from tasks.noise.dice import Dice
from tasks.noise.splices import Splices


def char_substitute(batch: TextBatch, dice: Dice) -> Splices:
    """Replace letters and digits by another of their alphabet, each with the text's rate.

    A letter keeps script and case, and all others of its alphabet are equally likely; é stands
    among the letters a to z. Scripts without a small alphabet (Han, say) are left as they are, and
    so is a letter that carries a combining mark.

    Args:
        batch: The texts.
        dice: The draws.

    References:
        Pruthi, Dhingra and Lipton, ACL 2019. https://arxiv.org/abs/1905.11268
    """
    return replace_characters(batch, dice, others_of_alphabet())
