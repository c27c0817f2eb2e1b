"""Lost characters."""

from tasks.noise.batch import TextBatch
from tasks.noise.dice import Dice
from tasks.noise.splices import Splices
from tasks.noise.survival import spare_one
from tasks.noise.units import find_clusters, find_ink


def char_delete(batch: TextBatch, dice: Dice) -> Splices:
    """Delete characters, each with the text's rate as its probability.

    The units are grapheme clusters, white space among them, so a letter goes with its marks and an
    emoji as a whole. Where every character that is not white space would go, the one with the
    greatest draw stays; a text of white space alone is left as it is.

    Args:
        batch: The texts.
        dice: The draws.
    """
    clusters = find_clusters(batch)
    lost = dice.hits(clusters)
    lost = spare_one(clusters, lost, dice, counted=find_ink(batch, clusters))
    return Splices.deleting(clusters.rows_of(lost), clusters.starts[lost], clusters.ends[lost])
