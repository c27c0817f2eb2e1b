"""Stray characters."""

from tasks.noise.alphabets import members_of_alphabet
from tasks.noise.alternatives import draw_alternatives
from tasks.noise.batch import TextBatch
from tasks.noise.dice import Dice
from tasks.noise.seams import are_sound
from tasks.noise.splices import Splices
from tasks.noise.strings import Strings
from tasks.noise.units import find_clusters


def char_insert(batch: TextBatch, dice: Dice, *, alphabet: str | None) -> Splices:
    """Put a character after each letter or digit, with the text's rate.

    The units are grapheme clusters. Without an `alphabet`, what comes after a letter is of its own
    alphabet and case, a digit after a digit, all equally likely, and scripts without a small
    alphabet (Han, say) are left as they are. With one, something of it comes after whatever is not
    white space.

    Args:
        batch: The texts.
        dice: The draws.
        alphabet: What may be put in, at least one character; None for that of each letter.

    References:
        Pruthi, Dhingra and Lipton, ACL 2019. https://arxiv.org/abs/1905.11268
    """
    clusters = find_clusters(batch)
    hits = dice.hits(clusters)
    hits = hits[are_sound(batch, clusters, hits)]
    if alphabet is None:
        hits, letters = draw_alternatives(batch, dice, clusters, hits, members_of_alphabet())
    else:
        which = dice.choices(clusters, hits, len(alphabet))
        letters = Strings.of_singles(Strings.of([alphabet]).code_points[which])
    places = clusters.ends[hits]
    return Splices(clusters.rows_of(hits), places, places, letters)
