"""From a finished workspace to a release: the last station of every row."""

from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from schemas.manifest import Determinism, GateResult, Hardware, Manifest, ModelInfo
from schemas.recipe import Recipe
from schemas.recipe_identity import resolved_yaml
from schemas.row import EDITS, REJECTED_SCHEMA, RELEASED_SCHEMA, SCORED_SCHEMA
from tasks.planning.rounds import candidates
from tasks.planning.workspace import Workspace
from tasks.release.accounts import Accounts, balance
from tasks.release.card import render_card
from tasks.release.draft import ReleaseDraft
from tasks.release.manifest import package_versions
from tasks.report.builder import FindingsBuilder
from tasks.report.page import write_report

_STRATEGY = "strategy_index"


def assemble(
    workspace: Workspace,
    *,
    gates: tuple[GateResult, ...],
    model: ModelInfo,
    determinism: Determinism,
    hardware: Hardware,
) -> Path:
    """Write and publish the release of a validated run.

    Args:
        workspace: The run: rows accepted, arranged, noised and validated.
        gates: Results of the dataset gates.
        model: The model that wrote the texts.
        determinism: Which promise its rows carry.
        hardware: The machine that it ran on.

    Returns:
        The published folder, `OUT/NAME/VERSION`, or `OUT/NAME/VERSION-failed`.

    Raises:
        RunError: CS-O004 if the disk is full; the workspace stays and the run can be resumed.
    """
    start = perf_counter()
    facts = workspace.facts
    recipe, home = facts.recipe, workspace.folder.parent
    accounts = balance(workspace, recipe)
    with ReleaseDraft(
        home, version=facts.version, splits=tuple(recipe.splits), row_group_rows=recipe.shard_size
    ) as draft:
        findings, splits = _write_rows(workspace, recipe, draft)
        manifest = Manifest(
            name=recipe.name,
            version=facts.version,
            created=facts.created,
            verdict="pass" if _passes(recipe, accounts, gates) else "fail",
            recipe_sha256=facts.recipe_sha256,
            inputs=facts.inputs,
            model=model,
            packages=package_versions(),
            rows=accounts.rows,
            shortfalls=accounts.shortfalls,
            splits=splits,
            tokens=accounts.tokens,
            usd=accounts.usd,
            seconds=accounts.seconds,
            strategies=accounts.strategies,
            determinism=determinism,
            hardware=hardware,
            gates=gates,
            files=(),
        )
        write_report(findings.build(manifest), draft.folder)
        _copy_expectations(workspace, draft)
        draft.write_text("recipe.yaml", resolved_yaml(recipe))
        draft.write_text("README.md", render_card(recipe, manifest))
        seconds = {**manifest.seconds, "export": round(perf_counter() - start, 3)}
        return draft.publish(manifest.model_copy(update={"seconds": seconds}))


def _write_rows(
    workspace: Workspace, recipe: Recipe, draft: ReleaseDraft
) -> tuple[FindingsBuilder, dict[str, int]]:
    """Write every released row and every rejected candidate; return findings and split sizes."""
    findings = FindingsBuilder(recipe)
    sizes = np.zeros(len(recipe.splits), dtype=np.int64)
    for table, splits, strategies in released(workspace):
        draft.add_rows(table, splits)
        findings.add_accepted(table, strategies)
        sizes += np.bincount(splits, minlength=sizes.size)
    for table, strategies in rejected(workspace):
        draft.add_rejected(table)
        findings.add_rejected(table, strategies)
    return findings, dict(zip(recipe.splits, sizes.tolist(), strict=True))


def _copy_expectations(workspace: Workspace, draft: ReleaseDraft) -> None:
    for source in sorted(workspace.expectations.rglob("*")):
        if source.is_file():
            path = source.relative_to(workspace.final).as_posix()
            draft.write_text(path, source.read_text("utf-8"))


def _passes(recipe: Recipe, accounts: Accounts, gates: tuple[GateResult, ...]) -> bool:
    short = accounts.rows.shortfall > 0 and not recipe.budget.allow_shortfall
    return not short and all(gate.passed for gate in gates)


def released(
    workspace: Workspace,
) -> Iterator[tuple[pa.Table, NDArray[np.int64], NDArray[np.int64]]]:
    """Yield the released rows shard by shard in row order, with places of splits and strategies."""
    splits = pq.read_table(workspace.final / "arranged.parquet")["split"].to_numpy()
    start = 0
    columns = [*RELEASED_SCHEMA.names, _STRATEGY]
    for path in sorted(workspace.final.glob("shard-*.noised.parquet")):
        table = pq.read_table(path, columns=columns, page_checksum_verification=True)
        rows = table.select(RELEASED_SCHEMA.names).cast(RELEASED_SCHEMA)
        own = splits[start : start + table.num_rows].astype(np.int64)
        yield rows, own, _strategies(table)
        start += table.num_rows


def rejected(workspace: Workspace) -> Iterator[tuple[pa.Table, NDArray[np.int64]]]:
    """Yield the rejected candidates with `REJECTED_SCHEMA`, and the places of their strategies.

    They come by shards in (round, row) order.
    """
    columns = [name for name in REJECTED_SCHEMA.names if name in SCORED_SCHEMA.names]
    for table in candidates(workspace, columns=[*columns, _STRATEGY]):
        lost = table.filter(pc.is_valid(table["reason"]))
        strategies = _strategies(lost)
        nothing = pa.nulls(lost.num_rows)
        for name in ("clean_text", "clean_label"):
            lost = lost.append_column(name, nothing.cast(pa.string()))
        lost = lost.append_column("noise", pa.array([[]] * lost.num_rows, EDITS))
        yield lost.select(REJECTED_SCHEMA.names).cast(REJECTED_SCHEMA), strategies


def _strategies(table: pa.Table) -> NDArray[np.int64]:
    return np.asarray(table[_STRATEGY].to_numpy(), dtype=np.int64)
