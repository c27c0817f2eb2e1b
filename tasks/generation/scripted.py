"""The scripted backend: replies read from a file, or made by a function, instead of by a model."""

import hashlib
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field, ValidationError

from schemas.base import Frozen
from schemas.errors import InputError
from schemas.manifest import Determinism, ModelInfo
from schemas.recipe import ScriptedModel
from tasks.decoding.stopping import cut_at_stop
from tasks.generation.protocol import Completion, Compute, FinishReason, Request
from tasks.planning.streams import Stream, fold

_CONTEXT_LENGTH = 1_000_000


class ScriptedReply(Frozen):
    """One line of a script; all but `text` and `label` are faults to rehearse."""

    text: str = ""
    label: str | None = None
    """The label that it answers; null answers every label that has no line of its own."""
    finish_reason: Literal["eos", "length"] = "eos"
    """`length` plays a reply that was cut."""
    error: str | None = Field(default=None, min_length=1)
    """The row fails with this message."""
    sleep_seconds: float = Field(default=0.0, ge=0, le=3600)
    """Seconds to wait before the reply."""


class ScriptedBackend:
    """Answers requests from a script: the reply is a function of the request.

    A token is a word. Replies longer than the strategy's greatest length are cut, as a model's
    would be, and stop strings end them.

    Args:
        answer: Makes the reply to a request.
        name: What the model is called.
        sha256: Identifies the script in place of weights.
    """

    def __init__(
        self,
        answer: Callable[[Request], ScriptedReply],
        *,
        name: str = "script",
        sha256: str = "0" * 64,
    ) -> None:
        self._answer = answer
        self._info = ModelInfo(
            id=name, weights_sha256=sha256, backend="scripted", context_length=_CONTEXT_LENGTH
        )

    @classmethod
    def from_replies(
        cls, replies: Sequence[ScriptedReply], *, name: str = "script", sha256: str = "0" * 64
    ) -> "ScriptedBackend":
        """Answer each request with one of its label's replies, drawn by the request's seed."""
        by_label: Mapping[str | None, list[ScriptedReply]] = defaultdict(list)
        for reply in replies:
            by_label[reply.label].append(reply)

        def answer(request: Request) -> ScriptedReply:
            fitting = by_label.get(request.label) or by_label.get(None)
            if not fitting:
                return ScriptedReply(error=f"the script has no reply for {request.label!r}")
            key = fold(np.array([request.seed], dtype=np.uint64), int(Stream.SCRIPT))
            return fitting[int(key[0]) % len(fitting)]

        return cls(answer, name=name, sha256=sha256)

    @classmethod
    def from_model(cls, model: ScriptedModel, *, folder: Path) -> "ScriptedBackend":
        """Read the JSONL file that a recipe names; blank lines are skipped.

        Raises:
            InputError: If the file cannot be read (CS-M001), or a line is wrong or there is none
                (CS-M003).
        """
        path = folder / model.name
        try:
            content = path.read_bytes()
        except OSError as error:
            raise InputError(
                f"the script {model.name!r} cannot be read: {error.strerror}",
                code="CS-M001",
                place="model.name",
                hint="name a JSONL file beside the recipe",
            ) from error
        replies = [
            _read_line(line, place=f"{path}:{number}")
            for number, line in enumerate(content.split(b"\n"), start=1)
            if line.strip()
        ]
        if not replies:
            raise _wrong_line("the script has no replies", place=str(path))
        return cls.from_replies(replies, name=path.stem, sha256=hashlib.sha256(content).hexdigest())

    @property
    def num_parameters(self) -> int:
        """Zero: a script has no weights."""
        return 0

    @property
    def info(self) -> ModelInfo:
        """Identify the script."""
        return self._info

    @property
    def determinism(self) -> Determinism:
        """State that the replies are exact."""
        return Determinism(
            promise="exact", statement="Replies come from a script, drawn by each row's own seed."
        )

    @property
    def compute(self) -> Compute:
        """State that the script is read by the CPU."""
        return Compute("cpu")

    def format_prompt(self, text: str) -> str:
        """Return the prompt as it is."""
        return text

    def count_tokens(self, prompts: Sequence[str]) -> list[int]:
        """Count words."""
        return [len(prompt.split()) for prompt in prompts]

    def generate(self, requests: Sequence[Request]) -> Iterator[Completion]:
        """Yield one completion for each request, in order; see `Backend.generate`."""
        for request in requests:
            reply = self._answer(request)
            if reply.sleep_seconds:
                time.sleep(reply.sleep_seconds)
            yield _complete(request, reply)


def _complete(request: Request, reply: ScriptedReply) -> Completion:
    if reply.error is not None:
        return Completion(request, "", 0, None, "error", reply.error)
    text, reason = reply.text, reply.finish_reason
    words, most = text.split(), request.strategy.length.max
    if len(words) > most:
        words, reason = words[:most], "length"
        text = " ".join(words)
    text, stopped = cut_at_stop(text, stops=request.strategy.stop)
    finish: FinishReason = "stop" if stopped else reason
    return Completion(request, text, len(words), None, finish)


def _read_line(line: bytes, *, place: str) -> ScriptedReply:
    try:
        return ScriptedReply.model_validate(json.loads(line))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "line"
        raise _wrong_line(f"{key}: {first['msg']}", place=place) from error
    except (ValueError, RecursionError) as error:
        raise _wrong_line(f"the line is not JSON: {error}", place=place) from error


def _wrong_line(message: str, *, place: str) -> InputError:
    return InputError(
        message,
        code="CS-M003",
        place=place,
        hint='each line is an object like {"text": "...", "label": "..."}',
    )
