"""What a row's form and length ask of its next token, put into the logits.

B sequences, V vocabulary, E end-of-text tokens.
"""

import math

from torch import Tensor

from schemas.strategies import Length


def steer(
    logits_BV: Tensor,
    *,
    steps_B: Tensor,
    targets_B: Tensor,
    allowed_BV: Tensor | None,
    end_ids_E: Tensor,
    length: Length,
) -> Tensor:
    """Mask what the form or `length.min` forbids and steer the end towards the target length.

    At step t the logits of end-of-text tokens are raised by `strength * (t - target) / target`,
    which lowers them before the target and changes no ratio between other tokens. Where the form
    allows nothing but the end, the end is allowed before `length.min`, too.

    Args:
        logits_BV: The model's own logits (nats), shape `(B, V)`; temperature comes afterwards.
        steps_B: Number of tokens that each row has already, int64, shape `(B,)`.
        targets_B: Length in tokens that each row is steered to, float64, shape `(B,)`; NaN for
            rows without a target.
        allowed_BV: False for tokens that the output's form forbids; None when all are allowed.
        end_ids_E: Ids of the tokens that end a text, int64, shape `(E,)`; may be empty.
        length: Bounds on the number of tokens and the strength of steering.

    Returns:
        Logits, shape `(B, V)`; `logits_BV` itself where nothing is asked.
    """
    if allowed_BV is not None:
        logits_BV = logits_BV.masked_fill(~allowed_BV, -math.inf)
    early_B = steps_B < length.min
    biases_B = (length.strength * (steps_B - targets_B) / targets_B).nan_to_num(nan=0.0)
    if not (early_B.any() or biases_B.any()):
        return logits_BV
    if allowed_BV is not None:
        early_B = early_B & allowed_BV.index_fill(1, end_ids_E, False).any(-1)
    ends_BE = logits_BV[:, end_ids_E] + biases_B[:, None].to(logits_BV.dtype)
    return logits_BV.index_copy(1, end_ids_E, ends_BE.masked_fill(early_B[:, None], -math.inf))
