"""The main flow at an endpoint on loopback: faults, money, and a resume that pays nothing twice."""

import json
from pathlib import Path
from typing import Any

import pytest

from flows.generate import generate
from schemas.errors import GateError, InputError
from schemas.manifest import Manifest
from tasks.generation import endpoint_retry

pytestmark = [pytest.mark.flow, pytest.mark.fault, pytest.mark.usefixtures("prefect_api")]

SECRET = "sk-very-secret-0123456789"
PRICE = {"prompt": 1000.0, "completion": 10_000.0}


class Stopped(Exception):
    """The fault that these tests inject."""


def sentence(body: dict[str, Any]) -> str:
    """A sentence that no other seed gets."""
    return " ".join(f"w{(body['seed'] * 7919 + place * 104729) % 99_991}" for place in range(7))


def cost(requests: int) -> float:
    return requests * (7 * PRICE["prompt"] + 5 * PRICE["completion"]) / 1e6


@pytest.fixture
def recipe(scripted: Any, endpoint: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Writes a recipe whose model is the endpoint, with a key and a price."""
    monkeypatch.setenv("ENDPOINT_KEY", SECRET)
    monkeypatch.setattr(endpoint_retry, "FIRST_SECONDS", 0.01)
    endpoint.answer = lambda number, body: endpoint.chat(sentence(body))
    model = {
        "backend": "openai",
        "name": "m",
        "base_url": endpoint.url,
        "api_key_env": "ENDPOINT_KEY",
        "price": PRICE,
        "retries": 2,
    }
    settings = {"rows": 24, "shard_size": 8, "strategies": [{"kind": "greedy"}]}
    return lambda **changes: scripted(model=model, **{**settings, **changes})


def manifest_of(release: Path) -> Manifest:
    return Manifest.model_validate_json((release / "manifest.json").read_bytes())


def test_a_release_from_an_endpoint_that_errs(
    recipe: Any, endpoint: Any, rows_of: Any, tmp_path: Path
) -> None:
    faults = {
        1: {"status": 500},
        3: {"cut": "before"},
        5: {"content": b"not json"},
        7: {"status": 429, "headers": {"Retry-After": "0"}},
        9: {"content": b""},
        11: {"status": 400},
        13: endpoint.chat("", finish_reason="content_filter"),
        15: endpoint.chat("no"),
    }
    endpoint.answer = lambda number, body: faults.get(number) or endpoint.chat(sentence(body))
    release = generate(recipe(), tmp_path / "out")
    manifest = manifest_of(release)
    assert manifest.rows.accepted == len(rows_of(release)) == 24
    assert manifest.rows.rejected == {"chars": 1, "generation_error": 2}
    assert len(endpoint.bodies) == 27 + 5
    assert manifest.model.reference == f"m@{endpoint.url[7:-3]}"
    assert manifest.determinism.promise == "none"
    # Refusals cost nothing; three requests may have been answered, and count at their most.
    assert manifest.usd is not None
    assert manifest.tokens.prompt == 7 * 26
    assert cost(26) < manifest.usd <= cost(26) + 3 * (500 * PRICE["prompt"] + 64 * 10_000) / 1e6
    assert {row["model"] for row in rows_of(release)} == {manifest.model.reference}
    for path in [*tmp_path.rglob("*")]:
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path


def test_a_resumed_run_pays_for_nothing_twice(
    recipe: Any, endpoint: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows_of: Any
) -> None:
    from tasks.generation.pace import Pace

    note, seen = Pace.note, iter(range(10_000))

    def fail_once(self: Pace, reply: Any) -> None:
        if next(seen) == 12:
            raise Stopped
        note(self, reply)

    monkeypatch.setattr(Pace, "note", fail_once)
    path = recipe(noise=None)
    with pytest.raises(Stopped):
        generate(path, tmp_path)
    (workspace,) = (tmp_path / "scripted").glob(".work-*")
    lines = map(json.loads, (workspace / "replies.jsonl").read_bytes().splitlines())
    paid = {line["reply"]["text"] for line in lines if line["reply"]}
    assert 12 < len(paid) <= 16
    before = len(endpoint.bodies)
    release = generate(path, tmp_path, ["model.timeout_seconds=7", "model.concurrency=3"])
    asked_later = [sentence(body) for body in endpoint.bodies[before:]]
    assert not paid & set(asked_later)
    assert len(asked_later) == 24 - len(paid)
    assert {row["text"] for row in rows_of(release)} == paid | set(asked_later)


def test_the_money_ends_before_the_rows_do(
    recipe: Any, endpoint: Any, rows_of: Any, tmp_path: Path
) -> None:
    path = recipe(budget={"usd": 1.5, "attempts_per_row": 4}, noise=None)
    with pytest.raises(GateError) as caught:
        generate(path, tmp_path)
    assert caught.value.code == "CS-V002"
    assert "usd_budget" in caught.value.message
    release = Path(caught.value.place).parent
    manifest = manifest_of(release)
    assert manifest.usd is not None
    assert manifest.usd <= 1.5
    assert manifest.usd == pytest.approx(cost(len(endpoint.bodies)))
    rejected = rows_of(release, "rejected")
    unsent = [row for row in rejected if row["reason"] == "usd_budget"]
    assert len({row["id"].rsplit("-", 1)[0] for row in unsent}) == len(unsent)
    assert len(unsent) == manifest.rows.shortfall == 24 - manifest.rows.accepted > 0
    assert sum(s.reasons["usd_budget"] for s in manifest.shortfalls) == len(unsent)


def test_replies_of_a_failed_run_are_not_paid_again(
    recipe: Any, endpoint: Any, rows_of: Any, tmp_path: Path
) -> None:
    failing = {"gates": {"row": {"chars": [1, 2]}}, "budget": {"attempts_per_row": 1}}
    with pytest.raises(GateError) as caught:
        generate(recipe(noise=None, **failing), tmp_path)
    assert manifest_of(Path(caught.value.place).parent).usd == pytest.approx(cost(24))
    kept = tmp_path / "scripted" / ".replies.jsonl"
    assert len(kept.read_bytes().splitlines()) == 24
    release = generate(recipe(noise=None), tmp_path)
    assert len(rows_of(release)) == 24
    assert len(endpoint.bodies) == 24
    assert manifest_of(release).usd == 0
    assert sorted(path.name for path in kept.parent.glob(".*")) == [".lock"]


def test_a_run_that_begins_anew_asks_anew(recipe: Any, endpoint: Any, tmp_path: Path) -> None:
    failing = {"gates": {"row": {"chars": [1, 2]}}, "budget": {"attempts_per_row": 1}}
    for resume in ("auto", "never", "auto"):
        with pytest.raises(GateError):
            generate(recipe(noise=None, **failing), tmp_path, resume=resume)
    assert len(endpoint.bodies) == 2 * 24


def test_a_wrong_key_ends_the_run_with_one_error(
    recipe: Any, endpoint: Any, tmp_path: Path
) -> None:
    endpoint.answer = lambda number, body: {"status": 401}
    with pytest.raises(InputError) as caught:
        generate(recipe(), tmp_path)
    assert caught.value.code == "CS-M007"
    assert "ENDPOINT_KEY" in caught.value.hint
