import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from schemas.output import RegexOutput
from schemas.row import CANDIDATE_SCHEMA
from tasks.generation.candidates import generate_candidates, requests
from tasks.generation.protocol import Completion, Request
from tasks.generation.scripted import ScriptedBackend, ScriptedReply
from tasks.planning.rounds import accepted_between
from tasks.preflight.checks import check_recipe
from tasks.preflight.sample import sample_rows


class Backwards(ScriptedBackend):
    """Answers the last request first, as a batch may."""

    def generate(self, requests: Sequence[Request]) -> Iterator[Completion]:
        return super().generate(requests[::-1])


def answer(request: Request) -> ScriptedReply:
    if request.row == 2:
        return ScriptedReply(error="broken")
    return ScriptedReply(text=f" row {request.row} of {request.label} ")


@pytest.fixture
def prompts(scripted: Any) -> tuple[pa.Table, Any]:
    checked = check_recipe(scripted(rows=6))
    rows = np.arange(6, dtype=np.int64)
    return checked.writer.write(rows, attempts=np.ones(6, dtype=np.int32)), checked.recipe


def test_every_prompt_has_its_own_answer_in_its_place(prompts: tuple[pa.Table, Any]) -> None:
    table, recipe = prompts
    heard: list[int] = []
    made = generate_candidates(
        table, recipe.strategies, Backwards(answer), on_reply=lambda r: heard.append(r.request.row)
    )
    assert heard == [5, 4, 3, 2, 1, 0]
    assert made.schema.equals(CANDIDATE_SCHEMA)
    for row in made.to_pylist():
        if row["row"] == 2:
            assert (row["error"], row["text"], row["finish_reason"]) == ("broken", "", "error")
        else:
            assert row["text"] == f"row {row['row']} of {row['label']}"
            assert row["raw_text"] != row["text"]
    assert made.select(table.column_names).to_pylist() == table.to_pylist()


def test_requests_carry_what_a_backend_needs(prompts: tuple[pa.Table, Any]) -> None:
    table, recipe = prompts
    for request, row in zip(requests(table, recipe.strategies), table.to_pylist(), strict=True):
        assert request.strategy.kind == row["strategy"]
        assert (request.row, request.attempt, request.seed) == (row["row"], 1, row["seed"])
        assert (request.prompt, request.label) == (row["prompt"], row["label"])
        assert (request.shared_seed, request.member) == (row["seed"], 0)


def test_requests_of_one_prompt_share_their_draws(scripted: Any) -> None:
    beams = {"kind": "stochastic_beam", "num_beams": 3}
    checked = check_recipe(scripted(rows=9, labels={"alpha": "says it"}, strategies=[beams]))
    table = checked.writer.write(np.arange(9), attempts=np.zeros(9, dtype=np.int32))
    asked = requests(table, checked.recipe.strategies)
    for group in (asked[:3], asked[3:6], asked[6:]):
        assert [request.member for request in group] == [0, 1, 2]
        assert {request.shared_seed for request in group} == {group[0].seed}
        assert len({request.seed for request in group}) == 3
        assert len({request.prompt for request in group}) == 1
    script = [ScriptedReply(text=f"reply number {number}") for number in range(1000)]
    backend = ScriptedBackend.from_replies(script)
    # A script draws by each row's own seed: neither the mates nor the order change a reply.
    whole = [reply.text for reply in backend.generate(asked)]
    assert whole == [next(backend.generate([request])).text for request in asked]
    assert len(set(whole)) > 6


def test_weights_are_kept(prompts: tuple[pa.Table, Any]) -> None:
    table, recipe = prompts

    class Weighing(Backwards):
        def generate(self, requests: Sequence[Request]) -> Iterator[Completion]:
            for reply in super().generate(requests):
                yield replace(reply, weight=reply.request.row / 4 if reply.request.row else None)

    made = generate_candidates(table, recipe.strategies, Weighing(answer))
    assert made["weight"].to_pylist() == [None, 0.25, 0.5, 0.75, 1.0, 1.25]


def test_no_prompts(prompts: tuple[pa.Table, Any], tmp_path: Path) -> None:
    table, recipe = prompts
    assert generate_candidates(table[:0], recipe.strategies, Backwards(answer)).num_rows == 0


def test_a_reply_of_another_form_is_an_error_of_its_row_alone(
    prompts: tuple[pa.Table, Any],
) -> None:
    table, recipe = prompts
    output = RegexOutput(regex="row [01345] of [a-z]+")

    def cut(request: Request) -> ScriptedReply:
        if request.row == 5:
            return ScriptedReply(text="row", finish_reason="length")
        return answer(request)

    made = generate_candidates(table, recipe.strategies, Backwards(cut), output=output).to_pylist()
    assert [row["error"] for row in made[:2]] == [None, None]
    assert made[0]["text"] == f"row 0 of {made[0]['label']}"
    assert (made[2]["finish_reason"], made[2]["error"]) == ("error", "broken")
    assert made[5]["finish_reason"] == "length"
    assert made[5]["error"] == "cut at the greatest length: the reply does not match the expression"
    assert made[5]["text"] == "row"
    asked = requests(table, recipe.strategies, output=output)
    assert all(request.output is output for request in asked)


SCHEMA = {
    "type": "object",
    "properties": {"mood": {"enum": ["up", "down"]}, "text": {"type": "string", "minLength": 9}},
    "required": ["mood", "text"],
}


def objects() -> list[dict[str, Any]]:
    """Lines of a script: good objects of unlike texts, and replies broken in four ways."""
    texts = [
        " ".join(f"{letter}{(number * 7919 + place * 104729) % 9973}" for place in range(7))
        for letter in "xyz"
        for number in range(40)
    ]
    good = [{"mood": ("up", "down")[place % 2], "text": text} for place, text in enumerate(texts)]
    bad = ["{", "no object", '{"mood":"sideways","text":"long enough"}', '{"text":"long enough"}']
    return [{"text": reply} for reply in (*map(json.dumps, good), *(bad * 10))]


def test_rows_of_a_form_in_a_preview(scripted: Callable[..., Path]) -> None:
    path = scripted(lines=objects(), prompt={"output": {"json_schema": SCHEMA}}, noise=None)
    rows = sample_rows(check_recipe(path), 40)
    invalid = [row for row in rows if row["reason"] == "output_invalid"]
    good = [row for row in rows if row["reason"] is None]
    assert invalid
    assert good
    for row in invalid:
        assert row["stage"] == "generate"
        assert row["detail"] == row["error"]
        assert set(row["attributes"]) == {"tone"}
    for row in good:
        reply = json.loads(row["raw_text"])
        assert row["text"] == reply["text"]
        assert set(row["attributes"]) == {"tone", "mood"}
        assert row["attributes"]["mood"] == reply["mood"]


def test_rows_of_another_form_are_tried_again(
    scripted: Callable[..., Path], run_bare: Callable[..., Any], tmp_path: Path
) -> None:
    path = scripted(lines=objects(), rows=24, prompt={"output": {"json_schema": SCHEMA}})
    workspace = run_bare(path, tmp_path / "out")
    accepted = accepted_between(workspace, 0, 24, columns=["raw_text", "text", "attempt"])
    assert accepted.num_rows == 24
    assert max(accepted["attempt"].to_pylist()) > 0
    for row in accepted.to_pylist():
        assert json.loads(row["raw_text"])["text"] == row["text"]
