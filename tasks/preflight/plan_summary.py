"""The plan of a checked recipe as plain figures."""

from collections import Counter
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from schemas.errors import CorpusmithError
from schemas.manifest import Manifest, ModelInfo
from schemas.recipe import Recipe
from tasks.generation.families import columns_of
from tasks.generation.support import MATRIX
from tasks.planning.forecast import forecast
from tasks.preflight.checks import CheckedRecipe
from tasks.release.publish import MANIFEST, latest


def summarise(checked: CheckedRecipe, *, out: Path) -> dict[str, Any]:
    """Say how many rows of what a recipe asks for, and what they will cost.

    Args:
        checked: The recipe.
        out: Folder of earlier releases, whose measured pace is used.
    """
    recipe, info = checked.recipe, checked.model.info
    kinds = list(dict.fromkeys(strategy.kind for strategy in recipe.strategies))
    quotas: dict[str, Counter[str]] = {label: Counter() for label in recipe.labels}
    for cell in checked.writer.plan.quotas():
        quotas[cell.label][cell.kind] += cell.rows
    prediction = forecast(
        recipe,
        prompt_bytes=sum(len(prompt.encode()) for prompt in checked.prompts) / len(checked.prompts),
        parameters=checked.model.num_parameters,
        device=info.device,
        earlier=_earlier(out, recipe.name, info),
        prompt_tokens=float(checked.prompt_tokens.mean()),
    )
    return {
        "name": recipe.name,
        "backend": recipe.model.backend,
        "runs_on": {kind: _runs_on(recipe, kind) for kind in kinds},
        "rows": recipe.rows,
        "model": info.id,
        "context": info.context_length,
        "strategies": kinds,
        "rows_per_prompt": {
            kind: max(each.rows_per_prompt for each in recipe.strategies if each.kind == kind)
            for kind in kinds
        },
        "quotas": {label: {kind: rows[kind] for kind in kinds} for label, rows in quotas.items()},
        "prompt_tokens": {
            "mean": float(checked.prompt_tokens.mean()),
            "most": int(checked.prompt_tokens.max()),
        },
        "forecast": prediction.model_dump(),
    }


def _runs_on(recipe: Recipe, kind: str) -> list[str]:
    """Name where all of a recipe's strategies of a kind run: what the recipe could move to."""
    found = [columns_of(strategy) for strategy in recipe.strategies if strategy.kind == kind]
    return [column for column in MATRIX if all(column in columns for columns in found)]


def _earlier(out: Path, name: str, model: ModelInfo) -> Manifest | None:
    """Read the newest good manifest, if the same model made it; a damaged one predicts nothing."""
    try:
        newest = latest(out, name)
        if newest is None:
            return None
        content = (out / name / newest.path / MANIFEST).read_bytes()
        manifest = Manifest.model_validate_json(content)
    except (OSError, ValidationError, CorpusmithError):
        return None
    return manifest if _is_same(model, manifest.model) else None


def _is_same(model: ModelInfo, earlier: ModelInfo) -> bool:
    """Compare weights, or the commits of a hub model whose weights are not here to be hashed."""
    if model.weights_sha256:
        return model.weights_sha256 == earlier.weights_sha256
    return (model.id, model.revision) == (earlier.id, earlier.revision)
