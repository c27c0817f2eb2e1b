"""How many useful tokens a second does generation give, beside transformers' own ways?

    python benchmarks/generation.py

Two workloads of 512 ragged prompts (5 to 60 tokens) and up to 64 new tokens, the end of text
allowed: *short*, the starter model at the product's own work, and *long*, TinyStories-656K. Every
engine reads text and gives text: tokenisation and decoding count, loading and a warm-up do not. A
token counts up to and including the end of its text. Each engine runs in a process of its own, the
runs of a contest take turns, and the fastest of each counts. The others run with both wait policies
of OpenMP, of which the better counts; ours sets its own.

    python benchmarks/generation.py --device cuda
    python benchmarks/generation.py --device cpu --shapes tiny --rows 16

measures models of known shapes with random weights, in bfloat16 on a GPU, and states the share of
the roofline. The result stands in `benchmarks/results/generation.json` and `.md`, of shapes in
`generation-DEVICE.json` and `.md`; with `--json` the measurements go to stdout instead.
"""

import argparse
import json
import os
import platform
import shlex
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rich.console import Console
from rich.table import Table
from speed.contest import Contender, Measured, Wait, measure
from speed.engines import BEAMS, OURS, Setting, runs, starter_folder
from speed.shapes import SHAPES, Ceiling
from speed.tables import COLUMNS, Row, cells_of, comparisons, keep_better_wait, markdown
from speed.workloads import Workload, prompts_of
from tokenizers import Tokenizer

RESULTS = Path(__file__).with_name("results")
TINYSTORIES = Path(__file__).resolve().parents[2] / "shared/models/tinystories-656k"
ENGINES = ("corpusmith", "generate", "generate_batch")
STRATEGIES = tuple(name for name in OURS if name != "arithmetic")
ON_SHAPES = ("greedy", "nucleus")
MOST_BEAMS = 512
"""Most hypotheses of `generate` at once.

With 2,048 it took 3 GB and gave, of the tokens/s of 128, a quarter on *short* and less than a half
on *long*.
"""
WAITS: tuple[Wait, ...] = ("default", "passive")
PACKAGES = ("torch", "transformers", "tokenizers", "numpy")


@dataclass(frozen=True)
class Task:
    """What is generated from what.

    Args:
        name: What the tables call it.
        prompts: Which prompts.
        model: `starter` or a folder.
        ceiling: What the device can do at most; None where no roofline is stated.
    """

    name: str
    prompts: Workload
    model: str
    ceiling: Ceiling | None = None

    def prompts_of(self, options: argparse.Namespace) -> list[str]:
        """Make the prompts, measured by the model's own tokenizer."""
        folder = starter_folder() if self.model == "starter" else Path(self.model)
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))

        def count_tokens(texts: Sequence[str]) -> list[int]:
            return [len(encoded) for encoded in tokenizer.encode_batch(list(texts))]

        return prompts_of(
            self.prompts, count=options.rows, seed=options.seed, count_tokens=count_tokens
        )


def tasks_of(options: argparse.Namespace, folder: Path) -> Iterator[Task]:
    """Yield the tasks, making the models of known shapes in `folder` as they are reached."""
    if not options.shapes:
        models = {"short": "starter", "long": str(TINYSTORIES)}
        for name in options.workloads:
            yield Task(name, name, str(options.model) if options.model else models[name])
        return
    for name in options.shapes:
        made = folder / name
        words = (name, str(made), options.device, options.dtype, "512")
        script = Path(__file__).parent / "speed/shapes.py"
        # In a process of its own: this one's memory would count as that of its children.
        printed = subprocess.check_output([sys.executable, str(script), *words], text=True)
        yield Task(name, "shapes", str(made), Ceiling(**json.loads(printed.splitlines()[-1])))


def contenders_of(options: argparse.Namespace, task: Task, strategy: str) -> list[Contender]:
    """List who runs a strategy of a task, in every batch size and with every wait policy."""
    most = MOST_BEAMS // BEAMS if strategy == "beam" else sys.maxsize
    sizes = {
        "corpusmith": options.batch_sizes,
        "generate": [min(size, most) for size in options.their_batch_sizes],
        "generate_batch": ["auto"],
    }
    return [
        Contender(
            Setting(
                engine=engine,
                strategy=strategy,
                model=task.model,
                device=options.device,
                dtype=options.dtype,
                batch_size=size,
                max_new_tokens=options.max_new_tokens,
            ),
            wait,
        )
        for engine in options.engines
        if runs(engine, strategy)
        for size in sizes[engine]
        for wait in (WAITS[:1] if engine == "corpusmith" else options.waits)
    ]


def row_of(measured: Measured, task: Task, *, num_rows: int) -> Row:
    """Write one measurement as a row of the result."""
    setting = measured.contender.setting
    row: Row = {
        "workload": task.name,
        "strategy": setting.strategy,
        "engine": setting.engine,
        "batch_size": setting.batch_size,
        "tokens_per_second": round(measured.tokens_per_second, 1),
        "peak_mb": round(measured.peak_mb, 1),
        "baseline_mb": round(measured.baseline_mb, 1),
        "tokens": measured.tokens,
        "seconds": [round(seconds, 3) for seconds in measured.seconds],
        "wait": measured.contender.wait,
    }
    size = setting.batch_size
    if task.ceiling is not None and isinstance(size, int):
        bound = task.ceiling.tokens_per_second(
            SHAPES[task.name],
            batch_size=size,
            context=(measured.prompt_tokens + measured.tokens / 2) / num_rows,
            item_bytes=2 if setting.dtype == "bfloat16" else 4,
        )
        row["roofline_share"] = round(measured.tokens_per_second / bound, 4)
    return row


