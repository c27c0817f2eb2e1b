"""How wide a batch of prompts of several lengths is made."""

from collections.abc import Sequence

PAD_MULTIPLE = 8
"""Padded prompts are a multiple of this long: some attention kernels err at odd lengths."""


def padded_width(lengths: Sequence[int], *, most: int | None = None) -> int:
    """Return the width for prompts of these lengths: their own where all have the same.

    Args:
        lengths: Tokens of each prompt, at least one prompt.
        most: Positions that the model has, where padding takes them too; None without a bound.
    """
    longest = max(lengths)
    if min(lengths) == longest:
        return longest
    rounded = -(-longest // PAD_MULTIPLE) * PAD_MULTIPLE
    return rounded if most is None else max(longest, min(rounded, most))
