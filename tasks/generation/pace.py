"""How a shard's generation is coming along, noted beside its file."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from tasks.generation.protocol import Completion
from tasks.planning.costs import Cost, Stopwatch, note_cost, read_cost

_NOTE_SECONDS = 0.5


class Pace:
    """Counts replies and tokens; writes them at most twice a second, so that it costs nothing.

    Seconds that an interrupted try spent on the same shard are carried over. A backend works
    strategy by strategy, so the time since the reply before belongs to the strategy of this one.

    Args:
        path: The shard's file of candidates.
        prompt_tokens: Tokens of all its prompts.
        strategy_of: Place of each row's strategy in the recipe, by row number. (Two entries of a
            recipe may be equal, so a request's strategy does not tell which it is.)
    """

    def __init__(self, path: Path, *, prompt_tokens: int, strategy_of: Mapping[int, int]) -> None:
        earlier = read_cost(path)
        self._path = path
        self._earlier_seconds = earlier.seconds if earlier is not None else 0.0
        self._strategy_seconds = defaultdict[int, float](
            float, earlier.strategy_seconds if earlier is not None else {}
        )
        self._prompt_tokens = prompt_tokens
        self._strategy_of = strategy_of
        self._rows = self._tokens = 0
        self._watch = Stopwatch()
        self._replied = self._noted = 0.0

    def note(self, reply: Completion) -> None:
        """Count one reply."""
        now = self._watch.seconds
        self._strategy_seconds[self._strategy_of[reply.request.row]] += now - self._replied
        self._replied = now
        self._rows += 1
        self._tokens += reply.num_tokens
        if now - self._noted >= _NOTE_SECONDS:
            self._noted = now
            self._write(done=False)

    def finish(self) -> None:
        """Note that the shard is whole."""
        self._write(done=True)

    def _write(self, *, done: bool) -> None:
        cost = Cost(
            stage="candidates",
            rows=self._rows,
            tokens=self._tokens,
            prompt_tokens=self._prompt_tokens,
            seconds=self._earlier_seconds + self._watch.seconds,
            strategy_seconds=dict(self._strategy_seconds),
            done=done,
        )
        note_cost(self._path, cost)
