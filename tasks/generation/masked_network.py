"""A masked network as its engine calls it: texts with gaps in, the logits of one gap of each out.

B rows, T positions, V vocabulary.
"""

from typing import Any

import torch
from torch import Tensor

from tasks.generation.network import TOLERANCE, Probe, agree

_SHORT, _LONG = 5, 16


class MaskedNetwork:
    """A masked transformers model, reduced to what filling gaps needs.

    Args:
        model: The model, on its device, in evaluation mode.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self.vocabulary_size: int = model.config.get_text_config().vocab_size
        # Models with relative positions name no bound.
        self.num_positions: int | None = getattr(model.config, "max_position_embeddings", None)

    def read(self, input_BT: Tensor, *, mask_BT: Tensor | None, places_B: Tensor) -> Tensor:
        """Read whole texts.

        Args:
            input_BT: Token ids, shape `(B, T)`, padded on the right.
            mask_BT: 1 where a position is real, 0 where it is padding; None without padding.
            places_B: The position of each row whose logits are wanted, int64, shape `(B,)`.

        Returns:
            Logits there, shape `(B, V)`.
        """
        logits_BTV: Tensor = self._model(input_ids=input_BT, attention_mask=mask_BT).logits
        return logits_BTV[torch.arange(len(places_B), device=places_B.device), places_B]


@torch.inference_mode()
def probe_masked(network: MaskedNetwork, *, device: torch.device, dtype: torch.dtype) -> Probe:
    """Read a short row alone and beside a longer one, and compare."""
    ids_T = (torch.arange(_LONG, device=device) * 7 + 3) % network.vocabulary_size
    input_BT = torch.stack([ids_T, ids_T])
    mask_BT = torch.ones_like(input_BT)
    mask_BT[1, _SHORT:] = 0
    places_B = torch.full((2,), _SHORT - 2, device=device)
    alone_BV = network.read(input_BT[1:, :_SHORT], mask_BT=None, places_B=places_B[1:])
    both_BV = network.read(input_BT, mask_BT=mask_BT, places_B=places_B)
    # The logits of every position are computed, and are far more than anything else that is kept.
    return Probe(agree(alone_BV[0], both_BV[1], tolerance=TOLERANCE[dtype]), both_BV[0].nbytes)
