"""From a finished workspace to a release: the last station of every row."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas.manifest import GateResult, Manifest
from schemas.recipe import Recipe
from schemas.recipe_file import resolved_yaml
from schemas.row import EDITS, REJECTED_SCHEMA, RELEASED_SCHEMA
from tasks.generation.protocol import Backend
from tasks.planning.rounds import candidates
from tasks.planning.workspace import RunFacts, Workspace
from tasks.release.accounts import Accounts, balance
from tasks.release.card import render_card
from tasks.release.draft import ReleaseDraft
from tasks.release.manifest import hardware, package_versions
from tasks.release.publish import latest
from tasks.report.builder import FindingsBuilder
from tasks.report.page import write_report


def assemble(workspace: Workspace, *, gates: tuple[GateResult, ...]) -> Path:
    """Write and publish the release of a validated run.

    Args:
        workspace: The run: rows accepted, arranged, noised and validated.
        gates: Results of the dataset gates.

    Returns:
        The published folder, `OUT/NAME/VERSION`, or `OUT/NAME/VERSION-failed`.

    Raises:
        RunError: CS-O004 if the disk is full; the workspace stays and the run can be resumed.
    """
    facts = workspace.facts
    recipe, home = facts.recipe, workspace.folder.parent
    accounts = balance(workspace, recipe)
    findings = FindingsBuilder(recipe)
    with ReleaseDraft(
        home, version=facts.version, splits=tuple(recipe.splits), row_group_rows=recipe.shard_size
    ) as draft:
        sizes = np.zeros(len(recipe.splits), dtype=np.int64)
        for table, splits in released(workspace):
            draft.add_rows(table, splits)
            findings.add_accepted(table)
            sizes += np.bincount(splits, minlength=sizes.size)
        for table in rejected(workspace):
            draft.add_rejected(table)
            findings.add_rejected(table)
        splits_of = dict(zip(recipe.splits, sizes.tolist(), strict=True))
        manifest = build_manifest(facts, accounts, gates=gates, splits=splits_of)
        write_report(findings.build(manifest), draft.folder)
        for source in sorted((workspace.final / "expectations").rglob("*")):
            if source.is_file():
                path = source.relative_to(workspace.final).as_posix()
                draft.write_text(path, source.read_text("utf-8"))
        draft.write_text("recipe.yaml", resolved_yaml(recipe))
        draft.write_text("README.md", render_card(recipe, manifest))
        return draft.publish(manifest)


def released(workspace: Workspace) -> Iterator[tuple[pa.Table, np.ndarray]]:
    """Yield the released rows shard by shard in row order, each with the places of its splits."""
    splits = pq.read_table(workspace.final / "arranged.parquet")["split"].to_numpy()
    start = 0
    for path in sorted(workspace.final.glob("shard-*.noised.parquet")):
        table = pq.read_table(path, columns=RELEASED_SCHEMA.names, page_checksum_verification=True)
        yield table.cast(RELEASED_SCHEMA), splits[start : start + table.num_rows].astype(np.int64)
        start += table.num_rows


def rejected(workspace: Workspace) -> Iterator[pa.Table]:
    """Yield the rejected candidates shard by shard in (round, row) order, with `REJECTED_SCHEMA`."""
    for table in candidates(workspace):
        lost = table.filter(pc.is_valid(table["reason"]))
        nothing = pa.nulls(lost.num_rows)
        lost = lost.append_column("clean_text", nothing.cast(pa.string()))
        lost = lost.append_column("noise", pa.array([[]] * lost.num_rows, EDITS))
        yield lost.select(REJECTED_SCHEMA.names).cast(REJECTED_SCHEMA)


def build_manifest(
    facts: RunFacts, accounts: Accounts, *, gates: tuple[GateResult, ...], splits: dict[str, int]
) -> Manifest:
    """State what was asked, what was made and by what."""
    short = accounts.rows.shortfall > 0 and not facts.recipe.budget.allow_shortfall
    passed = all(gate.passed for gate in gates) and not short
    return Manifest(
        name=facts.recipe.name,
        version=facts.version,
        created=facts.created,
        verdict="pass" if passed else "fail",
        recipe_sha256=facts.recipe_sha256,
        model=facts.model,
        packages=package_versions(),
        rows=accounts.rows,
        shortfalls=accounts.shortfalls,
        splits=splits,
        tokens=accounts.tokens,
        seconds=accounts.seconds,
        determinism=facts.determinism,
        hardware=hardware(facts.model.device),
        gates=gates,
        files=(),
        parent=None,
    )
