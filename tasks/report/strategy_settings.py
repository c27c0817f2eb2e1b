"""A strategy's parameters as a line to read."""

from typing import Any

from schemas.base import Frozen
from schemas.strategies import BestOf, Length, NoisyChannel, RewardScorer, Strategy
from schemas.strategies_token import Strategic
from tasks.report.formatting import integer

_ELSEWHERE = frozenset({"kind", "share", "length", "stop", "num_return_sequences"})
_ONLY_IN_MODE = {
    "num_candidates": "rerank",
    "channel_weight": "rerank",
    "prior_weight": "rerank",
    "noise": "corrupt",
}
"""Parameters of `noisy_channel` that count in one of its modes."""


def settings(strategy: Strategy) -> str:
    """Write a strategy's parameters as a line: `temperature 1, top_p 0.9, 1 to 64 tokens`.

    What does not count is left out: parameters of another mode, one row a prompt, no `best_of`.
    """
    words = _parameters(strategy)
    if strategy.rows_per_prompt > 1 and "num_return_sequences" in type(strategy).model_fields:
        words.append(f"{strategy.rows_per_prompt} rows a prompt")
    words.append(_length(strategy.length))
    if strategy.stop:
        words.append("stop " + " ".join(map(repr, strategy.stop)))
    return ", ".join(words)


def _parameters(strategy: Strategic) -> list[str]:
    mode = strategy.mode if isinstance(strategy, NoisyChannel) else None
    return [
        _parameter(name, value)
        for name, value in dict(strategy).items()
        if name not in _ELSEWHERE and value is not None and _ONLY_IN_MODE.get(name, mode) == mode
    ]


def _parameter(name: str, value: Any) -> str:
    match value:
        case BestOf():
            scorer = value.scorer
            by = scorer.name if isinstance(scorer, RewardScorer) else scorer.kind
            return f"best of {value.n} by {by}"
        case Strategic():
            return f"{name} {_kind(value)} ({', '.join(_parameters(value))})"
        case bool():
            return f"{name} {str(value).lower()}"
        case int() | float():
            return f"{name} {value:g}"
        case tuple():
            return f"{name} {' + '.join(map(_kind, value))}"
        case _:
            return f"{name} {value}"


def _kind(part: Frozen) -> str:
    return str(dict(part)["kind"])


def _length(length: Length) -> str:
    bounds = f"{integer(length.min)} to {integer(length.max)} tokens"
    if length.target is None:
        return bounds
    return f"{bounds}, around {integer(length.target)} {length.unit} (strength {length.strength:g})"
