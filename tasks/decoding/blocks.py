"""The vocabulary in blocks: a token is drawn as its block first and then its place in the block.

A draw from V tokens looks at every token only to weigh the blocks; all that is dear (hashing,
64-bit arithmetic, sorting) is done for about sqrt(V) blocks and the sqrt(V) tokens of a block.

B rows, V vocabulary, N blocks, J chosen blocks, W tokens of a block.
"""

import math

import torch
from torch import Tensor

_SAFE_MASS = 1e-25
"""A lighter block may have lost tokens that float32 cannot hold, 1e-38 and less."""


def block_width(num_tokens: int) -> int:
    """Return the number of tokens in a block: a power of two near the root of the vocabulary.

    It is a function of the vocabulary alone, so that draws which go by blocks are, too.
    """
    return 1 << ((num_tokens - 1).bit_length() + 1) // 2


def block_sums(values_BV: Tensor, *, width: int) -> Tensor:
    """Add up each block of `width` neighbours, shape `(B, N)`; the last block may be shorter."""
    num_rows, num_tokens = values_BV.shape
    whole = num_tokens // width * width
    sums_BN = values_BV[:, :whole].view(num_rows, whole // width, width).sum(-1)
    if whole == num_tokens:
        return sums_BN
    return torch.cat([sums_BN, values_BV[:, whole:].sum(-1, keepdim=True)], 1)


def gather_blocks(values_BV: Tensor, *, rows_J: Tensor, ids_JW: Tensor, fill: float) -> Tensor:
    """Look up the tokens of blocks, shape `(J, W)`; `fill` stands behind the vocabulary's end."""
    num_tokens = values_BV.shape[1]
    values_JW = values_BV[rows_J[:, None], ids_JW.clamp(max=num_tokens - 1)]
    return values_JW.masked_fill(ids_JW >= num_tokens, fill)


def block_ids(blocks_J: Tensor, *, width: int) -> Tensor:
    """Return the token ids of blocks, shape `(J, W)`; those of the last may exceed V - 1."""
    return blocks_J[:, None] * width + torch.arange(width, device=blocks_J.device)


def block_logprobs(logits_BV: Tensor, *, width: int) -> tuple[Tensor, Tensor]:
    """Return the log-probability of each block and the normaliser of each row.

    Masses are added in the probabilities' own domain, which is several times cheaper than
    log-sum-exp; blocks too light for float32 are added again in the domain of logarithms, so that
    no token that is possible at all gets lost.

    Args:
        logits_BV: Unnormalised log-probabilities (nats), shape `(B, V)`, floating point.
        width: Tokens of a block.

    Returns:
        Log-probabilities of blocks, float64, shape `(B, N)`, and `logsumexp(logits)`, float64,
        shape `(B,)`; both NaN in rows that hold NaN or `+inf` or are all `-inf`.
    """
    probabilities_BV = logits_BV.softmax(-1)
    norms_B = _norms(logits_BV, probabilities_BV)
    masses_BN = block_sums(probabilities_BV, width=width).double()
    logprobs_BN = masses_BN.log()
    rows_J, blocks_J = (masses_BN < _SAFE_MASS).nonzero(as_tuple=True)
    if len(rows_J):
        logits_JW = gather_blocks(
            logits_BV, rows_J=rows_J, ids_JW=block_ids(blocks_J, width=width), fill=-math.inf
        )
        logprobs_BN[rows_J, blocks_J] = logits_JW.double().logsumexp(-1) - norms_B[rows_J]
    return logprobs_BN, norms_B


def log_norms(logits_BV: Tensor) -> Tensor:
    """Return `logsumexp(logits)`, float64, shape `(B,)`, at the price of a softmax.

    NaN in rows that hold NaN or `+inf` or are all `-inf`.
    """
    return _norms(logits_BV, logits_BV.softmax(-1))


def _norms(logits_BV: Tensor, probabilities_BV: Tensor) -> Tensor:
    # The most probable token's logit less its log-probability; its probability is at least 1 / V.
    return logits_BV.amax(-1).double() - probabilities_BV.amax(-1).double().log()
