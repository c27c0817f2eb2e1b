"""Sending requests and keeping the books: coroutines that share one session and one limit."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import aiohttp

from schemas.errors import CorpusmithError
from schemas.gates import UNSENT
from schemas.models import OpenAIModel
from tasks.generation.endpoint_body import Letter, write_letter
from tasks.generation.endpoint_faults import (
    Fault,
    fault_of_connection,
    fault_of_status,
    hopeless,
    unreachable,
)
from tasks.generation.endpoint_limit import ConcurrencyLimit
from tasks.generation.endpoint_purse import NOTHING, Purse
from tasks.generation.endpoint_reply import MOST_BYTES, Malformed, Reply, read_reply
from tasks.generation.endpoint_retry import pause_seconds, retry_after
from tasks.generation.protocol import Completion, Request
from tasks.generation.replay_log import ReplayLog, Usage

_CONNECT_SECONDS = 30.0
HOPELESS_ROWS = 64
"""Rows in succession without one reply after which the run ends instead of burning attempts."""


@dataclass(slots=True)
class Streak:
    """Rows in succession without one reply, over all shards of a run."""

    rows: int = 0


@dataclass(slots=True)
class _Passage:
    """How far one request has come."""

    sent: bool = False


@dataclass(frozen=True, slots=True)
class Address:
    """Where requests go.

    Args:
        model: The recipe's model.
        secret: Its key; "" for none.
    """

    model: OpenAIModel
    secret: str = field(repr=False)

    @property
    def url(self) -> str:
        """Address of the API's method."""
        path = "chat/completions" if self.model.api == "chat" else "completions"
        return f"{self.model.base_url.rstrip('/')}/{path}"

    def session(self) -> aiohttp.ClientSession:
        """Open a session: connections are kept, cookies are not, nothing is unpacked."""
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        if self.secret:
            headers["Authorization"] = f"Bearer {self.secret}"
        total = self.model.timeout_seconds
        trace = aiohttp.TraceConfig()
        trace.on_request_headers_sent.append(_note_sent)
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=total, sock_connect=min(total, _CONNECT_SECONDS)),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trace_configs=[trace],
        )


