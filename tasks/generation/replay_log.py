"""The replay log: every reply of an endpoint, kept as it arrives, so that none is paid twice.

One JSON object a line: `{"key", "reply": {...}}`, or with `"reply": null` what a request may have
cost whose answer never came. `"earlier": true` marks what another run paid for. No key of the
endpoint and no prompt is in it.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from schemas.models import Price
from tasks.generation.endpoint_reply import Reply
from tasks.planning.faults import disk_faults
from tasks.planning.shards import TEMPORARY


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


def read_usage(path: Path) -> tuple[Usage, Usage]:
    """Add up what a replay log says that its run used; nothing when there is none.

    Returns:
        What the replies used, and what the lost requests did at most.
    """
    replied, lost = Usage(), Usage()
    if path.is_file():
        with path.open("rb") as file:
            for _, entry in _entries(file):
                if entry["reply"] is None:
                    lost += _usage(entry)
                else:
                    replied += _usage(entry)
    return replied, lost


def keep_replies(log: Path, kept: Path) -> None:
    """Keep the replies of a run that ends beside those of other runs; nothing when it has no log.

    Raises:
        RunError: CS-O004 if the disk is full; CS-O001 for other faults, as `disk_faults`.
    """
    if not log.is_file():
        return

    def join(file: IO[bytes]) -> None:
        for path in (kept, log):
            with path.open("rb") as source:
                shutil.copyfileobj(source, file)

    with disk_faults(kept):
        if kept.is_file():
            _write_whole(kept, join)
        else:
            log.replace(kept)


def take_over(kept: Path, log: Path) -> None:
    """Begin a run's log with the replies that earlier runs paid for, unless it has one already.

    They count nothing in this run. The kept file goes once they are on the disk.

    Raises:
        RunError: CS-O004 if the disk is full; CS-O001 for other faults, as `disk_faults`.
    """
    if log.exists() or not kept.is_file():
        return

    def mark(file: IO[bytes]) -> None:
        with kept.open("rb") as source:
            for _, entry in _entries(source):
                if entry["reply"] is not None:
                    file.write(_line({**entry, "earlier": True}))

    with disk_faults(log):
        _write_whole(log, mark)
        kept.unlink()


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
        line = _line(entry)
        with disk_faults(self._path):
            try:
                written = os.write(self._file, line)
                while written < len(line):
                    written += os.write(self._file, line[written:])
            except OSError:
                # The next line must not be written behind half of this one.
                os.ftruncate(self._file, self._end)
                raise
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


def _write_whole(path: Path, write: Callable[[IO[bytes]], None]) -> None:
    """Write a file, for its owner's eyes alone, that is whole or absent."""
    draft = path.with_name(f"{TEMPORARY}{path.name}-{os.getpid()}")
    try:
        with open(draft, "wb", opener=_open_private) as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _line(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry, separators=(",", ":")).encode() + b"\n"


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
    if entry.get("earlier"):
        return Usage()
    used = entry["reply"] if entry["reply"] is not None else entry["lost"]
    return Usage(int(used["prompt_tokens"]), int(used["completion_tokens"]))
