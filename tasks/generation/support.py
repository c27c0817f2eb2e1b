"""Which strategy runs on what: the one table of it, and the check of a recipe's backend."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import get_args

from schemas.errors import InputError
from schemas.manifest import Family
from schemas.recipe import Recipe
from schemas.strategies import (
    STRATEGY_CLASSES,
    Greedy,
    MinP,
    Nucleus,
    Strategy,
    Temperature,
    TopK,
    Typical,
)

FillStrategy = Greedy | Temperature | TopK | Nucleus | MinP | Typical
"""Strategies that can choose the token of one gap: what a masked model, which rewrites, has."""

ALL_KINDS: frozenset[str] = frozenset(cls.model_fields["kind"].default for cls in STRATEGY_CLASSES)
SUPPORT: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "transformers": ALL_KINDS,
        "openai": frozenset(("greedy", "temperature", "nucleus")),
        "vllm": frozenset(("greedy", "temperature", "top_k", "nucleus", "min_p")),
        "scripted": ALL_KINDS,
    }
)
"""Kinds of strategies by backend, each as this project defines it.

`openai` has what the API itself names; many servers know more, but none says so. vLLM's beam search
is left out: it scores and stops by other rules than `beam` here. `scripted` reads replies from a
file whatever the strategy.
"""
FAMILY_SUPPORT: Mapping[Family, frozenset[str]] = MappingProxyType(
    {
        "decoder": SUPPORT["transformers"],
        # The degeneration penalty needs the prompt's hidden states, and the decoder never reads it.
        "encoder_decoder": SUPPORT["transformers"] - {"contrastive"},
        "masked": frozenset(cls.model_fields["kind"].default for cls in get_args(FillStrategy)),
    }
)
"""Kinds of strategies by family of transformers' models."""
MATRIX: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "decoder-only": FAMILY_SUPPORT["decoder"],
        "encoder-decoder": FAMILY_SUPPORT["encoder_decoder"],
        "masked": FAMILY_SUPPORT["masked"],
        "openai": SUPPORT["openai"],
        "vllm": SUPPORT["vllm"],
    }
)
"""The whole table as it is shown: transformers stands in it once for each family of models."""
ONLY_MODE: Mapping[tuple[str, str], str] = MappingProxyType(
    # Reranking judges labels, which takes a model that reads prompt and text in one.
    {("encoder-decoder", "noisy_channel"): "corrupt"}
)
"""The one `mode` that a strategy has in a column of the matrix, where it has not all of them."""
_STEERED_HERE = ("transformers", "scripted")
"""Backends whose every step is taken here, so that lengths can be steered and candidates ranked."""
_BOUNDED_BELOW = (*_STEERED_HERE, "vllm")


def supported_kinds(backend: str) -> frozenset[str]:
    """Return the kinds of strategies that a backend has.

    Args:
        backend: A recipe's `model.backend`.
    """
    return SUPPORT[backend]


def runs_on(kind: str) -> dict[str, bool | str]:
    """Tell for each column of the matrix whether a kind of strategy runs there.

    Returns:
        True, False, or the one mode in which it does.
    """
    return {
        column: kind in kinds and ONLY_MODE.get((column, kind), True)
        for column, kinds in MATRIX.items()
    }


def check_support(recipe: Recipe) -> None:
    """Refuse a recipe whose backend lacks one of its strategies, or what a strategy asks for.

    Raises:
        InputError: CS-M006; the place is the dotted path of the key.
    """
    for index, strategy in enumerate(recipe.strategies):
        if (fault := lacking(recipe.model.backend, strategy)) is not None:
            key, what, remedy = fault
            raise InputError(
                f"the backend {recipe.model.backend} does not have {what}",
                code="CS-M006",
                place=f"strategies.{index}.{key}",
                hint=remedy,
            )


def lacking(backend: str, strategy: Strategy) -> tuple[str, str, str] | None:
    """Name the key that asks for too much, what it asks for, and the remedy; None when all fits."""
    if strategy.kind not in SUPPORT[backend]:
        has = ", ".join(in_order(SUPPORT[backend]))
        return "kind", f"the strategy {strategy.kind}", f"it has {has}; transformers has all"
    elsewhere = "leave it out, or use the backend transformers"
    if strategy.length.min > 1 and backend not in _BOUNDED_BELOW:
        return "length.min", "a least length", elsewhere
    if strategy.length.target is not None and backend not in _STEERED_HERE:
        return "length.target", "target lengths", elsewhere
    if getattr(strategy, "best_of", None) is not None and backend not in _STEERED_HERE:
        return "best_of", "best_of", elsewhere
    return None


def in_order(kinds: frozenset[str]) -> list[str]:
    """List kinds of strategies as the documentation does."""
    all_kinds = (cls.model_fields["kind"].default for cls in STRATEGY_CLASSES)
    return [kind for kind in all_kinds if kind in kinds]
