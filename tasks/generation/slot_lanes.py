"""Lanes in slots: a finished lane's place is taken by the next prompt while the others go on.

B lanes, P prompts, T positions, W columns, V vocabulary, D hidden size.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from tasks.generation.captured_step import open_captured, warn_of_failed_capture
from tasks.generation.lanes import Reading
from tasks.generation.memory import is_out_of_memory
from tasks.generation.network import TOLERANCE, Network, agree
from tasks.generation.padding import PAD_MULTIPLE
from tasks.generation.slot_cache import SlotCache

_TOKENS_AT_ONCE = 2048
"""Prompt tokens, padding included, of one forward pass."""
_ROOM = 16
"""Least number of columns beyond what one lane needs."""
_TRIAL = 12
"""Tokens of the trial prompt."""


class SlotLanes:
    """A decoder-only model whose lanes come and go one by one; see `Lanes`.

    Args:
        network: The model.
        prefix: Tokens that every prompt begins with; they are read once.
        longest: Tokens of the longest prompt.
        max_new_tokens: Most tokens that a lane generates.
        max_lanes: Most lanes at once.
    """

    refills = True
    ragged = True

    def __init__(
        self,
        network: Network,
        *,
        prefix: Sequence[int] = (),
        longest: int,
        max_new_tokens: int,
        max_lanes: int,
    ) -> None:
        self._network = network
        self._device, self._dtype = network.place
        self._prefix = list(prefix)
        self._first_column = len(prefix) + _rounded_up(longest - len(prefix))
        # Room to the right for some refills before everything must move to the left.
        num_columns = self._first_column + max_new_tokens + max(_ROOM, max_new_tokens // 2)
        self._cache = SlotCache(num_lanes=max_lanes, num_columns=num_columns)
        self._hide = torch.finfo(self._dtype).min
        self._mask_BW = torch.full(
            (max_lanes, num_columns), self._hide, dtype=self._dtype, device=self._device
        )
        self._captured = open_captured(network, self._cache, self._mask_BW)
        self._position_B = torch.empty(0, dtype=torch.long, device=self._device)
        self._column = self._first_column
        # Bookkeeping of the host: where each lane begins, and where its own tokens begin.
        self._starts: list[int] = []
        self._births: list[int] = []
        self._num_columns = num_columns
        self._knows_prefix = not prefix
        self._prefix_states_TD: Tensor | None = None

    @torch.inference_mode()
    def admit(
        self, prompts: Sequence[Sequence[int]], *, copies: int, hidden: bool = False
    ) -> Reading:
        """Read prompts into new lanes behind the present ones; see `Lanes.admit`."""
        if not self._starts:
            self._column = self._first_column
        if not self._knows_prefix:
            self._read_prefix(hidden=hidden)
        readings = [
            self._admit(part, copies=copies, hidden=hidden) for part in self._parts(prompts)
        ]
        last_hidden = [reading.hidden_BD for reading in readings if reading.hidden_BD is not None]
        return Reading(
            torch.cat([reading.logits_BV for reading in readings]),
            torch.cat(last_hidden) if last_hidden else None,
            [states_TD for reading in readings for states_TD in reading.prompt_hidden],
        )

    @torch.inference_mode()
    def step(self, tokens_B: Tensor, *, hidden: bool = False) -> Reading:
        """Let every lane read one token; see `Lanes.step`."""
        if self._column == self._num_columns:
            self._move_left()
        num_lanes, column = len(self._starts), self._column
        self._mask_BW[:num_lanes, column] = 0
        tokens_B = tokens_B.to(self._device)
        logits_BV = None if hidden else self._replay(tokens_B)
        states_BTD = None
        if logits_BV is None:
            first = min(self._starts)
            self._cache.write_step(num_lanes=num_lanes, first_column=first, column=column)
            logits_BV, states_BTD = self._read(
                tokens_B[:, None],
                position_BT=self._position_B[:, None],
                mask_B1TW=self._mask_BW[:num_lanes, None, None, first : column + 1],
                hidden=hidden,
            )
        self._column += 1
        self._position_B += 1
        return Reading(logits_BV, None if states_BTD is None else states_BTD[:, -1])

    @torch.inference_mode()
    def reorder(self, parents_B: Tensor) -> None:
        """Let each lane go on from another of the same prompt; see `Lanes.reorder`."""
        parents_B = parents_B.to(self._device)
        moved = (parents_B != torch.arange(len(parents_B), device=self._device)).nonzero()
        targets = moved.squeeze(-1)
        if targets.numel():
            # Lanes of one prompt share what stands in front of their own tokens.
            own = slice(min(self._births), self._column)
            self._cache.copy_lanes(parents_B[targets], targets, columns=own)

    @torch.inference_mode()
    def clear(self, lanes: Sequence[int]) -> None:
        """Forget what some lanes hold; see `Lanes.clear`."""
        self._cache.clear_lanes(lanes)

    @torch.inference_mode()
    def keep(self, order_B: Tensor) -> None:
        """Keep some lanes, in the order given; see `Lanes.keep`."""
        order = order_B.tolist()
        moves = [(source, target) for target, source in enumerate(order) if source != target]
        if moves:
            sources, targets = torch.tensor(moves, device=self._device).unbind(1)
            used = slice(min(self._starts[lane] for lane in order), self._column)
            self._cache.copy_lanes(sources, targets, columns=used)
            self._mask_BW[targets] = self._mask_BW[sources]
        self._position_B = self._position_B[order_B.to(self._device)]
        self._starts = [self._starts[lane] for lane in order]
        self._births = [self._births[lane] for lane in order]

    def _replay(self, tokens_B: Tensor) -> Tensor | None:
        """Step by a recording; None where there is none to be had."""
        if self._captured is None:
            return None
        try:
            return self._captured.run(tokens_B, position_B=self._position_B, column=self._column)
        except RuntimeError as error:
            if is_out_of_memory(error):
                raise
            warn_of_failed_capture(error)
            self._captured = None
            self._network.can_be_recorded = False
            return None

    def _parts(self, prompts: Sequence[Sequence[int]]) -> Iterator[Sequence[Sequence[int]]]:
        """Cut prompts into parts whose padded tokens fit one forward pass."""
        width = _rounded_up(max(map(len, prompts)))
        size = max(1, _TOKENS_AT_ONCE // width)
        for first in range(0, len(prompts), size):
            yield prompts[first : first + size]

    def _read_prefix(self, *, hidden: bool) -> None:
        self._knows_prefix = True
        tokens_1T = torch.tensor([self._prefix], device=self._device)
        self._cache.read_prefix()
        _, states_1TD = self._read(
            tokens_1T,
            position_BT=torch.arange(tokens_1T.shape[1], device=self._device)[None],
            mask_B1TW=self._causal(tokens_1T.shape[1])[None, None],
            hidden=hidden,
        )
        self._prefix_states_TD = None if states_1TD is None else states_1TD[0]

    def _admit(self, prompts: Sequence[Sequence[int]], *, copies: int, hidden: bool) -> Reading:
        known = len(self._prefix)
        lengths = torch.tensor([len(prompt) - known for prompt in prompts])
        width = int(lengths.max())
        if self._dtype != torch.float32 and int(lengths.min()) != width:
            width = _rounded_up(width)
        padded = [[0] * (width + known - len(prompt)) + [*prompt[known:]] for prompt in prompts]
        position_PT = torch.arange(width) + lengths[:, None] - width
        real_PT = (position_PT >= 0).to(self._device)
        position_PT = (position_PT.clamp(min=0) + known).to(self._device)
        seen_PW = torch.nn.functional.pad(real_PT, (known, 0), value=True)
        mask_P1TW = self._causal(width, known=known)[None, None].expand(len(prompts), -1, -1, -1)
        mask_P1TW = mask_P1TW.masked_fill(~seen_PW[:, None, None], self._hide)
        first = len(self._starts)
        self._cache.read_prompts(first=first, copies=copies, column=self._column)
        logits_PV, states_PTD = self._read(
            torch.tensor(padded, device=self._device),
            position_BT=position_PT,
            mask_B1TW=mask_P1TW,
            hidden=hidden,
        )
        self._enter(seen_PW, position_PT[:, -1] + 1, copies=copies)
        logits_BV = logits_PV.repeat_interleave(copies, 0)
        if states_PTD is None:
            return Reading(logits_BV)
        known_TD = states_PTD[0, :0] if self._prefix_states_TD is None else self._prefix_states_TD
        return Reading(
            logits_BV,
            states_PTD[:, -1].repeat_interleave(copies, 0),
            [
                torch.cat([known_TD, states_TD[width - length :]])
                for states_TD, length in zip(states_PTD, lengths, strict=True)
            ],
        )

    def _read(
        self, input_BT: Tensor, *, position_BT: Tensor, mask_B1TW: Tensor, hidden: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        if not hidden:
            logits_BV, _ = self._network.forward(
                input_BT, position_BT=position_BT, mask_BT=mask_B1TW, cache=self._cache
            )
            return logits_BV, None
        logits_BV, _, states_BTD = self._network.forward_hidden(
            input_BT, position_BT=position_BT, mask_BT=mask_B1TW, cache=self._cache
        )
        return logits_BV, states_BTD

    def _enter(self, seen_PW: Tensor, position_P: Tensor, *, copies: int) -> None:
        """Note where the lanes of new prompts begin, and what they see."""
        num_new, width = len(seen_PW) * copies, seen_PW.shape[1]
        first, start = len(self._starts), self._column - width
        lanes = self._mask_BW[first : first + num_new]
        lanes.fill_(self._hide)
        visible_BW = seen_PW.repeat_interleave(copies, 0)
        lanes[:, start : self._column].masked_fill_(visible_BW, 0)
        self._position_B = torch.cat([self._position_B, position_P.repeat_interleave(copies, 0)])
        self._starts += [start] * num_new
        self._births += [self._column] * num_new

    def _causal(self, width: int, *, known: int = 0) -> Tensor:
        """Mask of `width` new positions behind `known` ones, shape `(width, known + width)`."""
        hidden = torch.full((width, known + width), self._hide, dtype=self._dtype)
        return hidden.triu_(known + 1).to(self._device)

    def _move_left(self) -> None:
        """Drop the columns that no lane uses any more, but leave room for any prompt."""
        first, num_lanes = min(self._starts), len(self._starts)
        first = min(first, self._column - self._first_column)
        used = slice(first, self._column)
        self._cache.shift(num_lanes=num_lanes, columns=used)
        moved_BW = self._mask_BW[:num_lanes, used].clone()
        self._mask_BW[:num_lanes].fill_(self._hide)
        self._mask_BW[:num_lanes, : moved_BW.shape[1]] = moved_BW
        self._starts = [start - first for start in self._starts]
        self._births = [birth - first for birth in self._births]
        self._column -= first


def _rounded_up(length: int) -> int:
    return -(-length // PAD_MULTIPLE) * PAD_MULTIPLE


@torch.inference_mode()
def serves(network: Network) -> bool:
    """Tell whether a model computes the same in slots as in its own cache.

    Slots need attention that heeds any mask and given positions, and sees all that came before:
    windows, recurrent states and positions that are derived from masks do not fit.
    """
    if not network.attends_everywhere:
        return False
    ids_T = [(place * 7 + 3) % network.vocabulary_size for place in range(_TRIAL + 1)]
    device, dtype = network.place
    lanes = SlotLanes(network, longest=_TRIAL, max_new_tokens=2, max_lanes=3)
    try:
        lanes.admit([ids_T[:_TRIAL], ids_T[3:_TRIAL]], copies=1)
        stepped = lanes.step(torch.full((2,), ids_T[_TRIAL])).logits_BV
    # A model that does not know this kind of cache may fail in any way.
    except Exception as error:
        if is_out_of_memory(error):
            raise
        return False
    return all(
        agree(alone_TV[-1], stepped_V, tolerance=TOLERANCE[dtype])
        for first, stepped_V in zip((0, 3), stepped, strict=True)
        for alone_TV in [network.read(torch.tensor(ids_T[first:], device=device), num_last=1)]
    )
