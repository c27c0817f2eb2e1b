"""Truncation: which tokens may be drawn at all.

Every function takes unnormalised log-probabilities of shape `(..., V)` and returns a new tensor of
the same shape, dtype and device: the logits that stay, `-inf` elsewhere. A temperature divides the
logits first. `-inf` logits are allowed (probability zero); a row that holds NaN comes back without
meaning.

R rows (the leading dimensions in one), V vocabulary, K candidates.
"""

import math

import torch
from torch import Tensor

PARTIAL_WIDTH = 128
"""Candidates looked at before a row is sorted as a whole; a matter of speed alone."""


def keep_top_k(logits: Tensor, *, top_k: int) -> Tensor:
    """Mask every token but the `top_k` most probable.

    Among equal logits the lower index stays. `top_k >= V` is the identity.

    Args:
        logits: Unnormalised log-probabilities (nats), shape `(..., V)`, floating point, any device.
        top_k: Number of tokens to keep, at least 1.

    Returns:
        A new tensor, shape `(..., V)`: `logits` of the kept tokens, `-inf` elsewhere.

    Raises:
        ValueError: If `top_k` is below 1.

    References:
        Fan et al., ACL 2018. https://arxiv.org/abs/1805.04833
    """
    if top_k < 1:
        raise ValueError(f"top_k must be at least 1, not {top_k}")
    if top_k >= logits.shape[-1]:
        return logits.clone()
    last = logits.topk(top_k, dim=-1).values[..., -1:]
    keep = _keep_best(logits, last=last, num_kept=torch.full_like(last, top_k, dtype=torch.long))
    return logits.masked_fill(~keep, -math.inf)


def keep_nucleus(logits: Tensor, *, top_p: float) -> Tensor:
    """Mask every token outside the nucleus: the smallest set with probability mass >= `top_p`.

    The most probable token is always kept. Among equal logits the lower index is kept first, as a
    stable sort would have it. `top_p=1.0` is the identity. Rows whose 128 best tokens reach the
    mass are never sorted.

    Args:
        logits: Unnormalised log-probabilities (nats), shape `(..., V)`, floating point, any device.
        top_p: Probability mass to retain, in (0, 1].

    Returns:
        A new tensor, shape `(..., V)`: `logits` inside the nucleus, `-inf` outside.

    Raises:
        ValueError: If `top_p` lies outside (0, 1].

    References:
        Holtzman et al., ICLR 2020. https://arxiv.org/abs/1904.09751
    """
    if not 0 < top_p <= 1:
        raise ValueError(f"top_p must lie in (0, 1], not {top_p}")
    if top_p == 1:
        return logits.clone()
    rows_RV = logits.reshape(-1, logits.shape[-1])
    keep_RV = _keep_mass(rows_RV, order_RV=rows_RV, mass=top_p)
    return logits.masked_fill(~keep_RV.view_as(logits), -math.inf)


def keep_min_p(logits: Tensor, *, min_p: float) -> Tensor:
    """Mask every token less than `min_p` times as probable as the most probable one.

    The most probable token, and every token that ties with it, is always kept.

    Args:
        logits: Unnormalised log-probabilities (nats), shape `(..., V)`, floating point, any device.
        min_p: Least probability relative to the best token's, in (0, 1].

    Returns:
        A new tensor, shape `(..., V)`: `logits` of the kept tokens, `-inf` elsewhere.

    Raises:
        ValueError: If `min_p` lies outside (0, 1].

    References:
        Nguyen et al., ICLR 2025. https://arxiv.org/abs/2407.01082
    """
    if not 0 < min_p <= 1:
        raise ValueError(f"min_p must lie in (0, 1], not {min_p}")
    # In logits the ratio is a difference, so nothing underflows and no softmax is needed.
    floor = logits.amax(dim=-1, keepdim=True) + math.log(min_p)
    return logits.masked_fill(~(logits >= floor), -math.inf)


