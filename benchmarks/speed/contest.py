"""Contenders measured side by side: each in its own process, taking turns."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from speed.engines import Setting

_WORKER = Path(__file__).with_name("worker.py")
Wait = Literal["default", "passive"]


@dataclass(frozen=True)
class Contender:
    """A setting and how its idle threads wait (`OMP_WAIT_POLICY`)."""

    setting: Setting
    wait: Wait = "default"


@dataclass(frozen=True)
class Measured:
    """What one contender did.

    Args:
        contender: Who.
        seconds: Seconds of each run.
        tokens: Useful tokens of a run.
        peak_mb: Peak of its memory.
        baseline_mb: Its memory once the model was loaded.
        prompt_tokens: Tokens of all prompts.
    """

    contender: Contender
    seconds: tuple[float, ...]
    tokens: int
    peak_mb: float
    baseline_mb: float
    prompt_tokens: int

    @property
    def tokens_per_second(self) -> float:
        """Useful tokens per second of the fastest run."""
        return self.tokens / min(self.seconds)


def measure(
    contenders: Sequence[Contender], *, prompts: Sequence[str], repeats: int, together: bool
) -> list[Measured]:
    """Measure contenders on the same prompts.

    Args:
        contenders: Whom.
        prompts: What each replies to.
        repeats: Runs of each.
        together: Load all of them and let them run in turn, so that a slow minute of the machine
            meets everyone; otherwise one after the other, for devices that hold one only.

    Raises:
        SystemExit: If one of them fails, or they disagree on the prompts' tokens.
    """
    groups = [list(contenders)] if together else [[contender] for contender in contenders]
    found = [measured for group in groups for measured in _measure(group, prompts, repeats)]
    if len({measured.prompt_tokens for measured in found}) > 1:
        raise SystemExit("the engines do not read the same tokens")
    return found


def _measure(
    contenders: Sequence[Contender], prompts: Sequence[str], repeats: int
) -> Iterator[Measured]:
    with ExitStack() as stack:
        workers, ready = [], []
        for who in contenders:
            workers.append(stack.enter_context(_Worker(who, prompts)))
            ready.append(workers[-1].read())
        rounds = [[worker.run() for worker in workers] for _ in range(repeats)]
    for who, start, runs in zip(contenders, ready, zip(*rounds, strict=True), strict=True):
        yield Measured(
            contender=who,
            seconds=tuple(run["seconds"] for run in runs),
            tokens=runs[-1]["tokens"],
            peak_mb=runs[-1]["peak_mb"],
            baseline_mb=start["baseline_mb"],
            prompt_tokens=start["prompt_tokens"],
        )


class _Worker:
    """A contender's process."""

    def __init__(self, contender: Contender, prompts: Sequence[str]) -> None:
        self._contender = contender
        environment = dict(os.environ)
        environment.pop("OMP_WAIT_POLICY", None)
        if contender.wait == "passive":
            environment["OMP_WAIT_POLICY"] = "PASSIVE"
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, str(_WORKER), json.dumps(asdict(contender.setting))],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self._say(json.dumps(list(prompts)))

    def __enter__(self) -> "_Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()
        self._log.close()

    def run(self) -> dict[str, Any]:
        """Let it run once."""
        self._say("run")
        return self.read()

    def read(self) -> dict[str, Any]:
        """Read its next line."""
        assert self._process.stdout is not None
        if line := self._process.stdout.readline():
            reply: dict[str, Any] = json.loads(line)
            return reply
        self._log.seek(0)
        raise SystemExit(f"{self._contender} failed:\n{self._log.read()[-2000:]}")

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            self.read()
