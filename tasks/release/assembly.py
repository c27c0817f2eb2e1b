"""From a finished workspace to a release: the last station of every row."""

from collections import Counter
from pathlib import Path
from time import perf_counter

import numpy as np

from schemas.audit import Audit
from schemas.manifest import AuditSummary, Determinism, GateResult, Hardware, Manifest, ModelInfo
from schemas.recipe import Recipe
from schemas.recipe_identity import resolved_yaml
from tasks.planning.workspace import Workspace
from tasks.release.accounts import Accounts, balance
from tasks.release.card import render_card
from tasks.release.croissant import CROISSANT, render_croissant
from tasks.release.draft import ReleaseDraft
from tasks.release.manifest import package_versions
from tasks.release.outcome import rejected, released
from tasks.report.builder import FindingsBuilder
from tasks.report.release_page import write_report


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
    accounts, audit = balance(workspace, recipe), _audit(workspace)
    with ReleaseDraft(home, version=facts.version, splits=tuple(recipe.splits)) as draft:
        findings, splits = _write_rows(workspace, recipe, draft)
        manifest = Manifest(
            name=recipe.name,
            version=facts.version,
            created=facts.created,
            verdict="pass" if _passes(recipe, accounts, gates, audit) else "fail",
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
            audit=None if audit is None else _summary(audit),
            files=(),
            parent=facts.parent,
        )
        write_report(findings.build(manifest, audit=audit), draft.folder)
        _copy_expectations(workspace, draft)
        draft.write_text("recipe.yaml", resolved_yaml(recipe))
        draft.write_text("README.md", render_card(recipe, manifest))
        draft.write_text(CROISSANT, render_croissant(recipe, manifest, draft.data_files()))
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


def _audit(workspace: Workspace) -> Audit | None:
    if workspace.facts.recipe.audit is None:
        return None
    return Audit.model_validate_json(workspace.audit.read_bytes())


def _summary(audit: Audit) -> AuditSummary:
    levels = Counter(gate.level for gate in audit.gates)
    return AuditSummary(verdict=audit.verdict, reasons=audit.reasons, gates=dict(levels))


def _passes(
    recipe: Recipe, accounts: Accounts, gates: tuple[GateResult, ...], audit: Audit | None
) -> bool:
    short = accounts.rows.shortfall > 0 and not recipe.budget.allow_shortfall
    blocked = audit is not None and audit.verdict == "block" and recipe.gates.audit is not None
    return not short and not blocked and all(gate.passed for gate in gates)
