"""Sampling by inverse CDF in vocabulary order: one number in [0, 1) chooses the token.

Plain temperature sampling hashes that number from the row's key and the step: one hash a row where
Gumbel noise takes one a token. Arithmetic sampling (Vilnis et al., ICML 2023,
https://arxiv.org/abs/2210.15458) draws one number for a whole text, its *code*: each token is the
one whose interval holds the code, and the code's place in that interval is the code of the next
step. Codes of the rows of one prompt are evenly spaced under a shared random shift, so each row is
an exact sample and together the rows spread over the tree of texts.

B rows, V vocabulary, N weights to choose from.
"""

import torch
from torch import Tensor

from tasks.decoding.blocks import block_ids, block_sums, block_width, gather_blocks
from tasks.decoding.sampling import fold, uniforms

_CELL = 2.0**-52
"""What a code is known to: `uniforms` gives the centre of one of 2^52 cells."""
_BELOW_ONE = 1 - 2.0**-53
_REFILL = -1
"""The stream of fresh bits; steps of the row's own stream are never negative."""


def open_codes(seeds_B: Tensor, *, members_B: Tensor, num_members: int) -> Tensor:
    """Return the first code of each row: `frac(u + member / num_members)`, u of the shared seed.

    Args:
        seeds_B: Seed that the rows of one prompt share, int64, shape `(B,)`.
        members_B: Place of each row among the rows of its prompt, int64, shape `(B,)`.
        num_members: Rows of a prompt, at least 1.

    Returns:
        Codes in [0, 1), float64, shape `(B,)`; of each row alone uniformly distributed.
    """
    shifts_B = uniforms(seeds_B, torch.zeros_like(seeds_B))
    return (shifts_B + members_B.double() / num_members).remainder(1.0).clamp_(max=_BELOW_ONE)


def draw(
    logits_BV: Tensor, *, codes_B: Tensor, keys_B: Tensor, steps_B: Tensor
) -> tuple[Tensor, Tensor]:
    """Choose the token whose interval of the CDF holds each row's code, and narrow the code to it.

    A token of probability p takes log2(1 / p) bits off the code, and a float64 has but 52. If the
    code is uniform on the 2^52 cells of [0, 1), then given its token it is uniform on the cells of
    the token's interval; stretched to [0, 1) these are `2^-52 / p` wide. A fresh uniform number
    places the new code within its cell, so it is uniform on [0, 1) again, whatever was drawn
    before. The cells that an interval's ends cut make up at most `V * 2^-52` of the probability:
    the error of any inverse CDF in float64. Fresh bits are each row's own, yet they leave the
    spacing of the rows of one prompt alone: after shared tokens of probability P the codes of n
    rows are 1 / (nP) apart, and fresh bits have moved them by about `2^-52 / P`.

    Args:
        logits_BV: Unnormalised log-probabilities (nats), tempered and truncated, shape `(B, V)`,
            floating point; `-inf` is never drawn.
        codes_B: Codes in [0, 1), float64, shape `(B,)`.
        keys_B: Keys of the rows, each row its own, int64, shape `(B,)`.
        steps_B: Number of tokens that each row has drawn before, int64, shape `(B,)`.

    Returns:
        Token ids, int64, shape `(B,)`, and the codes of the next step, float64, shape `(B,)`. A
        row that holds NaN or `+inf`, or is all `-inf`, draws 0 and keeps its code.
    """
    tokens_B, places_B, probabilities_B = _pick(logits_BV, codes_B)
    fresh_B = uniforms(fold(keys_B, torch.full_like(keys_B, _REFILL)), steps_B) - 0.5
    # What leaves the interval by half a cell enters at its other end: no end gathers codes.
    moved_B = (places_B + fresh_B * (_CELL / probabilities_B)).remainder(1.0)
    new_codes_B = moved_B.clamp_(max=_BELOW_ONE)
    return tokens_B, torch.where(new_codes_B.isfinite(), new_codes_B, codes_B)


def draw_by_cdf(logits_BV: Tensor, *, keys_B: Tensor, steps_B: Tensor) -> Tensor:
    """Draw one token of each row from `softmax(logits)` with one counter-based uniform a row.

    Args:
        logits_BV: Unnormalised log-probabilities (nats), shape `(B, V)`, floating point; `-inf` is
            never drawn.
        keys_B: Keys of the rows, int64, shape `(B,)`.
        steps_B: Number of tokens that each row has drawn before, int64, shape `(B,)`.

    Returns:
        Token ids, int64, shape `(B,)`; 0 for a row that holds NaN or `+inf`, or is all `-inf`.
    """
    tokens_B, _, _ = _pick(logits_BV, uniforms(keys_B, steps_B))
    return tokens_B


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
