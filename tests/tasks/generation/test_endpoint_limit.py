"""The limit of requests in flight, by a clock that only the test moves."""

import pytest

from tasks.generation.endpoint_limit import CEILING, START, ConcurrencyLimit


class Server:
    """Serves at most `capacity` requests a second, none faster than `least` seconds."""

    def __init__(self, limit: ConcurrencyLimit, *, least: float, capacity: float) -> None:
        self.limit, self.least, self.capacity, self.now = limit, least, capacity, 0.0

    def window(self) -> int:
        """Send as many requests as the limit allows, all at once, and read the replies."""
        in_flight = self.limit.now
        latency = max(self.least, in_flight / self.capacity)
        begun, self.now = self.now, self.now + latency
        for _ in range(in_flight):
            self.limit.replied(begun=begun, now=self.now)
        return self.limit.now


def test_it_doubles_while_that_helps_and_stops_near_the_servers_capacity() -> None:
    server = Server(ConcurrencyLimit(None), least=0.1, capacity=1000)
    limits = [server.window() for _ in range(60)]
    assert limits[0] == 2 * START
    assert min(limits[5:]) >= 90
    assert max(limits[10:]) <= 2 * 128
    assert len(set(limits[-10:])) <= 3


def test_an_endpoint_without_bounds_is_used_to_the_ceiling() -> None:
    server = Server(ConcurrencyLimit(None), least=0.1, capacity=1e9)
    assert [server.window() for _ in range(6)][-1] == CEILING


def test_a_weak_server_is_not_asked_for_more_than_it_gives() -> None:
    server = Server(ConcurrencyLimit(None), least=0.1, capacity=10)
    assert max(server.window() for _ in range(30)) <= 2 * START


def test_slowness_lowers_the_limit_and_a_lasting_one_becomes_the_measure() -> None:
    server = Server(ConcurrencyLimit(None), least=0.1, capacity=1e9)
    for _ in range(6):
        server.window()
    server.least = 0.5
    limits = [server.window() for _ in range(40)]
    assert limits[0] == int(CEILING * 0.75)
    assert min(limits) > 1
    assert limits[-1] == CEILING


@pytest.mark.parametrize("ceiling", [None, 40])
def test_a_refusal_halves_once_for_all_that_were_in_flight(ceiling: int | None) -> None:
    limit = ConcurrencyLimit(ceiling)
    before = limit.now
    for _ in range(10):
        limit.refused(begun=1.0, now=2.0, pause_seconds=0.0)
    assert limit.now == before // 2
    limit.refused(begun=2.5, now=3.0, pause_seconds=0.0)
    assert limit.now == before // 4


def test_it_never_falls_below_one() -> None:
    limit = ConcurrencyLimit(1)
    for second in range(5):
        limit.refused(begun=float(second), now=second + 0.5, pause_seconds=0.0)
    assert limit.now == 1


def test_a_number_is_where_it_begins_and_returns_to_and_never_exceeds() -> None:
    server = Server(ConcurrencyLimit(16), least=0.1, capacity=20)
    assert [server.window() for _ in range(5)] == [16] * 5
    server.limit.refused(begun=server.now, now=server.now, pause_seconds=0.0)
    assert server.limit.now == 8
    assert [server.window() for _ in range(12)][-1] == 16


def test_replies_of_an_earlier_limit_do_not_count() -> None:
    limit = ConcurrencyLimit(8)
    limit.refused(begun=0.0, now=10.0, pause_seconds=0.0)
    for _ in range(100):
        limit.replied(begun=9.0, now=11.0)
    assert limit.now == 4


def test_a_pause_is_kept_to_the_longest() -> None:
    limit = ConcurrencyLimit(None)
    limit.refused(begun=0.0, now=10.0, pause_seconds=5.0)
    limit.refused(begun=0.0, now=11.0, pause_seconds=1.0)
    assert limit.closed_until == 15.0
