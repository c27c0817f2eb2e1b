"""Length: hard bounds on the number of generated tokens.

B sequences, V vocabulary, E end-of-text tokens.
"""

import math

from torch import Tensor

from schemas.strategies import Length


def forbid_early_end(
    logits_BV: Tensor, *, steps_B: Tensor, end_ids_E: Tensor, length: Length
) -> Tensor:
    """Mask the end-of-text tokens of rows that have fewer than `length.min` tokens before them.

    Args:
        logits_BV: Unnormalised log-probabilities, shape `(B, V)`.
        steps_B: Number of tokens that each row has already, int64, shape `(B,)`.
        end_ids_E: Ids of the tokens that end a text, int64, shape `(E,)`; may be empty.
        length: Bounds on the number of tokens.

    Returns:
        A new tensor, shape `(B, V)`.
    """
    early_B1 = (steps_B < length.min)[:, None]
    masked_BE = logits_BV[:, end_ids_E].masked_fill(early_B1, -math.inf)
    return logits_BV.index_copy(1, end_ids_E, masked_BE)


def is_full(num_tokens: int, *, length: Length) -> bool:
    """Tell whether a text of `num_tokens` tokens, none of them an end, must be cut here.

    The end-of-text token counts: as the last of `length.max` tokens it ends a text that is whole.
    """
    return num_tokens >= length.max
