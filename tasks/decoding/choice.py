"""Choosing among the ways to continue a beam search.

R searches, K beams of a search, N candidates of a search.
"""

import math
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, slots=True)
class Candidates:
    """Ways to continue each search: the best tokens of each of its lanes, lane by lane.

    Args:
        scores_RN: Score of the lane with the token, masked and steered; `-inf` for none.
        logprobs_RN: The same under the model itself.
        tokens_RN: The tokens, int64.
        ends_RN: Whether they are end-of-text tokens.
        broken_R: Whether the prompt's logits are not numbers.
    """

    scores_RN: Tensor
    logprobs_RN: Tensor
    tokens_RN: Tensor
    ends_RN: Tensor
    broken_R: Tensor


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen among the N candidates of each search, by place, best first.

    Args:
        best_scores_RK: Scores of the best; those that end are finished.
        best_RK: Their places.
        going_scores_RK: Scores of the best that do not end: they go on.
        going_RK: Their places.
    """

    best_scores_RK: Tensor
    best_RK: Tensor
    going_scores_RK: Tensor
    going_RK: Tensor


def choose(scores_RN: Tensor, *, ends_RN: Tensor, num_beams: int) -> Choice:
    """Choose the `num_beams` best candidates of each search, and the best that do not end."""
    best = scores_RN.topk(num_beams, dim=-1)
    going = scores_RN.masked_fill(ends_RN, -math.inf).topk(num_beams, dim=-1)
    return Choice(best.values, best.indices, going.values, going.indices)
