"""A real server on loopback: `transformers serve` with the starter model and a chat template."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from transformers.utils import import_utils

from schemas.models import OpenAIModel
from schemas.recipe import TransformersModel
from schemas.strategies import Greedy, Length, Nucleus, Strategy
from tasks.generation.backends import open_backend
from tasks.generation.folders import STARTER_FOLDER
from tasks.generation.protocol import Completion, Request

MISSING = [
    name
    for name in ("fastapi", "uvicorn", "pydantic", "openai", "accelerate")
    if not getattr(import_utils, f"is_{name}_available")()
]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(MISSING), reason=f"`transformers serve` needs {', '.join(MISSING)}"),
]
COMMAND = "from transformers.cli.transformers import main; main()"


CHAT = "{% for message in messages %}{{ message.content }}\n{% endfor %}"
"""Makes of one user message the prompt that the other tests send themselves."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The starter model with a chat template, of which the completions API makes no use."""
    copied = tmp_path_factory.mktemp("model") / "starter"
    files = ("*.py", "*.npy", "__pycache__")
    shutil.copytree(STARTER_FOLDER, copied, ignore=shutil.ignore_patterns(*files))
    (copied / "chat_template.jinja").write_text(CHAT, encoding="utf-8")
    return copied


@pytest.fixture(scope="module")
def url(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the server, up to and with the version."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("serve") / "log.txt"
    options = ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu", "--dtype", "float32"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, "serve", str(folder), *options],
            env={**os.environ, "HF_HUB_OFFLINE": "1"},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/health", process, log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()
            process.wait(30)


def wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)


def ask(strategy: Strategy) -> list[Request]:
    names = ("card arrival", "lost card", "exchange rate", "order checks")
    return [
        Request(row, 0, 40 + row, name, f"{name}\n", strategy) for row, name in enumerate(names)
    ]


@pytest.fixture
def server(url: str, folder: Path) -> OpenAIModel:
    return OpenAIModel(name=str(folder), base_url=url, api="completions", concurrency=2, retries=1)


def answers(model: OpenAIModel, requests: list[Request], tmp_path: Path) -> list[Completion]:
    backend = open_backend(model, folder=tmp_path, replay=tmp_path / "replies.jsonl")
    found = list(backend.generate(requests))
    return sorted(found, key=lambda reply: reply.request.row)


@pytest.mark.parametrize("api", ["completions", "chat"])
def test_greedy_texts_are_those_of_the_model_in_this_process(
    api: str, server: OpenAIModel, tmp_path: Path
) -> None:
    requests = ask(Greedy(length=Length(min=0, max=24)))
    local = open_backend(TransformersModel(dtype="float32", device="cpu"), folder=tmp_path)
    wanted = sorted(local.generate(requests), key=lambda reply: reply.request.row)
    # The chat template writes the line end, and a message is given without it.
    asked = [replace(request, prompt=request.prompt.strip()) for request in requests]
    model = server.model_copy(update={"api": api})
    found = answers(model, asked if api == "chat" else requests, tmp_path)
    assert [reply.error for reply in found] == [None] * 4
    assert [reply.text.strip() for reply in found] == [reply.text.strip() for reply in wanted]
    assert [reply.finish_reason for reply in found] == [reply.finish_reason for reply in wanted]
    assert all(0 < reply.num_tokens <= 24 for reply in found)


def test_samples_come_within_their_length_and_are_kept(server: OpenAIModel, tmp_path: Path) -> None:
    requests = ask(Nucleus(length=Length(max=12)))
    found = answers(server, requests, tmp_path)
    assert [reply.error for reply in found] == [None] * 4
    assert all(reply.num_tokens <= 12 for reply in found)
    assert answers(server, requests, tmp_path) == found
