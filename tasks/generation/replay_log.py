"""The replay log: every reply of an endpoint, kept as it arrives, so that none is paid twice.

One JSON object a line: `{"key", "reply": {...}}`, or with `"reply": null` what a request may have
cost whose answer never came. No key of the endpoint and no prompt is in it.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from schemas.models import Price
from tasks.generation.endpoint_reply import Reply
from tasks.planning.faults import disk_faults


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that an endpoint has read and written, lost requests at their most."""

    prompt_tokens: int = 0
    completion_tokens: int = 0

    def usd(self, price: Price | None) -> float | None:
        """Return what the tokens cost, in US dollars; None without a price."""
        if price is None:
            return None
        return price.usd(prompt_tokens=self.prompt_tokens, completion_tokens=self.completion_tokens)

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
        )


def read_usage(path: Path) -> Usage:
    """Add up what a replay log says was used; nothing when there is none."""
    total = Usage()
    if path.is_file():
        with path.open("rb") as file:
            for _, entry in _entries(file):
                total += _usage(entry)
    return total


class ReplayLog:
    """An append-only file of replies; memory holds only where each stands, 0.2 kB a reply.

    A line is written at once and whole: what was written survives the death of the process, and a
    torn last line is dropped when the log is opened. Not for several threads at a time.

    Args:
        path: The file, made when it is absent; None keeps nothing.

    Raises:
        RunError: CS-O004 if the disk is full; CS-O001 for other faults, as `disk_faults`.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._places: dict[bytes, int] = {}
        self.usage = Usage()
        """What all replies in the log used, and the requests that were lost."""
        self._file = -1
        self._end = 0
        if path is not None:
            with disk_faults(path):
                self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
                self._load()

    def __enter__(self) -> "ReplayLog":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; the log cannot be used any more."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    @property
    def is_current(self) -> bool:
        """Whether the file that was opened still stands under its name."""
        if self._path is None:
            return True
        try:
            here, there = os.fstat(self._file), self._path.stat()
        except OSError:
            return False
        return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)

    def find(self, key: str) -> Reply | None:
        """Return the reply that was written under a key, None when there is none."""
        place = self._places.get(bytes.fromhex(key))
        if place is None:
            return None
        with os.fdopen(os.dup(self._file), "rb") as file:
            file.seek(place)
            entry = _parse(file.readline())
        return None if entry is None or entry["reply"] is None else Reply(**entry["reply"])

    def write(self, key: str, reply: Reply) -> None:
        """Keep a reply."""
        fields = {
            "text": reply.text,
            "prompt_tokens": reply.prompt_tokens,
            "completion_tokens": reply.completion_tokens,
            "logprob": reply.logprob,
            "finish_reason": reply.finish_reason,
            "error": reply.error,
        }
        place = self._end
        self._append({"key": key, "reply": fields})
        if self._path is not None:
            self._places[bytes.fromhex(key)] = place

    def write_lost(self, key: str, most: Usage) -> None:
        """Keep what a request without an answer may have cost."""
        lost = {"prompt_tokens": most.prompt_tokens, "completion_tokens": most.completion_tokens}
        self._append({"key": key, "reply": None, "lost": lost})

    def _append(self, entry: dict[str, Any]) -> None:
        self.usage += _usage(entry)
        if self._path is None:
            return
        line = json.dumps(entry, separators=(",", ":")).encode() + b"\n"
        with disk_faults(self._path):
            written = os.write(self._file, line)
            while written < len(line):
                written += os.write(self._file, line[written:])
        self._end += len(line)

    def _load(self) -> None:
        with os.fdopen(os.dup(self._file), "rb") as file:
            for place, entry in _entries(file):
                self.usage += _usage(entry)
                if entry["reply"] is not None:
                    self._places[bytes.fromhex(entry["key"])] = place
            content_end = file.seek(0, os.SEEK_END)
            self._end = _whole_lines(file, content_end)
        if self._end < content_end:
            os.ftruncate(self._file, self._end)


def _entries(file: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield every whole and readable line with its place."""
    place = 0
    for line in file:
        if line.endswith(b"\n") and (entry := _parse(line)) is not None:
            yield place, entry
        place += len(line)


def _whole_lines(file: Any, end: int) -> int:
    """Find where the last whole line ends: a process may have died in the middle of one."""
    step = 65_536
    while end > 0:
        start = max(end - step, 0)
        file.seek(start)
        found = file.read(end - start).rfind(b"\n")
        if found >= 0:
            return int(start + found + 1)
        end = start
    return 0


def _parse(line: bytes) -> dict[str, Any] | None:
    """Read one line; None for one that this log did not write."""
    try:
        entry = json.loads(line)
        bytes.fromhex(entry["key"])
        if entry["reply"] is not None:
            Reply(**entry["reply"])
        _usage(entry)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return dict(entry)


def _usage(entry: dict[str, Any]) -> Usage:
    used = entry["reply"] if entry["reply"] is not None else entry["lost"]
    return Usage(int(used["prompt_tokens"]), int(used["completion_tokens"]))
