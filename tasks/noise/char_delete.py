"""Lost characters."""

import numpy as np

from schemas.noise import CharDelete
from tasks.noise.buffers import TextBuffer
from tasks.noise.splices import Splices
from tasks.noise.units import find_clusters, find_spaces, spare_one
from tasks.planning.streams import U64


def char_delete(buffer: TextBuffer, keys: U64, step: CharDelete) -> Splices:
    """Delete characters, each with probability `step.rate`.

    The units are grapheme clusters, white space among them, so a letter goes with its marks and an
    emoji as a whole. Where every character that is not white space would go, the one with the
    greatest draw stays; a text of white space alone is left as it is.

    Args:
        buffer: The texts.
        keys: One key a text for this step, shape `(N,)`.
        step: The rate.
    """
    clusters = find_clusters(buffer)
    draws = clusters.draws(keys)
    is_ink = ~find_spaces(buffer, clusters)
    lost = np.flatnonzero(spare_one(clusters, draws < step.rate, draws, counted=is_ink))
    return Splices(
        clusters.owners[lost], clusters.starts[lost], clusters.ends[lost], [""] * lost.size
    )
