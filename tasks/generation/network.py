"""The network as the engine calls it: tokens and cache in, next-token logits and cache out.

B rows, T positions, V vocabulary, D hidden size.
"""

import inspect
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 1e-1, torch.float16: 3e-2}
"""Greatest difference of logits, relative to the largest, that rounding alone explains."""
_SHORT, _LONG = 5, 16


class Network:
    """A decoder-only transformers model, reduced to what decoding needs.

    Args:
        model: The model, on its device, in evaluation mode.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self.vocabulary_size: int = model.config.get_text_config().vocab_size
        self.can_be_recorded = True
        """Whether recording its steps has not failed yet; see `tasks.generation.captured_step`."""
        parameters = inspect.signature(model.forward).parameters
        self._options: dict[str, Any] = {"use_cache": True}
        if "logits_to_keep" in parameters:
            self._options["logits_to_keep"] = 1
        # Models without it (ALiBi) derive positions from the mask.
        self._takes_positions = "position_ids" in parameters

    @property
    def place(self) -> tuple[torch.device, torch.dtype]:
        """Where the model is, and what it computes in."""
        return self._model.device, self._model.dtype

    @property
    def attends_everywhere(self) -> bool:
        """Whether every layer attends, by any mask and at given positions, to all before it."""
        config = self._model.config.get_text_config()
        kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
        window = getattr(config, "sliding_window", None)
        is_windowed = window is not None and getattr(config, "use_sliding_window", True)
        return (
            self._takes_positions
            and config._attn_implementation == "sdpa"
            and kinds == {"full_attention"}
            and not is_windowed
        )

    def forward(
        self, input_BT: Tensor, *, position_BT: Tensor, mask_BT: Tensor | None, cache: Any
    ) -> tuple[Tensor, Any]:
        """Read tokens behind the cache.

        Args:
            input_BT: Token ids, shape `(B, T)`.
            position_BT: Their positions in their own rows, padding not counted, shape `(B, T)`.
            mask_BT: 1 where a position of cache and input is real, 0 where it is padding, shape
                `(B, T of both)`; None without padding.
            cache: What the last call returned, None at first.

        Returns:
            Logits behind the last position, shape `(B, V)`, and the grown cache.
        """
        output = self._run(input_BT, position_BT=position_BT, mask_BT=mask_BT, cache=cache)
        return output.logits[:, -1], output.past_key_values

    def forward_hidden(
        self, input_BT: Tensor, *, position_BT: Tensor, mask_BT: Tensor | None, cache: Any
    ) -> tuple[Tensor, Any, Tensor]:
        """Read tokens as `forward` does, and return their last hidden states too.

        Returns:
            Logits, the grown cache, and what the model itself calls its last hidden states, most
            often those behind the final normalisation, shape `(B, T, D)`.
        """
        output = self._run(
            input_BT,
            position_BT=position_BT,
            mask_BT=mask_BT,
            cache=cache,
            output_hidden_states=True,
        )
        return output.logits[:, -1], output.past_key_values, output.hidden_states[-1]

    def _run(
        self,
        input_BT: Tensor,
        *,
        position_BT: Tensor,
        mask_BT: Tensor | None,
        cache: Any,
        **more: bool,
    ) -> Any:
        positions = {"position_ids": position_BT} if self._takes_positions else {}
        return self._model(
            input_ids=input_BT,
            attention_mask=mask_BT,
            past_key_values=cache,
            **positions,
            **self._options,
            **more,
        )

    def read_on(
        self, input_BT: Tensor, *, position_BT: Tensor, mask_BT: Tensor, cache: Any
    ) -> Tensor:
        """Read tokens behind the cache, as `forward` does, and keep what is said behind each.

        Returns:
            Logits behind every position of `input_BT`, shape `(B, T, V)`.
        """
        positions = {"position_ids": position_BT} if self._takes_positions else {}
        output = self._model(
            input_ids=input_BT,
            attention_mask=mask_BT,
            past_key_values=cache,
            use_cache=True,
            **positions,
        )
        logits_BTV: Tensor = output.logits
        return logits_BTV

    def read(self, tokens_T: Tensor, *, num_last: int) -> Tensor:
        """Read one sequence at once, without a cache.

        Args:
            tokens_T: Token ids, shape `(T,)`.
            num_last: Number of positions at the end whose logits are wanted, in [1, T].

        Returns:
            Logits behind each of them, shape `(num_last, V)`.
        """
        options = {"logits_to_keep": num_last} if "logits_to_keep" in self._options else {}
        output = self._model(input_ids=tokens_T[None], use_cache=False, **options)
        logits_TV: Tensor = output.logits[0, -num_last:]
        return logits_TV


@dataclass(frozen=True, slots=True)
class Probe:
    """What a trial run of a network showed.

    Args:
        pads_left: Whether a padded row got the logits that it gets alone: padded on the left, or on
            the right where an encoder reads it.
        cache_bytes: Bytes that one token of one row takes while the row is written.
    """

    pads_left: bool
    cache_bytes: int


@torch.inference_mode()
def probe(network: Network, *, device: torch.device, dtype: torch.dtype) -> Probe:
    """Run a short row alone and beside a longer one, prompt and one more step, and compare."""
    ids_T = (torch.arange(_LONG + 1, device=device) * 7 + 3) % network.vocabulary_size
    place_T = torch.arange(_LONG + 1, device=device)
    pad = _LONG - _SHORT
    input_BT = torch.stack([ids_T, ids_T.roll(pad)])
    mask_BT = torch.stack([place_T >= 0, place_T >= pad]).long()
    position_BT = torch.stack([place_T, (place_T - pad).clamp(min=0)])
    alone_cache = both_cache = None
    same, cache_bytes = True, 0
    for start, end in ((0, _LONG), (_LONG, _LONG + 1)):
        first = max(start, pad)
        alone_BV, alone_cache = network.forward(
            input_BT[1:, first:end],
            position_BT=position_BT[1:, first:end],
            mask_BT=None,
            cache=alone_cache,
        )
        both_BV, both_cache = network.forward(
            input_BT[:, start:end],
            position_BT=position_BT[:, start:end],
            mask_BT=mask_BT[:, :end],
            cache=both_cache,
        )
        same = same and agree(alone_BV[0], both_BV[1], tolerance=TOLERANCE[dtype])
        cache_bytes = num_bytes(both_cache) // (2 * end)
    return Probe(same, cache_bytes)


def num_bytes(cache: Any) -> int:
    """Add up the bytes of keys and values; recurrent states do not grow and are left out."""
    return sum(
        layer.keys.nbytes + layer.values.nbytes
        for layer in cache.layers
        if getattr(layer, "keys", None) is not None
    )


def agree(one_V: Tensor, other_V: Tensor, *, tolerance: float) -> bool:
    """Tell whether two readings of one row are equal but for rounding."""
    # A model whose logits are not numbers fails row by row later; that is not padding's fault.
    one_V, other_V = one_V.float().nan_to_num(), other_V.float().nan_to_num()
    return bool((one_V - other_V).abs().max() <= tolerance * max(1.0, float(one_V.abs().max())))
