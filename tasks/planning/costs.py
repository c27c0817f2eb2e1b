"""What the work on a file cost, noted beside it."""

from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from pydantic import Field

from schemas.base import Frozen
from tasks.planning.shards import write_whole


class Cost(Frozen):
    """What the work on one file cost so far."""

    stage: str
    rows: int = 0
    tokens: int = 0
    """Generated tokens."""
    prompt_tokens: int = 0
    seconds: float = 0.0
    strategy_seconds: dict[int, float] = Field(default_factory=dict)
    """Seconds of generation by the place of the strategy in the recipe."""
    done: bool = True
    """False while the work goes on."""
    rejected: dict[str, int] = Field(default_factory=dict)
    """Rows dropped here, by reason."""


def note_cost(path: Path, cost: Cost) -> None:
    """Write what a file cost beside it: manifest and progress survive an interruption."""
    write_whole(path.with_suffix(".json"), cost.model_dump_json().encode())


def read_cost(path: Path) -> Cost | None:
    """Read what a file cost; None when it was not noted."""
    try:
        return Cost.model_validate_json(path.with_suffix(".json").read_text("utf-8"))
    except (OSError, ValueError):
        return None


class Stopwatch:
    """Seconds since it was made.

    Args:
        clock: Of the wall; `thread_time` for work beside other work: it counts what this thread
            computes, and not how long it waits for a processor.
    """

    def __init__(self, clock: Callable[[], float] = perf_counter) -> None:
        self._clock = clock
        self._start = clock()

    @property
    def seconds(self) -> float:
        """Seconds so far."""
        return self._clock() - self._start
