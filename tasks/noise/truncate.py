"""Texts cut off."""

import numpy as np

from schemas.noise_words import Truncate
from tasks.noise.batch import TextBatch
from tasks.noise.dice import Dice
from tasks.noise.splices import Splices
from tasks.noise.units import find_words
from tasks.planning.streams import fold, uniforms

_SHARE = 0.5


def truncate(batch: TextBatch, dice: Dice, step: Truncate) -> Splices:
    """Cut texts off between two words, each text with its rate as the probability.

    At least one word stays. What is cut off goes as a whole, white space at that end included; a
    text that is short enough is left as it is.

    Args:
        batch: The texts.
        dice: The draws.
        step: How many words are kept, and at which end.

    References:
        Cropping as augmentation: Meng et al., COCO-LM, NeurIPS 2021.
        https://arxiv.org/abs/2102.08473
    """
    words = find_words(batch)
    num_words = np.diff(words.offsets)
    if step.words is None:
        # A share such as 0.1 of 10 words must not become 2 for a rounding error in the product.
        share = _SHARE if step.share is None else step.share
        num_kept = np.maximum(np.ceil(num_words * share - 1e-9).astype(np.int64), 1)
    else:
        num_kept = np.full(num_words.size, step.words)
    is_drawn = uniforms(fold(dice.keys, 0), 0) < dice.rates
    rows = np.flatnonzero(is_drawn & (num_kept < num_words))
    if step.keep == "start":
        starts = words.ends[words.offsets[rows] + num_kept[rows] - 1]
        return Splices.deleting(rows, starts, batch.offsets[rows + 1])
    ends = words.starts[words.offsets[rows + 1] - num_kept[rows]]
    return Splices.deleting(rows, batch.offsets[rows], ends)
