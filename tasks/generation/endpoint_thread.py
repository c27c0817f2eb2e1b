"""An event loop in a thread of its own, read from outside as a plain iterator."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Generic, TypeVar

T = TypeVar("T")

_BATCH_SECONDS = 0.02
"""Items are handed over in batches: waking the reading thread for each one costs more than it."""
_JOIN_SECONDS = 10.0


class ThreadedStream(Generic[T]):
    """Items of a coroutine, delivered to another thread.

    Args:
        produce: Starts the work; it is given what takes an item, to be called on the loop.
    """

    def __init__(self, produce: Callable[[Callable[[T], None]], Awaitable[None]]) -> None:
        self._produce = produce
        self._loop = asyncio.new_event_loop()
        self._batches: SimpleQueue[list[T] | BaseException | None] = SimpleQueue()
        self._batch: list[T] = []

    def __iter__(self) -> Iterator[T]:
        """Yield the items as they come, and raise what the coroutine raised.

        When the reader stops early, or is interrupted, the coroutine is cancelled and its thread
        has ended before the iterator is closed.
        """
        work = self._loop.create_task(self._work())
        thread = Thread(target=self._drive, args=(work,), name="endpoint", daemon=True)
        thread.start()
        try:
            while (batch := self._batches.get()) is not None:
                if isinstance(batch, BaseException):
                    raise batch
                yield from batch
        finally:
            with suppress(RuntimeError):  # the loop is closed: the work is done
                self._loop.call_soon_threadsafe(work.cancel)
            thread.join(_JOIN_SECONDS)

    async def _work(self) -> None:
        await self._produce(self._deliver)

    def _drive(self, work: asyncio.Task[None]) -> None:
        end: BaseException | None = None
        try:
            self._loop.run_until_complete(work)
        except asyncio.CancelledError:
            pass  # the reader has gone
        except BaseException as error:
            end = error
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()
            self._flush()
            self._batches.put(end)

    def _deliver(self, item: T) -> None:
        if not self._batch:
            self._loop.call_later(_BATCH_SECONDS, self._flush)
        self._batch.append(item)

    def _flush(self) -> None:
        if self._batch:
            self._batches.put(self._batch)
            self._batch = []
