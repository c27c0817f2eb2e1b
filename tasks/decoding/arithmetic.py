"""Arithmetic sampling: evenly spaced codes choose the texts of one prompt.

One number in [0, 1), a row's *code*, chooses its text (Vilnis et al., ICML 2023,
https://arxiv.org/abs/2210.15458): each token is the one whose interval of the distribution function
holds the code, and the code's place in that interval is the code of the next step. Codes of the
rows of one prompt are evenly spaced under a shared random shift, so each row is an exact sample and
together the rows spread over the tree of texts.

B rows, V vocabulary, N weights to choose from.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from tasks.decoding.blocks import block_ids, block_sums, block_width, gather_blocks
from tasks.decoding.sampling import fold, uniforms

_BELOW_ONE = 1 - 2.0**-53
_SPACING_BITS = 2
"""A code is kept to a quarter of the space between the rows of its prompt."""
_REFILL = -1
"""The stream of fresh bits; steps of the row's own stream are never negative."""


class Codes(NamedTuple):
    """The codes of some rows.

    Args:
        values_B: In [0, 1), float64.
        cells_B: What each is known to, a power of two up to 1; a code of cell 1 says nothing.
    """

    values_B: Tensor
    cells_B: Tensor


def open_codes(seeds_B: Tensor, *, members_B: Tensor, num_members: int) -> Codes:
    """Return the first code of each row: `frac(u + member / num_members)`, u of the shared seed.

    Args:
        seeds_B: Seed that the rows of one prompt share, int64, shape `(B,)`.
        members_B: Place of each row among the rows of its prompt, int64, shape `(B,)`.
        num_members: Rows of a prompt, at least 1.

    Returns:
        Codes, each of which alone is uniformly distributed.
    """
    shifts_B = uniforms(seeds_B, torch.zeros_like(seeds_B))
    values_B = (shifts_B + members_B.double() / num_members).remainder(1.0).clamp_(max=_BELOW_ONE)
    cell = 2.0 ** -((num_members - 1).bit_length() + _SPACING_BITS)
    return Codes(values_B, torch.full_like(values_B, cell))


def draw_by_code(
    logits_BV: Tensor, codes: Codes, *, keys_B: Tensor, steps_B: Tensor
) -> tuple[Tensor, Codes]:
    """Choose the token whose interval holds each row's code, and narrow the code to it.

    A token of probability p takes log2(1 / p) bits off the code, and stretches every rounding error
    of the model by 1 / p. Bits below the space between the rows of a prompt do nothing for their
    spread; were they kept, the last bits of a probability would decide a text a few tokens later.
    So a code counts only to its cell: its place in the token's interval is rounded down to the
    cell, which has become `cell / p` wide, and a fresh uniform number of the row's own places it
    in there. Given its token the place is uniform on [0, 1), hence so is the new code, whatever was
    drawn before. Once the cell is all of [0, 1) the rows of the prompt draw independently.

    Args:
        logits_BV: Unnormalised log-probabilities (nats), tempered and truncated, shape `(B, V)`,
            floating point; `-inf` is never drawn.
        codes: The rows' codes.
        keys_B: Keys of the rows, each row its own, int64, shape `(B,)`.
        steps_B: Number of tokens that each row has drawn before, int64, shape `(B,)`.

    Returns:
        Token ids, int64, shape `(B,)`, and the codes of the next step. A row that holds NaN or
        `+inf`, or is all `-inf`, draws 0 and keeps its code.
    """
    tokens_B, places_B, probabilities_B = _pick(logits_BV, codes.values_B)
    cells_B = torch.exp2((codes.cells_B / probabilities_B).log2().ceil()).clamp_(max=1.0)
    fresh_B = uniforms(fold(keys_B, torch.full_like(keys_B, _REFILL)), steps_B)
    values_B = (((places_B / cells_B).floor() + fresh_B) * cells_B).clamp_(max=_BELOW_ONE)
    good_B = values_B.isfinite()
    return tokens_B, Codes(
        torch.where(good_B, values_B, codes.values_B), torch.where(good_B, cells_B, codes.cells_B)
    )


def _pick(logits_BV: Tensor, codes_B: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return each row's token, the code's place in the token's interval, and its probability.

    The block is chosen first and its token by the code's place in the block: blocks keep the
    vocabulary's order, so this is the inverse CDF over all tokens.
    """
    width = block_width(logits_BV.shape[1])
    probabilities_BV = logits_BV.softmax(-1)
    masses_BN = block_sums(probabilities_BV, width=width)
    blocks_B, places_B, shares_B = _invert(masses_BN, codes_B)
    rows_B = torch.arange(len(codes_B), device=codes_B.device)
    ids_BW = block_ids(blocks_B, width=width)
    weights_BW = gather_blocks(probabilities_BV, rows_J=rows_B, ids_JW=ids_BW, fill=0.0)
    chosen_B, places_B, inner_B = _invert(weights_BW, places_B)
    tokens_B = ids_BW.gather(1, chosen_B[:, None]).squeeze(1)
    return tokens_B, places_B, shares_B * inner_B


def _invert(weights_BN: Tensor, codes_B: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the index whose interval holds the code, the code's place in it, and its share.

    Intervals are closed below and open above; a weight of 0 has none. NaN gives index 0.
    """
    cdf_BN = weights_BN.double().cumsum(-1)
    total_B = cdf_BN[:, -1]
    # Rounded to the total itself, a code would lie behind the last interval.
    targets_B = torch.minimum(codes_B * total_B, total_B.nextafter(torch.zeros_like(total_B)))
    indices_B = (cdf_BN <= targets_B[:, None]).sum(-1)
    bounds_BN = torch.nn.functional.pad(cdf_BN, (1, 0))
    low_B = bounds_BN.gather(1, indices_B[:, None]).squeeze(1)
    size_B = cdf_BN.gather(1, indices_B[:, None]).squeeze(1) - low_B
    return indices_B, (targets_B - low_B) / size_B, size_B / total_B