class EndpointClient:
    """Answers requests at an endpoint; lives on one event loop.

    Args:
        address: Where requests go.
        log: Replies that are paid already, and where new ones are kept.
        purse: What may be spent.
        limit: How many requests may be in flight.
        streak: Rows without a reply so far.
    """

    def __init__(
        self,
        address: Address,
        *,
        log: ReplayLog,
        purse: Purse,
        limit: ConcurrencyLimit,
        streak: Streak,
    ) -> None:
        self._address = address
        self._model = address.model
        self._log = log
        self._purse = purse
        self._limit = limit
        self._streak = streak
        self._settled = asyncio.Event()
        self._workers = 0

    async def answer_all(
        self, requests: Iterator[Request], deliver: Callable[[Completion], None]
    ) -> None:
        """Answer every request and hand each completion over as soon as it is there.

        Workers take requests from the one iterator; a worker that ends a request lets others begin
        while the limit has room, and goes home when there are more workers than it allows.

        Raises:
            CorpusmithError: If the run as a whole cannot go on.
        """
        async with self._address.session() as session:
            try:
                async with asyncio.TaskGroup() as group:

                    def hire() -> None:
                        while self._workers < self._limit.now:
                            self._workers += 1
                            group.create_task(work())

                    async def work() -> None:
                        for request in requests:
                            deliver(await self._answer(session, request))
                            if self._workers > self._limit.now:
                                break
                            hire()
                        else:
                            return  # still counted: nobody is hired when there is nothing to do
                        self._workers -= 1

                    hire()
            except ExceptionGroup as group_error:
                raise _first(group_error) from group_error
        # The transports of closed connections are let go in the next turn of the loop.
        await asyncio.sleep(0)

    async def _answer(self, session: aiohttp.ClientSession, request: Request) -> Completion:
        letter = write_letter(request, model=self._model)
        if (kept := self._log.find(letter.key)) is not None:
            return kept.completion(request)
        for tries in count():
            if not await self._hold(letter):
                return _failure(request, UNSENT)
            outcome = await self._send(session, letter)
            self._settle(letter, outcome)
            if isinstance(outcome, Reply):
                self._streak.rows = 0
                return outcome.completion(request)
            if not outcome.passing or tries == self._model.retries:
                return self._give_up(request, outcome)
            own = pause_seconds(request.seed, tries)
            await asyncio.sleep(max(outcome.pause_seconds or 0.0, own))
        raise AssertionError("unreachable")

    async def _send(self, session: aiohttp.ClientSession, letter: Letter) -> Reply | Fault:
        begun, passage = time.monotonic(), _Passage()
        try:
            async with session.post(
                self._address.url,
                data=letter.body,
                allow_redirects=False,
                trace_request_ctx=passage,
            ) as response:
                content = await _read(response)
        except (aiohttp.ClientError, TimeoutError, OSError, UnicodeError) as error:
            return fault_of_connection(error, model=self._model, sent=passage.sent)
        except Malformed as error:
            return Fault(str(error), lost=True)
        except asyncio.CancelledError:
            if passage.sent:
                self._log.write_lost(letter.key, _most(letter))
            raise
        return self._understand(response, content, letter=letter, begun=begun)

    def _understand(
        self, response: aiohttp.ClientResponse, content: bytes, *, letter: Letter, begun: float
    ) -> Reply | Fault:
        now, model, secret = time.monotonic(), self._model, self._address.secret
        if 200 <= response.status < 300:
            try:
                reply = read_reply(content, request=letter.request, model=model, secret=secret)
            except Malformed as error:
                return Fault(f"the endpoint sent {error}", lost=True)
            self._limit.replied(begun=begun, now=now)
            return reply
        fault = fault_of_status(
            response.status,
            content,
            model=model,
            pause_seconds=retry_after(response.headers.get("Retry-After"), now=time.time()),
            secret=secret,
        )
        if fault.too_many:
            self._limit.refused(begun=begun, now=now, pause_seconds=fault.pause_seconds or 0.0)
        return fault

    def _settle(self, letter: Letter, outcome: Reply | Fault) -> None:
        """Enter one answer into the books: log first, so that what is spent is always written."""
        most = _most(letter)
        used = NOTHING
        if isinstance(outcome, Reply):
            used = Usage(outcome.prompt_tokens, outcome.completion_tokens)
            self._log.write(letter.key, outcome)
        elif outcome.lost:
            used = most
            self._log.write_lost(letter.key, most)
        self._purse.settle(most, used=used)
        self._settled.set()

    async def _hold(self, letter: Letter) -> bool:
        """Wait until a request may go: the endpoint is open, limit and budget have room for it.

        Returns:
            False if the budget will never have room for the request's worst case.
        """
        most = _most(letter)
        while True:
            if (rest := self._limit.closed_until - time.monotonic()) > 0:
                await asyncio.sleep(rest)
            elif self._purse.in_flight < self._limit.now and self._purse.hold(most):
                return True
            elif not self._purse.in_flight:
                return False
            else:
                self._settled.clear()
                await self._settled.wait()

    def _give_up(self, request: Request, fault: Fault) -> Completion:
        if not fault.reached:
            raise unreachable(fault, model=self._model)
        self._streak.rows += 1
        if self._streak.rows >= HOPELESS_ROWS:
            rows, self._streak.rows = self._streak.rows, 0
            raise hopeless(fault, rows=rows, model=self._model)
        return _failure(request, fault.message)


async def _note_sent(
    session: aiohttp.ClientSession, context: Any, params: aiohttp.TraceRequestHeadersSentParams
) -> None:
    context.trace_request_ctx.sent = True


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """Read a body of at most `MOST_BYTES`.

    Raises:
        Malformed: If it is longer.
    """
    parts, size = [], 0
    async for part in response.content.iter_any():
        parts.append(part)
        size += len(part)
        if size > MOST_BYTES:
            response.close()
            raise Malformed(f"the endpoint sent a reply of more than {MOST_BYTES // 2**20} MiB")
    return b"".join(parts)


def _failure(request: Request, error: str) -> Completion:
    return Completion(request, "", 0, None, "error", error)


def _most(letter: Letter) -> Usage:
    return Usage(letter.most_prompt_tokens, letter.most_completion_tokens)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Pick what to tell of several errors: one that says what to do before any other."""
    leaves: list[BaseException] = []
    for error in group.exceptions:
        leaves.append(_first(error) if isinstance(error, BaseExceptionGroup) else error)
    return next((error for error in leaves if isinstance(error, CorpusmithError)), leaves[0])
