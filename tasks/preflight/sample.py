"""A few rows of a recipe, through every engine once, in memory."""

from typing import Any

import numpy as np
import pyarrow as pa

from tasks.generation.backends import open_backend
from tasks.generation.candidates import generate_candidates
from tasks.noise.rows import noise_rows, pick_noised
from tasks.preflight.checks import CheckedRecipe, local_model
from tasks.preflight.opening import known_texts, open_steps
from tasks.quality.gates import score_candidates
from tasks.quality.selection import open_selector, select_shard


def sample_rows(checked: CheckedRecipe, count: int) -> list[dict[str, Any]]:
    """Generate the first rows of the plan, attempt 0, and show what would become of each.

    Args:
        checked: The recipe.
        count: How many rows; no more than the recipe has are made.

    Returns:
        One dictionary a row: the columns of `NOISED_SCHEMA` with stage, reason and detail of a
        rejection. The rows are those a run would generate first, so the ids and texts are the same.
    """
    recipe = checked.recipe
    rows = np.arange(min(count, recipe.rows), dtype=np.int64)
    model = local_model(checked.loaded)
    backend = open_backend(model, folder=checked.loaded.folder, usd=recipe.budget.usd)
    prompts = checked.writer.write(rows, attempts=np.zeros(rows.size, dtype=np.int32))
    candidates = generate_candidates(prompts, recipe.strategies, backend)
    scored = score_candidates(
        candidates, gates=recipe.gates.row, known=known_texts(model, checked.writer.examples)
    )
    verdicts = select_shard(scored, open_selector(recipe.gates.row))
    for name in ("stage", "reason", "detail"):
        place = scored.schema.get_field_index(name)
        scored = scored.set_column(place, scored.schema.field(place), verdicts[name])
    shown: list[dict[str, Any]] = _noised(scored, checked).to_pylist(maps_as_pydicts="strict")
    return shown


def _noised(scored: pa.Table, checked: CheckedRecipe) -> pa.Table:
    recipe = checked.recipe
    good = np.array([reason is None for reason in scored["reason"].to_pylist()], dtype=np.bool_)
    noised = np.zeros(good.size, dtype=np.bool_)
    if recipe.noise is not None:
        chosen = scored.filter(pa.array(good))
        noised[good] = pick_noised(
            chosen["row"].to_numpy(),
            chosen["attempt"].to_numpy(),
            share=recipe.noise.share,
            seed=recipe.seed,
        )
    opened = open_steps(
        recipe,
        local_model(checked.loaded),
        folder=checked.loaded.folder,
        texts=[scored.filter(pa.array(good))["text"]],
    )
    return noise_rows(
        scored,
        noised,
        noise=recipe.noise,
        seed=recipe.seed,
        classes=tuple(recipe.labels),
        opened=opened,
    )
