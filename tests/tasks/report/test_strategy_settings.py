from typing import Any

import pytest
from pydantic import TypeAdapter

from schemas.strategies import STRATEGY_CLASSES, Strategy
from tasks.report.strategy_settings import settings


@pytest.mark.parametrize(
    ("strategy", "words"),
    [
        (
            {"kind": "nucleus", "top_p": 0.9, "temperature": 0.7, "stop": ["\n", "<"]},
            "temperature 0.7, top_p 0.9, 1 to 64 tokens, stop '\\n' '<'",
        ),
        ({"kind": "greedy", "length": {"min": 2, "max": 1000}}, "2 to 1,000 tokens"),
        (
            {"kind": "greedy", "length": {"target": 12, "unit": "words"}},
            "1 to 64 tokens, around 12 words (strength 4)",
        ),
        (
            {"kind": "arithmetic", "num_return_sequences": 4},
            "temperature 1, 4 rows a prompt, 1 to 64 tokens",
        ),
        (
            {"kind": "temperature", "best_of": {"n": 3, "scorer": "label_posterior"}},
            "temperature 1, best of 3 by label_posterior, 1 to 64 tokens",
        ),
        (
            {"kind": "temperature", "best_of": {"scorer": {"kind": "reward", "name": "judge"}}},
            "temperature 1, best of 4 by judge, 1 to 64 tokens",
        ),
        (
            {"kind": "beam", "num_return_sequences": 2},
            "num_beams 4, length_penalty 1, early_stopping false, 2 rows a prompt, 1 to 64 tokens",
        ),
        ({"kind": "stochastic_beam"}, "num_beams 4, temperature 1, 1 to 64 tokens"),
        (
            {"kind": "noisy_channel", "mode": "corrupt"},
            "mode corrupt, proposal nucleus (temperature 1, top_p 0.9), "
            "noise keyboard + word_delete, 1 to 64 tokens",
        ),
        (
            {"kind": "noisy_channel"},
            "mode rerank, proposal nucleus (temperature 1, top_p 0.9), num_candidates 8, "
            "channel_weight 1, prior_weight 0.3, 1 to 64 tokens",
        ),
    ],
)
def test_settings_name_what_counts(strategy: dict[str, Any], words: str) -> None:
    read: TypeAdapter[Strategy] = TypeAdapter(Strategy)
    assert settings(read.validate_python(strategy)) == words


@pytest.mark.parametrize("kind", STRATEGY_CLASSES)
def test_every_strategy_can_be_told(kind: Any) -> None:
    line = settings(kind())
    assert line.endswith("1 to 64 tokens")
    assert not {"None", "{", "[", "="} & set(line)
