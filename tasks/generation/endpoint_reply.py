"""What comes back from an endpoint: read as if written by an enemy, and understood or refused."""

import json
import math
from dataclasses import dataclass
from typing import Any

from schemas.models import OpenAIModel
from schemas.yaml_source import printable
from tasks.decoding.stopping import cut_at_stop
from tasks.generation.protocol import Completion, FinishReason, Request

MOST_BYTES = 8 * 2**20
"""Longest reply that is read."""
_MOST_TOKENS = 10_000_000
_BYTES_A_TOKEN = 4
_MOST_BYTES_A_TOKEN, _SPARE_BYTES = 64, 1000
"""Texts that are longer than their greatest number of tokens can be are not kept."""
_SHOWN = 200
_LEAST_LOGPROB, _ROUNDING = -1e6, 1e-6


class Malformed(Exception):
    """A reply that is not what the API documents; the message says in what."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply, checked.

    Args:
        text: The text, cut before the first stop string.
        prompt_tokens: Tokens read, by the endpoint's account, else estimated.
        completion_tokens: Tokens written, likewise.
        logprob: Mean log-probability a token, nats; None where the endpoint gave none.
        finish_reason: As in `Completion`.
        error: Why the endpoint gave no text although it answered; None when it did.
    """

    text: str
    prompt_tokens: int
    completion_tokens: int
    logprob: float | None
    finish_reason: FinishReason
    error: str | None = None

    def completion(self, request: Request) -> Completion:
        """Return the reply as the answer to a request."""
        return Completion(
            request,
            self.text,
            self.completion_tokens,
            self.logprob,
            self.finish_reason,
            self.error,
        )


def estimate_tokens(text: str) -> int:
    """Estimate the tokens of a text where nobody counts them: one for each 4 bytes, rounded up."""
    return -(-len(text.encode("utf-8", "replace")) // _BYTES_A_TOKEN)


def read_reply(content: bytes, *, request: Request, model: OpenAIModel, secret: str = "") -> Reply:
    """Understand the body of a successful response.

    Finish reasons: `length` stays unless a stop string stands in the text; a text in which one was
    found, here or by the server's word (`stop_reason`), has `stop`; every other has `eos`. A server
    that cuts the stop string off and does not tell is not seen through. A reply that a content
    filter withheld, and one far longer than the greatest length, is an error.

    Args:
        content: The body, untrusted.
        request: What was asked.
        model: Whose endpoint it is.
        secret: The endpoint's key; struck out of what the endpoint says of errors.

    Raises:
        Malformed: If it is not JSON, a field is missing or of the wrong type, or it tells of a
            fault of the endpoint.
    """
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        raise Malformed("a reply that is not JSON" if content else "an empty reply") from None
    if isinstance(data, dict) and data.get("error") and not data.get("choices"):
        raise Malformed(f"an error: {complaint(content, secret=secret)[0]}")
    choice = _item(_field(data, "choices", list), 0)
    message = _field(choice, "message", dict) if model.api == "chat" else choice
    written = message.get("content" if model.api == "chat" else "text", "")
    if not isinstance(written, str | None):
        raise Malformed("a reply whose text is not text")
    reason = choice.get("finish_reason")
    if reason in ("error", "abort"):
        raise Malformed(f"a reply that it broke off ({reason})")
    written = (written or "").encode("utf-8", "replace").decode()
    text, cut = cut_at_stop(written, stops=request.strategy.stop)
    usage = data.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    completion_tokens = _count(usage.get("completion_tokens"), estimate_tokens(written))
    error = _withheld(reason, message, secret) or _too_long(written, request)
    finish: FinishReason = "eos"
    if error is not None:
        finish = "error"
    elif cut or (request.strategy.stop and isinstance(choice.get("stop_reason"), str)):
        finish = "stop"
    elif reason == "length":
        finish = "length"
    return Reply(
        text="" if error is not None else text,
        prompt_tokens=_count(usage.get("prompt_tokens"), estimate_tokens(request.prompt)),
        completion_tokens=completion_tokens,
        logprob=_mean(_logprobs(choice.get("logprobs"))) if error is None else None,
        finish_reason=finish,
        error=error,
    )


def complaint(content: bytes, *, secret: str = "") -> tuple[str, str]:
    """Find what an error response says: its message, one harmless short line, and its code.

    Both are "" where it says nothing readable.

    Args:
        content: The body, untrusted.
        secret: The endpoint's key; where the message repeats it, it is struck out.
    """
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        return "", ""
    error = data.get("error", data) if isinstance(data, dict) else None
    if isinstance(error, str):
        return _line(error, secret), ""
    if not isinstance(error, dict):
        return "", ""
    message = next((error[key] for key in ("message", "detail") if error.get(key)), "")
    return _line(message, secret), _line(error.get("code") or error.get("type") or "", secret)


def _line(value: Any, secret: str) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    # Before the cut, which could leave a part of it.
    text = text.replace(secret, "[key]") if secret else text
    text = " ".join(printable(text[: 2 * _SHOWN]).split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _field(data: Any, key: str, kind: type) -> Any:
    value = data.get(key) if isinstance(data, dict) else None
    if not isinstance(value, kind):
        raise Malformed(f"a reply without {key}")
    return value


def _item(values: list[Any], index: int) -> dict[str, Any]:
    if len(values) <= index or not isinstance(values[index], dict):
        raise Malformed("a reply without a choice")
    choice: dict[str, Any] = values[index]
    return choice


def _count(value: Any, estimate: int) -> int:
    sane = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_TOKENS
    return int(value) if sane else estimate


def _withheld(reason: Any, message: dict[str, Any], secret: str) -> str | None:
    if reason == "content_filter":
        return "the endpoint's content filter withheld the text"
    if isinstance(refusal := message.get("refusal"), str) and refusal:
        return f"the model refused: {_line(refusal, secret)}"
    if message.get("tool_calls") and not message.get("content"):
        return "the model called a tool instead of writing a text"
    return None


def _too_long(text: str, request: Request) -> str | None:
    most = _MOST_BYTES_A_TOKEN * request.strategy.length.max + _SPARE_BYTES
    size = len(text.encode())
    return f"the endpoint wrote {size:,} bytes; {most:,} were enough" if size > most else None


def _logprobs(value: Any) -> list[Any]:
    """Collect the tokens' log-probabilities of either API's form; what is no form gives none."""
    if not isinstance(value, dict):
        return []
    if isinstance(value.get("content"), list):
        return [
            item.get("logprob") if isinstance(item, dict) else None for item in value["content"]
        ]
    tokens = value.get("token_logprobs")
    return tokens if isinstance(tokens, list) else []


def _mean(values: list[Any]) -> float | None:
    """Average log-probabilities; None unless every one is such a number."""
    sane = all(
        isinstance(value, int | float) and _LEAST_LOGPROB <= value <= _ROUNDING for value in values
    )
    return math.fsum(values) / len(values) if values and sane else None
