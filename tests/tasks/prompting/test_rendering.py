import json
import pickle
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.errors import InputError
from schemas.recipe_file import load_recipe
from schemas.row import PROMPT_SCHEMA, row_id
from tasks.planning.streams import row_seed
from tasks.prompting.rendering import PromptWriter, prepare_prompts

RECIPE = """name: x
seed: 3
rows: 50
labels:
  a: {description: says a, share: 2}
  b: "says\\n  b"
attributes: {form: [question, request], mood: [sad, glad]}
prompt: {examples: {path: e.jsonl, per_row: 2}}
strategies: [{kind: nucleus}, {kind: greedy}]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recipe")
    (folder / "recipe.yaml").write_text(RECIPE)
    lines = [
        {"text": f"{label} {i}\n{{{{ x }}}}", "label": label} for label in "ab" for i in range(5)
    ]
    (folder / "e.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return folder


@pytest.fixture(scope="module")
def writer(folder: Path) -> PromptWriter:
    return prepare_prompts(load_recipe(folder / "recipe.yaml"))


def write(writer: PromptWriter, rows: list[int], attempt: int = 0) -> pa.Table:
    return writer.write(
        np.array(rows, dtype=np.int64), attempts=np.full(len(rows), attempt, dtype=np.int32)
    )


def test_the_table_has_the_schema(writer: PromptWriter) -> None:
    for rows in ([], [4], list(range(50))):
        table = write(writer, rows)
        assert table.schema.equals(PROMPT_SCHEMA, check_metadata=True)
        table.validate(full=True)
        assert table["row"].to_pylist() == rows


def test_columns_agree_with_the_plan(writer: PromptWriter) -> None:
    for row in write(writer, list(range(50)), attempt=2).to_pylist():
        assert row["id"] == row_id("x", row["row"], 2)
        assert row["seed"] == row["group_seed"] == row_seed(3, row["row"], 2)
        assert row["member"] == 0
        assert row["template"] == writer.template.reference
        assert row["strategy"] == writer.recipe.strategies[row["strategy_index"]].kind
        assert [name for name, _ in row["attributes"]] == ["form", "mood"]
        assert len(set(row["examples"])) == 2
        assert all(text.startswith(row["label"]) for text in row["examples"])


def test_the_intent_template_is_exactly_the_starters_format(writer: PromptWriter) -> None:
    for row in write(writer, list(range(50))).to_pylist():
        attributes = dict(row["attributes"])
        lines = [
            f"Intent: says {row['label']}",
            f"Form: {attributes['form']}",
            f"Mood: {attributes['mood']}",
            *(f"Example: {' '.join(text.split())}" for text in row["examples"]),
            "Message:",
        ]
        assert row["prompt"] == "\n".join(lines)


@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.integers(0, 49), min_size=1, max_size=6))
def test_a_row_does_not_depend_on_its_neighbours(writer: PromptWriter, rows: list[int]) -> None:
    whole = write(writer, list(range(50)))
    assert write(writer, rows).equals(whole.take(rows))


def test_another_attempt_is_another_draw(writer: PromptWriter) -> None:
    first, second = (write(writer, list(range(50)), attempt) for attempt in (0, 1))
    assert first["label"].equals(second["label"])
    assert first["strategy"].equals(second["strategy"])
    for column in ("seed", "attributes", "examples", "prompt", "id"):
        assert not first[column].equals(second[column]), column


GROUPS = [
    "strategies=[{kind: stochastic_beam, num_beams: 4}, {kind: nucleus, num_return_sequences: 3},"
    " {kind: greedy}]"
]


def test_rows_of_a_group_share_their_prompt_at_every_attempt(folder: Path) -> None:
    writer = prepare_prompts(load_recipe(folder / "recipe.yaml", overrides=GROUPS))
    leaders = writer.plan.shard(np.arange(50)).leader.tolist()
    assert len(set(leaders)) < 40
    shared = ("label", "strategy_index", "group_seed", "attributes", "examples", "prompt")
    for attempt in (0, 1, 5):
        rows = write(writer, list(range(50)), attempt).to_pylist()
        for row, leader in zip(rows, leaders, strict=True):
            assert row["member"] == row["row"] - leader
            assert {name: row[name] for name in shared} == {
                name: rows[leader][name] for name in shared
            }
            assert row["group_seed"] == row_seed(3, leader, attempt)
            assert row["seed"] == row_seed(3, row["row"], attempt)
            assert row["id"] == row_id("x", row["row"], attempt)
        assert len({row["group_seed"] for row in rows}) == len(set(leaders))


def test_a_row_tried_again_alone_has_the_prompt_of_its_leader(folder: Path) -> None:
    writer = prepare_prompts(load_recipe(folder / "recipe.yaml", overrides=GROUPS))
    whole = write(writer, list(range(50)), 1)
    again = [row for row in range(50) if whole["member"][row].as_py() == 2]
    assert len(again) > 2
    assert write(writer, again, 1).equals(whole.take(again))


def test_the_models_format_is_put_around(folder: Path) -> None:
    loaded = load_recipe(folder / "recipe.yaml", overrides=["prompt.examples=null"])
    writer = prepare_prompts(loaded, format_prompt=lambda text: f"<s>{text}</s>")
    prompt = write(writer, [0])["prompt"][0].as_py()
    assert prompt.startswith("<s>Intent: ")
    assert prompt.endswith("Message:</s>")
    assert write(writer, [0])["examples"][0].as_py() == []


def test_contents_hash_what_the_recipe_only_names(writer: PromptWriter, folder: Path) -> None:
    assert set(writer.contents) == {"template", "examples"}
    loaded = load_recipe(folder / "recipe.yaml", overrides=["prompt.examples=null"])
    assert set(prepare_prompts(loaded).contents) == {"template"}


def test_a_writer_can_be_pickled(writer: PromptWriter) -> None:
    again = pickle.loads(pickle.dumps(writer))
    assert write(again, [1, 2]).equals(write(writer, [1, 2]))


def test_each_label_is_rendered_before_any_generation(folder: Path) -> None:
    (folder / "b.j2").write_text("x{% if label.name == 'b' %}{{ attributes.nothing }}{% endif %}")
    with pytest.raises(InputError, match="there is no 'nothing'"):
        prepare_prompts(load_recipe(folder / "recipe.yaml", overrides=["prompt.template=b.j2"]))


@pytest.mark.parametrize("name", ["instruct", "pairs"])
def test_the_other_templates_read_well(folder: Path, name: str) -> None:
    items = [f"prompt.template={name}", "prompt.examples.draw=mixed"]
    writer = prepare_prompts(load_recipe(folder / "recipe.yaml", overrides=items))
    row = write(writer, [1]).to_pylist()[0]
    assert f"says {row['label']}" in row["prompt"]
    assert row["prompt"] == row["prompt"].strip()
    assert "\n\n\n" not in row["prompt"]
    for text in (
        *dict(row["attributes"]).values(),
        *(" ".join(t.split()) for t in row["examples"]),
    ):
        assert text in row["prompt"]


def test_a_text_to_be_rewritten_is_the_whole_prompt(folder: Path) -> None:
    items = ["prompt.template=rewrite", "prompt.examples.per_row=1"]
    writer = prepare_prompts(load_recipe(folder / "recipe.yaml", overrides=items))
    for row in write(writer, [0, 1, 2]).to_pylist():
        assert row["examples"] == [row["prompt"]]


def test_hostile_names_and_examples_stay_text(folder: Path) -> None:
    hostile = "<script>alert(1)</script>{{ ''.__class__ }}{% include 'x' %}"
    lines = [{"text": f"{hostile} {number}", "label": "../../x"} for number in range(2)]
    (folder / "hostile.jsonl").write_text("\n".join(map(json.dumps, lines)))
    items = ["labels={'../../x': 'a {{ 7 * 7 }} b'}", "prompt.examples.path=hostile.jsonl"]
    writer = prepare_prompts(load_recipe(folder / "recipe.yaml", overrides=items))
    row = write(writer, [0]).to_pylist()[0]
    assert row["prompt"].startswith("Intent: a {{ 7 * 7 }} b\n")
    assert row["prompt"].count(hostile) == 2
    assert row["label"] == "../../x"


def test_no_prompt_is_longer_than_the_longest(writer: PromptWriter) -> None:
    most = max(map(len, writer.longest()))
    for attempt in range(3):
        assert max(map(len, write(writer, list(range(50)), attempt)["prompt"].to_pylist())) <= most
    assert len(writer.longest()) == 2


def test_a_template_that_fails_for_one_value_fails_at_the_start(folder: Path) -> None:
    text = "{% if attributes.mood == 'glad' %}{{ label.nothing }}{% endif %}{{ label.name }}"
    (folder / "moody.j2").write_text(text)
    with pytest.raises(InputError) as caught:
        prepare_prompts(load_recipe(folder / "recipe.yaml", overrides=["prompt.template=moody.j2"]))
    assert caught.value.code == "CS-P003"
