"""Sampling by counter-based Gumbel-max: a draw is a function of row key, step and token alone.

`argmax(logits + G)` with independent standard Gumbel noise G is an exact sample of
`softmax(logits)` (Gumbel 1954; Maddison et al., NIPS 2014, https://arxiv.org/abs/1411.0030). The
noise of a token is hashed from the row's key, the step and the token's id with the same functions
as `tasks.planning.streams`, here on the device, so that neither the batch nor the set of candidates
changes it.

B sequences, V vocabulary, N candidates of all sequences in one.
"""

import math

import torch
from torch import Tensor

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


def sample(logits_BV: Tensor, *, keys_B: Tensor, steps_B: Tensor) -> Tensor:
    """Draw one token of each row, exactly from `softmax(logits)`.

    Noise is hashed for tokens of finite logit alone; as it is keyed by the token's id, the draw is
    the same as with noise for all of them.

    Args:
        logits_BV: Unnormalised log-probabilities, shape `(B, V)`; `-inf` is never drawn.
        keys_B: Keys of the rows, int64, shape `(B,)`.
        steps_B: Number of tokens that each row has drawn before, int64, shape `(B,)`.

    Returns:
        Token ids, int64, shape `(B,)`; 0 for a row without any finite logit.
    """
    step_keys_B = fold(keys_B, steps_B)
    rows_N, tokens_N = (logits_BV > -math.inf).nonzero(as_tuple=True)
    noise_N = gumbel_noise(step_keys_B[rows_N], tokens_N)
    perturbed_BV = torch.full_like(logits_BV, -math.inf, dtype=torch.float64)
    perturbed_BV[rows_N, tokens_N] = logits_BV[rows_N, tokens_N].double() + noise_N
    return perturbed_BV.argmax(dim=-1)


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
