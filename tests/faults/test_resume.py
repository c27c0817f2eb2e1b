"""A run that stopped anywhere goes on where it stopped, and ends with the same rows."""

import json
import pkgutil
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from flows.generate import generate
from schemas.errors import InputError
from tasks.generation.scripted import ScriptedBackend

pytestmark = [pytest.mark.flow, pytest.mark.fault, pytest.mark.usefixtures("prefect_api")]

RECIPE: dict[str, Any] = {"rows": 16, "shard_size": 8, "good": 40, "bad": 16}


class Stopped(Exception):
    """The fault that these tests inject."""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[tuple[int, int]]:
    """Counts how often the model was asked for each row and attempt."""
    counts: Counter[tuple[int, int]] = Counter()
    answer = ScriptedBackend.generate

    def count(self: ScriptedBackend, requests: Any) -> Iterator[Any]:
        counts.update((request.row, request.attempt) for request in requests)
        return answer(self, requests)

    monkeypatch.setattr(ScriptedBackend, "generate", count)
    return counts


@pytest.fixture(scope="module")
def wanted(
    prefect_api: str, tmp_path_factory: pytest.TempPathFactory, write_recipe: Any, hash_of: Any
) -> str:
    """Hash of the rows of a run that nothing stopped."""
    folder = tmp_path_factory.mktemp("wanted")
    return str(hash_of(generate(write_recipe(folder / "recipe", **RECIPE), folder / "out")))


@contextmanager
def stopping_at(target: str, *, call: int = 0) -> Iterator[None]:
    """Let the engine function `target` fail once, at its call number `call` from 0."""
    owner, _, name = target.rpartition(".")
    holder = pkgutil.resolve_name(owner)
    function, calls = getattr(holder, name), iter(range(10_000))

    def fail(*args: Any, **kwargs: Any) -> Any:
        if next(calls) == call:
            raise Stopped(target)
        return function(*args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(holder, name, fail)
        yield


def leave_unfinished(path: Path, out: Path, target: str = "tasks.arrange_rows.arrange") -> Path:
    """Run until `target` is called; return the workspace."""
    with stopping_at(target), pytest.raises(Stopped):
        generate(path, out)
    return workspace_in(out)


def workspace_in(out: Path) -> Path:
    (work,) = (out / "scripted").glob(".work-*")
    return work


def assert_clean(release: Path) -> None:
    names = {path.name for path in release.parent.iterdir()}
    assert names == {".lock", "latest.json", release.name}


STOPS = [
    ("tasks.plan_rows.first_round", 0),
    ("tasks.prompting.rendering.PromptWriter.write", 2),
    ("tasks.generate_texts.generate_candidates", 0),
    ("tasks.generate_texts.generate_candidates", 1),
    ("tasks.score_rows.score_candidates", 0),
    ("tasks.select_rows.select_shards", 1),
    ("tasks.plan_rows.next_round", 0),
    ("tasks.generate_texts.generate_candidates", 0),
    ("tasks.select_rows.select_shards", 0),
    ("tasks.plan_rows.next_round", 0),
    ("tasks.arrange_rows.arrange", 0),
    ("tasks.inject_noise.noise_rows", 1),
    ("tasks.validate_dataset.judge", 0),
    ("tasks.release.assembly.write_report", 0),
    ("tasks.release.draft.publish_folder", 0),
    ("tasks.release.publish.point_latest", 0),
    ("tasks.planning.workspace.Workspace.delete", 0),
]
"""Where the run is stopped, one after the other: an engine function, and which of its calls."""


def test_a_run_stopped_at_every_stage_goes_on(
    scripted: Any, asked: Counter[tuple[int, int]], wanted: str, hash_of: Any, tmp_path: Path
) -> None:
    path, out = scripted(**RECIPE), tmp_path / "out"
    for target, call in STOPS:
        with stopping_at(target, call=call), pytest.raises(Stopped, match=target):
            generate(path, out)
        assert workspace_in(out)
    release = generate(path, out, resume="always")
    assert hash_of(release) == wanted
    assert set(asked.values()) == {1}, "a finished shard was generated again"
    assert_clean(release)


STAGES = ["prompts", "candidates", "scored", "selected", "plan", "arranged", "noised"]


def files_of(work: Path, stage: str) -> list[Path]:
    return sorted(path for path in work.rglob("*.parquet") if stage in path.name)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0xFF
    path.write_bytes(content)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [flip, truncate, empty, Path.unlink])
def test_damaged_files_are_made_again(
    damage: Any, scripted: Any, wanted: str, hash_of: Any, tmp_path: Path
) -> None:
    path, out = scripted(**RECIPE), tmp_path / "out"
    whole = leave_unfinished(path, out, "tasks.validate_dataset.judge")
    for stage in STAGES:
        damage(files_of(whole, stage)[0])
    assert hash_of(generate(path, out, resume="always")) == wanted


