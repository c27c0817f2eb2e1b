"""Releases sent to stores of fsspec and to a double of the hub that keeps what it is given."""

import subprocess
from collections.abc import Callable, Iterator
from inspect import signature
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fsspec
import huggingface_hub
import pytest
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from schemas.errors import InputError, RunError
from tasks.release.destination import Repository, Store
from tasks.release.push import send
from tasks.release.shipment import Shipment, pack


@pytest.fixture
def memory() -> Iterator[MemoryFileSystem]:
    files = fsspec.filesystem("memory")
    files.store.clear()
    yield files
    files.store.clear()


def sent_files(shipment: Shipment) -> dict[str, bytes]:
    found = {e.path: (shipment.folder / e.path).read_bytes() for e in shipment.files}
    return found | {"checksums.txt": shipment.checksums.encode()}


def stored(files: Any, root: str) -> dict[str, bytes]:
    return {path.removeprefix(f"{root}/"): files.cat_file(path) for path in files.find(root)}


@pytest.mark.parametrize("with_rejected", [False, True])
def test_a_store_gets_every_byte(
    with_rejected: bool, release: Path, memory: MemoryFileSystem
) -> None:
    shipment = pack(release, with_rejected=with_rejected)
    assert send(shipment, Store("memory://corpora/mini"))
    assert stored(memory, "/corpora/mini") == sent_files(shipment)


def test_a_folder_gets_a_release_that_can_be_checked(release: Path, tmp_path: Path) -> None:
    target = tmp_path / "a b" / "mini"
    assert send(pack(release), Store(f"file://{target}"))
    check = ["sha256sum", "-c", "--strict", "--quiet", "checksums.txt"]
    assert subprocess.run(check, cwd=target).returncode == 0
    assert pack(target).manifest == pack(release).manifest


