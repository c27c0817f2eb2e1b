"""Writing rows with a model that continues its prompts: jobs, the lanes that fit it, the engine."""

from collections.abc import Iterator, Sequence

from schemas.output import Output
from schemas.strategies import Strategy
from tasks.generation.constraints import Constraint
from tasks.generation.engine import Engine
from tasks.generation.jobs import Job, Row, common_prefix, jobs_of
from tasks.generation.lanes import Lanes
from tasks.generation.loading import LoadedModel
from tasks.generation.lockstep_lanes import LockstepLanes
from tasks.generation.masked_network import MaskedNetwork
from tasks.generation.network import Network
from tasks.generation.protocol import Completion
from tasks.generation.seq2seq_lanes import Seq2SeqLanes
from tasks.generation.seq2seq_network import Seq2SeqNetwork
from tasks.generation.slot_lanes import SlotLanes, serves
from tasks.generation.tokenisation import PromptCodec

LOGPROB_DIGITS = 2
"""Digits of mean log-probabilities and of weights' logarithms. Batches differ by some 1e-6 nats:
what is rounded differs only on a border, in less than one row of ten thousand."""


class LaneWriter:
    """Writes rows with a decoder-only or an encoder-decoder model.

    Args:
        model: What computes.
        codec: What turns text into tokens and back.
        strict: Whether shapes must depend on nothing but the row. Lanes then keep to the model's
            own cache, and log-probabilities keep all their digits.
    """

    def __init__(self, model: LoadedModel, *, codec: PromptCodec, strict: bool) -> None:
        self._model = model
        self._codec = codec
        self.slots = not strict and isinstance(self._network, Network) and serves(self._network)
        """Whether lanes are refilled while others go on."""
        self._engine = Engine(
            codec,
            end_ids=model.end_ids,
            vocabulary_size=self._network.vocabulary_size,
            device=model.chooser,
            num_digits=None if strict else LOGPROB_DIGITS,
        )
        self._forms: dict[Output, Constraint] = {}

    @property
    def _network(self) -> Network | Seq2SeqNetwork:
        assert not isinstance(self._model.network, MaskedNetwork)
        return self._model.network

    def width(self, strategy: Strategy) -> int:
        """Return the number of lanes that one search of a strategy takes."""
        return self._engine.width(strategy)

    def run(
        self, rows: Sequence[Row], *, strategy: Strategy, max_lanes: int
    ) -> Iterator[Completion]:
        """Yield each row's completion as it is finished.

        Args:
            rows: At least one, all with this strategy and one form of output.
            strategy: How to write them.
            max_lanes: Most lanes at once, at least those of one search.

        Raises:
            InputError: If the vocabulary cannot write the form (CS-M004).
            RuntimeError: What the model raises, for one when the memory does not suffice.
        """
        jobs = jobs_of(rows, strategy)
        lanes = self._open_lanes(jobs, strategy, max_lanes=max_lanes)
        form = self._form_of(rows[0].request.output)
        yield from self._engine.run(
            jobs, strategy=strategy, lanes=lanes, max_lanes=max_lanes, form=form
        )

    def _open_lanes(self, jobs: Sequence[Job], strategy: Strategy, *, max_lanes: int) -> Lanes:
        device, pads = self._model.device, self._model.probe.pads_left
        if isinstance(self._network, Seq2SeqNetwork):
            return Seq2SeqLanes(self._network, device=device, pads_right=pads)
        if not self.slots:
            return LockstepLanes(self._network, device=device, pads_left=pads)
        return SlotLanes(
            self._network,
            prefix=common_prefix(jobs),
            longest=len(jobs[0].prompt),
            max_new_tokens=strategy.length.max,
            max_lanes=max_lanes,
        )

    def _form_of(self, output: Output | None) -> Constraint | None:
        """Compile the form of replies, once."""
        if output is None:
            return None
        if output not in self._forms:
            self._forms[output] = Constraint(
                output,
                tokenizer=self._codec.tokenizer,
                vocabulary_size=self._network.vocabulary_size,
                end_ids=self._model.end_ids,
            )
        return self._forms[output]
