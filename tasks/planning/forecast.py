"""What a recipe will cost, said before anything is spent.

A forecast from an earlier release of the same corpus uses its measured pace. Without one it is an
order of magnitude from two assumptions, stated with it: replies use half of their greatest length,
and decoding reaches a tenth of the speed of a large matrix product on this machine.
"""

from time import perf_counter

import numpy as np

from schemas.base import Frozen
from schemas.manifest import Manifest
from schemas.models import OpenAIModel
from schemas.recipe import Recipe

ASSUMED_ACCEPTANCE = 0.8
ASSUMED_LENGTH_SHARE = 0.5
ASSUMED_EFFICIENCY = 0.1
ASSUMED_GPU_FLOPS = 20e12
_PROBE_SIZE = 512
_ROW_BYTES = 400
"""Bytes of a released row beside prompt and text, compressed; measured on quickstart releases."""
_BYTES_A_TOKEN = 4


class Forecast(Frozen):
    """Predicted cost of a run."""

    candidates: int
    """Texts that will be generated."""
    tokens: int
    """Tokens that will be generated."""
    most_tokens: int
    """Tokens if every attempt is spent and every reply has its greatest length; or the budget."""
    seconds: float | None
    """Seconds of generation; None when neither a release nor the model's size tells the pace."""
    megabytes: float
    """Size of the release."""
    usd: float | None = None
    """US dollars at an endpoint, by the recipe's price; None without one."""
    basis: str
    """Where the figures come from, in a sentence."""


def forecast(
    recipe: Recipe,
    *,
    prompt_bytes: float,
    parameters: int,
    device: str,
    earlier: Manifest | None,
    prompt_tokens: float = 0.0,
) -> Forecast:
    """Predict what a run costs.

    Args:
        recipe: The resolved recipe.
        prompt_bytes: Mean size of a prompt, in bytes.
        parameters: Number of the model's weights; 0 when unknown.
        device: Where it will run: `cpu`, `cuda:0`.
        earlier: Manifest of the newest release of this corpus by the same model, None without one.
        prompt_tokens: Mean number of tokens of a prompt.
    """
    shares = np.array([strategy.share for strategy in recipe.strategies])
    shares /= shares.sum()
    longest = np.array([strategy.length.max for strategy in recipe.strategies])
    greatest = float(shares @ [strategy.max_tokens_per_row for strategy in recipe.strategies])
    limit = recipe.budget.tokens
    pace: float | None = None
    most = int(recipe.rows * recipe.budget.attempts_per_row * greatest)
    if earlier is not None and earlier.rows.accepted and earlier.seconds.get("generate"):
        acceptance = earlier.rows.accepted / earlier.rows.generated
        length = earlier.tokens.generated / earlier.rows.generated
        pace = earlier.tokens.generated / earlier.seconds["generate"]
        basis = f"measured in release {earlier.version}"
    else:
        acceptance, length = ASSUMED_ACCEPTANCE, ASSUMED_LENGTH_SHARE * greatest
        if parameters:
            pace = ASSUMED_EFFICIENCY * _flops(device) / (2.0 * parameters)
        basis = "an order of magnitude: no release of this corpus by this model is there to measure"
    candidates = min(recipe.rows / acceptance, recipe.rows * recipe.budget.attempts_per_row)
    tokens = min(candidates * length, limit or most)
    # Of several candidates a row, only the text that is kept takes room.
    text_bytes = length * float(shares @ longest) / greatest * _BYTES_A_TOKEN
    return Forecast(
        candidates=round(candidates),
        tokens=round(tokens),
        most_tokens=min(most, limit or most),
        seconds=None if pace is None else tokens / pace,
        megabytes=candidates * (_ROW_BYTES + 0.2 * (prompt_bytes + text_bytes)) / 1e6,
        basis=basis,
        usd=_usd(recipe, prompt_tokens=candidates * prompt_tokens, completion_tokens=tokens),
    )


def _usd(recipe: Recipe, *, prompt_tokens: float, completion_tokens: float) -> float | None:
    if not isinstance(recipe.model, OpenAIModel) or recipe.model.price is None:
        return None
    cost = recipe.model.price.usd(
        prompt_tokens=round(prompt_tokens), completion_tokens=round(completion_tokens)
    )
    return cost if recipe.budget.usd is None else min(cost, recipe.budget.usd)


def _flops(device: str) -> float:
    """Measure a float32 matrix product, in operations a second; a modest guess for a GPU."""
    if device != "cpu":
        return ASSUMED_GPU_FLOPS
    matrix = np.ones((_PROBE_SIZE, _PROBE_SIZE), dtype=np.float32)
    best = np.inf
    for _ in range(5):
        start = perf_counter()
        matrix @ matrix
        best = min(best, perf_counter() - start)
    return float(2.0 * _PROBE_SIZE**3 / best)
