"""The backend of an endpoint that speaks OpenAI's API."""

import ipaddress
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from schemas.manifest import Determinism, ModelInfo
from schemas.models import OpenAIModel
from tasks.generation.endpoint_client import Address, EndpointClient, Streak
from tasks.generation.endpoint_faults import host_of, missing_key
from tasks.generation.endpoint_limit import ConcurrencyLimit
from tasks.generation.endpoint_purse import Purse
from tasks.generation.endpoint_reply import estimate_tokens
from tasks.generation.endpoint_thread import ThreadedStream
from tasks.generation.protocol import Completion, Compute, Request
from tasks.generation.replay_log import ReplayLog


class EndpointBackend:
    """Asks an endpoint for every reply; nothing is sent before `generate` is read.

    Args:
        model: The recipe's model.
        replay: File of the replies that are paid already, made when absent; None keeps none.
        usd: Most US dollars to spend, replies in `replay` included; None for no limit.
        environment: Where the key is looked up.

    Raises:
        InputError: CS-M007 if the key is missing, and the endpoint is not on loopback.
    """

    def __init__(
        self,
        model: OpenAIModel,
        *,
        replay: Path | None = None,
        usd: float | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._model = model
        self._replay = replay
        self._usd = usd
        self._address = Address(model, environment.get(model.api_key_env, "").strip())
        if not self._address.secret and not is_loopback(model.base_url):
            raise missing_key(model)
        self._log: ReplayLog | None = None
        # What was learnt of the endpoint in one shard holds for the next.
        self._limit = ConcurrencyLimit(None if model.concurrency == "auto" else model.concurrency)
        self._streak = Streak()

    @property
    def num_parameters(self) -> int:
        """Zero: nobody knows."""
        return 0

    @property
    def info(self) -> ModelInfo:
        """Identify the model by its name and the endpoint's host; its weights are not known."""
        return ModelInfo(
            id=self._model.name,
            revision=host_of(self._model),
            weights_sha256="",
            backend="openai",
            context_length=self._model.context_length,
        )

    @property
    def determinism(self) -> Determinism:
        """State that an endpoint promises nothing."""
        return Determinism(
            promise="none",
            statement="Each row's seed is a function of the recipe, but what an endpoint makes of "
            "it is its own affair. Replies are kept as they arrive: a resumed run asks for none "
            "of them again.",
        )

    @property
    def compute(self) -> Compute:
        """Name the endpoint."""
        return Compute(f"endpoint {host_of(self._model)}")

    def format_prompt(self, text: str) -> str:
        """Return the text as it is: in a chat it is the one message of the user."""
        return text

    def count_tokens(self, prompts: Sequence[str]) -> list[int]:
        """Estimate the tokens of prompts, one for each 4 bytes: the tokenizer is not known."""
        return [estimate_tokens(prompt) for prompt in prompts]

    def generate(self, requests: Sequence[Request]) -> Iterator[Completion]:
        """Yield one completion for each request, as each is finished; see `Backend.generate`.

        Raises:
            InputError: CS-M007 if the endpoint refuses the key, CS-M001 if it does not know the
                model or the address, CS-M006 for a strategy that the API does not have.
            RunError: CS-G003 if it cannot be reached (retryable) or answers no row any more.
        """
        if not requests:
            return
        log = self._open_log()
        client = EndpointClient(
            self._address,
            log=log,
            purse=Purse(self._model.price, self._usd, spent=log.usage),
            limit=self._limit,
            streak=self._streak,
        )
        pending = iter(requests)
        yield from ThreadedStream[Completion](lambda deliver: client.answer_all(pending, deliver))

    def _open_log(self) -> ReplayLog:
        """Open the log, again if its file is no longer the one that was opened."""
        if self._log is not None and self._log.is_current:
            return self._log
        if self._log is not None:
            self._log.close()
        self._log = ReplayLog(self._replay)
        return self._log


def is_loopback(url: str) -> bool:
    """Tell whether an address is this machine's own."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
