"""Does a run that is killed end with the rows of an undisturbed one?

    python benchmarks/kills.py --recipe recipes/quickstart.yaml --kills 20

Runs the recipe once undisturbed, then once for each kill: `kill -9` at a seeded random moment, the
same command again, and a comparison of every row, accepted and rejected. Each run has a temporary
Prefect server of its own. The result stands in `benchmarks/results/kills.json` and `.md`.
"""

import argparse
import hashlib
import json
import os
import platform
import random
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("corpusmith", "prefect", "torch", "transformers", "pyarrow", "numpy")
COMMAND = (sys.executable, "-c", "from flows.cli import main; main()", "generate")


def start(options: argparse.Namespace, out: Path) -> subprocess.Popen[str]:
    """Start the command line on the recipe."""
    settings = [word for item in options.settings for word in ("--set", item)]
    return subprocess.Popen(
        [*COMMAND, str(options.recipe), "--out", str(out), "--quiet", *settings],
        env={**os.environ, "PREFECT_HOME": str(out.parent / "prefect")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(options: argparse.Namespace, out: Path) -> Path:
    """Run the recipe to its end and return the release."""
    process = start(options, out)
    stdout, stderr = process.communicate()
    if process.returncode != 0:
        raise SystemExit(f"the run ended with {process.returncode}: {stderr}")
    return Path(stdout.strip())


def hash_rows(release: Path) -> str:
    """Hash every row of a release, accepted and rejected, with its split, in the order of ids."""
    rows = [
        {**row, "file": path.name}
        for folder in ("data", "rejected")
        for path in sorted((release / folder).glob("*.parquet"))
        for row in pq.read_table(path).to_pylist(maps_as_pydicts="strict")
    ]
    rows.sort(key=lambda row: row["id"])
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()


def stage_of(out: Path) -> str:
    """Say how far a killed run had come: the newest file that it left."""
    files = [path for path in out.rglob("*") if path.is_file() and path.name != ".lock"]
    if not files:
        return "before the first file"
    newest = max(files, key=lambda path: path.stat().st_mtime_ns)
    return newest.relative_to(out).parts[1].split("-")[0] + "/" + newest.name


def kill_once(options: argparse.Namespace, out: Path, moment: float) -> tuple[str, bool]:
    """Start, kill at `moment` seconds; return the stage, and whether the kill met a living run."""
    process = start(options, out)
    try:
        process.wait(timeout=moment)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
    process.communicate()
    return stage_of(out), process.returncode == -signal.SIGKILL


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Compare one undisturbed run with one run for each kill."""
    finish(options, folder / "warm-up")
    begin = time.perf_counter()
    wanted = hash_rows(finish(options, folder / "undisturbed"))
    seconds = time.perf_counter() - begin
    chance = random.Random(options.seed)
    kills = []
    for number in range(options.kills):
        # One moment in each of as many equal parts of the run as there are kills.
        moment = (number + chance.random()) / options.kills * seconds
        out = folder / f"kill-{number}"
        stage, met = kill_once(options, out, moment)
        release = finish(options, out)
        left = [path.name for path in release.parent.glob(".[tw]*")]
        kills.append(
            {
                "seconds": round(moment, 2),
                "stage": stage,
                "met_a_living_run": met,
                "identical": hash_rows(release) == wanted,
                "left_behind": left,
            }
        )
        print(kills[-1], file=sys.stderr, flush=True)
    return {"seconds": round(seconds, 1), "rows_sha256": wanted, "kills": kills}


def surroundings() -> dict[str, Any]:
    """Name date, hardware and versions."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "hardware": f"{platform.machine()} CPU, {os.cpu_count()} cores",
        "versions": {"python": platform.python_version(), **{p: version(p) for p in PACKAGES}},
    }


def as_table(result: dict[str, Any]) -> str:
    """Render the result as a short page."""
    kills = result["kills"]
    same = sum(kill["identical"] for kill in kills)
    lines = [
        "# Runs that were killed",
        "",
        f"`{result['recipe']}`, {result['hardware']}, {result['date']}, "
        f"prefect {result['versions']['prefect']}, torch {result['versions']['torch']}; "
        f"undisturbed {result['seconds']} s.",
        f"After {len(kills)} `kill -9` and the same command again, {same} of {len(kills)} releases "
        "had the rows of the undisturbed run, accepted and rejected, to the last byte.",
        "",
        "| moment, s | newest file | met a living run | identical rows | left behind |",
        "| --- | --- | --- | --- | --- |",
    ]
    for kill in kills:
        words = {True: "yes", False: "no"}
        lines.append(
            f"| {kill['seconds']} | `{kill['stage']}` | {words[kill['met_a_living_run']]} "
            f"| {words[kill['identical']]} | {', '.join(kill['left_behind']) or 'nothing'} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--recipe", type=Path, default=Path("recipes/quickstart.yaml"))
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--set", dest="settings", action="append", default=[])
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(options, Path(folder))
    result = {"recipe": str(options.recipe), **surroundings(), **found}
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "kills.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    (options.out / "kills.md").write_text(as_table(result), encoding="utf-8")
    print(as_table(result))


if __name__ == "__main__":
    main()
