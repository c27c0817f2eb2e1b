"""The workspace: an unfinished run on disk. What is in this folder is done; the rest is not.

OUT/NAME/.work-KEY/
  run.json                       what this run is; written once, at the start
  inputs.json                                  template and examples as they were then
  round-000/plan.parquet                       rows and attempts of the round
  round-000/shard-00000.prompts.parquet        one file a shard and stage ...
  round-000/shard-00000.prompts.json           ... and what the work on it cost
  final/...                                    the accepted rows in row order, noised; splits; audit
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from filelock import FileLock, Timeout

from schemas.base import Frozen
from schemas.errors import InputError
from schemas.recipe import Model, Recipe
from tasks.planning.shards import write_whole


class RunFacts(Frozen):
    """What a run is, fixed at its start and kept over every resumption."""

    work_key: str
    """Hash of everything that decides the shard files."""
    recipe_sha256: str
    """Hash of everything that decides the rows."""
    version: str
    created: str
    """UTC, ISO 8601."""
    recipe: Recipe
    model: Model
    """The recipe's model, with an absolute path in place of a relative one."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """The folder of one unfinished run, and the names of the files in it."""

    folder: Path

    @property
    def facts(self) -> RunFacts:
        """Read what this run is."""
        return RunFacts.model_validate_json((self.folder / "run.json").read_text("utf-8"))

    @property
    def inputs(self) -> Path:
        """The prompt template and the few-shot examples as they were at the start."""
        return self.folder / "inputs.json"

    def delete(self) -> None:
        """Delete the folder: the release holds everything in it."""
        shutil.rmtree(self.folder)

    @property
    def final(self) -> Path:
        """Folder of the accepted rows on their way to the release."""
        return self.folder / "final"

    @property
    def expectations(self) -> Path:
        """Folder of the validation's suite, result and pages."""
        return self.final / "expectations"

    def note_seconds(self, stage: str, seconds: float) -> None:
        """Note what a step over the whole corpus cost."""
        note_cost(self.final / f"{stage}.parquet", Cost(stage=stage, seconds=seconds))

    def round(self, number: int) -> Path:
        """Folder of one round: every row that is still open is tried once."""
        return self.folder / f"round-{number:03d}"

    def rounds(self) -> list[Path]:
        """Folders of the rounds begun so far, in order."""
        return sorted(self.folder.glob("round-*"))

    def shard(self, number: int, shard: int, stage: str) -> Path:
        """File of one shard after one stage (`prompts`, `candidates`, `scored`, `selected`)."""
        return self.round(number) / f"shard-{shard:05d}.{stage}.parquet"


class Cost(Frozen):
    """What the work on one file cost so far."""

    stage: str
    rows: int = 0
    tokens: int = 0
    """Generated tokens."""
    prompt_tokens: int = 0
    seconds: float = 0.0
    done: bool = True
    """False while the work goes on."""
    rejected: dict[str, int] = {}
    """Rows dropped here, by reason."""


def note_cost(path: Path, cost: Cost) -> None:
    """Write what a file cost beside it, so that the manifest and the progress survive an interruption."""
    write_whole(path.with_suffix(".json"), cost.model_dump_json().encode())


def read_cost(path: Path) -> Cost | None:
    """Read what a file cost; None when it was not noted."""
    try:
        return Cost.model_validate_json(path.with_suffix(".json").read_text("utf-8"))
    except (OSError, ValueError):
        return None


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._start = perf_counter()

    @property
    def seconds(self) -> float:
        """Seconds of wall time, from the monotonic clock."""
        return perf_counter() - self._start


def workspace_of(home: Path, facts: RunFacts) -> Workspace:
    """Name the workspace of a run in `OUT/NAME`, begun or not: the same for the same work key."""
    return Workspace(home / f".work-{facts.work_key[:16]}")


def open_workspace(home: Path, facts: RunFacts, *, resume: str) -> Workspace:
    """Continue the unfinished run with this work key, or begin one.

    Args:
        home: `OUT/NAME`.
        facts: What the run is; of an earlier try its version and creation time are kept.
        resume: `auto`: continue when there is something to continue; `never`: begin anew; `always`:
            only continue.

    Raises:
        InputError: CS-O003 when `resume` is `always` and there is nothing to continue.
    """
    workspace = workspace_of(home, facts)
    begun = (workspace.folder / "run.json").exists()
    if resume == "always" and not begun:
        raise InputError(
            "there is no unfinished run of this recipe to resume",
            code="CS-O003",
            place=str(home),
            hint="leave --resume out, or check that recipe, model and --out are those of the unfinished run",
        )
    if begun and resume != "never":
        return workspace
    shutil.rmtree(workspace.folder, ignore_errors=True)
    write_whole(workspace.folder / "run.json", facts.model_dump_json(indent=1).encode())
    return workspace


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Hold `OUT/NAME` for this process alone; the lock dies with the process.

    Raises:
        InputError: CS-O002 when another run holds it.
    """
    home.mkdir(parents=True, exist_ok=True)
    lock = FileLock(home / ".lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise InputError(
            "another run is writing into this folder",
            code="CS-O002",
            place=str(home),
            hint="wait until it ends, or give this run another --out",
        ) from None
    try:
        yield
    finally:
        lock.release()
