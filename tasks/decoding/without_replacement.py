"""Sampling without replacement down a tree: perturbed log-probabilities and their weights.

A leaf of log-probability phi has the perturbed value G ~ Gumbel(phi), independently of others; the
k leaves of greatest G are a sample of size k without replacement. A node's G is the greatest of its
leaves', so it is Gumbel(phi) with phi of the sum of their probabilities, and children can be drawn
from their parent down (Maddison et al., NIPS 2014, https://arxiv.org/abs/1411.0030; Kool et al.,
ICML 2019, https://arxiv.org/abs/1903.06059).

R nodes, C children of a node, M best of them.
"""

import torch
from torch import Tensor

_IMPROBABLE = -37.0
"""Below, exp(-exp(x)) is 1 - exp(x) to the last digit of float64."""


def best_children(drawn_RC: Tensor, *, parents_R: Tensor, num_best: int) -> tuple[Tensor, Tensor]:
    """Condition the children's values on their greatest being the parent's; return the best.

    The condition keeps the order of a node's children, so it is worked out for the best alone; the
    first gets the parent's value to the last bit.

    Args:
        drawn_RC: `phi + Gumbel noise` of each child, float64, shape `(R, C)`; `-inf` for none.
        parents_R: G of the nodes, float64, shape `(R,)`; `-inf` for nodes without children.
        num_best: Children wanted of each node, at least 1.

    Returns:
        G and places of the M = min(num_best, C) best children, each of shape `(R, M)`, best first.
        G is `-inf` under a parent of `-inf`, and for children that there are not.
    """
    drawn_RM, places_RM = drawn_RC.topk(min(num_best, drawn_RC.shape[1]))
    # Appendix B.3 of Kool et al.: -log(exp(-T) - exp(-Z) + exp(-G)) without its cancellation.
    parents_R1 = parents_R[:, None]
    ahead_RM = parents_R1 - drawn_RM + torch.log1p(-(drawn_RM - drawn_RM[:, :1]).exp())
    perturbed_RM = parents_R1 - ahead_RM.relu() - (-ahead_RM.abs()).exp().log1p()
    missing_RM = (parents_R1 == -torch.inf) | (drawn_RM == -torch.inf)
    return perturbed_RM.masked_fill(missing_RM, -torch.inf), places_RM


def importance_weights(phi: Tensor, *, kappa: Tensor) -> Tensor:
    """Return `p / P(G > kappa)`, the weights under which a sample estimates without bias.

    The estimator is `sum(weight * f)` over a sample of size k, with kappa its (k+1)-th greatest G.

    Args:
        phi: Log-probabilities of the sampled leaves, p = exp(phi), float64, any shape.
        kappa: The greatest G outside the sample; `-inf` if there is none: the sample is then all
            there is, and the weights are the probabilities.

    Returns:
        Weights, at least p, in the broadcast shape.
    """
    # P(G > kappa) = 1 - exp(-exp(phi - kappa)), which is exp(phi - kappa) for what is improbable.
    ahead = phi - kappa
    log_inclusion = torch.where(ahead < _IMPROBABLE, ahead, (-torch.expm1(-ahead.exp())).log())
    return (phi - log_inclusion).exp()
