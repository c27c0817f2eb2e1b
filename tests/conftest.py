"""What every test may use; nothing here reaches the network or a user's Prefect home."""

import asyncio
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]
os.environ.update(
    DO_NOT_TRACK="1",
    HF_HUB_OFFLINE="1",
    OMP_NUM_THREADS="1",
    OMP_WAIT_POLICY="PASSIVE",
    PREFECT_SERVER_ANALYTICS_ENABLED="false",
    PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL="CRITICAL",
    PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS="180",
    TOKENIZERS_PARALLELISM="false",
)


# In CI the same commit gets the same verdict; runs by hand go on looking for new examples.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of the real data and models beside the repository."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("the folder `shared` does not lie beside the repository")
    return folder


@pytest.fixture(scope="session")
def prefect_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Prefect home of the test session's own: its database is made once."""
    return tmp_path_factory.mktemp("prefect")


@pytest.fixture
def environment(prefect_home: Path) -> dict[str, str]:
    """Environment of a child process that runs the command line."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_API", "COLUMNS"))}
    return {**kept, "PREFECT_HOME": str(prefect_home), "COLUMNS": "100"}


@pytest.fixture(scope="session")
def prefect_api(prefect_home: Path) -> Iterator[str]:
    """Address of one Prefect server for the whole session; flows of this process run against it."""
    from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings

    from flows.server import prefect_server

    os.environ["PREFECT_HOME"] = str(prefect_home)
    with temporary_settings({PREFECT_HOME: prefect_home}), prefect_server():
        yield str(PREFECT_API_URL.value())


Scripted = Callable[..., Path]


def script_lines(label: str, *, good: int, bad: int = 0) -> list[dict[str, Any]]:
    """Lines of a script for one label: unlike sentences, then faults of every kind in turn."""
    faults: list[dict[str, Any]] = [
        {"text": "x"},
        {"error": "the reply is not a number"},
        {"text": "this one was cut at its greatest", "finish_reason": "length"},
        {"text": f"this sentence gives {label} away at once"},
    ]
    texts = [
        {
            "text": " ".join(
                f"{label[0]}{(number * 7919 + place * 104729) % 9973}" for place in range(7)
            )
        }
        for number in range(good)
    ]
    return [{"label": label, **line} for line in (*texts, *(faults[i % 4] for i in range(bad)))]


@pytest.fixture(scope="session")
def write_recipe() -> Scripted:
    """Writes a recipe whose model is a script into a folder, as `scripted` does."""
    return write_scripted


@pytest.fixture
def scripted(tmp_path: Path) -> Scripted:
    """Writes a recipe whose model is a script; keyword arguments replace keys of the recipe."""
    return lambda **changes: write_scripted(tmp_path / "recipe", **changes)


def write_scripted(
    folder: Path, *, good: int = 60, bad: int = 12, lines: Any = None, **changes: Any
) -> Path:
    labels = {"alpha": {"description": "says the first", "share": 2}}
    recipe = {
        "name": "scripted",
        "seed": 3,
        "rows": 40,
        "labels": {**labels, "beta": "says the second", "gamma": "says the third"},
        "attributes": {"tone": ["calm", "cross"]},
        "prompt": {"template": "intent"},
        "model": {"backend": "scripted", "name": "script.jsonl"},
        "strategies": [{"kind": "nucleus", "share": 3}, {"kind": "greedy"}],
        "noise": {"share": 0.25, "steps": [{"kind": "keyboard", "rate": 0.1}]},
        "gates": {"row": {}, "dataset": {"rejection_rate": "off"}},
        # tests/flows/test_release_audit.py turns it on.
        "audit": "off",
        "budget": {"attempts_per_row": 10},
        "shard_size": 16,
        **changes,
    }
    if lines is None:
        lines = [
            line for label in recipe["labels"] for line in script_lines(label, good=good, bad=bad)
        ]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "script.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe, sort_keys=False))
    return path


Rows = list[dict[str, Any]]


def read_rows(release: Path, folder: str = "data") -> Rows:
    """Every row of a release in the order of ids, with its split."""
    rows: Rows = []
    for path in sorted((release / folder).glob("*.parquet")):
        table = pq.read_table(path)
        split = {"split": path.name.split("-")[0]}
        rows += [{**row, **split} for row in table.to_pylist(maps_as_pydicts="strict")]
    return sorted(rows, key=lambda row: row["id"])


@pytest.fixture(scope="session")
def rows_of() -> Callable[..., Rows]:
    return read_rows


@pytest.fixture(scope="session")
def hash_of() -> Callable[[Path], str]:
    """Hash of a release's rows, accepted and rejected: of what they say, not of the files."""

    def hash_rows(release: Path) -> str:
        content = [read_rows(release), read_rows(release, "rejected")]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    return hash_rows


