"""Drawing the attributes of a row: further axes of variation beside the label."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from schemas.recipe import Attribute, Recipe
from tasks.planning.streams import U64, Stream, row_keys, uniforms


def draw_attributes(
    recipe: Recipe, *, rows: NDArray[np.int64], attempts: NDArray[np.int32]
) -> list[dict[str, str]]:
    """Draw a value of every attribute for each row and attempt, by weight.

    The name of an attribute is part of its key: adding, removing or reordering attributes does not
    change what the others draw.

    Args:
        recipe: Names the attributes, their values and weights, and the seed.
        rows: Row numbers, shape `(N,)`.
        attempts: Attempt numbers, shape `(N,)`.

    Returns:
        One mapping of attribute to value for each row, in the recipe's order.
    """
    keys = row_keys(recipe.seed, rows, attempts, Stream.ATTRIBUTES)
    columns = [_draw(attribute, keys, name) for name, attribute in recipe.attributes.items()]
    if not columns:
        return [{} for _ in rows]
    names = tuple(recipe.attributes)
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def _draw(attribute: Attribute, keys: U64, name: str) -> list[str]:
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    numbers = uniforms(keys, np.uint64(int.from_bytes(digest, "big")))
    weights = np.asarray(attribute.weights or np.ones(len(attribute.values)))
    cumulative = np.cumsum(weights) / weights.sum()
    # Without the last bound, which may round below 1, the last value takes what is left.
    places = np.searchsorted(cumulative[:-1], numbers, side="right")
    return [attribute.values[place] for place in places]
