"""What Prefect's pages show of a run: a progress bar, every count, and where the release is."""

import re
import time
from pathlib import Path
from typing import cast
from uuid import UUID

from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

from flows import policies
from flows.logs import say
from schemas.audit import Audit
from schemas.evaluation import Evaluation
from schemas.manifest import Manifest
from schemas.recipe import Recipe
from tasks.planning.progress import Progress, ProgressReader
from tasks.planning.workspace import Workspace
from tasks.release.outlet import Place
from tasks.report import evaluation_wording


class Board:
    """The artifacts of one run."""

    def __init__(self, workspace: Workspace, recipe: Recipe) -> None:
        self._recipe = recipe
        self._reader = ProgressReader(workspace, recipe.rows)
        self._artifact: UUID | None = None
        self._updated = 0.0

    def update(self, *, force: bool = False) -> None:
        """Show how far the run is; skipped while the last update is fresh, unless forced."""
        now = time.monotonic()
        if not force and now - self._updated < policies.PROGRESS_SECONDS:
            return
        self._updated = now
        percent, words = _percent(progress := self._reader.read()), _words(progress)
        say(
            "run.progress",
            words,
            rows={"requested": progress.requested, "accepted": progress.accepted},
            rejected=dict(progress.rejected),
            generated=progress.generated,
            round=progress.round,
            tokens=progress.tokens,
        )
        if self._artifact is None:
            made = create_progress_artifact(
                percent, key=f"{self._recipe.name}-progress", description=words
            )
            self._artifact = cast("UUID", made)
        else:
            update_progress_artifact(self._artifact, percent, description=words)

    def finish(self, release: Place, manifest: Manifest) -> None:
        """Show what the run made."""
        rows = manifest.rows
        say(
            "run.released" if manifest.verdict == "pass" else "run.refused",
            f"{manifest.name} {manifest.version}: {manifest.verdict}",
            release=str(release),
            rows=rows.model_dump(mode="json", exclude={"rejected"}),
            rejected=rows.rejected,
            tokens=manifest.tokens.model_dump(mode="json"),
            usd=manifest.usd,
            seconds=manifest.seconds,
        )
        create_table_artifact(
            [
                {"count": "requested", "rows": rows.requested},
                {"count": "generated", "rows": rows.generated},
                *({"count": f"rejected: {why}", "rows": n} for why, n in rows.rejected.items()),
                {"count": "accepted", "rows": rows.accepted},
                {"count": "shortfall", "rows": rows.shortfall},
            ],
            key=f"{self._recipe.name}-counts",
            description="every candidate, accounted for",
        )
        create_markdown_artifact(
            _summary(release, manifest),
            key=f"{self._recipe.name}-release",
            description=f"{self._recipe.name} {manifest.version}: {manifest.verdict}",
        )


def show_audit(audit: Audit, out: Path, *, name: str) -> None:
    """Show what the audit of a dataset came to, under the dataset's name."""
    bands = "\n".join(f"| {band.group.value} | {band.level} |" for band in audit.bands)
    create_markdown_artifact(
        f"# {audit.verdict}\n\n{_link(out)}\n\n| room | band |\n| --- | --- |\n{bands}\n",
        key=_key(name, "audit"),
        description=f"audit of {name}: {audit.verdict}",
    )


def show_evaluation(found: Evaluation, out: Path, *, name: str) -> None:
    """Show what a synthetic set is worth, under its name."""
    headline = evaluation_wording.headline(found)
    said = "\n".join(f"- {reason}" for reason in evaluation_wording.reasons(found))
    create_markdown_artifact(
        f"# {headline}\n\n{_link(out)}\n\n{said}\n",
        key=_key(name, "evaluation"),
        description=f"evaluation of {name}: {headline}",
    )


def _key(name: str, what: str) -> str:
    """Name an artifact in the characters that Prefect takes."""
    return "-".join([*re.findall("[a-z0-9]+", name.lower()), what])


def _percent(progress: Progress) -> float:
    return min(100.0, 100.0 * progress.accepted / progress.requested)


def _words(progress: Progress) -> str:
    return (
        f"{progress.accepted} of {progress.requested} rows accepted, "
        f"{progress.rejected.total()} rejected, {progress.tokens} tokens"
    )


def _summary(release: Place, manifest: Manifest) -> str:
    verdicts = {True: "pass", False: "**fail**"}
    gates = "\n".join(
        f"| {gate.name} | {verdicts[gate.passed]} | {gate.observed} | {gate.bound} |"
        for gate in manifest.gates
    )
    audit = f"Audit: **{manifest.audit.verdict}**\n\n" if manifest.audit is not None else ""
    return (
        f"# {manifest.name} {manifest.version}: {manifest.verdict}\n\n"
        f"{manifest.rows.accepted} of {manifest.rows.requested} rows, "
        f"{manifest.tokens.generated} tokens.\n\n"
        f"{audit}{_link(release)}\n\n"
        f"| gate | verdict | observed | bound |\n| --- | --- | --- | --- |\n{gates}\n"
    )


def _link(folder: Place) -> str:
    page = f"{folder}/report.html"
    # Browsers open neither a local file nor an object store: the place is there to be copied.
    address = Path(page).resolve().as_uri() if isinstance(folder, Path) else page
    return f"Report: [report.html]({address}), `{page}`"
