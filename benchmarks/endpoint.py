"""How much of a bare client's pace is left when rows are rendered, checked, logged and counted?

    python benchmarks/endpoint.py [--rows 2000] [--repeats 5] [--json]

A stub endpoint on loopback, in a process of its own, answers every chat request after 20 ms. Each
repeat sends the same number of rows twice, one after the other: by a bare aiohttp client with 64
requests in flight that only reads the JSON, and by corpusmith: rows rendered from a template, the
openai backend with `concurrency: auto` and a replay log, replies cleaned, a table of candidates
made. The result stands in `benchmarks/results/endpoint.json` and `.md`.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import platform
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter
from typing import Any

import aiohttp
import numpy as np
from aiohttp import web

from schemas.recipe import Recipe
from tasks.generation.backends import open_backend
from tasks.generation.candidates import generate_candidates
from tasks.planning.plan import Plan
from tasks.prompting.rendering import PromptWriter
from tasks.prompting.templates import Template

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("corpusmith", "aiohttp", "jinja2", "pyarrow")
REPLY_SECONDS = 0.02
IN_FLIGHT = 64
TEMPLATE = """Write one {{ attributes.tone }} message of a bank's customer.
Topic: {{ label.description }}
Channel: {{ attributes.channel }}
Message:"""
ANSWER = {
    "id": "chatcmpl-stub",
    "object": "chat.completion",
    "created": 0,
    "model": "stub",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Where is the card that I ordered?"},
            "finish_reason": "stop",
            "logprobs": {"content": [{"token": "t", "logprob": -0.5} for _ in range(9)]},
        }
    ],
    "usage": {"prompt_tokens": 40, "completion_tokens": 9, "total_tokens": 49},
}


def serve(pipe: Connection) -> None:
    """Answer chat requests until the process is ended; tell the port first."""
    content = json.dumps(ANSWER).encode()

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        await asyncio.sleep(REPLY_SECONDS)
        return web.Response(body=content, content_type="application/json")

    async def run() -> None:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        pipe.send(runner.addresses[0][1])
        await asyncio.Event().wait()

    asyncio.run(run())


@contextmanager
def stub() -> Iterator[str]:
    """Run the endpoint; yield its base address."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=serve, args=(theirs,), daemon=True
    )
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}/v1"
    finally:
        process.terminate()
        process.join()


def recipe_for(url: str, rows: int) -> Recipe:
    """Describe the corpus that is asked for."""
    return Recipe.model_validate(
        {
            "name": "endpoint",
            "rows": rows,
            "labels": {"card_arrival": "asks when a card arrives", "lost_card": "lost a card"},
            "attributes": {"tone": ["calm", "cross", "polite"], "channel": ["chat", "email"]},
            "model": {"backend": "openai", "name": "stub", "base_url": url},
        }
    )


async def bare(url: str, prompts: list[str]) -> None:
    """Send the prompts with as little as there can be around them."""
    pending = iter(prompts)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def work() -> None:
            for prompt in pending:
                body = {"model": "stub", "messages": [{"role": "user", "content": prompt}]}
                async with session.post(f"{url}/chat/completions", json=body) as response:
                    await response.json()

        await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))


def run_bare(url: str, rows: int) -> float:
    """Return the rows a second of the bare client."""
    prompts = [f"Write a calm message of a bank's customer, number {row}." for row in range(rows)]
    start = perf_counter()
    asyncio.run(bare(url, prompts))
    return rows / (perf_counter() - start)


def run_ours(url: str, rows: int) -> float:
    """Return the rows a second of corpusmith, from the recipe to the table of candidates."""
    recipe = recipe_for(url, rows)
    template = Template("bench", TEMPLATE, "0" * 64)
    with tempfile.TemporaryDirectory() as folder:
        backend = open_backend(
            recipe.model, folder=Path(folder), replay=Path(folder) / "replies.jsonl"
        )
        start = perf_counter()
        writer = PromptWriter(recipe, Plan.of(recipe), template, None, backend.format_prompt)
        for first in range(0, rows, recipe.shard_size):
            numbers = np.arange(first, min(first + recipe.shard_size, rows))
            prompts = writer.write(numbers, attempts=np.zeros(numbers.size, dtype=np.int32))
            table = generate_candidates(prompts, recipe.strategies, backend)
            if table["error"].null_count != numbers.size:
                raise SystemExit("a row has an error")
        return rows / (perf_counter() - start)


def measure(rows: int, repeats: int) -> dict[str, Any]:
    """Run both, in turn, `repeats` times; the first pair only warms up."""
    pairs = []
    with stub() as url:
        for _ in range(repeats + 1):
            pairs.append((run_bare(url, rows), run_ours(url, rows)))
    pairs = pairs[1:]
    return {
        "rows": rows,
        "reply_seconds": REPLY_SECONDS,
        "bare_in_flight": IN_FLIGHT,
        "repeats": [
            {
                "bare_rows_per_second": round(b),
                "rows_per_second": round(o),
                "ratio": round(o / b, 3),
            }
            for b, o in pairs
        ],
        "bare_rows_per_second": round(statistics.median(b for b, _ in pairs)),
        "rows_per_second": round(statistics.median(o for _, o in pairs)),
        "ratio": round(statistics.median(o / b for b, o in pairs), 3),
        "cpu": platform.machine(),
        "cpu_count": os.cpu_count(),
        "date": datetime.now(UTC).date().isoformat(),
        "packages": {name: version(name) for name in PACKAGES},
    }


def page(result: dict[str, Any]) -> str:
    """Write the result for people."""
    packages = ", ".join(f"{name} {number}" for name, number in result["packages"].items())
    rows = "".join(
        f"| {number} | {pair['bare_rows_per_second']:,} | {pair['rows_per_second']:,} | "
        f"{pair['ratio']:.0%} |\n"
        for number, pair in enumerate(result["repeats"], start=1)
    )
    return (
        f"# Rows a second at an endpoint\n\n"
        f"`python benchmarks/endpoint.py --rows {result['rows']}`: a stub endpoint on loopback, "
        f"{result['reply_seconds'] * 1000:.0f} ms a reply; {result['cpu']}, "
        f"{result['cpu_count']} cores, {result['date']}, {packages}.\n"
        f"*Bare* is aiohttp with {result['bare_in_flight']} requests in flight and nothing around "
        "it; *corpusmith* renders the rows from a template, sends them\nby the openai backend "
        "(`concurrency: auto`), keeps every reply in the replay log, cleans it and makes the "
        "table of candidates.\n\n"
        f"| repeat | bare, rows/s | corpusmith, rows/s | ratio |\n| --- | --- | --- | --- |\n{rows}"
        f"| median | {result['bare_rows_per_second']:,} | {result['rows_per_second']:,} | "
        f"{result['ratio']:.0%} |\n"
    )


def main() -> None:
    """Measure, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    options = parser.parse_args()
    result = measure(options.rows, options.repeats)
    (RESULTS / "endpoint.json").write_text(json.dumps(result, indent=1) + "\n")
    (RESULTS / "endpoint.md").write_text(page(result))
    print(json.dumps(result) if options.json else page(result))


if __name__ == "__main__":
    main()
