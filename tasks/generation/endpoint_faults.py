"""What an answer of an endpoint means: a reply, a fault that may pass, or the end of the run."""

from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp

from schemas.errors import CorpusmithError, InputError, RunError
from schemas.models import OpenAIModel
from tasks.generation.endpoint_reply import complaint

_PASSING = frozenset((408, 409, 425, 429))
_TOO_MANY = frozenset((429, 503))
_OUT_OF_MONEY = frozenset(("insufficient_quota", "billing_hard_limit_reached"))
MOST_PAUSE_SECONDS = 600.0
"""Longest `Retry-After` that is waited for; a longer one ends the run, which can be resumed."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a request got no reply.

    Args:
        message: What happened, one line.
        passing: Whether it may pass when the request is sent again.
        reached: Whether there was a connection at all.
        lost: Whether the endpoint may have done, and charged for, the work.
        too_many: Whether it asked for fewer requests.
        pause_seconds: How long it asked to be left alone; None when it did not say.
    """

    message: str
    passing: bool = True
    reached: bool = True
    lost: bool = False
    too_many: bool = False
    pause_seconds: float | None = None


def fault_of_connection(error: Exception, *, model: OpenAIModel, sent: bool) -> Fault:
    """Say what went wrong on the way to the endpoint or back.

    Args:
        error: What the client raised.
        model: Whose endpoint it is.
        sent: Whether the request had left; else nobody can have charged for it.

    Raises:
        InputError: CS-M001 if the address is none that anybody can connect to.
    """
    match error:
        case aiohttp.ClientConnectorError() | aiohttp.ConnectionTimeoutError():
            reason = getattr(error, "strerror", None) or "no connection"
            return Fault(f"no connection to the endpoint: {reason}", reached=False)
        case aiohttp.InvalidURL() | UnicodeError():
            raise InputError(
                f"{host_of(model)} is no address that can be connected to",
                code="CS-M001",
                place="model.base_url",
                hint="check the host's name or number and the port",
            ) from error
        case TimeoutError():
            seconds = model.timeout_seconds
            return Fault(f"no whole reply within {seconds:g} seconds", lost=sent)
        case _:
            return Fault(f"the connection broke: {type(error).__name__}", lost=sent)


def fault_of_status(
    status: int, content: bytes, *, model: OpenAIModel, pause_seconds: float | None, secret: str
) -> Fault:
    """Say what a response without success means for its row.

    Args:
        status: HTTP status, not 2xx.
        content: The body, untrusted.
        model: Whose endpoint it is.
        pause_seconds: What `Retry-After` said.
        secret: The endpoint's key; where the body repeats it, it is struck out.

    Raises:
        InputError: 401 and 403 (CS-M007), 404 and redirections (CS-M001): the recipe or the key is
            wrong, and every other row would get the same.
        RunError: CS-G003 when the account is empty, or the endpoint wants a longer rest than ten
            minutes.
    """
    said, code = complaint(content, secret=secret)
    explained = f"the endpoint answered {status}" + (f": {said}" if said else "")
    if status in (401, 403):
        raise _refused_key(status, model)
    if status == 404 or 300 <= status < 400:
        raise InputError(
            explained if status == 404 else f"the endpoint redirects ({status})",
            code="CS-M001",
            place="model.base_url",
            hint=f"check that {model.base_url} is the API's address with its version, that it has "
            f"`{model.api}`, and that it knows the model {model.name!r}",
        )
    if status == 402 or code in _OUT_OF_MONEY:
        raise RunError(
            explained,
            code="CS-G003",
            place=host_of(model),
            hint="the account at the endpoint is empty; the same command resumes the run",
        )
    if pause_seconds is not None and pause_seconds > MOST_PAUSE_SECONDS:
        raise RunError(
            f"the endpoint wants no request for {pause_seconds:,.0f} seconds ({status})",
            code="CS-G003",
            place=host_of(model),
            hint="run the same command again then; replies so far are kept and not paid again",
        )
    passing = status in _PASSING or status >= 500
    return Fault(
        explained, passing=passing, too_many=status in _TOO_MANY, pause_seconds=pause_seconds
    )


def unreachable(fault: Fault, *, model: OpenAIModel) -> RunError:
    """End a run whose endpoint nobody can connect to."""
    return RunError(
        fault.message,
        code="CS-G003",
        place=host_of(model),
        hint="start the server or check model.base_url; the same command resumes the run",
        retryable=True,
    )


def hopeless(fault: Fault, *, rows: int, model: OpenAIModel) -> RunError:
    """End a run in which no row gets a reply any more."""
    return RunError(
        f"{rows} rows in succession got no reply; the last: {fault.message}",
        code="CS-G003",
        place=host_of(model),
        hint="if the endpoint refuses a parameter, see model.seeds, model.logprobs, model.forms "
        "and model.max_tokens_key; the same command resumes the run",
    )


def missing_key(model: OpenAIModel) -> InputError:
    """Say that the environment lacks the endpoint's key."""
    return InputError(
        f"the environment variable {model.api_key_env} is not set",
        code="CS-M007",
        place="model.api_key_env",
        hint="put the endpoint's key into it, or name another variable in model.api_key_env",
    )


def host_of(model: OpenAIModel) -> str:
    """Return host and port of an endpoint."""
    return urlsplit(model.base_url).netloc


def _refused_key(status: int, model: OpenAIModel) -> CorpusmithError:
    # What the endpoint says here is not repeated: some show half of the key.
    return InputError(
        f"the endpoint refused the key ({status})",
        code="CS-M007",
        place=host_of(model),
        hint=f"check the key in the environment variable {model.api_key_env}, and that it may use "
        f"the model {model.name!r}",
    )
