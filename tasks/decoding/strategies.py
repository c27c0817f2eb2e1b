"""Strategies that choose one token at a time, dispatched on the recipe's `kind`.

Strategies that choose among whole sequences (beams and their kin) keep several hypotheses a row and
need the cache; they belong to the engine and get their own entry beside `choose_tokens`.

B sequences, V vocabulary.
"""

from typing import assert_never

from torch import Tensor

from schemas.strategies import Greedy, MinP, Nucleus, Strategy, Temperature, TopK, Typical
from tasks.decoding.sampling import pick_best, sample
from tasks.decoding.truncation import keep_min_p, keep_nucleus, keep_top_k, keep_typical


def choose_tokens(
    logits_BV: Tensor, *, strategy: Strategy, keys_B: Tensor, steps_B: Tensor
) -> Tensor:
    """Choose the next token of each row: temperature first, then truncation, then one exact draw.

    A row's choice depends on its own logits, key and step alone.

    Args:
        logits_BV: Unnormalised log-probabilities (nats), shape `(B, V)`, float32 or float64.
        strategy: How to choose.
        keys_B: Keys of the rows' randomness, int64, shape `(B,)`.
        steps_B: Number of tokens that each row has already, int64, shape `(B,)`.

    Returns:
        Token ids, int64, shape `(B,)`.
    """
    match strategy:
        case Greedy():
            return pick_best(logits_BV)
        case Temperature() | TopK() | Nucleus() | MinP() | Typical():
            kept_BV = truncate(logits_BV / strategy.temperature, strategy=strategy)
            return sample(kept_BV, keys_B=keys_B, steps_B=steps_B)
        case _:
            assert_never(strategy)


def truncate(
    logits_BV: Tensor, *, strategy: Temperature | TopK | Nucleus | MinP | Typical
) -> Tensor:
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
