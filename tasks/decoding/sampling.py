"""Sampling with counter-based numbers: a draw is a function of row key, step and logits alone.

The numbers are hashed from the row's key and the step with the same functions as
`tasks.planning.streams`, here on the device, so that no batch changes them.

B sequences, V vocabulary.
"""

import torch
from torch import Tensor

from tasks.decoding.blocks import block_ids, block_sums, block_width, gather_blocks
from tasks.planning.streams import GOLDEN, MIX_1, MIX_2


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


_GOLDEN, _MIX_1, _MIX_2 = _signed(GOLDEN), _signed(MIX_1), _signed(MIX_2)


def _shift(values: Tensor, bits: int) -> Tensor:
    """Shift right without copying the sign: torch has no unsigned 64-bit arithmetic."""
    return (values >> bits).bitwise_and_((1 << (64 - bits)) - 1)


def mix(values: Tensor) -> Tensor:
    """Apply SplitMix64's finaliser: `tasks.planning.streams.mix` on int64 tensors, bit for bit."""
    z = values + _GOLDEN
    z = (z ^ _shift(z, 30)).mul_(_MIX_1)
    z = (z ^ _shift(z, 27)).mul_(_MIX_2)
    return z ^ _shift(z, 31)


def fold(keys: Tensor, values: Tensor) -> Tensor:
    """Derive keys from keys and numbers, broadcast: `tasks.planning.streams.fold`, bit for bit."""
    return mix(mix(keys) + values)


def uniforms(keys: Tensor, values: Tensor) -> Tensor:
    """Draw a float64 in (0, 1): `tasks.planning.streams.uniforms`, bit for bit."""
    return _shift(fold(keys, values), 12).double().add_(0.5).mul_(2.0**-52)


def gumbel_noise(step_keys: Tensor, tokens: Tensor) -> Tensor:
    """Draw the standard Gumbel noise of tokens.

    Args:
        step_keys: `fold(row key, step)`, int64, any shape.
        tokens: Token ids, int64, of a shape that broadcasts with `step_keys`.

    Returns:
        float64 in the broadcast shape, between -3.6 and 36.8.
    """
    return uniforms(step_keys, tokens).log_().neg_().log_().neg_()


def draw(probabilities_BV: Tensor, *, keys_B: Tensor) -> Tensor:
    """Draw one token of each row: a block of the vocabulary, then a token of the block.

    `argmax(log p + G)` with independent standard Gumbel noise G is an exact sample of p, of blocks
    as of tokens; some 2 sqrt(V) numbers are hashed where one stage would take V. Inverting the
    distribution function would take one number, but a draw would then hang on the last bits of
    every sum in front of it, and change with the batch far more often.

    Args:
        probabilities_BV: Probabilities, or anything proportional to them, floating point, shape
            `(B, V)`; a token of probability 0 is never drawn.
        keys_B: Key of each row's draw, int64, shape `(B,)`.

    Returns:
        Token ids, int64, shape `(B,)`; any id for a row whose probabilities are not numbers.

    References:
        Maddison et al., NIPS 2014. https://arxiv.org/abs/1411.0030
    """
    num_tokens = probabilities_BV.shape[-1]
    width = block_width(num_tokens)
    masses_BN = block_sums(probabilities_BV, width=width)
    block_B = (masses_BN.log() + _noise(keys_B, _BLOCKS, masses_BN.shape[-1])).argmax(dim=-1)
    ids_BW = block_ids(block_B, width=width)
    rows_B = torch.arange(len(keys_B), device=keys_B.device)
    weights_BW = gather_blocks(probabilities_BV, rows_J=rows_B, ids_JW=ids_BW, fill=0.0)
    place_B = (weights_BW.log() + _noise(keys_B, _TOKENS, width)).argmax(dim=-1)
    return (block_B * width + place_B).clamp_(max=num_tokens - 1)


_BLOCKS, _TOKENS = 0, 1
"""Streams of the two stages of a draw."""


def _noise(keys_B: Tensor, stage: int, size: int) -> Tensor:
    """Draw the Gumbel noise of one stage; its entries are those of a block or those of all."""
    stage_keys_B = fold(keys_B, torch.full_like(keys_B, stage))
    places = torch.arange(size, device=keys_B.device)
    return gumbel_noise(stage_keys_B[:, None], places).float()


def pick_best(logits_BV: Tensor) -> Tensor:
    """Return the most probable token of each row, shape `(B,)`; among equals the lowest id."""
    return logits_BV.argmax(dim=-1)


def token_logprobs(logits_BV: Tensor, *, tokens_B: Tensor) -> Tensor:
    """Score chosen tokens: `log_softmax(logits)` at each row's token.

    Args:
        logits_BV: The model's own logits, neither truncated nor tempered, shape `(B, V)`.
        tokens_B: Chosen token ids, int64, shape `(B,)`.

    Returns:
        Log-probabilities in nats, shape `(B,)`; NaN or infinite where the row's logits hold NaN or
        `+inf`, or are all `-inf`.
    """
    chosen_B = logits_BV.gather(-1, tokens_B[:, None]).squeeze(-1)
    return chosen_B - logits_BV.logsumexp(dim=-1)