def test_swapped_files_are_made_again(
    scripted: Any, wanted: str, hash_of: Any, tmp_path: Path
) -> None:
    path, out = scripted(**RECIPE), tmp_path / "out"
    work = leave_unfinished(path, out, "tasks.validate_dataset.judge")
    for stage in STAGES:
        one, *others = files_of(work, stage)
        if others:
            content = one.read_bytes()
            shutil.copyfile(others[0], one)
            others[0].write_bytes(content)
    assert hash_of(generate(path, out, resume="always")) == wanted


def test_a_damaged_statement_of_the_run_is_written_again(
    scripted: Any, wanted: str, asked: Any, hash_of: Any, tmp_path: Path
) -> None:
    path, out = scripted(**RECIPE), tmp_path / "out"
    work = leave_unfinished(path, out)
    (work / "run.json").write_text("{")
    (work / "inputs.json").write_text("")
    assert hash_of(generate(path, out)) == wanted
    assert set(asked.values()) == {1}


def test_rows_that_come_out_otherwise_leave_nothing_of_the_first_try(
    scripted: Any, rows_of: Any, tmp_path: Path
) -> None:
    """A model may answer a lost shard otherwise (bfloat16): what followed from it is made again."""
    path, out = scripted(**RECIPE), tmp_path / "out"
    work = leave_unfinished(path, out, "tasks.validate_dataset.judge")
    rounds = len(list(work.glob("round-*")))
    assert rounds > 1
    files_of(work, "candidates")[0].unlink()
    answer = ScriptedBackend.generate

    def otherwise(self: ScriptedBackend, requests: Any) -> Iterator[Any]:
        from dataclasses import replace

        for reply in answer(self, requests):
            text = f"other words for row number {reply.request.row} {reply.request.seed}"
            yield replace(reply, text=text, finish_reason="eos", error=None)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ScriptedBackend, "generate", otherwise)
        release = generate(path, out, resume="always")
    rows = rows_of(release)
    manifest = json.loads((release / "manifest.json").read_text())
    assert len({row["id"].rsplit("-", 1)[0] for row in rows}) == len(rows) == 16
    rejected = rows_of(release, "rejected")
    assert manifest["rows"]["generated"] == len(rows) + len(rejected)
    attempts = Counter(row["id"] for row in [*rows, *rejected])
    assert set(attempts.values()) == {1}


def test_never_begins_anew(
    scripted: Any, wanted: str, asked: Any, hash_of: Any, tmp_path: Path
) -> None:
    path, out = scripted(**RECIPE), tmp_path / "out"
    leave_unfinished(path, out)
    release = generate(path, out, resume="never")
    assert hash_of(release) == wanted
    assert set(asked.values()) == {2}
    assert_clean(release)


def test_always_needs_something_to_resume(scripted: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        generate(scripted(**RECIPE), tmp_path / "out", resume="always")
    assert caught.value.code == "CS-O003"


@pytest.mark.parametrize("changed", ["seed", "template", "examples", "script"])
def test_nothing_is_reused_for_another_recipe(
    changed: str, scripted: Any, asked: Any, tmp_path: Path
) -> None:
    recipe = {
        **RECIPE,
        "prompt": {"template": "own.j2", "examples": {"path": "examples.jsonl", "per_row": 1}},
    }
    path, out = scripted(**recipe), tmp_path / "out"
    template, examples = path.parent / "own.j2", path.parent / "examples.jsonl"
    template.write_text("Say {{ label.name }}: {{ label.description }}\n")
    lines = [{"text": f"an example of {label}", "label": label} for label in ("alpha", "beta")]
    lines.append({"text": "one of the last", "label": "gamma"})
    examples.write_text("".join(json.dumps(line) + "\n" for line in lines))
    leave_unfinished(path, out)
    before = Counter(asked)
    match changed:
        case "seed":
            path = scripted(**recipe, seed=4)
        case "template":
            template.write_text("Tell {{ label.name }}: {{ label.description }}\n")
        case "examples":
            examples.write_text(examples.read_text().replace("an example", "a sample"))
        case "script":
            scripted(**{**recipe, "good": 41})
    generate(path, out)
    again = asked - before
    assert {row for row, attempt in again if attempt == 0} == set(range(16))


def test_temporary_files_of_a_killed_run_are_swept(scripted: Any, tmp_path: Path) -> None:
    path, out = scripted(**RECIPE), tmp_path / "out"
    work = leave_unfinished(path, out)
    (work / "round-000000" / ".tmp-shard-000000000.scored.parquet-1-2").write_bytes(b"half")
    draft = out / "scripted" / ".tmp-20260101T000000Z-000000000000-1"
    draft.mkdir()
    (draft / "README.md").write_text("half")
    with stopping_at("tasks.arrange_rows.arrange"), pytest.raises(Stopped):
        generate(path, out)
    assert not list((out / "scripted").rglob(".tmp-*"))
