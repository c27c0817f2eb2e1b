"""Strategies that choose one token at a time, dispatched on the recipe's `kind`.

A truncated distribution is drawn from without sorting the vocabulary: a token drawn from the whole
distribution is a sample of the truncated one whenever it lies inside, and is drawn again when it
lies outside (von Neumann's rejection). One pass over the logits tells which for nearly all rows;
the few others are truncated by the definition.

B sequences, V vocabulary, R sequences that are not settled yet.
"""

import math
from typing import assert_never

import torch
from torch import Tensor

from schemas.strategies import Greedy, MinP, Nucleus, Temperature, TopK, Typical
from tasks.decoding.sampling import draw, fold, pick_best
from tasks.decoding.truncation import keep_min_p, keep_nucleus, keep_top_k, keep_typical

Truncated = Temperature | TopK | Nucleus | MinP | Typical
_REJECTIONS = 3
"""Draws from the whole distribution before a row is truncated; a matter of speed alone."""
_MARGIN = 1e-4
"""Probability mass around a bound in which rounding could decide: left to the definition."""


def choose_tokens(
    logits_BV: Tensor, *, strategy: Greedy | Truncated, keys_B: Tensor, steps_B: Tensor
) -> Tensor:
    """Choose the next token of each row: temperature first, then truncation, then one exact draw.

    A row's choice depends on its own logits, key and step alone.

    Args:
        logits_BV: Unnormalised log-probabilities (nats), shape `(B, V)`, float32 or float64.
        strategy: How to choose.
        keys_B: Keys of the rows' randomness, int64, shape `(B,)`.
        steps_B: Number of tokens that each row has already, int64, shape `(B,)`.

    Returns:
        Token ids, int64, shape `(B,)`; any id for a row whose logits are not numbers.

    References:
        von Neumann, Various techniques used in connection with random digits, 1951.
    """
    if isinstance(strategy, Greedy):
        return pick_best(logits_BV)
    rows_RV = logits_BV if strategy.temperature == 1 else logits_BV / strategy.temperature
    keys_R = fold(keys_B, steps_B)
    tokens_B = torch.empty_like(keys_R)
    open_R = torch.arange(len(tokens_B), device=tokens_B.device)
    for attempt in range(_REJECTIONS):
        probabilities_RV = rows_RV.softmax(dim=-1)
        drawn_R = draw(probabilities_RV, keys_B=_draw_keys(keys_R, attempt))
        tokens_B[open_R] = drawn_R
        outside_R = _outside(rows_RV, probabilities_RV, tokens_R=drawn_R, strategy=strategy)
        places_R = outside_R.nonzero().squeeze(-1)
        if not places_R.numel():
            return tokens_B
        open_R, rows_RV, keys_R = open_R[places_R], rows_RV[places_R], keys_R[places_R]
    kept_RV = truncate(rows_RV, strategy=strategy).softmax(dim=-1)
    tokens_B[open_R] = draw(kept_RV, keys_B=_draw_keys(keys_R, _REJECTIONS))
    return tokens_B


def truncate(logits_BV: Tensor, *, strategy: Truncated) -> Tensor:
    """Mask the tokens that a sampling strategy rules out; the logits are already tempered."""
    match strategy:
        case Temperature():
            return logits_BV
        case TopK(top_k=top_k):
            return keep_top_k(logits_BV, top_k=top_k)
        case Nucleus(top_p=top_p):
            return keep_nucleus(logits_BV, top_p=top_p)
        case MinP(min_p=min_p):
            return keep_min_p(logits_BV, min_p=min_p)
        case Typical(typical_p=typical_p):
            return keep_typical(logits_BV, typical_p=typical_p)
        case _:
            assert_never(strategy)


def _draw_keys(keys_R: Tensor, attempt: int) -> Tensor:
    return fold(keys_R, torch.full_like(keys_R, attempt))


def _outside(
    logits_RV: Tensor, probabilities_RV: Tensor, *, tokens_R: Tensor, strategy: Truncated
) -> Tensor:
    """Tell which drawn tokens truncation rules out, bool, shape `(R,)`."""
    match strategy:
        case Temperature() | Nucleus(top_p=1.0) | Typical(typical_p=1.0):
            return torch.zeros_like(tokens_R, dtype=torch.bool)
        case MinP(min_p=min_p):
            own_R = logits_RV.gather(-1, tokens_R[:, None]).squeeze(-1)
            return own_R < logits_RV.amax(dim=-1) + math.log(min_p)
        case TopK(top_k=top_k):
            # Ranks are whole numbers: half-way between them, ties alone are left open.
            order_RV, weights_RV, bound = logits_RV, torch.ones_like(logits_RV), top_k - 0.5
        case Nucleus(top_p=bound):
            order_RV, weights_RV = logits_RV, probabilities_RV
        case Typical(typical_p=bound):
            surprisal_RV = -probabilities_RV.clamp(min=torch.finfo(torch.float32).tiny).log()
            entropy_R1 = (probabilities_RV * surprisal_RV).sum(dim=-1, keepdim=True)
            order_RV, weights_RV = -(surprisal_RV - entropy_R1).abs(), probabilities_RV
        case _:
            assert_never(strategy)
    beyond_R, unclear_R = _beyond(order_RV, weights_RV, tokens_R=tokens_R, bound=bound)
    places = unclear_R.nonzero().squeeze(-1)
    if places.numel():
        kept = truncate(logits_RV[places], strategy=strategy)
        beyond_R[places] = kept.gather(-1, tokens_R[places, None]).squeeze(-1) == -math.inf
    return beyond_R


def _beyond(
    order_RV: Tensor, weights_RV: Tensor, *, tokens_R: Tensor, bound: float
) -> tuple[Tensor, Tensor]:
    """Compare the weight in front of each token, by descending order, with the weight that stays.

    Returns:
        Whether the token lies beyond it, and whether a tie or rounding leaves that open.
    """
    own_R1 = order_RV.gather(-1, tokens_R[:, None])
    weight_R = weights_RV.gather(-1, tokens_R[:, None]).squeeze(-1)
    most_R = torch.where(order_RV >= own_R1, weights_RV, 0.0).sum(dim=-1) - weight_R
    beyond_R = most_R >= bound - _MARGIN
    unclear_R = beyond_R.clone()
    maybe = beyond_R.nonzero().squeeze(-1)
    if maybe.numel():
        least = torch.where(order_RV[maybe] > own_R1[maybe], weights_RV[maybe], 0.0).sum(dim=-1)
        unclear_R[maybe] = least < bound + _MARGIN
    return beyond_R, unclear_R
