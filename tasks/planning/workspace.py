"""The workspace: an unfinished run on disk. What is in this folder is done; the rest is not.

OUT/NAME/.work-KEY/
  run.json                                        what this run is, fixed at its start
  inputs.json                                     template and examples as they were then
  replies.jsonl                                   an endpoint's replies, each as it came
  round-000000/plan.parquet                       rows and attempts of the round
  round-000000/shard-000000000.prompts.parquet    one file a shard and stage ...
  round-000000/shard-000000000.prompts.receipt    ... what it was made from, and its hash
  round-000000/shard-000000000.prompts.json       ... and what the work on it cost
  final/...                                       accepted rows in row order, noised; splits
  audit.json                                      the audit of these rows

Numbers are padded, so that the order of names is the order of numbers.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout
from pydantic import Field, ValidationError

from schemas.base import Frozen
from schemas.errors import InputError, RunError
from schemas.recipe import Model, Recipe, TransformersModel
from tasks.planning.costs import Cost, note_cost
from tasks.planning.faults import disk_faults
from tasks.planning.shards import TEMPORARY, write_whole


class RunFacts(Frozen):
    """What a run is, fixed at its start and kept over every resumption."""

    work_key: str
    """Hash of everything that decides the shard files."""
    recipe_sha256: str
    """Hash of everything that decides the rows."""
    inputs: dict[str, str]
    """What the recipe only names: SHA-256 of each, or a word."""
    version: str
    created: str
    """UTC, ISO 8601."""
    parent: str | None = None
    """The version that `latest.json` named when the run began."""
    recipe: Recipe
    model: Model
    """The recipe's model, with an absolute path in place of a relative one."""
    rewards: dict[str, TransformersModel] = Field(default_factory=dict)
    """Its reward models by the names that it gives them, each with an absolute path or a commit."""
    audit_data: dict[Literal["reference", "holdout"], str] = Field(default_factory=dict)
    """Absolute paths of what the release is audited beside, by role."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """The folder of one unfinished run, and the names of the files in it."""

    folder: Path

    @property
    def facts(self) -> RunFacts:
        """Read what this run is.

        Raises:
            RunError: CS-W001 if the file is missing or damaged.
        """
        path = self.folder / "run.json"
        try:
            return RunFacts.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise RunError(
                "the file that says what this run is cannot be read",
                code="CS-W001",
                place=str(path),
                hint="run the same command again; finished work is kept",
            ) from error

    @property
    def inputs(self) -> Path:
        """The prompt template and the few-shot examples as they were at the start."""
        return self.folder / "inputs.json"

    @property
    def replies(self) -> Path:
        """The replay log: replies of an endpoint that are paid already."""
        return self.folder / "replies.jsonl"

    @property
    def kept_replies(self) -> Path:
        """Replies that failed runs of the corpus paid for: `OUT/NAME/.replies.jsonl`."""
        return self.folder.with_name(".replies.jsonl")

    def delete(self) -> None:
        """Delete the folder: the release holds everything in it.

        Renamed first: a run that is killed here leaves no half workspace to be mistaken for one,
        and `sweep` deletes what still stands under the temporary name.
        """
        doomed = self.folder.with_name(f"{TEMPORARY}{self.folder.name}-{os.getpid()}")
        with disk_faults(self.folder):
            self.folder.rename(doomed)
            shutil.rmtree(doomed)

    @property
    def lists(self) -> Path:
        """Folder of the lists that noise steps read, as they were at the start."""
        return self.folder / "lists"

    @property
    def final(self) -> Path:
        """Folder of the accepted rows on their way to the release."""
        return self.folder / "final"

    @property
    def expectations(self) -> Path:
        """Folder of the validation's suite, result and pages."""
        return self.final / "expectations"

    @property
    def audit(self) -> Path:
        """The audit of the accepted rows."""
        return self.folder / "audit.json"

    def note_seconds(self, stage: str, seconds: float) -> None:
        """Note what a step over the whole corpus cost."""
        note_cost(self.final / f"{stage}.parquet", Cost(stage=stage, seconds=seconds))

    def round(self, number: int) -> Path:
        """Folder of one round: every row that is still open is tried once."""
        return self.folder / f"round-{number:06d}"

    def plan(self, number: int) -> Path:
        """File of the rows and attempts of one round."""
        return self.round(number) / "plan.parquet"

    def forget_rounds(self, first: int) -> None:
        """Delete round `first` and those after it: they followed from something else."""
        for folder in self.rounds()[first:]:
            shutil.rmtree(folder)

    def rounds(self) -> list[Path]:
        """Folders of the rounds begun so far, in order."""
        return sorted(self.folder.glob("round-*"))

    def shard(self, number: int, shard: int, stage: str) -> Path:
        """File of one shard after one stage (`prompts`, `candidates`, `scored`, `selected`)."""
        return self.round(number) / f"shard-{shard:09d}.{stage}.parquet"

    @staticmethod
    def after(shard: Path, stage: str) -> Path:
        """File of the same shard after another stage."""
        return shard.with_name(f"{shard.name.split('.')[0]}.{stage}.parquet")

    def noised(self, shard: int) -> Path:
        """File of the accepted rows of one shard after noise."""
        return self.final / f"shard-{shard:09d}.noised.parquet"

    def noised_shards(self) -> list[Path]:
        """Name the files of all accepted rows after noise, in row order: a lost one is missed."""
        recipe = self.facts.recipe
        return [self.noised(shard) for shard in range(-(-recipe.rows // recipe.shard_size))]


def workspace_of(home: Path, facts: RunFacts) -> Workspace:
    """Name the workspace of a run in `OUT/NAME`, begun or not: the same for the same work key."""
    return Workspace(home / f".work-{facts.work_key[:16]}")


def require_begun(home: Path, facts: RunFacts, *, resume: str) -> bool:
    """Tell whether an unfinished run with this work key stands in `OUT/NAME`; nothing is written.

    Raises:
        InputError: CS-O003 when `resume` is `always` and there is none.
    """
    begun = workspace_of(home, facts).folder.is_dir()
    if resume == "always" and not begun:
        raise InputError(
            "there is no unfinished run of this recipe to resume",
            code="CS-O003",
            place=str(home),
            hint="leave --resume out, or check that recipe, model and --out are those of the run",
        )
    return begun


def unfinished(home: Path) -> list[Path]:
    """List the folders of all unfinished runs in `OUT/NAME`."""
    return sorted(path.parent for path in home.glob(".work-*/run.json"))


def open_workspace(home: Path, facts: RunFacts, *, resume: str) -> Workspace:
    """Continue the unfinished run with this work key, or begin one.

    Temporary files of a try that was killed are deleted. A damaged `run.json` is written anew: the
    work key is in the folder's name, and every other file says for itself what it was made from.
    So is one that differs in what the work key leaves out (batch size, timeouts, ...): the newest
    wish counts.

    Args:
        home: `OUT/NAME`.
        facts: What the run is; of an earlier try its version, time and parent are kept.
        resume: `auto`: continue when there is something to continue; `never`: begin anew; `always`:
            only continue.

    Raises:
        InputError: CS-O003 when `resume` is `always` and there is nothing to continue; CS-O001 when
            the folder cannot be written.
        RunError: CS-O004 when the disk is full.
    """
    workspace = workspace_of(home, facts)
    begun = require_begun(home, facts, resume=resume)
    if begun and resume == "never":
        workspace.delete()
    with disk_faults(workspace.folder):
        for path in workspace.folder.rglob(f"{TEMPORARY}*"):
            path.unlink()
    earlier = _facts_of(workspace, facts.work_key)
    if earlier is not None:
        kept = {name: getattr(earlier, name) for name in ("version", "created", "parent")}
        facts = facts.model_copy(update=kept)
    if facts != earlier:
        write_whole(workspace.folder / "run.json", facts.model_dump_json(indent=1).encode())
    return workspace


def _facts_of(workspace: Workspace, work_key: str) -> RunFacts | None:
    try:
        return facts if (facts := workspace.facts).work_key == work_key else None
    except RunError:
        return None


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Hold `OUT/NAME` for this process alone; the lock dies with the process.

    Raises:
        InputError: CS-O002 when another run holds it; CS-O001 when it cannot be written.
        RunError: CS-O004 when the disk is full.
    """
    lock = FileLock(home / ".lock")
    with disk_faults(home):
        home.mkdir(parents=True, exist_ok=True)
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
