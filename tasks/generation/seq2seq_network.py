"""An encoder-decoder network as its lanes call it: a prompt is read once, a reply token by token.

B lanes, P prompts, T positions of a reply, S positions of a prompt, V vocabulary, D hidden size.
"""

from typing import Any

import torch
from torch import Tensor

from tasks.generation.network import TOLERANCE, Probe, agree, num_bytes

_SHORT, _LONG = 5, 16


class Seq2SeqNetwork:
    """An encoder-decoder transformers model, reduced to what decoding needs.

    Args:
        model: The model, on its device, in evaluation mode.
        decoder_prompt: Tokens that every reply stands behind: the decoder's start token and, where
            the model's generation settings force it, the opening token. They are no choice of the
            model's and count no tokens.
    """

    def __init__(self, model: Any, *, decoder_prompt: tuple[int, ...]) -> None:
        self._model = model
        self._encoder = model.get_encoder()
        self.decoder_prompt = decoder_prompt
        self.vocabulary_size: int = model.config.get_text_config(decoder=True).vocab_size
        # Models with relative positions name no bound.
        self.num_positions: int | None = getattr(model.config, "max_position_embeddings", None)

    def encode(self, input_PS: Tensor, *, mask_PS: Tensor | None) -> Tensor:
        """Read whole prompts.

        Args:
            input_PS: Token ids, shape `(P, S)`, padded on the right.
            mask_PS: 1 where a position is real, 0 where it is padding; None without padding.

        Returns:
            The encoder's hidden states, shape `(P, S, D)`.
        """
        states_PSD: Tensor = self._encoder(
            input_ids=input_PS, attention_mask=mask_PS
        ).last_hidden_state
        return states_PSD

    def decode(
        self,
        tokens_BT: Tensor,
        *,
        states_BSD: Tensor,
        mask_BS: Tensor | None,
        cache: Any,
        hidden: bool = False,
    ) -> tuple[Tensor, Any, Tensor | None]:
        """Read tokens of replies behind the cache.

        Args:
            tokens_BT: Token ids, shape `(B, T)`.
            states_BSD: What `encode` returned for each lane's prompt.
            mask_BS: The mask of these prompts; None without padding.
            cache: What the last call returned, None at first.
            hidden: Whether hidden states are wanted.

        Returns:
            Logits behind each token, shape `(B, T, V)`, the grown cache, and the decoder's last
            hidden states, shape `(B, T, D)`, or None.
        """
        from transformers.modeling_outputs import BaseModelOutput

        output = self._model(
            encoder_outputs=BaseModelOutput(last_hidden_state=states_BSD),
            attention_mask=mask_BS,
            decoder_input_ids=tokens_BT,
            past_key_values=cache,
            use_cache=True,
            output_hidden_states=hidden,
        )
        hidden_BTD = output.decoder_hidden_states[-1] if hidden else None
        return output.logits, output.past_key_values, hidden_BTD

    def read(self, tokens_T: Tensor, *, num_last: int) -> Tensor:
        """Read one prompt and its reply at once.

        Args:
            tokens_T: The prompt and behind it the reply without its last token, shape `(T,)`.
            num_last: Number of the reply's tokens, the last included, in [1, T].

        Returns:
            The logits that each of the reply's tokens is chosen from, shape `(num_last, V)`.
        """
        num_prompt = len(tokens_T) - num_last + 1
        prompt_S, reply_T = tokens_T[:num_prompt], tokens_T[num_prompt:]
        opening_T = tokens_T.new_tensor(self.decoder_prompt)
        logits_BTV, _, _ = self.decode(
            torch.cat([opening_T, reply_T])[None],
            states_BSD=self.encode(prompt_S[None], mask_PS=None),
            mask_BS=None,
            cache=None,
        )
        return logits_BTV[0, -num_last:]


@torch.inference_mode()
def probe_seq2seq(network: Seq2SeqNetwork, *, device: torch.device, dtype: torch.dtype) -> Probe:
    """Read a short prompt alone and beside a longer one, two steps of each reply, and compare."""
    ids_S = (torch.arange(_LONG, device=device) * 7 + 3) % network.vocabulary_size
    input_PS = torch.stack([ids_S, ids_S])
    mask_PS = torch.ones_like(input_PS)
    mask_PS[1, _SHORT:] = 0
    alone_BSD = network.encode(input_PS[1:, :_SHORT], mask_PS=None)
    both_BSD = network.encode(input_PS, mask_PS=mask_PS)
    opening_T = torch.tensor(network.decoder_prompt, device=device)
    alone_cache: Any = None
    both_cache: Any = None
    same = True
    for tokens_T in (opening_T, ids_S[:1]):
        alone_BTV, alone_cache, _ = network.decode(
            tokens_T[None], states_BSD=alone_BSD, mask_BS=None, cache=alone_cache
        )
        both_BTV, both_cache, _ = network.decode(
            tokens_T.expand(2, -1), states_BSD=both_BSD, mask_BS=mask_PS, cache=both_cache
        )
        same = same and agree(alone_BTV[0, -1], both_BTV[1, -1], tolerance=TOLERANCE[dtype])
    num_read = len(opening_T) + 1
    # A token of the prompt keeps keys, values and its state, one of the reply the first two.
    state_bytes = both_BSD[0, 0].nbytes
    return Probe(same, num_bytes(both_cache.self_attention_cache) // (2 * num_read) + state_bytes)
