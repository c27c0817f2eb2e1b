"""The matrix of strategies and backends; transformers stands in it once for each family of models.

What a backend takes beyond a strategy's kind (`best_of`, `length.target`) is in `support.py`.
"""

from collections.abc import Mapping
from types import MappingProxyType

from tasks.generation.support import SUPPORT

FILLING = frozenset({"greedy", "temperature", "top_k", "nucleus", "min_p", "typical"})
"""Strategies that can choose the token of one gap: what a masked model, which rewrites, has."""

MATRIX: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "decoder-only": SUPPORT["transformers"],
        # The degeneration penalty needs the prompt's hidden states, and the decoder never reads it.
        "encoder-decoder": SUPPORT["transformers"] - {"contrastive"},
        "masked": FILLING,
        "openai": SUPPORT["openai"],
        "vllm": SUPPORT["vllm"],
    }
)
"""Kinds of strategies by what runs them: three families of transformers' models, two backends."""


def runs_on(kind: str) -> dict[str, bool]:
    """Tell for each column of the matrix whether a kind of strategy runs there."""
    return {column: kind in kinds for column, kinds in MATRIX.items()}
