"""Do the steps over all rows keep their memory and their cost a row when a corpus gets larger?

    python benchmarks/scaling.py --rows 1000000 --rows 10000000

Made rows (`scaling_rows.py`: short texts, one in twenty a copy or near copy of an earlier one) go
through the run's own tasks: selection, arrangement, noise (none is asked for), validation, export.
A first process writes the scored candidates, a second one does the steps and states for each its
seconds and the most memory that the process held, pages of mapped files included. There is one
round: rejected rows are not tried again. The result stands in `benchmarks/results/scaling.json` and
`.md`.
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
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import yaml

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).with_name("results")
PACKAGES = ("duckdb", "pyarrow", "numpy", "pandas", "great-expectations")
SHARD_ROWS = 1 << 16
MOST_GIBIBYTES = 4
MOST_GROWTH = 1.5
"""Most times the cost a row of the smallest corpus that the largest may have."""

Figures = dict[str, Any]


def write_recipe(folder: Path, rows: int) -> Path:
    """Write the recipe of one run."""
    recipe = {
        "name": "scaling",
        "seed": 7,
        "rows": rows,
        "labels": {f"label_{chr(97 + place)}": "one of twelve" for place in range(12)},
        "attributes": {"tone": ["calm"]},
        "prompt": {"template": "intent"},
        "model": {"backend": "scripted", "name": "script.jsonl"},
        "strategies": [{"kind": "nucleus", "share": 3}, {"kind": "temperature"}],
        # A corpus of made words uses them up; what the gate measures is measured.
        "gates": {"dataset": {"distinct_2": 0.0001, "label_balance": 0.5}},
        "audit": "off",
        "budget": {"attempts_per_row": 1, "allow_shortfall": True},
        "shard_size": SHARD_ROWS,
    }
    folder.mkdir(parents=True)
    (folder / "script.jsonl").write_text('{"text": "in place of it stand made rows"}\n')
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe, sort_keys=False))
    return path


def make(folder: Path, rows: int) -> Figures:
    """Begin a run and write its scored candidates, as if a model had answered."""
    from scaling_rows import MadeRows

    from tasks.plan_rows import plan_rows
    from tasks.planning.plan import Plan
    from tasks.planning.shards import write_shard
    from tasks.preflight.checks import check_recipe
    from tasks.preflight.opening import open_run, run_facts

    checked = check_recipe(write_recipe(folder / "recipe", rows))
    home = folder / "out" / checked.recipe.name
    workspace = open_run(checked, home, run_facts(checked), resume="never")
    shards = plan_rows.fn(workspace.folder, 0)
    made = MadeRows(checked.recipe, Plan.of(checked.recipe))
    scored = []
    for shard in range(shards):
        numbers = np.arange(shard * SHARD_ROWS, min((shard + 1) * SHARD_ROWS, rows))
        path = workspace.shard(0, shard, "scored")
        scored.append(write_shard(path, made.table(numbers), made_from="0" * 64))
    return {
        "workspace": str(workspace.folder),
        "scored": [ref.model_dump(mode="json") for ref in scored],
    }


def run(workspace: str, scored: list[Figures]) -> Figures:
    """Take made candidates through the steps over all rows, and measure each."""
    from scaling_rows import peak_megabytes

    from schemas.shard import FileRef
    from tasks.arrange_rows import arrange_rows
    from tasks.export_dataset import export_dataset
    from tasks.inject_noise import inject_noise
    from tasks.plan_rows import plan_rows
    from tasks.select_rows import select_rows
    from tasks.validate_dataset import validate_dataset

    work, refs = Path(workspace), [FileRef.model_validate(ref) for ref in scored]
    stages: dict[str, Figures] = {}

    def measured(name: str, step: Callable[[], Any]) -> Any:
        peak_megabytes(reset=True)
        wall, processor = time.perf_counter(), time.process_time()
        found = step()
        stages[name] = {
            "seconds": round(time.perf_counter() - wall, 2),
            "processor_seconds": round(time.process_time() - processor, 2),
            "peak_megabytes": round(peak_megabytes()),
        }
        print(name, json.dumps(stages[name]), file=sys.stderr, flush=True)
        return found

    measured("select", lambda: select_rows.fn(work, 0, refs))
    measured("plan next", lambda: plan_rows.fn(work, 1))
    arranged = measured("arrange", lambda: arrange_rows.fn(work))
    shards = range(len(refs))
    measured("noise", lambda: [inject_noise.fn(work, shard, arranged) for shard in shards])
    gates = measured("validate", lambda: validate_dataset.fn(work))
    release = measured("export", lambda: export_dataset.fn(work, gates))
    manifest = json.loads((release / "manifest.json").read_text(encoding="utf-8"))
    data = sum(path.stat().st_size for path in release.rglob("*") if path.is_file())
    return {
        "rows": manifest["rows"],
        "splits": manifest["splits"],
        "gates": {gate["name"]: gate["observed"] for gate in manifest["gates"]},
        "release_megabytes": round(data / 2**20),
        "stages": stages,
        "seconds": round(sum(stage["seconds"] for stage in stages.values()), 1),
        "processor_seconds": round(sum(s["processor_seconds"] for s in stages.values()), 1),
        "peak_megabytes": max(stage["peak_megabytes"] for stage in stages.values()),
    }


CHILDREN: dict[str, Callable[..., Figures]] = {"make": make, "run": run}


def in_child(what: str, folder: Path, given: Figures) -> Figures:
    """Do one part in a process of its own."""
    question, answer = folder / "question.json", folder / "answer.json"
    question.write_text(json.dumps(given))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PREFECT_HOME": str(folder / "prefect")}
    command = [sys.executable, __file__, "--child", what, str(question), str(answer)]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    found: Figures = json.loads(answer.read_text())
    return found


def measure(rows: int, folder: Path) -> Figures:
    """Make a corpus and take it through the steps."""
    start = time.perf_counter()
    made = in_child("make", folder, {"folder": str(folder / "run"), "rows": rows})
    seconds = round(time.perf_counter() - start, 1)
    return {**in_child("run", folder, made), "making_seconds": seconds}


def as_table(result: Figures) -> str:
    """Render the result as a short page."""
    runs, versions = result["runs"], result["versions"]
    named = ", ".join(f"{name} {number}" for name, number in versions.items())
    sizes = [f"{run['rows']['generated']:,} candidates" for run in runs]
    lines = [
        "# The steps over all rows",
        "",
        f"`{result['command']}`, {result['hardware']}, {result['date']}, {named}.",
        f"The largest corpus costs {result['growth']} times as much a row as the smallest, by the "
        f"wall; at most {MOST_GROWTH} is wanted, and less than {MOST_GIBIBYTES} GiB: "
        f"{'yes' if result['held'] else 'no'}.",
        "",
        f"| | {' | '.join(sizes)} |",
        f"| --- |{' --: |' * len(runs)}",
    ]
    for name in runs[0]["stages"]:
        cells = [
            f"{stage['seconds']:,.1f} ({stage['processor_seconds']:,.1f}) s, "
            f"{stage['peak_megabytes']:,} MB"
            for stage in (run["stages"][name] for run in runs)
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    cells = [
        f"{run['seconds']:,.1f} ({run['processor_seconds']:,.1f}) s, {run['peak_megabytes']:,} MB"
        for run in runs
    ]
    lines.append(f"| **all** | {' | '.join(cells)} |")
    cells = [f"{1e6 * run['seconds'] / run['rows']['generated']:.0f} µs" for run in runs]
    lines.append(f"| a candidate | {' | '.join(cells)} |")
    cells = [f"{run['rows']['accepted']:,}" for run in runs]
    lines.append(f"| accepted | {' | '.join(cells)} |")
    cells = [f"{run['release_megabytes']:,} MB" for run in runs]
    lines.append(f"| release | {' | '.join(cells)} |")
    note = "Seconds of the wall, of the processor in brackets; most memory held during the step."
    return "\n".join([*lines, "", note, ""])


def main() -> None:
    """Measure every size, print and write the result."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, action="append")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        what, question, answer = options.child
        given = json.loads(Path(question).read_text())
        if "folder" in given:
            given["folder"] = Path(given["folder"])
        Path(answer).write_text(json.dumps(CHILDREN[what](**given)))
        return
    runs = []
    for rows in sorted(options.rows or [1_000_000, 10_000_000]):
        with tempfile.TemporaryDirectory() as folder:
            runs.append(measure(rows, Path(folder)))
    costs = [run["seconds"] / run["rows"]["generated"] for run in runs]
    growth = round(costs[-1] / costs[0], 3)
    small = all(run["peak_megabytes"] < MOST_GIBIBYTES * 1024 for run in runs)
    result = {
        "command": shlex.join(["python", "benchmarks/scaling.py", *sys.argv[1:]]),
        "date": datetime.now(UTC).date().isoformat(),
        "hardware": f"{platform.machine()} CPU, {os.cpu_count()} cores",
        "versions": {"python": platform.python_version(), **{p: version(p) for p in PACKAGES}},
        "runs": runs,
        "growth": growth,
        "held": growth <= MOST_GROWTH and small,
    }
    options.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(result, indent=2)
    (options.out / "scaling.json").write_text(text + "\n", encoding="utf-8")
    (options.out / "scaling.md").write_text(as_table(result), encoding="utf-8")
    print(as_table(result))


if __name__ == "__main__":
    main()
