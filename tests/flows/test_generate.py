"""The main flow accounts for every candidate, and its rows depend on nothing but the recipe."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prefect.task_runners import ThreadPoolTaskRunner

from flows.generate import generate
from schemas.errors import GateError
from schemas.manifest import Manifest
from schemas.recipe_file import load_recipe
from tasks.planning.plan import Plan
from tasks.release.publish import latest

pytestmark = [pytest.mark.flow, pytest.mark.usefixtures("prefect_api")]


def manifest_of(release: Path) -> Manifest:
    return Manifest.model_validate_json((release / "manifest.json").read_bytes())


def failed_release(error: GateError) -> Path:
    release = Path(error.place).parent
    assert release.name.endswith("-failed")
    return release


def place_of(row: dict[str, Any]) -> tuple[int, int]:
    name, number, attempt = row["id"].rsplit("-", 2)
    assert name == "scripted"
    assert int(attempt) == row["attempt"]
    return int(number), int(attempt)


def undone(row: dict[str, Any]) -> str:
    text = row["text"]
    for edit in reversed(row["noise"]):
        start, after = edit["start"], edit["after"]
        assert text[start : start + len(after)] == after
        text = text[:start] + edit["before"] + text[start + len(after) :]
    return str(text)


def assert_accounted(release: Path, rows_of: Any) -> Manifest:
    """Check that every count of a release is the same everywhere, and adds up."""
    manifest, accepted, rejected = (
        manifest_of(release),
        rows_of(release),
        rows_of(release, "rejected"),
    )
    rows = manifest.rows
    assert rows.requested == rows.accepted + rows.shortfall
    assert rows.generated == rows.accepted + sum(rows.rejected.values())
    assert rows.accepted == len(accepted) == sum(manifest.splits.values())
    assert Counter(row["split"] for row in accepted) == Counter(manifest.splits)
    assert Counter(row["reason"] for row in rejected) == Counter(rows.rejected)
    assert manifest.tokens.generated == sum(row["num_tokens"] for row in [*accepted, *rejected])
    assert sum(short.missing for short in manifest.shortfalls) == rows.shortfall
    report = json.loads((release / "report.json").read_text())
    assert report["counts"] == rows.model_dump()
    said = rf"Of {rows.generated:,} candidates {rows.accepted:,} were accepted; "
    said += rf"{rows.requested:,} rows were asked for, {rows.shortfall:,} could not be filled"
    assert said in (release / "README.md").read_text("utf-8")
    attempts: dict[int, list[int]] = {}
    for number, attempt in sorted(map(place_of, [*accepted, *rejected])):
        attempts.setdefault(number, []).append(attempt)
    assert all(tried == list(range(len(tried))) for tried in attempts.values())
    for number, attempt in map(place_of, accepted):
        assert attempt == attempts[number][-1], "a row was tried again after it was accepted"
    return manifest


def test_a_release_accounts_for_every_candidate(
    scripted: Any, rows_of: Any, tmp_path: Path
) -> None:
    path = scripted(bad=24)
    release = generate(path, tmp_path / "out")
    manifest = assert_accounted(release, rows_of)
    assert manifest.verdict == "pass"
    assert (manifest.hardware.device, manifest.hardware.torch_threads) == ("cpu", None)
    assert manifest.rows.accepted == 40
    assert set(manifest.rows.rejected) >= {"generation_error", "unfinished", "duplicate"}
    accepted = rows_of(release)
    cells = Counter((row["label"], row["strategy"]) for row in accepted)
    recipe = load_recipe(path).recipe
    assert cells == {(cell.label, cell.kind): cell.rows for cell in Plan.of(recipe).quotas()}
    assert [place_of(row)[0] for row in accepted] == list(range(40))
    noised = [row for row in accepted if row["clean_text"] is not None]
    assert len(noised) == 10
    for row in noised:
        assert undone(row) == row["clean_text"] != ""
    assert all(row["noise"] == [] for row in accepted if row["clean_text"] is None)
    assert {path.name for path in (tmp_path / "out" / "scripted").iterdir()} == {
        ".lock",
        "latest.json",
        release.name,
    }


def test_missing_rows_fail_the_run_and_say_why(scripted: Any, rows_of: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    good = generate(scripted(), out)
    pointer = (out / "scripted" / "latest.json").read_bytes()
    path = scripted(good=6, bad=2, budget={"attempts_per_row": 3})
    with pytest.raises(GateError) as caught:
        generate(path, out)
    assert caught.value.code == "CS-V002"
    release = failed_release(caught.value)
    manifest = assert_accounted(release, rows_of)
    assert manifest.verdict == "fail"
    assert manifest.rows.shortfall > 0
    accepted = {place_of(row)[0] for row in rows_of(release)}
    lost = [row for row in rows_of(release, "rejected") if place_of(row)[0] not in accepted]
    stated = {(s.label, s.strategy): Counter(s.reasons) for s in manifest.shortfalls}
    found: dict[tuple[str, str], Counter[str]] = {}
    for row in lost:
        found.setdefault((row["label"], row["strategy"]), Counter())[row["reason"]] += 1
    assert stated == found
    most = max(manifest.shortfalls, key=lambda short: short.missing)
    assert most.label in caught.value.message
    assert f"{most.missing}" in caught.value.message
    assert (out / "scripted" / "latest.json").read_bytes() == pointer
    newest = latest(out, "scripted")
    assert newest is not None
    assert newest.path == good.name
    gates = {"row": {}, "dataset": {"label_balance": "off", "rejection_rate": "off"}}
    budget = {"attempts_per_row": 3, "allow_shortfall": True}
    allowed = generate(scripted(good=6, bad=2, budget=budget, gates=gates), out)
    assert assert_accounted(allowed, rows_of).rows == manifest.rows
    newest = latest(out, "scripted")
    assert newest is not None
    assert newest.path == allowed.name


@pytest.mark.parametrize("tokens", [10, 250])
def test_the_token_budget_is_never_exceeded(
    tokens: int, scripted: Any, rows_of: Any, tmp_path: Path
) -> None:
    path = scripted(budget={"attempts_per_row": 5, "tokens": tokens})
    with pytest.raises(GateError) as caught:
        generate(path, tmp_path)
    manifest = assert_accounted(failed_release(caught.value), rows_of)
    assert manifest.tokens.generated <= tokens
    # What no longer fits in is less than the longest reply, its end included.
    assert tokens - manifest.tokens.generated < 65 or not manifest.rows.generated
    waiting = sum(short.reasons.get("token_budget", 0) for short in manifest.shortfalls)
    assert waiting > 0
    if not manifest.rows.generated:
        assert waiting == 40


def test_a_recipe_that_rejects_everything_says_so(
    scripted: Any, rows_of: Any, tmp_path: Path
) -> None:
    changes = {"gates": {"row": {"chars": [9000, 9999]}}, "rows": 5}
    path = scripted(budget={"attempts_per_row": 2}, **changes)
    with pytest.raises(GateError) as caught:
        generate(path, tmp_path)
    manifest = assert_accounted(failed_release(caught.value), rows_of)
    assert manifest.rows.accepted == 0
    assert manifest.rows.generated == 10
    assert "chars" in caught.value.message
    page = (failed_release(caught.value) / "report.html").read_text("utf-8")
    assert re.search(r"\bchars\b", page)


def test_a_gate_fails_a_run_whose_shortfall_is_allowed(scripted: Any, tmp_path: Path) -> None:
    gates = {"dataset": {"distinct_2": 1.0, "rejection_rate": 0.0, "label_balance": "off"}}
    budget = {"attempts_per_row": 2, "allow_shortfall": True}
    with pytest.raises(GateError) as caught:
        generate(scripted(good=4, budget=budget, gates=gates), tmp_path)
    assert caught.value.code == "CS-V001"


def test_one_row(scripted: Any, rows_of: Any, tmp_path: Path) -> None:
    release = generate(scripted(rows=1, bad=0), tmp_path)
    manifest = assert_accounted(release, rows_of)
    assert manifest.splits == {"train": 1, "validation": 0, "test": 0}


GOLDEN = "9a731069e9adabe34cecb35d63d2ec86c4f3e9bbb3580e2b4cf6a94b17400b8e"


@pytest.mark.parametrize(
    ("shard_size", "workers"), [(1024, 4), (1024, 1), (64, 1), (7, 4), (7, 1), (1, 4)]
)
def test_rows_depend_on_the_recipe_alone(
    shard_size: int, workers: int, scripted: Any, rows_of: Any, hash_of: Any, tmp_path: Path
) -> None:
    path = scripted(rows=24, shard_size=shard_size)
    runner: Any = ThreadPoolTaskRunner(max_workers=workers)
    release = generate.with_options(task_runner=runner)(path, tmp_path / "out")
    assert max(row["attempt"] for row in rows_of(release)) >= 2
    assert hash_of(release) == GOLDEN


def test_rows_that_share_a_prompt_and_aim_at_a_length(
    scripted: Any, rows_of: Any, hash_of: Any, tmp_path: Path
) -> None:
    beams = {"kind": "stochastic_beam", "num_beams": 4}
    length = {"target": 7, "unit": "words", "tolerance": 0.2}
    lines = [
        {"text": " ".join(f"{label}{(number * 7919 + place) % 9973}x" for place in range(words))}
        for label in "abc"
        for number in range(60)
        for words in [7 + number % 2 * 5]
    ]
    hashes = set()
    for shard_size in (64, 7):
        path = scripted(
            lines=lines,
            shard_size=shard_size,
            strategies=[beams, {"kind": "greedy", "length": length}],
            noise=None,
        )
        release = generate(path, tmp_path / str(shard_size))
        assert_accounted(release, rows_of)
        hashes.add(hash_of(release))
    assert len(hashes) == 1, "a shard's end cuts a group, and must not change it"
    lost = [row for row in rows_of(release, "rejected") if row["reason"] == "length_target"]
    assert {(row["strategy"], row["detail"]) for row in lost} == {
        ("greedy", "12 words, 7 +- 1.4 wanted")
    }
    rows = rows_of(release)
    assert {len(row["text"].split()) for row in rows if row["strategy"] == "greedy"} == {7}
    assert {len(row["text"].split()) for row in rows if row["strategy"] != "greedy"} == {7, 12}
    plan = Plan.of(load_recipe(path).recipe).shard(np.arange(40))
    prompts: dict[tuple[int, int], set[str]] = {}
    for row in [*rows, *rows_of(release, "rejected")]:
        number, attempt = place_of(row)
        prompts.setdefault((int(plan.leader[number]), attempt), set()).add(row["prompt"])
    assert all(len(shared) == 1 for shared in prompts.values())
    assert len({leader for leader, _ in prompts}) < 30


def test_rows_of_the_starter_do_not_depend_on_the_batch(
    scripted: Any, hash_of: Any, tmp_path: Path
) -> None:
    changes = {"gates": {"dataset": "off"}, "budget": {"allow_shortfall": True}}
    hashes = set()
    for batch_size, shard_size in ((4, 64), (64, 64), (64, 16)):
        model = {"name": "starter", "device": "cpu", "batch_size": batch_size}
        path = scripted(rows=30, model=model, shard_size=shard_size, **changes)
        hashes.add(hash_of(generate(path, tmp_path / f"{batch_size}-{shard_size}")))
    assert len(hashes) == 1
