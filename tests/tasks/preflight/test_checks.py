"""What is checked of a recipe for an endpoint, without asking it."""

import socket
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import InputError
from tasks.preflight.checks import check_recipe
from tasks.preflight.opening import run_facts, training_index
from tasks.preflight.plan_summary import summarise

MODEL = {
    "backend": "openai",
    "name": "m",
    "base_url": "https://api.example.com/v1",
    "price": {"prompt": 1000, "completion": 2000},
}


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("a check must not reach the network")

    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def test_an_endpoint_is_checked_without_being_asked(scripted: Any, tmp_path: Path) -> None:
    checked = check_recipe(scripted(model=MODEL))
    summary = summarise(checked, out=tmp_path)
    assert summary["model"] == "m"
    forecast = summary["forecast"]
    prompts = forecast["candidates"] * summary["prompt_tokens"]["mean"] * 1000
    assert forecast["usd"] == pytest.approx((prompts + forecast["tokens"] * 2000) / 1e6, rel=0.02)
    assert forecast["seconds"] is None
    capped = check_recipe(scripted(model=MODEL, budget={"usd": 0.01}))
    assert summarise(capped, out=tmp_path)["forecast"]["usd"] == 0.01
    assert summarise(check_recipe(scripted()), out=tmp_path)["forecast"]["usd"] is None


def test_how_an_endpoint_is_asked_begins_no_other_run(scripted: Any) -> None:
    facts = run_facts(check_recipe(scripted(model=MODEL)))
    changes = {"timeout_seconds": 3, "retries": 1, "concurrency": 2, "price": None}
    same = run_facts(check_recipe(scripted(model={**MODEL, **changes})))
    assert (same.work_key, same.recipe_sha256) == (facts.work_key, facts.recipe_sha256)
    other = run_facts(check_recipe(scripted(model={**MODEL, "base_url": "http://localhost/v1"})))
    assert other.work_key != facts.work_key
    assert "sk-secret" not in facts.model_dump_json()


def test_a_strategy_of_another_backend_is_an_error_with_its_line(scripted: Any) -> None:
    path = scripted(model=MODEL, strategies=[{"kind": "greedy"}, {"kind": "typical"}])
    with pytest.raises(InputError) as caught:
        check_recipe(path)
    assert caught.value.code == "CS-M006"
    line = int(caught.value.place.split(":")[1].split()[0])
    assert "typical" in path.read_text().splitlines()[line - 1]


def test_a_missing_key_is_said_before_anything_runs(
    scripted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(InputError) as caught:
        check_recipe(scripted(model=MODEL))
    assert caught.value.code == "CS-M007"
    assert "recipe.yaml" in caught.value.place
    check_recipe(scripted(model={**MODEL, "base_url": "http://127.0.0.1:8000/v1"}))


def test_an_endpoints_model_is_no_folder_here(scripted: Any, tmp_path: Path) -> None:
    (tmp_path / "training_index.npy").write_bytes(b"")
    checked = check_recipe(scripted(model={**MODEL, "name": str(tmp_path)}))
    assert training_index(checked.recipe.model) is None
