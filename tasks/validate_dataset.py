"""Task: judge the corpus as a whole with Great Expectations."""

from pathlib import Path

from prefect import task

from tasks.expectations.evidence import collect_evidence
from tasks.expectations.validate import validate_release, write_validation
from tasks.planning.plan import Plan
from tasks.planning.workspace import Cost, Stopwatch, Workspace, note_cost
from tasks.release.accounts import balance
from tasks.release.splits import split_totals


@task
def validate_dataset(work: Path) -> bool:
    """Write the suite, its result and its pages into the workspace; return whether every gate passed."""
    workspace, watch = Workspace(work), Stopwatch()
    recipe = workspace.facts.recipe
    counts = balance(workspace, recipe).rows
    evidence = collect_evidence(
        workspace, recipe, generated=counts.generated, accepted=counts.accepted
    )
    short = counts.shortfall > 0 and recipe.budget.allow_shortfall
    quotas = evidence.labels if short else Plan(recipe).label_quotas()
    sizes = split_totals(recipe.splits, counts.accepted).tolist()
    validation = validate_release(
        evidence.rows,
        evidence.corpus,
        recipe,
        expected_splits=dict(zip(recipe.splits, sizes, strict=True)),
        expected_labels=quotas,
    )
    write_validation(validation, workspace.final / "expectations")
    workspace.write_gates(validation.gates)
    cost = Cost(stage="validate", rows=counts.accepted, seconds=watch.seconds)
    note_cost(workspace.final / "gates.parquet", cost)
    return validation.passed