def keep_typical(logits: Tensor, *, typical_p: float) -> Tensor:
    """Mask every token outside the locally typical set.

    Tokens are taken in order of `|surprisal - entropy|`, least first, until their mass is >=
    `typical_p`; among equal distances the lower index first. At least one token is kept, not always
    the most probable one. `typical_p=1.0` is the identity.

    Args:
        logits: Unnormalised log-probabilities (nats), shape `(..., V)`, floating point, any device.
        typical_p: Probability mass to retain, in (0, 1].

    Returns:
        A new tensor, shape `(..., V)`: `logits` inside the typical set, `-inf` outside.

    Raises:
        ValueError: If `typical_p` lies outside (0, 1].

    References:
        Meister et al., TACL 2023. https://arxiv.org/abs/2202.00666
    """
    if not 0 < typical_p <= 1:
        raise ValueError(f"typical_p must lie in (0, 1], not {typical_p}")
    if typical_p == 1:
        return logits.clone()
    rows_RV = logits.reshape(-1, logits.shape[-1])
    log_probs_RV = rows_RV.log_softmax(dim=-1)
    entropy_R1 = -(log_probs_RV.exp() * log_probs_RV.clamp(min=torch.finfo(rows_RV.dtype).min)).sum(
        dim=-1, keepdim=True
    )
    keep_RV = _keep_mass(rows_RV, order_RV=-(log_probs_RV + entropy_R1).abs(), mass=typical_p)
    return logits.masked_fill(~keep_RV.view_as(logits), -math.inf)


def _keep_best(order: Tensor, *, last: Tensor, num_kept: Tensor) -> Tensor:
    """Mark the `num_kept` greatest of `order`, `last` being the least; ties by lower index."""
    better = order > last
    tied = order == last
    room = num_kept - better.sum(dim=-1, keepdim=True)
    if bool((tied.sum(dim=-1, keepdim=True) == room).all()):
        return better | tied
    return better | (tied & (tied.cumsum(dim=-1) <= room))


def _keep_mass(logits_RV: Tensor, *, order_RV: Tensor, mass: float) -> Tensor:
    """Mark the shortest prefix, by descending `order_RV`, whose probability reaches `mass`."""
    # Weights relative to the best token's make equal logits weigh exactly the same; thousands of
    # small # ones are added, for which float32 is too coarse.
    weights_RV = (logits_RV - logits_RV.amax(dim=-1, keepdim=True)).double().exp_()
    goal_R1 = mass * weights_RV.sum(dim=-1, keepdim=True)
    if logits_RV.shape[-1] <= PARTIAL_WIDTH:
        return _sorted_prefix(weights_RV, order_RV=order_RV, goal_R1=goal_R1)
    best_RK, index_RK = order_RV.topk(PARTIAL_WIDTH, dim=-1)
    weights_RK = weights_RV.gather(-1, index_RK)
    num_R1 = _prefix_length(weights_RK, goal_R1=goal_R1).clamp(max=PARTIAL_WIDTH)
    last_R1 = best_RK.gather(-1, num_R1 - 1)
    keep_RV = _keep_best(order_RV, last=last_R1, num_kept=num_R1)
    # `topk` leaves the order of ties open. It is settled only if the prefix ends before the last
    # candidate's tie group and tied candidates weigh the same; the other rows need the sort.
    tied_RK = best_RK[:, 1:] == best_RK[:, :-1]
    unequal_RK = weights_RK[:, 1:] != weights_RK[:, :-1]
    open_R = ~(last_R1 > best_RK[:, -1:]).squeeze(-1) | (tied_RK & unequal_RK).any(dim=-1)
    if bool(open_R.any()):
        keep_RV[open_R] = _sorted_prefix(
            weights_RV[open_R], order_RV=order_RV[open_R], goal_R1=goal_R1[open_R]
        )
    return keep_RV


def _sorted_prefix(weights_RV: Tensor, *, order_RV: Tensor, goal_R1: Tensor) -> Tensor:
    index_RV = order_RV.sort(dim=-1, descending=True, stable=True).indices
    num_R1 = _prefix_length(weights_RV.gather(-1, index_RV), goal_R1=goal_R1)
    kept_V = torch.arange(index_RV.shape[-1], device=index_RV.device) < num_R1
    return torch.zeros_like(index_RV, dtype=torch.bool).scatter(-1, index_RV, kept_V)


def _prefix_length(weights_RK: Tensor, *, goal_R1: Tensor) -> Tensor:
    """Count the leading entries needed to reach the goal, K + 1 when all of them do not."""
    return (weights_RK.cumsum(dim=-1) < goal_R1).sum(dim=-1, keepdim=True) + 1
