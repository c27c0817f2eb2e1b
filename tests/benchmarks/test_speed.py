"""The speed benchmark's own arithmetic: what counts as best, beside what, and which prompts."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))

from speed.tables import COLUMNS, cells_of, comparisons, keep_better_wait, target_of
from speed.workloads import LONGEST, SHORTEST, Workload, prompts_of


def measured(strategy: str, engine: str, speed: float, **changes: Any) -> dict[str, Any]:
    return {
        "workload": "short",
        "strategy": strategy,
        "engine": engine,
        "batch_size": 32,
        "tokens_per_second": speed,
        "peak_mb": 500.0,
        **changes,
    }


def test_the_better_wait_is_kept_of_runs_that_differ_in_nothing_else() -> None:
    rows = [
        measured("greedy", "generate", 100, wait="active"),
        measured("greedy", "generate", 150, wait="passive"),
        measured("greedy", "generate", 120, wait="active", batch_size=64),
        measured("greedy", "corpusmith", 90, wait="own"),
        measured("beam", "generate", 10, wait="passive"),
        measured("beam", "generate", 5, wait="active"),
    ]
    assert keep_better_wait(rows) == [rows[1], rows[2], rows[3], rows[4]]
    assert keep_better_wait([]) == []


def test_our_best_stands_beside_the_best_of_the_others() -> None:
    rows = [
        measured("nucleus", "corpusmith", 300, batch_size=16),
        measured("nucleus", "corpusmith", 400, batch_size=64),
        measured("nucleus", "generate", 80),
        measured("nucleus", "continuous", 100),
        measured("contrastive", "corpusmith", 50),
    ]
    nucleus, contrastive = comparisons(rows)
    assert (nucleus["ours"], nucleus["other"]) == (rows[1], rows[3])
    assert (nucleus["ratio"], nucleus["target"]) == (4.0, 4.0)
    assert len(cells_of(nucleus)) == len(COLUMNS)
    assert cells_of(nucleus)[2:6] == ["400 (corpusmith 64)", "100 (continuous 32)", "4.00", "4.00"]
    assert (contrastive["ours"], contrastive["other"]) == (rows[4], None)
    assert contrastive["ratio"] is contrastive["target"] is None
    assert cells_of(contrastive)[3:] == ["-", "-", "-", "500", "-"]


def test_our_other_beams_stand_beside_our_beam_search() -> None:
    rows = [
        measured("beam_all", "corpusmith", 130),
        measured("stochastic_beam", "corpusmith", 104),
        measured("stochastic_beam", "generate", 999),
        measured("stochastic_beam", "corpusmith", 50, workload="long"),
        measured("stochastic_beam", "generate", 100, workload="long"),
    ]
    _, short, long = comparisons(rows)
    assert short["other"] is rows[0]
    assert short["ratio"] == pytest.approx(0.8)
    assert short["target"] == target_of("short", "diverse_beam") == 1 / 1.3
    # Without a beam search of ours on the workload, what others have counts.
    assert (long["other"], long["ratio"]) == (rows[4], 0.5)


def count_words(prompts: Sequence[str]) -> list[int]:
    return [len(prompt.split()) for prompt in prompts]


@pytest.mark.parametrize("workload", ["short", "long", "shapes"])
def test_prompts_are_ragged_within_their_bounds_and_come_from_the_seed(workload: Workload) -> None:
    prompts = prompts_of(workload, count=60, seed=5, count_tokens=count_words)
    lengths = count_words(prompts)
    assert len(prompts) == 60
    assert min(lengths) >= SHORTEST
    assert max(lengths) <= LONGEST
    assert len(set(lengths)) > 15
    assert prompts == prompts_of(workload, count=60, seed=5, count_tokens=count_words)
    assert prompts != prompts_of(workload, count=60, seed=6, count_tokens=count_words)


def test_prompts_that_fit_nowhere_are_said() -> None:
    with pytest.raises(SystemExit, match="no prompt of 5 to 60 tokens"):
        prompts_of("long", count=2, seed=5, count_tokens=lambda prompts: [99] * len(prompts))
