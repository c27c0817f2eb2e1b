"""How many requests may be in flight: a limit that an endpoint's answers raise and lower."""

START, CEILING = 32, 256
_GAIN = 1.25
"""Least growth of the rate for which the limit is doubled again."""
_SLOWER, _SLOW = 1.5, 2.0
"""Latencies, in parts of the reference, from which on the limit stays, and falls."""
_SHRINK = 0.75
_HELPED = 0.9
"""A smaller limit helped if it brought the latency down to this part."""


class ConcurrencyLimit:
    """Additive increase, multiplicative decrease (Chiu and Jain, 1989), with a doubling start.

    The mean latency of a window of as many replies as the limit, all begun under it, decides:

    1. *Start* (`auto` alone). By Little's law the rate is limit / latency. While each doubling
       raises the best rate by a quarter, the limit doubles; the first that does not is taken back,
       and the latency of the best window becomes the reference.
    2. *Steady* (`auto`). Up to 1.5 times the reference the limit grows by an eighth, at least 1;
       beyond twice the reference it shrinks by a quarter; in between it stays. Where shrinking
       did not shorten the latency, the slowness is not ours: it becomes the reference.
    3. *Refusals* (429, 503). The limit is halved, once for all requests that were in flight
       together, the start is over, and nothing is sent before the endpoint's `Retry-After`.

    With a number in place of `auto`, the limit begins there and never exceeds it: only refusals
    lower it, and each window without one raises it by an eighth again.

    Args:
        ceiling: The recipe's number; None for `auto`.
    """

    def __init__(self, ceiling: int | None) -> None:
        self._auto = ceiling is None
        self._ceiling = CEILING if ceiling is None else ceiling
        self.now = START if ceiling is None else ceiling
        """Requests that may be in flight."""
        self.closed_until = 0.0
        """Moment before which nothing is to be sent; on the caller's clock."""
        self._starting = self._auto
        self._best_rate = 0.0
        self._reference: float | None = None
        self._shrunk_at: float | None = None
        self._changed = float("-inf")
        self._cut = float("-inf")
        self._replies = 0
        self._seconds = 0.0

    def replied(self, *, begun: float, now: float) -> None:
        """Note a reply.

        Args:
            begun: When its request was sent, on a monotonic clock in seconds.
            now: When it was read.
        """
        if begun < self._changed:
            return  # of another limit: its latency says nothing about this one
        self._replies += 1
        self._seconds += now - begun
        if self._replies >= self.now:
            latency = max(self._seconds / self._replies, 1e-9)
            self._set(self._start(latency) if self._starting else self._steady(latency), now=now)

    def refused(self, *, begun: float, now: float, pause_seconds: float) -> None:
        """Note that the endpoint asked for less, and for how long it wants nothing at all."""
        self.closed_until = max(self.closed_until, now + pause_seconds)
        if begun >= self._cut:
            self._starting = False
            self._cut = now
            self._set(self.now // 2, now=now)

    def _start(self, latency: float) -> int:
        rate = self.now / latency
        if rate < _GAIN * self._best_rate:
            self._starting = False
            return self.now // 2
        self._best_rate, self._reference = rate, latency
        if self.now == self._ceiling:
            self._starting = False
        return 2 * self.now

    def _steady(self, latency: float) -> int:
        grown = self.now + max(self.now // 8, 1)
        if not self._auto:
            return grown
        if self._reference is None:
            self._reference = latency
        if self._shrunk_at is not None and latency > _HELPED * self._shrunk_at:
            self._reference = latency
        self._shrunk_at = latency if latency > _SLOW * self._reference else None
        if self._shrunk_at is not None:
            return int(self.now * _SHRINK)
        return self.now if latency > _SLOWER * self._reference else grown

    def _set(self, limit: int, *, now: float) -> None:
        limit = min(max(limit, 1), self._ceiling)
        if limit != self.now:
            self._changed = now
        self.now = limit
        self._replies, self._seconds = 0, 0.0
