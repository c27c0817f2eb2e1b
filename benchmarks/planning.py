"""How long and how much memory does the plan of a million rows take, shard by shard?

Run `python benchmarks/planning.py` from the repository's root; it writes `results/planning.json`.
"""

import json
import os
import platform
import resource
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from schemas.recipe import Recipe
from tasks.planning.attributes import draw_attributes
from tasks.planning.plan import Plan, row_seeds

NUM_ROWS = 1_000_000
SHARD_SIZE = 1_024
NUM_LABELS = 100
RESULT = Path(__file__).with_name("results") / "planning.json"


def example_recipe() -> Recipe:
    """Return a recipe with 100 labels, 3 strategies and 2 attributes."""
    return Recipe.model_validate(
        {
            "name": "benchmark",
            "rows": NUM_ROWS,
            "labels": {
                f"label_{number}": {"description": "x", "share": 1 + number % 7}
                for number in range(NUM_LABELS)
            },
            "strategies": [{"kind": kind} for kind in ("nucleus", "top_k", "min_p")],
            "attributes": {
                "tone": ["neutral", "annoyed", "polite"],
                "channel": {"values": ["chat", "email"], "weights": [3, 1]},
            },
        }
    )


def peak_bytes() -> int:
    """Return the greatest resident size of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measure() -> dict[str, float]:
    """Plan every shard: seconds for labels and strategies, and for attributes and seeds."""
    recipe = example_recipe()
    before = peak_bytes()
    seconds = {"plan": 0.0, "attributes_and_seeds": 0.0}
    plan = Plan.of(recipe)
    counts = np.zeros(NUM_LABELS, dtype=np.int64)
    for start in range(0, NUM_ROWS, SHARD_SIZE):
        rows = np.arange(start, min(start + SHARD_SIZE, NUM_ROWS))
        attempts = np.zeros(rows.size, dtype=np.int32)
        started = time.perf_counter()
        label_index = plan.shard(rows).label_index
        planned = time.perf_counter()
        draw_attributes(recipe, rows=rows, attempts=attempts)
        row_seeds(recipe.seed, rows=rows, attempts=attempts)
        seconds["plan"] += planned - started
        seconds["attributes_and_seeds"] += time.perf_counter() - planned
        counts += np.bincount(label_index, minlength=NUM_LABELS)
    quotas = plan.quotas()
    for place, label in enumerate(plan.labels):
        assert counts[place] == sum(cell.rows for cell in quotas if cell.label == label)
    return {
        **{name: round(value, 3) for name, value in seconds.items()},
        "peak_megabytes": round(peak_bytes() / 1e6, 1),
        "growth_megabytes": round((peak_bytes() - before) / 1e6, 1),
    }


def main() -> None:
    """Measure, print and write the result."""
    result = {
        "question": __doc__.splitlines()[0],
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "hardware": {"machine": platform.machine(), "cpu_count": os.cpu_count()},
        "versions": {"python": platform.python_version(), "numpy": np.__version__},
        "rows": NUM_ROWS,
        "shard_size": SHARD_SIZE,
        "labels": NUM_LABELS,
        "seconds_and_memory": measure(),
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(RESULT.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
