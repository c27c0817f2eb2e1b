"""Characters written twice."""

from tasks.noise.batch import TextBatch
from tasks.noise.dice import Dice
from tasks.noise.seams import are_sound
from tasks.noise.splices import Splices
from tasks.noise.units import find_clusters


def char_repeat(batch: TextBatch, dice: Dice) -> Splices:
    """Write characters twice, each with the text's rate as its probability.

    The units are grapheme clusters, so a letter is repeated with its marks and an emoji as a whole.
    White space is not repeated, nor is what would join its copy (a lone half of a flag).

    Args:
        batch: The texts.
        dice: The draws.

    References:
        Brody and Diakopoulos, EMNLP 2011, on lengthened words.
        https://aclanthology.org/D11-1052
    """
    clusters = find_clusters(batch)
    hits = dice.hits(clusters)
    hits = hits[are_sound(batch, clusters, hits)]
    starts, ends = clusters.starts[hits], clusters.ends[hits]
    return Splices(clusters.rows_of(hits), ends, ends, batch.strings.slices(starts, ends))
