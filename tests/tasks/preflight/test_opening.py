import json
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import InputError
from schemas.recipe_file import load_recipe
from tasks.preflight import opening
from tasks.preflight.checks import check_recipe
from tasks.preflight.opening import open_run, prompt_writer, run_facts
from tasks.preflight.plan_summary import summarise
from tasks.preflight.sample import sample_rows


def keys(path: Path) -> tuple[str, str]:
    facts = run_facts(check_recipe(path))
    return facts.recipe_sha256, facts.work_key


def test_what_decides_a_row_changes_the_identity(scripted: Any) -> None:
    first = keys(scripted())
    assert keys(scripted()) == first
    for changes in ({"seed": 9}, {"good": 61}, {"prompt": {"template": "instruct"}}):
        changed = keys(scripted(**changes))
        assert changed[0] != first[0]
        assert changed[1] != first[1]
    recut = keys(scripted(shard_size=99))
    assert recut[0] == first[0]
    assert recut[1] != first[1]


def test_other_code_does_not_go_on_with_these_files(
    scripted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = keys(scripted())
    monkeypatch.setattr(opening, "_program_sha256", lambda: "other")
    other = keys(scripted())
    assert other[0] == first[0]
    assert other[1] != first[1]


def test_prompts_are_those_of_the_start(scripted: Any, tmp_path: Path) -> None:
    prompt = {"template": "own.j2"}
    path = scripted(prompt=prompt, rows=4)
    (path.parent / "own.j2").write_text("Say {{ label.name }}\n")
    checked = check_recipe(path)
    workspace = open_run(checked, tmp_path / "home", run_facts(checked), resume="auto")
    (path.parent / "own.j2").write_text("Say nothing\n")
    rows, attempts = [0, 1, 2, 3], [0, 0, 0, 0]
    import numpy as np

    arguments = np.array(rows, dtype=np.int64), np.array(attempts, dtype=np.int32)
    again = prompt_writer(workspace).write(arguments[0], attempts=arguments[1])
    assert again["prompt"].to_pylist() == list(checked.prompts)


def test_a_prompt_that_does_not_fit_is_refused(scripted: Any) -> None:
    model = {"name": "starter", "device": "cpu"}
    strategies = [{"kind": "greedy", "length": {"max": 5000}}]
    with pytest.raises(InputError) as caught:
        check_recipe(scripted(model=model, strategies=strategies))
    assert caught.value.code == "CS-P008"


def test_a_plan_in_figures(scripted: Any, tmp_path: Path) -> None:
    summary = summarise(check_recipe(scripted(rows=40)), out=tmp_path)
    assert sum(sum(kinds.values()) for kinds in summary["quotas"].values()) == 40
    assert summary["quotas"]["alpha"] == {"nucleus": 15, "greedy": 5}
    assert summary["forecast"]["candidates"] == 50
    assert summary["rows_per_prompt"] == {"nucleus": 1, "greedy": 1}


def test_a_sample_shows_the_rows_that_a_run_makes_first(
    scripted: Any, run_bare: Any, tmp_path: Path
) -> None:
    from tasks.planning.rounds import candidates

    path = scripted(rows=12)
    shown = sample_rows(check_recipe(path), 99)
    workspace = run_bare(path, tmp_path)
    columns = ["id", "text", "reason"]
    (first,) = (t for t in candidates(workspace, columns=columns, before=1))
    wanted = [(row["id"], row["text"], row["reason"]) for row in first.to_pylist()]
    assert [(r["id"], r["clean_text"] or r["text"], r["reason"]) for r in shown] == wanted


def test_a_sample_that_cuts_a_group_shows_the_rows_of_the_run(
    scripted: Any, run_bare: Any, tmp_path: Path
) -> None:
    from tasks.planning.rounds import candidates

    path = scripted(rows=24, strategies=[{"kind": "stochastic_beam", "num_beams": 4}])
    checked = check_recipe(path)
    assert summarise(checked, out=tmp_path)["rows_per_prompt"] == {"stochastic_beam": 4}
    shown = sample_rows(checked, 6)
    assert max(row["member"] for row in shown) > 0
    workspace = run_bare(path, tmp_path)
    columns = ["id", "prompt", "group_seed", "member", "raw_text"]
    first, *_ = candidates(workspace, columns=columns, before=1)
    assert [{name: row[name] for name in columns} for row in shown] == first.to_pylist()[:6]


def test_every_example_is_known_drawn_or_not(scripted: Any, tmp_path: Path) -> None:
    path = scripted()
    labels = load_recipe(path).recipe.labels
    lines = [
        json.dumps({"text": f"seed text {i}", "label": label}) for label in labels for i in range(4)
    ]
    (path.parent / "seeds.jsonl").write_text("\n".join(lines))
    overrides = ["prompt.examples.path=seeds.jsonl", "prompt.examples.per_row=1"]
    checked = check_recipe(path, overrides=overrides)
    known = opening.known_texts(checked.loaded.recipe.model, checked.writer.examples)
    assert all(f"Seed text {i}." in known for i in range(4))
    assert "another text" not in known
