"""How much of a run's work is done outside the model?

    python benchmarks/overhead.py --rows 10000

Runs the quickstart recipe with that many rows, in a folder and a Prefect home that are deleted
afterwards, and reads the seconds of each stage from the release's manifest, summed over shards:
of the wall, and of the processor for what runs beside the model. The command's seconds on the wall
stand beside them. The audit of the released rows is told apart: the same work whoever made them.
The result stands in `benchmarks/results/overhead.json` and `.md`.
"""

import argparse
import json
import os
import platform
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).with_name("results")
PACKAGES = ("prefect", "torch", "transformers", "pyarrow", "great-expectations")
COMMAND = (sys.executable, "-c", "from flows.cli import main; main()", "generate")
MODEL_STAGE = "generate"
AUDIT_STAGE = "audit"
TARGET = 0.1
"""Greatest share of the work that may lie outside the model."""


def run(recipe: Path, *, settings: Sequence[str], folder: Path) -> tuple[dict[str, Any], float]:
    """Run a recipe and return its manifest and the seconds that the command took.

    Raises:
        SystemExit: If the run fails.
    """
    started = time.perf_counter()
    done = subprocess.run(
        [
            *COMMAND,
            str(recipe.resolve()),
            "--out",
            str(folder / "out"),
            "--quiet",
            *(word for setting in settings for word in ("--set", setting)),
        ],
        cwd=ROOT,
        env={**os.environ, "PREFECT_HOME": str(folder / "prefect")},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - started
    if done.returncode != 0:
        raise SystemExit(f"the run ended with {done.returncode}: {done.stderr}")
    manifest = Path(done.stdout.strip()) / "manifest.json"
    return json.loads(manifest.read_text(encoding="utf-8")), seconds


def outside(seconds: Mapping[str, float]) -> float:
    """Return the part of the seconds that the model does not take."""
    return round(1 - seconds[MODEL_STAGE] / sum(seconds.values()), 4)


def as_table(result: dict[str, Any]) -> str:
    """Render the result as a short page."""
    seconds, versions = result["seconds"], result["versions"]
    lines = [
        "# Work outside the model",
        "",
        f"`{result['command']}`, {result['hardware']}, {result['date']}, Python "
        f"{versions['python']}, prefect {versions['prefect']}, torch {versions['torch']}.",
        f"{result['rows']['accepted']:,} rows accepted of {result['rows']['generated']:,} "
        f"generated, {result['tokens']['generated']:,} tokens. Outside the model: "
        f"{result['share_outside_without_audit']:.1%} of the work without the audit, at most "
        f"{TARGET:.0%} is wanted; with it {result['share_outside']:.1%}. The command took "
        f"{result['wall_seconds']:,} s, start of Prefect's server and loading included.",
        "",
        "| stage | seconds of work | share |",
        "| --- | --: | --: |",
    ]
    total = sum(seconds.values())
    for stage, spent in sorted(seconds.items(), key=lambda item: -item[1]):
        lines.append(f"| {stage} | {spent:,.2f} | {spent / total:.1%} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run, print and write the result."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--recipe", type=Path, default=ROOT / "recipes/quickstart.yaml")
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--set", dest="settings", action="append", default=[])
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    # The budgets of a short recipe must not end a long run.
    settings = [
        f"rows={options.rows}",
        "budget.tokens=null",
        "budget.attempts_per_row=1000",
        # Distinct n-grams grow more rare with every row.
        "gates.dataset.distinct_2=off",
        *options.settings,
    ]
    with tempfile.TemporaryDirectory() as folder:
        manifest, wall_seconds = run(options.recipe, settings=settings, folder=Path(folder))
    seconds: dict[str, float] = manifest["seconds"]
    without_audit = {stage: spent for stage, spent in seconds.items() if stage != AUDIT_STAGE}
    result = {
        "command": shlex.join(["python", "benchmarks/overhead.py", *sys.argv[1:]]),
        "date": datetime.now(UTC).date().isoformat(),
        "hardware": f"{platform.machine()} CPU, {os.cpu_count()} cores",
        "versions": {"python": platform.python_version(), **{p: version(p) for p in PACKAGES}},
        "rows": manifest["rows"],
        "tokens": manifest["tokens"],
        "seconds": seconds,
        "share_outside": outside(seconds),
        "share_outside_without_audit": outside(without_audit),
        "wall_seconds": round(wall_seconds, 1),
    }
    options.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(result, indent=2)
    (options.out / "overhead.json").write_text(text + "\n", encoding="utf-8")
    (options.out / "overhead.md").write_text(as_table(result), encoding="utf-8")
    print(as_table(result))


if __name__ == "__main__":
    main()
