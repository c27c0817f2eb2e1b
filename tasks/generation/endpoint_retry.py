"""When a request is sent again: the endpoint's own wish, or a random pause that grows."""

from datetime import UTC
from email.utils import parsedate_to_datetime
from math import isfinite

import numpy as np

from tasks.planning.streams import Stream, fold, uniforms

FIRST_SECONDS, MOST_SECONDS = 0.5, 60.0


def pause_seconds(seed: int, tries: int) -> float:
    """Draw the pause before a request is sent again: equal jitter, exponential backoff.

    Uniform in the upper half of 0 to `min(60, 0.5 * 2^tries)` seconds (Brooker, *Exponential
    Backoff And Jitter*, 2015): the pauses before eight more tries are at least 61 seconds together.
    A function of its arguments alone.

    Args:
        seed: The row's own seed.
        tries: How often the request has been sent again before, from 0.
    """
    key = fold(np.array(seed, dtype=np.uint64), int(Stream.RETRY))
    bound = min(MOST_SECONDS, FIRST_SECONDS * 2.0 ** min(tries, 30))
    return (1.0 + float(uniforms(key, tries))) / 2.0 * bound


def retry_after(header: str | None, *, now: float) -> float | None:
    """Read a `Retry-After` header: seconds, or an HTTP date (RFC 9110, 10.2.3).

    Args:
        header: The header's value, untrusted; None when there is none.
        now: Seconds since 1970.

    Returns:
        Seconds to wait, 0 for a date that has passed; None when nothing readable was said.
    """
    if header is None or len(header) > 100:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            date = parsedate_to_datetime(header)
            seconds = date.replace(tzinfo=date.tzinfo or UTC).timestamp() - now
        except (ValueError, TypeError, OverflowError, IndexError):
            return None
        return max(seconds, 0.0)
    return seconds if isfinite(seconds) and seconds >= 0 else None