@pytest.fixture(scope="session")
def run_bare() -> Callable[..., Any]:
    """Runs the tasks one after the other without Prefect, up to the noised rows."""
    return run_tasks


def run_tasks(path: Path, out: Path) -> Any:
    from tasks.arrange_rows import arrange_rows
    from tasks.generate_texts import generate_texts
    from tasks.inject_noise import inject_noise
    from tasks.plan_rows import plan_rows
    from tasks.preflight.checks import check_recipe
    from tasks.preflight.opening import open_run, run_facts
    from tasks.render_prompts import render_prompts
    from tasks.score_rows import score_rows
    from tasks.select_rows import select_rows

    checked = check_recipe(path)
    recipe = checked.recipe
    workspace = open_run(checked, out / recipe.name, run_facts(checked), resume="auto")
    work = workspace.folder
    number = 0
    while shards := plan_rows.fn(work, number):
        prompts = [render_prompts.fn(work, number, shard) for shard in range(shards)]
        scored = [score_rows.fn(work, generate_texts.fn(work, ref)) for ref in prompts]
        select_rows.fn(work, number, scored)
        number += 1
    arranged = arrange_rows.fn(work)
    for shard in range(-(-recipe.rows // recipe.shard_size)):
        inject_noise.fn(work, shard, arranged)
    return workspace


Answer = dict[str, Any]
"""What the endpoint does: `status`, `content`, `headers`, `seconds` to wait, `cut` the connection
`before` or `within` the reply."""


class Endpoint:
    """An endpoint on loopback in a thread of its own, which plays what a test tells it to.

    `answer` is given the request's number, from 0, and its JSON body.
    """

    def __init__(self) -> None:
        self.answer: Callable[[int, dict[str, Any]], Answer] = lambda number, body: self.chat("ok")
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.in_flight = self.most_in_flight = 0
        self.url = ""

    @staticmethod
    def chat(text: str, *, tokens: int = 5, finish_reason: str = "stop", **more: Any) -> Answer:
        """A good reply of the chat API."""
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": finish_reason, **more}
        usage = {"prompt_tokens": 7, "completion_tokens": tokens}
        return {"content": json.dumps({"choices": [choice], "usage": usage}).encode()}

    def start(self) -> None:
        from aiohttp import web

        self._loop = asyncio.new_event_loop()
        ready = Event()

        async def respond(request: web.Request) -> web.StreamResponse:
            body = json.loads(await request.read())
            number = len(self.bodies)
            self.bodies.append(body)
            self.headers.append(dict(request.headers))
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
            try:
                return await self._play(request, self.answer(number, body))
            finally:
                self.in_flight -= 1

        async def run() -> None:
            app = web.Application()
            app.router.add_post("/{path:.*}", respond)
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
            ready.set()
            self._stop = asyncio.Event()
            await self._stop.wait()
            await runner.cleanup()
            # A handler whose client has gone waits on.
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

        def serve() -> None:
            self._loop.run_until_complete(run())
            self._loop.run_until_complete(asyncio.sleep(0))

        self._thread = Thread(target=serve, daemon=True)
        self._thread.start()
        assert ready.wait(10)

    async def _play(self, request: Any, answer: Answer) -> Any:
        from aiohttp import web

        await asyncio.sleep(answer.get("seconds", 0))
        content = answer.get("content", b"")
        if answer.get("cut") == "before":
            request.transport.abort()
            return web.Response()
        response = web.StreamResponse(
            status=answer.get("status", 200), headers=answer.get("headers")
        )
        response.content_length = len(content)
        await response.prepare(request)
        if answer.get("cut") == "within":
            await response.write(content[: len(content) // 2])
            request.transport.abort()
            return response
        await response.write(content)
        await response.write_eof()
        return response

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        self._loop.close()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """An endpoint on loopback; see `Endpoint`."""
    server = Endpoint()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """Address of a server on loopback that speaks the protocol of S3; s3fs finds it, and keys."""
    import logging

    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    own = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in own.items():
            patch.setenv(name, value)
        yield own["AWS_ENDPOINT_URL"]
    server.stop()


@pytest.fixture
def bucket(
    s3_server: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> str:
    """A new bucket, `s3://NAME`; copies and staged runs lie in the test's own folder."""
    import fsspec

    monkeypatch.setenv("CORPUSMITH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("CORPUSMITH_WORK", raising=False)
    name = f"b-{hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:20]}"
    fsspec.filesystem("s3", use_listings_cache=False).mkdir(name)
    return f"s3://{name}"
