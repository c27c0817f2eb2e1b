import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from schemas.errors import InputError, RunError
from schemas.recipe import Recipe
from tasks.planning.costs import Cost, note_cost, read_cost
from tasks.planning.workspace import (
    RunFacts,
    Workspace,
    locked,
    open_workspace,
    workspace_of,
)


def facts(work_key: str = "a" * 64, version: str = "first") -> RunFacts:
    recipe = Recipe.model_validate({"name": "x", "rows": 4, "labels": {"a": "says a"}})
    return RunFacts(
        work_key=work_key,
        recipe_sha256="b" * 64,
        inputs={},
        version=version,
        created="2026-01-01T00:00:00+00:00",
        recipe=recipe,
        model=recipe.model,
    )


def test_an_unfinished_run_goes_on_under_its_first_version(tmp_path: Path) -> None:
    first = open_workspace(tmp_path, facts(), resume="auto")
    note_cost(first.shard(0, 0, "prompts"), Cost(stage="prompts"))
    again = open_workspace(tmp_path, facts(version="second"), resume="auto")
    assert again == first == workspace_of(tmp_path, facts())
    assert again.facts == facts()
    assert again.rounds() == [first.round(0)]


def test_what_the_work_key_leaves_out_follows_the_newest_wish(tmp_path: Path) -> None:
    open_workspace(tmp_path, facts(), resume="auto")
    later = facts(version="second")
    smaller = later.model.model_copy(update={"batch_size": 2})
    again = open_workspace(tmp_path, later.model_copy(update={"model": smaller}), resume="auto")
    assert again.facts == facts().model_copy(update={"model": smaller})


def test_another_key_is_another_workspace(tmp_path: Path) -> None:
    first = open_workspace(tmp_path, facts(), resume="auto")
    other = open_workspace(tmp_path, facts("c" * 64), resume="auto")
    assert other.folder != first.folder
    assert first.facts == facts()


def test_never_begins_anew_and_always_only_continues(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        open_workspace(tmp_path, facts(), resume="always")
    assert caught.value.code == "CS-O003"
    assert not list(tmp_path.iterdir())
    first = open_workspace(tmp_path, facts(), resume="never")
    first.round(0).mkdir()
    assert open_workspace(tmp_path, facts(version="2"), resume="always").facts.version == "first"
    anew = open_workspace(tmp_path, facts(version="2"), resume="never")
    assert anew.facts.version == "2"
    assert anew.rounds() == []


def test_damaged_facts_are_an_error_and_are_written_again(tmp_path: Path) -> None:
    workspace = open_workspace(tmp_path, facts(), resume="auto")
    workspace.round(0).mkdir()
    (workspace.folder / "run.json").write_text('{"work_key"')
    with pytest.raises(RunError) as caught:
        _ = workspace.facts
    assert caught.value.code == "CS-W001"
    again = open_workspace(tmp_path, facts(version="2"), resume="auto")
    assert again.facts.version == "2"
    assert len(again.rounds()) == 1


def test_names_sort_as_numbers_do(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    for number in (0, 2, 10, 1000):
        workspace.round(number).mkdir()
    assert workspace.rounds() == [workspace.round(number) for number in (0, 2, 10, 1000)]
    paths = [workspace.shard(0, shard, "scored") for shard in (9, 10, 99_999, 100_000)]
    for path in reversed(paths):
        path.touch()
    (workspace.round(0) / f".tmp-{paths[0].name}-1").touch()
    assert sorted(workspace.round(0).glob("shard-*.scored.parquet")) == paths
    assert workspace.after(paths[1], "selected") == workspace.shard(0, 10, "selected")


def test_forgotten_rounds_leave_the_earlier_ones(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    for number in range(3):
        workspace.round(number).mkdir()
    workspace.forget_rounds(1)
    assert workspace.rounds() == [workspace.round(0)]
    workspace.forget_rounds(1)
    assert workspace.rounds() == [workspace.round(0)]


def test_deleting_leaves_nothing(tmp_path: Path) -> None:
    workspace = open_workspace(tmp_path, facts(), resume="auto")
    workspace.delete()
    assert not list(tmp_path.iterdir())


def test_costs_are_kept_beside_their_file(tmp_path: Path) -> None:
    path = tmp_path / "shard.scored.parquet"
    assert read_cost(path) is None
    cost = Cost(stage="scored", rows=3, seconds=0.5, rejected={"empty": 1})
    note_cost(path, cost)
    assert read_cost(path) == cost
    path.with_suffix(".json").write_text('{"stage": "sco')
    assert read_cost(path) is None


def hold(home: Path, ready: "multiprocessing.synchronize.Event") -> None:
    with locked(home):
        ready.set()
        signal.pause()


def test_a_lock_refuses_a_second_run_and_dies_with_its_process(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    holder = context.Process(target=hold, args=(tmp_path / "home", ready))
    holder.start()
    assert ready.wait(60)
    with pytest.raises(InputError) as caught, locked(tmp_path / "home"):
        pytest.fail("the lock was held twice")
    assert caught.value.code == "CS-O002"
    assert holder.pid is not None
    os.kill(holder.pid, signal.SIGKILL)
    holder.join()
    with locked(tmp_path / "home"):
        pass


def test_a_home_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError) as caught, locked(tmp_path / "file" / "home"):
        pytest.fail("locked")
    assert caught.value.code == "CS-O001"
