"""Rows whose text is restored: whence their sources come, and what their prompts say."""

import json
import pickle
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from schemas.errors import InputError
from schemas.recipe_file import load_recipe
from schemas.row import PROMPT_SCHEMA
from tasks.prompting.rendering import PromptWriter, prepare_prompts
from tasks.prompting.restoring import Restorer, corrupting
from tasks.prompting.templates import load_question
from tasks.starter.corpus import denoise_prompt, describe_prompt

RECIPE = """name: x
seed: 3
rows: 60
labels: {a: says a, b: says b}
attributes: {form: [question, request]}
prompt: {examples: {path: e.jsonl, per_row: 2}}
strategies: [{kind: nucleus}, {kind: noisy_channel, mode: corrupt}]
"""


def backwards(texts, *, strategy, keys, labels):
    """Noise that tests can take back: the text reversed, and its key."""
    assert strategy.mode == "corrupt"
    return [f"{text[::-1]} {key}" for text, key in zip(texts, keys, strict=True)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    lines = [{"text": f"{label} text {i}", "label": label} for label in "ab" for i in range(4)]
    (tmp_path / "e.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return tmp_path


def open_writer(folder: Path, *overrides: str) -> PromptWriter:
    loaded = load_recipe(folder / "recipe.yaml", overrides=overrides)
    return prepare_prompts(loaded, format_prompt=lambda text: f"[{text}]", corrupt=backwards)


def write(writer: PromptWriter, rows, attempt: int = 0) -> pa.Table:
    rows = np.array(rows, dtype=np.int64)
    return writer.write(rows, attempts=np.full(len(rows), attempt, dtype=np.int32))


def restored(table: pa.Table) -> list[dict]:
    return [row for row in table.to_pylist() if row["strategy"] == "noisy_channel"]


@pytest.mark.parametrize("draw", ["own", "mixed"])
def test_the_source_is_an_example_of_the_rows_own_label(folder, draw):
    writer = open_writer(folder, f"prompt.examples.draw={draw}")
    table = write(writer, range(60))
    assert table.schema.equals(PROMPT_SCHEMA, check_metadata=True)
    rows = restored(table)
    assert len(rows) == 30
    for row in rows:
        source, damaged = row["examples"]
        assert source.startswith(f"{row['label']} text")
        assert damaged.split(" ")[:3] == source[::-1].split(" ")
        assert row["prompt"] == f"[Noisy: {damaged}\nIntent: says {row['label']}\nMessage:]"
        assert row["template"].startswith("restore_starter@")
        assert row["attributes"] == []
    assert len({row["examples"][0] for row in rows}) == 8
    assert len({row["examples"][1] for row in rows}) == 30


def test_other_rows_are_as_they_were(folder):
    both = write(open_writer(folder), range(60)).to_pylist()
    alone = prepare_prompts(
        load_recipe(
            folder / "recipe.yaml", overrides=["strategies=[{kind: nucleus}, {kind: greedy}]"]
        ),
        format_prompt=lambda text: f"[{text}]",
    )
    for row, plain in zip(both, write(alone, range(60)).to_pylist(), strict=True):
        if row["strategy"] == "nucleus":
            assert row == plain


def test_a_prompt_is_a_function_of_row_and_attempt(folder):
    writer = open_writer(folder)
    table = write(writer, range(60))
    assert write(writer, range(59, -1, -1)).to_pylist() == table.to_pylist()[::-1]
    assert pickle.loads(pickle.dumps(writer.restorer.question)) == writer.restorer.question
    first, second = restored(table), restored(write(writer, range(60), attempt=1))
    assert all(
        one["examples"][1] != other["examples"][1] for one, other in zip(first, second, strict=True)
    )


def test_sources_are_drawn_evenly(folder):
    writer = open_writer(folder, "rows=4000")
    counts = Counter(row["examples"][0] for row in restored(write(writer, range(4000))))
    # 1,000 draws of 4 for each label: four standard deviations are 55.
    assert all(abs(count - 250) < 55 for count in counts.values())
    assert len(counts) == 8


def test_other_models_are_asked_in_words(folder):
    (folder / "s.jsonl").write_text('{"text": "x"}')
    writer = open_writer(folder, "model={backend: scripted, name: s.jsonl}")
    row = restored(write(writer, range(60)))[0]
    assert row["template"].startswith("restore@")
    assert f"Damaged message: {row['examples'][1]}\n" in row["prompt"]
    assert f"says {row['label']}" in row["prompt"]
    assert row["prompt"].endswith("Message:]")


def test_the_longest_prompts_and_the_contents_know_of_it(folder):
    writer = open_writer(folder)
    assert "[Noisy: a text 0\nIntent: says a\nMessage:]" in writer.longest()
    assert writer.contents["restore"] == writer.restorer.question.sha256
    plain = open_writer(folder, "strategies=[{kind: noisy_channel}]")
    assert plain.restorer is None
    assert set(plain.contents) == {"template", "examples"}


def test_without_examples_there_is_nothing_to_corrupt(folder):
    with pytest.raises(InputError) as caught:
        open_writer(folder, "prompt={template: intent}")
    assert caught.value.code == "CS-R007"
    assert "strategies[1]" in caught.value.place
    assert "prompt.examples" in caught.value.hint


def test_every_label_needs_an_example_of_its_own(folder):
    (folder / "e.jsonl").write_text('{"text": "a text", "label": "a"}')
    items = ["prompt.examples.draw=mixed", "prompt.examples.per_row=1"]
    with pytest.raises(InputError) as caught:
        open_writer(folder, *items)
    assert caught.value.code == "CS-P007"
    assert "'b'" in caught.value.message


def test_noise_must_be_given(folder):
    loaded = load_recipe(folder / "recipe.yaml")
    with pytest.raises(ValueError, match="noise"):
        prepare_prompts(loaded)
    assert list(corrupting(loaded.recipe)) == [1]
    reranking = load_recipe(
        folder / "recipe.yaml", overrides=["strategies=[{kind: noisy_channel}]"]
    )
    assert Restorer.of(reranking.recipe, examples=None, corrupt=None) is None


def test_the_starters_questions_are_those_of_its_training(folder):
    recipe = load_recipe(folder / "recipe.yaml").recipe
    variables = {"text": "my  card", "labels": [], "language": "en"}
    variables["label"] = {"name": "a", "description": "says a"}
    assert load_question("label_of", recipe).render(variables) == describe_prompt("my card")
    # The line of the label is put between those of the training.
    noisy, message = denoise_prompt("my card").splitlines()
    restore = load_question("restore", recipe).render(variables)
    assert restore.splitlines() == [noisy, "Intent: says a", message]
