"""Do memory, file handles and threads stay flat when a run gets longer?

    python benchmarks/soak.py --rows 20000 --rows 200000

Runs `corpusmith generate` once for each number of rows, each in a process of its own, with every
default: row gates, noise, dataset gates, the audit, and a temporary Prefect server. The model is a
script whose reply is a function of the row's seed, so what grows is the flow's. Peak memory is what
the kernel says of the process (`ru_maxrss`); file handles and threads are counted while it runs.
The result stands in `benchmarks/results/soak.json` and `.md`.
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
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import yaml

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).with_name("results")
PACKAGES = ("prefect", "pyarrow", "great-expectations", "numpy")
MOST_GROWTH = 1.2
"""Most times the peak memory of the shortest run that the longest may take."""
VOCABULARY = 20_000
SHARE_OF_COPIES = 0.02
"""Texts that repeat one of a few hundred, so that the gates have something to reject."""
WATCH_SECONDS = 0.5
LABELS = 12
STAGES = (
    ("export", "audit.json"),
    ("audit", "final/validate.json"),
    ("validate", "final/shard-000000000.noised.parquet"),
    ("arrange", "final"),
    ("rounds", "run.json"),
)
"""What a run does once a file stands, the last step first."""


def write_recipe(folder: Path, rows: int) -> Path:
    """Write the recipe of one run."""
    recipe = {
        "name": "soak",
        "seed": 7,
        "rows": rows,
        "labels": {f"label_{chr(97 + place)}": "one of twelve" for place in range(LABELS)},
        "attributes": {"tone": ["calm", "cross"]},
        "prompt": {"template": "intent"},
        "model": {"backend": "scripted", "name": "script.jsonl"},
        "strategies": [{"kind": "nucleus", "share": 3}, {"kind": "temperature"}],
        "noise": {"share": 0.25, "steps": [{"kind": "keyboard", "rate": 0.03}]},
        # Longer runs use up more of the vocabulary; and the words are of no language. Neither gate
        # may end the run, what they measure is measured.
        "gates": {"dataset": {"distinct_2": "off"}, "audit": "off"},
        "budget": {"attempts_per_row": 100},
    }
    (folder / "script.jsonl").write_text('{"text": "in place of it stands a function"}\n')
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe, sort_keys=False))
    return path


def run_here(arguments: Sequence[str]) -> None:
    """Run the command line in this process with a script that never runs out of texts."""
    from flows import cli
    from tasks.generation.protocol import Request
    from tasks.generation.scripted import ScriptedBackend, ScriptedReply

    words = made_up_words()
    # As in a real corpus: the word of rank r is drawn in proportion to 1 / r.
    ranks = 1 / np.arange(1, VOCABULARY + 1)
    bounds = np.cumsum(ranks / ranks.sum())

    def answer(request: Request) -> ScriptedReply:
        chance = np.random.default_rng(request.seed)
        if chance.random() < SHARE_OF_COPIES:
            chance = np.random.default_rng(request.seed % 400)
        places = np.searchsorted(bounds, chance.random(chance.integers(6, 14)))
        return ScriptedReply(text=" ".join(words[min(at, VOCABULARY - 1)] for at in places))

    script = {"from_model": lambda model, *, folder: ScriptedBackend(answer)}
    for name, function in script.items():
        setattr(ScriptedBackend, name, function)
    sys.argv = ["corpusmith", *arguments]
    cli.main()


def made_up_words() -> list[str]:
    """Make as many different words as the vocabulary has, of two to four syllables."""
    chance = np.random.default_rng(0)
    syllables = [first + last for first in "bdfgklmnprstv" for last in "aeiou"]
    words: dict[str, None] = {}
    while len(words) < VOCABULARY:
        drawn = chance.integers(0, len(syllables), size=chance.integers(2, 5))
        words["".join(syllables[place] for place in drawn)] = None
    return list(words)


def stage_of(out: Path) -> str:
    """Say what the run in a folder is doing, by the files that it has written."""
    for work in (out / "soak").glob(".work-*"):
        return next((stage for stage, file in STAGES if (work / file).exists()), "start")
    return "start"


def watch(process: "subprocess.Popen[bytes]", out: Path) -> tuple[dict[str, Any], Any]:
    """Count what a process holds until it ends; return the most by stage, and its resource use."""
    most: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    proc, began = Path(f"/proc/{process.pid}"), time.monotonic()
    while True:
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        if ended:
            process.returncode = os.waitstatus_to_exitcode(status)
            return {stage: dict(seen) for stage, seen in most.items()}, usage
        seen = most[stage_of(out)]
        try:
            handles = len(list((proc / "fd").iterdir()))
            facts = dict(line.split(":", 1) for line in (proc / "status").read_text().splitlines())
        except OSError:
            continue  # it has just ended
        now = {
            "megabytes": int(facts.get("VmRSS", "0 kB").split()[0]) / 1024,
            "file_handles": handles,
            "threads": int(facts["Threads"]),
            "until_seconds": time.monotonic() - began,
        }
        for name, value in now.items():
            seen[name] = max(seen[name], round(value, 1))
        time.sleep(WATCH_SECONDS)


def soak(rows: int, folder: Path) -> dict[str, Any]:
    """Make one release and say what it took.

    Raises:
        SystemExit: If the run fails.
    """
    recipe, out = write_recipe(folder, rows), folder / "out"
    words = [str(recipe), "--out", str(out), "--quiet"]
    with (folder / "stderr").open("wb") as errors, (folder / "stdout").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, __file__, "--child", "generate", *words],
            cwd=ROOT,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "PREFECT_HOME": str(folder / "prefect"),
            },
            stdout=output,
            stderr=errors,
        )
        stages, usage = watch(process, out)
    if process.returncode != 0:
        raise SystemExit(f"the run ended with {process.returncode}: {errors_of(folder)}")
    release = Path((folder / "stdout").read_text().strip())
    manifest = json.loads((release / "manifest.json").read_text(encoding="utf-8"))
    return {
        "rows": manifest["rows"],
        "peak_megabytes": round(usage.ru_maxrss / 1024, 1),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 1),
        "file_handles": max(seen["file_handles"] for seen in stages.values()),
        "threads": max(seen["threads"] for seen in stages.values()),
        "stages": stages,
        "seconds": manifest["seconds"],
    }


def errors_of(folder: Path) -> str:
    """Return what a run said on stderr."""
    return (folder / "stderr").read_text(errors="replace").strip()


def as_table(result: dict[str, Any]) -> str:
    """Render the result as a short page."""
    runs, versions = result["runs"], result["versions"]
    flat = "yes" if result["flat"] else "no"
    lines = [
        "# Long runs",
        "",
        f"`{result['command']}`, {result['hardware']}, {result['date']}, Python "
        f"{versions['python']}, prefect {versions['prefect']}, pyarrow {versions['pyarrow']}.",
        f"Peak memory of the longest run is {result['growth']} times that of the shortest; at most "
        f"{MOST_GROWTH} is wanted, file handles and threads no more than a few: {flat}.",
        "",
        "| rows | generated | peak MB | file handles | threads | processor s |",
        "| --: | --: | --: | --: | --: | --: |",
    ]
    for run in runs:
        lines.append(
            f"| {run['rows']['accepted']:,} | {run['rows']['generated']:,} "
            f"| {run['peak_megabytes']:,.0f} | {run['file_handles']:.0f} | {run['threads']:.0f} "
            f"| {run['cpu_seconds']:,.0f} |"
        )
    lines += ["", "Most megabytes seen in each part of the run:", ""]
    names = [stage for stage, _ in reversed(STAGES)]
    lines += [f"| rows | {' | '.join(names)} |", f"| --: {'| --: ' * len(names)}|"]
    for run in runs:
        cells = [f"{run['stages'].get(name, {}).get('megabytes', 0):,.0f}" for name in names]
        lines.append(f"| {run['rows']['accepted']:,} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run every size, print and write the result."""
    if sys.argv[1:2] == ["--child"]:
        run_here(sys.argv[2:])
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, action="append")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    runs = []
    for rows in sorted(options.rows or [20_000, 200_000]):
        with tempfile.TemporaryDirectory() as folder:
            runs.append(soak(rows, Path(folder)))
        print(json.dumps(runs[-1]), file=sys.stderr, flush=True)
    first, last = runs[0], runs[-1]
    growth = round(last["peak_megabytes"] / first["peak_megabytes"], 3)
    # The pools of threads and connections fill up some time, not at a certain row.
    same = all(last[name] <= first[name] + 8 for name in ("file_handles", "threads"))
    result = {
        "command": shlex.join(["python", "benchmarks/soak.py", *sys.argv[1:]]),
        "date": datetime.now(UTC).date().isoformat(),
        "hardware": f"{platform.machine()} CPU, {os.cpu_count()} cores",
        "versions": {"python": platform.python_version(), **{p: version(p) for p in PACKAGES}},
        "runs": runs,
        "growth": growth,
        "flat": growth <= MOST_GROWTH and same,
    }
    options.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(result, indent=2)
    (options.out / "soak.json").write_text(text + "\n", encoding="utf-8")
    (options.out / "soak.md").write_text(as_table(result), encoding="utf-8")
    print(as_table(result))


if __name__ == "__main__":
    main()