def test_the_manifest_comes_last(
    release: Path, memory: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []

    def watch(name: str) -> None:
        real = getattr(MemoryFileSystem, name)

        def put(self: Any, first: Any, *more: Any, **options: Any) -> Any:
            path = more[0] if name == "put_file" else first
            order.append(path)
            return real(self, first, *more, **options)

        monkeypatch.setattr(MemoryFileSystem, name, put)

    watch("put_file")
    watch("pipe_file")
    shipment = pack(release)
    send(shipment, Store("memory://mini"))
    assert order[-1] == "/mini/manifest.json"
    assert len(order) == len(set(order)) == len(shipment.files) + 1


def test_sent_again_nothing_happens(
    release: Path, memory: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipment = pack(release)
    assert send(shipment, Store("memory://mini"))
    monkeypatch.setattr(MemoryFileSystem, "put_file", None)
    assert not send(shipment, Store("memory://mini"))


def break_at(number: int, monkeypatch: pytest.MonkeyPatch, kind: type) -> None:
    """Make the file of that number break off in its middle."""
    real, count = kind.put_file, iter(range(1000))

    def put(self: Any, source: str, target: str, **options: Any) -> None:
        if next(count) == number:
            self.pipe_file(target, Path(source).read_bytes()[:-1])
            raise ConnectionResetError("reset by peer")
        real(self, source, target, **options)

    monkeypatch.setattr(kind, "put_file", put)


@pytest.mark.parametrize("kind", [MemoryFileSystem, LocalFileSystem])
@pytest.mark.parametrize("number", range(6))
def test_broken_off_anywhere_nothing_is_published_and_the_next_try_ends_it(
    number: int,
    kind: type,
    release: Path,
    tmp_path: Path,
    memory: MemoryFileSystem,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    root = "/mini" if kind is MemoryFileSystem else str(tmp_path / "there")
    store = Store(f"memory:/{root}" if kind is MemoryFileSystem else f"file://{root}")
    shipment = pack(release)
    assert len(shipment.files) == 7
    files = kind()
    with monkeypatch.context() as patch:
        break_at(number, patch, kind)
        with pytest.raises(RunError, match="ConnectionResetError: reset by peer") as caught:
            send(shipment, store)
    assert (caught.value.code, caught.value.exit_code) == ("CS-U004", 3)
    assert caught.value.retryable
    assert not files.exists(f"{root}/manifest.json")
    assert send(shipment, store)
    assert stored(files, root) == sent_files(shipment)


def test_a_file_that_arrives_short_is_not_published(
    release: Path, memory: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = MemoryFileSystem.put_file

    def put(self: Any, source: str, target: str, **options: Any) -> None:
        real(self, source, target, **options)
        if target.endswith("README.md"):
            self.pipe_file(target, b"short")

    monkeypatch.setattr(MemoryFileSystem, "put_file", put)
    with pytest.raises(RunError, match=r"README\.md arrived with 5 of"):
        send(pack(release), Store("memory://mini"))
    assert not memory.exists("/mini/manifest.json")


@pytest.mark.parametrize("path", ["manifest.json", "data/train-00000-of-00002.parquet"])
def test_nothing_is_overwritten(path: str, release: Path, memory: MemoryFileSystem) -> None:
    memory.pipe_file(f"/mini/{path}", b"another's")
    with pytest.raises(InputError) as caught:
        send(pack(release), Store("memory://mini"))
    assert (caught.value.code, caught.value.exit_code) == ("CS-U005", 2)
    assert "/mini/20261121T081500Z-abc123def456" in caught.value.hint
    assert stored(memory, "/mini") == {path: b"another's"}


class Hub:
    """A double of `HfApi` that writes down each call, and what the folder held."""

    calls: list[tuple[str, dict[str, Any]]]
    files: dict[str, bytes]
    fault: Exception | None = None

    def __init__(self) -> None:
        pass

    def __getattr__(self, name: str) -> Callable[..., Any]:
        real = getattr(huggingface_hub.hf_api.HfApi, name)

        def call(**given: Any) -> Any:
            # What the real one does not take is an error here too.
            signature(real).bind(self, **given)
            Hub.calls.append((name, given))
            if Hub.fault is not None:
                raise Hub.fault
            if name == "upload_folder":
                root = given["folder_path"]
                Hub.files = {
                    p.relative_to(root).as_posix(): p.read_bytes()
                    for p in root.rglob("*")
                    if p.is_file()
                }
            return SimpleNamespace(oid="c0ffee")

        return call


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> type[Hub]:
    Hub.calls, Hub.files, Hub.fault = [], {}, None
    monkeypatch.setattr(huggingface_hub, "HfApi", Hub)
    return Hub


def test_the_hub_gets_what_is_sent_and_a_tag(release: Path, hub: type[Hub]) -> None:
    shipment = pack(release)
    assert send(shipment, Repository("org/mini"))
    assert [name for name, _ in hub.calls] == ["create_repo", "upload_folder", "create_tag"]
    created, uploaded, tagged = (given for _, given in hub.calls)
    assert all(call["repo_id"] == "org/mini" for _, call in hub.calls)
    assert all(call["repo_type"] == "dataset" for _, call in hub.calls)
    assert created["private"] is True
    assert created["exist_ok"] is True
    assert uploaded["commit_message"] == "Release 20261121T081500Z-abc123def456 of mini"
    assert uploaded["revision"] is None
    assert uploaded["delete_patterns"] == ["data/*", "rejected/*", "expectations/*"]
    assert (tagged["tag"], tagged["revision"]) == (shipment.manifest.version, "c0ffee")
    assert hub.files == sent_files(shipment)
    assert not uploaded["folder_path"].exists()


def test_a_branch_and_an_open_repository(release: Path, hub: type[Hub]) -> None:
    send(pack(release, with_rejected=True), Repository("org/mini", "dev"), public=True)
    calls = dict(hub.calls)
    assert calls["create_repo"]["private"] is False
    assert calls["create_branch"]["branch"] == calls["upload_folder"]["revision"] == "dev"
    assert "rejected/rejected-00000.parquet" in hub.files


def test_a_refusal_of_the_hub_is_one_error(release: Path, hub: type[Hub]) -> None:
    hub.fault = PermissionError("403 Forbidden:\n you may not")
    with pytest.raises(RunError) as caught:
        send(pack(release), Repository("org/mini"))
    error = caught.value
    assert (error.code, error.place) == ("CS-U004", "hf://datasets/org/mini")
    assert error.message.endswith("PermissionError: 403 Forbidden: you may not")
    assert "HF_TOKEN" in error.hint
