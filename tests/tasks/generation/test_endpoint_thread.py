import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tasks.generation.endpoint_thread import ThreadedStream


def alive() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "endpoint"]


def stream(work: Callable[[Callable[[int], None]], Any]) -> ThreadedStream[int]:
    return ThreadedStream(work)


async def count(deliver: Callable[[int], None]) -> None:
    for number in range(100):
        deliver(number)
        if number % 10 == 0:
            await asyncio.sleep(0.002)


async def for_ever(deliver: Callable[[int], None]) -> None:
    deliver(1)
    await asyncio.Event().wait()


def test_items_come_in_order_and_the_thread_ends() -> None:
    assert list(stream(count)) == list(range(100))
    assert not alive()


def test_an_error_comes_after_the_items_before_it() -> None:
    async def fail(deliver: Callable[[int], None]) -> None:
        deliver(1)
        raise LookupError("gone")

    seen = []

    def read() -> None:
        for item in stream(fail):
            seen.append(item)

    with pytest.raises(LookupError, match="gone"):
        read()
    assert seen == [1]
    assert not alive()


def test_a_reader_that_leaves_cancels_the_work() -> None:
    cancelled = []

    async def work(deliver: Callable[[int], None]) -> None:
        try:
            await for_ever(deliver)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    items = iter(stream(work))
    assert next(items) == 1
    assert alive()
    items.close()  # type: ignore[attr-defined]
    assert cancelled == [True]
    assert not alive()


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_interrupt_in_the_reader_ends_everything(error: type[BaseException]) -> None:
    def read() -> None:
        for _ in stream(for_ever):
            raise error

    with pytest.raises(error):
        read()
    assert not alive()
