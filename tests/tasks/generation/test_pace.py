from pathlib import Path

import pytest

from schemas.strategies import Greedy
from tasks.generation import pace
from tasks.generation.protocol import Completion, Request
from tasks.planning.costs import Cost, note_cost, read_cost

STRATEGY_OF = {7: 0, 8: 2, 9: 2}


class Clock:
    """A stopwatch that is set by hand."""

    seconds = 0.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(pace, "Stopwatch", lambda: made)
    return made


def reply(row: int, num_tokens: int = 5) -> Completion:
    request = Request(row=row, attempt=0, seed=1, label="a", prompt="p", strategy=Greedy())
    return Completion(request, "text", num_tokens, -1.0, "eos")


def test_the_time_before_a_reply_belongs_to_its_strategy(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "shard.candidates.parquet"
    noted = pace.Pace(path, prompt_tokens=30, strategy_of=STRATEGY_OF)
    for row, seconds in ((8, 1.0), (9, 1.5), (7, 4.5)):
        clock.seconds = seconds
        noted.note(reply(row))
    clock.seconds = 5.0
    noted.finish()
    assert read_cost(path) == Cost(
        stage="candidates",
        rows=3,
        tokens=15,
        prompt_tokens=30,
        seconds=5.0,
        strategy_seconds={0: 3.0, 2: 1.5},
    )


def test_an_interrupted_try_is_carried_over(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "shard.candidates.parquet"
    earlier = Cost(stage="candidates", seconds=10.0, strategy_seconds={2: 4.0}, done=False)
    note_cost(path, earlier)
    again = pace.Pace(path, prompt_tokens=30, strategy_of=STRATEGY_OF)
    clock.seconds = 2.0
    again.note(reply(8))
    cost = read_cost(path)
    assert cost is not None
    assert (cost.seconds, cost.strategy_seconds, cost.done) == (12.0, {2: 6.0}, False)


def test_it_is_written_at_most_twice_a_second(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "shard.candidates.parquet"
    noted = pace.Pace(path, prompt_tokens=30, strategy_of=STRATEGY_OF)
    clock.seconds = 0.6
    noted.note(reply(7))
    clock.seconds = 1.0
    noted.note(reply(8))
    assert (read_cost(path) or Cost(stage="")).rows == 1
    clock.seconds = 1.2
    noted.note(reply(9))
    assert (read_cost(path) or Cost(stage="")).rows == 3
