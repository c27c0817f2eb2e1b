"""How a shard's generation is coming along, noted beside its file."""

from pathlib import Path

from tasks.generation.protocol import Completion
from tasks.planning.workspace import Cost, Stopwatch, note_cost, read_cost

_NOTE_SECONDS = 0.5


class Pace:
    """Counts replies and tokens; writes them at most twice a second, so that it costs nothing.

    Seconds that an interrupted try spent on the same shard are carried over.

    Args:
        path: The shard's file of candidates.
        prompt_tokens: Tokens of all its prompts.
    """

    def __init__(self, path: Path, *, prompt_tokens: int) -> None:
        earlier = read_cost(path)
        self._path = path
        self._earlier_seconds = earlier.seconds if earlier is not None else 0.0
        self._prompt_tokens = prompt_tokens
        self._rows = self._tokens = 0
        self._watch = Stopwatch()
        self._noted = 0.0

    def note(self, reply: Completion) -> None:
        """Count one reply."""
        self._rows += 1
        self._tokens += reply.num_tokens
        if self._watch.seconds - self._noted >= _NOTE_SECONDS:
            self._noted = self._watch.seconds
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
            done=done,
        )
        note_cost(self._path, cost)
