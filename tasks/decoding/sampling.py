"""Sampling with counter-based numbers: a draw is a function of row key, step and logits alone.

The numbers are hashed from the row's key and the step with the same functions as
`tasks.planning.streams`, here on the device, so that no batch changes them.

B sequences, V vocabulary.
"""

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


def draw_by_cdf(weights_BV: Tensor, *, uniforms_B: Tensor) -> Tensor:
    """Draw one token of each row by inverting its distribution function, in vocabulary order.

    Args:
        weights_BV: Probabilities, or anything that is proportional to them, shape `(B, V)`; a token
            of weight 0 is never drawn.
        uniforms_B: One number in (0, 1) for each row, float64, shape `(B,)`.

    Returns:
        Token ids, int64, shape `(B,)`; any id for a row whose weights are not numbers.

    References:
        Devroye, Non-Uniform Random Variate Generation, 1986, chapter III.
    """
    # Thousands of small numbers are added up, for which float32 is too coarse.
    sums_BV = weights_BV.cumsum(dim=-1, dtype=torch.float64)
    total_B1 = sums_BV[:, -1:]
    goal_B1 = torch.minimum(
        uniforms_B[:, None] * total_B1, torch.nextafter(total_B1, torch.zeros_like(total_B1))
    )
    places_B = torch.searchsorted(sums_BV, goal_B1, right=True).squeeze(-1)
    return places_B.clamp_(max=weights_BV.shape[-1] - 1)


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
