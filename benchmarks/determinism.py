"""How many rows change when the batch size does?

    python benchmarks/determinism.py --model starter --tokens 1000000

Writes the same rows at batch sizes 1, 7 and 64 in float32, and in `strict` mode alone and in
shuffled company, and counts the rows whose text differs from the one at batch size 1, and those
whose logprob differs in any bit. The result stands in `benchmarks/results/determinism.json` and
`.md`.
"""

import argparse
import itertools
import json
import platform
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
import transformers
from rich.progress import Progress

from schemas.recipe import TransformersModel
from schemas.strategies import Nucleus, Temperature
from tasks.generation.backends import open_backend
from tasks.generation.protocol import Backend, Completion, Request
from tasks.planning.streams import row_seed

RESULTS = Path(__file__).parent / "results"
STRATEGIES = (Temperature(), Nucleus(top_p=0.9, temperature=0.9))
OPENINGS = ("Write a message:", "Once upon a time", "The customer asks", "How do I", "A", "My card")
SUBJECTS = ("", "a lost card", "the weather", "music for tonight", "an order that is late")
CHUNK = 1024
"""Rows in one call: a shard's worth."""

Row = tuple[str, float | None]


def requests_of(first: int, *, seed: int) -> list[Request]:
    """Make one chunk of requests: prompts of several lengths, two strategies."""
    rows = range(first, first + CHUNK)
    prompts = list(itertools.product(OPENINGS, SUBJECTS))
    return [
        Request(
            row=row,
            attempt=0,
            seed=row_seed(seed, row, 0),
            label="",
            prompt=f"{opening} {subject}".strip(),
            strategy=STRATEGIES[row % len(STRATEGIES)],
        )
        for row, (opening, subject) in zip(rows, itertools.cycle(prompts), strict=False)
    ]


def rows_of(completions: Iterator[Completion]) -> tuple[dict[int, Row], int]:
    """Return text and logprob of each row, and the number of tokens."""
    rows: dict[int, Row] = {}
    tokens = 0
    for completion in completions:
        if completion.error is not None:
            raise SystemExit(f"row {completion.request.row}: {completion.error}")
        rows[completion.request.row] = (completion.text, completion.logprob)
        tokens += completion.num_tokens
    return rows, tokens


def count_differences(one: dict[int, Row], other: dict[int, Row]) -> dict[str, float]:
    """Count rows of `other` that are not those of `one`, in text and in the bits of the logprob."""
    same = [row for row in one if other[row][0] == one[row][0]]
    drift = [abs((one[row][1] or 0.0) - (other[row][1] or 0.0)) for row in same]
    return {
        "texts": len(one) - len(same),
        "logprob_bits": sum(one[row][1] != other[row][1] for row in one),
        "logprob_drift": max(drift, default=0.0),
    }


def backends_of(name: str, device: str) -> dict[str, Backend]:
    """Open the model once for each way of computing that is compared."""
    model = TransformersModel(name=name, device=device, dtype="float32", batch_size=1)
    strict = model.model_copy(update={"deterministic": "strict"})
    ways = {str(size): model.model_copy(update={"batch_size": size}) for size in (1, 7, 64)}
    ways |= {"strict": strict, "strict, shuffled": strict}
    return {way: open_backend(model, folder=Path.cwd()) for way, model in ways.items()}


def measure(backends: dict[str, Backend], *, tokens: int, seed: int) -> dict[str, object]:
    """Generate until the reference has `tokens` tokens; compare chunk by chunk."""
    baseline = {"1": "1", "7": "1", "64": "1", "strict": "strict", "strict, shuffled": "strict"}
    totals = {way: {"texts": 0, "logprob_bits": 0, "logprob_drift": 0.0} for way in backends}
    seconds = dict.fromkeys(backends, 0.0)
    done = num_rows = 0
    with Progress(transient=True) as bar:
        task = bar.add_task("tokens", total=tokens)
        while done < tokens:
            requests = requests_of(num_rows, seed=seed)
            rows: dict[str, dict[int, Row]] = {}
            for way, backend in backends.items():
                order = list(requests)
                if way != "1" and way != "strict":
                    random.Random(num_rows).shuffle(order)
                start = time.perf_counter()
                rows[way], count = rows_of(backend.generate(order))
                seconds[way] += time.perf_counter() - start
                found = count_differences(rows[baseline[way]], rows[way])
                totals[way] = {
                    "texts": totals[way]["texts"] + found["texts"],
                    "logprob_bits": totals[way]["logprob_bits"] + found["logprob_bits"],
                    "logprob_drift": max(totals[way]["logprob_drift"], found["logprob_drift"]),
                }
                done += count if way == "1" else 0
            num_rows += CHUNK
            bar.update(task, completed=done)
    return {
        "rows": num_rows,
        "tokens": done,
        "differing_rows": totals,
        "tokens_per_second": {way: round(done / spent) for way, spent in seconds.items()},
    }


def surroundings(device: torch.device) -> dict[str, object]:
    """Name hardware, date and versions."""
    gpu = torch.cuda.get_device_name(device) if device.type == "cuda" else None
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "hardware": gpu or f"{platform.machine()} CPU, {torch.get_num_threads()} threads",
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "numpy": np.__version__,
        },
    }


def as_table(result: dict[str, object]) -> str:
    """Render the result as a short page."""
    differing, speed = result["differing_rows"], result["tokens_per_second"]
    assert isinstance(differing, dict)
    assert isinstance(speed, dict)
    lines = [
        "# Rows that change with the batch",
        "",
        f"{result['rows']:,} rows, {result['tokens']:,} tokens, model `{result['model']}`, "
        f"float32, {result['hardware']}, {result['date']}, torch {torch.__version__}.",
        "Each line is compared with batch size 1, `strict` with itself in another order.",
        "",
        "| batch size | texts differ | logprobs differ in a bit | largest drift, nats | tokens/s |",
        "| --- | --- | --- | --- | --- |",
    ]
    for way, found in differing.items():
        lines.append(
            f"| {way} | {found['texts']} | {found['logprob_bits']} | {found['logprob_drift']:.1e} "
            f"| {speed[way]:,} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="starter")
    parser.add_argument("--tokens", type=int, default=1_000_000)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    backends = backends_of(options.model, options.device)
    result = {
        "model": next(iter(backends.values())).info.reference,
        **surroundings(torch.device(options.device)),
        **measure(backends, tokens=options.tokens, seed=options.seed),
    }
    options.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(result, indent=2)
    (options.out / "determinism.json").write_text(text + "\n", encoding="utf-8")
    (options.out / "determinism.md").write_text(as_table(result), encoding="utf-8")
    print(as_table(result))


if __name__ == "__main__":
    main()