def contest(options: argparse.Namespace) -> tuple[list[Row], str]:
    """Run every contest; return the measurements and a sentence about the prompts."""
    rows: list[Row] = []
    about = []
    with tempfile.TemporaryDirectory() as folder:
        for task in tasks_of(options, Path(folder)):
            prompts = task.prompts_of(options)
            tokens = 0
            for strategy in options.strategies:
                contenders = contenders_of(options, task, strategy)
                found = measure(
                    contenders,
                    prompts=prompts,
                    repeats=options.repeats,
                    together=options.device == "cpu",
                )
                for measured in found:
                    tokens = measured.prompt_tokens
                    rows.append(row_of(measured, task, num_rows=len(prompts)))
                    print(rows[-1], file=sys.stderr, flush=True)
            about.append(f"*{task.name}*: {Path(task.model).name}, {tokens / len(prompts):.1f}")
    return keep_better_wait(rows), "; ".join(about) + " tokens a prompt on average."


def surroundings(options: argparse.Namespace) -> dict[str, Any]:
    """Name date, machine, versions and command."""
    card = ""
    if options.device.startswith("cuda"):
        code = "import torch; print(torch.cuda.get_device_name())"
        card = ", " + subprocess.check_output([sys.executable, "-c", code], text=True).strip()
    threads = os.environ.get("OMP_NUM_THREADS", "default")
    load = statistics.fmean(os.getloadavg())
    return {
        "command": shlex.join(["python", "benchmarks/generation.py", *sys.argv[1:]]),
        "date": datetime.now(UTC).date().isoformat(),
        "hardware": f"{platform.machine()} CPU, {os.cpu_count()} cores, OMP_NUM_THREADS {threads}"
        f"{card}; load before the start {load:.1f}",
        "versions": {"python": platform.python_version(), **{p: version(p) for p in PACKAGES}},
    }


def show(rows: Sequence[Row]) -> None:
    """Print the comparison as a table."""
    table = Table(*COLUMNS)
    for comparison in comparisons(rows):
        table.add_row(*cells_of(comparison))
    Console(width=160).print(table)


def options_of(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""

    def words(text: str) -> list[str]:
        return text.split(",")

    def sizes(text: str) -> list[int | str]:
        return [word if word == "auto" else int(word) for word in words(text)]

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, help="model folder in place of the workloads' own")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", help="float32 on a CPU, bfloat16 on a GPU")
    parser.add_argument("--json", action="store_true", help="print the measurements as JSON")
    parser.add_argument("--workloads", type=words, default=["short", "long"])
    parser.add_argument("--shapes", type=words, help=f"of {', '.join(SHAPES)}")
    parser.add_argument("--strategies", type=words)
    parser.add_argument("--engines", type=words, default=list(ENGINES))
    parser.add_argument("--batch-sizes", type=sizes, help="of corpusmith")
    parser.add_argument("--their-batch-sizes", type=sizes, help="of generate")
    parser.add_argument("--waits", type=words, help="OpenMP's wait policies of the others")
    parser.add_argument("--rows", type=int, default=512)
    parser.add_argument("--max-new-tokens", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, help="folder of the result")
    options = parser.parse_args(arguments)
    on_gpu = options.device != "cpu"
    if on_gpu and not options.model:
        options.shapes = options.shapes or [name for name in SHAPES if name != "tiny"]
    options.dtype = options.dtype or ("bfloat16" if on_gpu else "float32")
    options.strategies = options.strategies or list(ON_SHAPES if options.shapes else STRATEGIES)
    options.batch_sizes = options.batch_sizes or (["auto", 32, 128, 512] if on_gpu else ["auto"])
    options.waits = options.waits or list(WAITS[:1] if on_gpu else WAITS)
    options.their_batch_sizes = options.their_batch_sizes or [32, 512]
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write the result."""
    options = options_of(arguments)
    about = surroundings(options)
    rows, prompts = contest(options)
    how = (
        f"{options.rows} prompts, up to {options.max_new_tokens} new tokens, {options.dtype}, the "
        f"fastest of {options.repeats} runs in turn; OpenMP's threads of the others wait by the "
        f"policy {' or '.join(options.waits)}. `generate` holds at most {MOST_BEAMS} "
        f"hypotheses, which is {MOST_BEAMS // BEAMS} prompts with {BEAMS} beams. {prompts}"
    )
    result = {**about, "about": how, "rows": rows}
    if options.json:
        keys = ("workload", "strategy", "engine", "batch_size", "tokens_per_second", "peak_mb")
        print(json.dumps([{key: row[key] for key in keys} for row in rows], indent=2))
    else:
        show(rows)
    if options.json and options.out is None:
        return
    out = options.out or RESULTS
    out.mkdir(parents=True, exist_ok=True)
    name = f"generation-{options.device}" if options.shapes else "generation"
    (out / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    (out / f"{name}.md").write_text(markdown(result), encoding="utf-8")


if __name__ == "__main__":
    main()
