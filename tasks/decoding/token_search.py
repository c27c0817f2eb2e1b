"""Token search: one lane a prompt, one token a step, until the text ends.

B lanes (one for each prompt), T generated tokens, V vocabulary, E end-of-text tokens.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from schemas.strategies import Arithmetic, Greedy, Sampled, Temperature
from tasks.decoding.arithmetic import Codes, draw_by_code, open_codes
from tasks.decoding.sampling import token_logprobs
from tasks.decoding.search import Hypothesis, Start, Step
from tasks.decoding.steering import steer
from tasks.decoding.strategies import choose_tokens


class TokenSearch:
    """The strategies that choose one token at a time; see `Search`.

    Args:
        strategy: How to choose.
        end_ids_E: Ids of the tokens that end a text, int64, shape `(E,)`.
        device: Where the logits come.
    """

    lanes_per_prompt = 1
    needs_hidden = False

    def __init__(
        self, strategy: Greedy | Sampled, *, end_ids_E: Tensor, device: torch.device
    ) -> None:
        self._strategy = strategy
        self._end_ids_E = end_ids_E
        self._device = device
        self._keys_B = torch.empty(0, dtype=torch.long, device=device)
        self._steps_B = torch.empty(0, dtype=torch.long, device=device)
        self._targets_B = torch.empty(0, dtype=torch.double, device=device)
        self._codes = Codes(self._targets_B, self._targets_B)
        self._logprobs_B = torch.empty(0, dtype=torch.double, device=device)
        self._tokens_BT = torch.empty(0, strategy.length.max, dtype=torch.long, device=device)
        self._shapes_logits = strategy.length.min > 0

    def admit(self, starts: Sequence[Start]) -> None:
        """Add prompts behind the present ones."""
        device, count = self._device, len(starts)
        keys_B = torch.tensor([start.seed for start in starts], device=device)
        targets_B = torch.tensor(
            [start.target_tokens or torch.nan for start in starts], dtype=torch.double
        )
        self._shapes_logits |= bool(targets_B.isfinite().any())
        self._keys_B = torch.cat([self._keys_B, keys_B])
        self._steps_B = torch.cat([self._steps_B, torch.zeros_like(keys_B)])
        self._targets_B = torch.cat([self._targets_B, targets_B.to(device)])
        self._codes = Codes(
            *map(torch.cat, zip(self._codes, self._open_codes(starts), strict=True))
        )
        zeros_B = torch.zeros(count, dtype=torch.double, device=device)
        self._logprobs_B = torch.cat([self._logprobs_B, zeros_B])
        blank_BT = self._tokens_BT.new_zeros(count, self._tokens_BT.shape[1])
        self._tokens_BT = torch.cat([self._tokens_BT, blank_BT])

    def step(
        self,
        logits_BV: Tensor,
        *,
        allowed_BV: Tensor | None = None,
        hidden_BD: Tensor | None = None,
    ) -> Step:
        """Choose every lane's next token; see `Search.step`."""
        shaped_BV = logits_BV
        if self._shapes_logits or allowed_BV is not None:
            shaped_BV = steer(
                logits_BV,
                steps_B=self._steps_B,
                targets_B=self._targets_B,
                allowed_BV=allowed_BV,
                end_ids_E=self._end_ids_E,
                length=self._strategy.length,
            )
        tokens_B = self._choose(shaped_BV)
        self._logprobs_B += token_logprobs(logits_BV, tokens_B=tokens_B)
        self._tokens_BT.scatter_(1, self._steps_B[:, None], tokens_B[:, None])
        self._steps_B += 1
        done_B = torch.isin(tokens_B, self._end_ids_E)
        done_B |= self._steps_B >= self._strategy.length.max
        done_B |= ~self._logprobs_B.isfinite()
        return Step(tokens_B, None, done_B.nonzero().squeeze(-1).tolist())

    def keep(self, order_S: Tensor) -> None:
        """Keep some prompts, in the order given."""
        self._keys_B = self._keys_B[order_S]
        self._steps_B = self._steps_B[order_S]
        self._targets_B = self._targets_B[order_S]
        self._codes = Codes(self._codes.values_B[order_S], self._codes.cells_B[order_S])
        self._logprobs_B = self._logprobs_B[order_S]
        self._tokens_BT = self._tokens_BT[order_S]

    def results(self, prompt: int) -> list[Hypothesis]:
        """Return the prompt's text; none if its logits were not numbers."""
        logprob = float(self._logprobs_B[prompt])
        if not torch.isfinite(self._logprobs_B[prompt]):
            return []
        tokens: list[int] = self._tokens_BT[prompt, : int(self._steps_B[prompt])].tolist()
        ended = bool(tokens) and bool(torch.isin(tokens[-1], self._end_ids_E))
        return [Hypothesis(tokens, logprob, ended)]

    def _choose(self, logits_BV: Tensor) -> Tensor:
        strategy, keys = self._strategy, {"keys_B": self._keys_B, "steps_B": self._steps_B}
        if not isinstance(strategy, Arithmetic):
            return choose_tokens(logits_BV, strategy=strategy, **keys)
        free_B = choose_tokens(
            logits_BV, strategy=Temperature(temperature=strategy.temperature), **keys
        )
        spent_B = self._codes.cells_B >= 1
        coded_B, self._codes = draw_by_code(logits_BV / strategy.temperature, self._codes, **keys)
        # A spent code is a fresh number; the usual draw heeds the last bits of the logits less.
        return torch.where(spent_B, free_B, coded_B)

    def _open_codes(self, starts: Sequence[Start]) -> Codes:
        if not isinstance(self._strategy, Arithmetic):
            spent_B = torch.ones(len(starts), dtype=torch.double, device=self._device)
            return Codes(spent_B, spent_B)
        seeds = [start.shared_seed for start in starts]
        return open_codes(
            torch.tensor(seeds, device=self._device),
            members_B=torch.tensor([start.member for start in starts], device=self._device),
            num_members=self._strategy.rows_per_prompt,
        )
