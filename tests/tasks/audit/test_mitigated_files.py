"""Mitigations as files, and what the report says of them."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

from flows.cli import run
from schemas.audit import Section
from schemas.errors import InputError
from schemas.recipe_file import load_recipe
from tasks.audit.bias_study import study
from tasks.audit.corpus import Corpus
from tasks.audit.mitigated_files import COPIES, TOP_UP, WEIGHTS, write_mitigations
from tasks.bias.association import code_values, exclusive_counts
from tasks.bias.mitigation import plain_v
from tasks.bias.swap import swap_gender


def corpus_of(texts: list[str | None], labels: list[str | None] | None) -> Corpus:
    ids = [f"r{place}" for place in range(len(texts))]
    return Corpus(name="made up", ids=ids, texts=texts, labels=labels)


def uneven(size: int = 1200) -> Corpus:
    random = np.random.default_rng(1)
    labels = random.choice(["good", "bad"], size)
    good = labels == "good"
    women = random.random(size) < np.where(good, 0.8, 0.3)
    faith = np.where(random.random(size) < np.where(good, 0.7, 0.4), "Muslim", "Christian")
    texts: list[str | None] = [
        f"{'she' if w else 'he'} is here, {f if i % 2 else 'yes'}, {i}"
        for i, (w, f) in enumerate(zip(women, faith, strict=True))
    ]
    return corpus_of(texts, labels.tolist())


def effects(section: Section) -> dict[tuple[str, str], tuple[object, ...]]:
    return {(str(row[0]), str(row[2])): row[3:] for row in section.tables[0].rows}


def v_of(corpus: Corpus, axis: str) -> float:
    studied = study(corpus)
    codes, values = code_values(corpus.labels or [])
    groups = studied.mentions.only_group(axis)
    shape = (len(values), len(studied.mentions.groups(axis)))
    return plain_v(exclusive_counts(codes, groups, shape=shape))


def test_weights_part_labels_from_every_axis(tmp_path: Path) -> None:
    corpus = uneven()
    found = effects(write_mitigations(corpus, tmp_path))
    table = pq.read_table(tmp_path / WEIGHTS)
    assert table.column_names == ["id", "weight"]
    assert table["id"].to_pylist() == list(corpus.ids)
    weights = table["weight"].to_numpy()
    assert weights.mean() == pytest.approx(1)
    women = np.array([text.startswith("she") for text in corpus.strings])
    good = np.array([label == "good" for label in corpus.labels or ()])
    shares = [weights[women & who].sum() / weights[who].sum() for who in (good, ~good)]
    assert shares[0] == pytest.approx(shares[1])
    for axis in ("gender", "religion"):
        rows, effective, before, after = found[WEIGHTS, axis]
        assert (rows, before) == (1200, pytest.approx(v_of(corpus, axis), abs=1e-6))
        assert after == 0
        assert effective == round(weights.sum() ** 2 / (weights**2).sum())


def test_copies_are_rows_turned_round_and_measured_with_the_rows(tmp_path: Path) -> None:
    corpus = uneven()
    found = effects(write_mitigations(corpus, tmp_path))
    copies = pq.read_table(tmp_path / COPIES).to_pylist()
    text_of = dict(zip(corpus.ids, corpus.strings, strict=True))
    label_of = dict(zip(corpus.ids, corpus.labels or (), strict=True))
    for copy in copies:
        assert copy["id"] == f"{copy['source_id']}-swapped"
        assert copy["text"] != text_of[copy["source_id"]]
        assert swap_gender(copy["text"]) == text_of[copy["source_id"]]
        assert copy["label"] == label_of[copy["source_id"]]
    both = corpus_of(
        [*corpus.texts, *(copy["text"] for copy in copies)],
        [*(corpus.labels or ()), *(copy["label"] for copy in copies)],
    )
    for axis in ("gender", "religion"):
        rows, _, before, after = found[COPIES, axis]
        assert rows == len(copies) == 1200
        assert before == pytest.approx(v_of(corpus, axis), abs=1e-6)
        assert after == pytest.approx(v_of(both, axis), abs=1e-6)
    assert found[COPIES, "gender"][3] == 0


def test_only_sound_copies_are_offered(tmp_path: Path) -> None:
    texts = [
        "she left",
        "she left",  # one copy is enough
        "he stays",
        "she stays",  # each is the copy of the other
        "he met his mum",  # no counterpart
        "It rains",
        None,
        "he is one",  # its label says so
        "the man sat",
    ]
    labels = ["a", "a", "a", "a", "a", "a", "a", "about_men", None]
    write_mitigations(corpus_of(texts, labels), tmp_path)
    copies = pq.read_table(tmp_path / COPIES).to_pylist()
    assert [(copy["source_id"], copy["text"], copy["label"]) for copy in copies] == [
        ("r0", "he left", "a"),
        ("r8", "the woman sat", None),
    ]


def test_the_plan_is_keys_of_a_recipe(tmp_path: Path) -> None:
    found = effects(write_mitigations(uneven(), tmp_path))
    parts = yaml.safe_load((tmp_path / TOP_UP).read_text("utf-8"))["runs"]
    gender = [part for part in parts if "gender" in part["attributes"]]
    assert sum(part["rows"] for part in gender) == found[TOP_UP, "gender"][0]
    assert float(str(found[TOP_UP, "gender"][3])) < 0.01
    recipe = tmp_path / "recipe.yaml"
    for part in parts:
        recipe.write_text(yaml.safe_dump({"name": "more", **part}), encoding="utf-8")
        loaded = load_recipe(recipe).recipe
        assert loaded.rows == sum(label.share for label in loaded.labels.values())
        overrides = [f"{key}={yaml.safe_dump(part[key], default_flow_style=True)}" for key in part]
        recipe.write_text("name: more\n", encoding="utf-8")
        assert load_recipe(recipe, overrides=overrides).recipe == loaded


@pytest.mark.parametrize("labels", [None, [None, None, None], ["a", "b", "a"]])
def test_where_nothing_goes_together_the_files_are_there_and_change_nothing(
    labels: list[str | None] | None, tmp_path: Path
) -> None:
    section = write_mitigations(corpus_of(["He came", "It rains", None], labels), tmp_path)
    found = effects(section)
    assert found[WEIGHTS, "none"][0] == 3
    assert found[TOP_UP, "none"][0] == 0
    # Copies are measured on gender, if there is a label to measure it with.
    has_labels = labels is not None and any(labels)
    assert found[COPIES, "gender" if has_labels else "none"][0] == 1
    assert pq.read_table(tmp_path / WEIGHTS)["weight"].to_pylist() == [1, 1, 1]
    assert yaml.safe_load((tmp_path / TOP_UP).read_text("utf-8")) == {"runs": []}


def test_older_files_are_replaced_and_no_draft_is_left(tmp_path: Path) -> None:
    write_mitigations(uneven(), tmp_path / "mitigation")
    write_mitigations(corpus_of([], None), tmp_path / "mitigation")
    files = sorted(path.name for path in (tmp_path / "mitigation").iterdir())
    assert files == sorted([WEIGHTS, COPIES, TOP_UP])
    assert pq.read_metadata(tmp_path / "mitigation" / WEIGHTS).num_rows == 0


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "mitigation").write_text("a file")
    with pytest.raises(InputError) as caught:
        write_mitigations(uneven(40), tmp_path / "mitigation")
    assert caught.value.code == "CS-O001"


@pytest.mark.slow
def test_the_command_writes_them_and_says_what_they_do(tmp_path: Path) -> None:
    corpus = uneven(400)
    data = tmp_path / "data.jsonl"
    rows = zip(corpus.strings, corpus.labels or (), strict=True)
    lines = [
        json.dumps({"text": f"{text}, ask jo@acme.de", "label": label}) for text, label in rows
    ]
    data.write_text("\n".join(lines), encoding="utf-8")
    out = tmp_path / "out"
    command = ["audit", str(data), "--out", str(out), "--quiet", "--mitigate"]
    run([*command, "--show-personal-data"])
    assert pq.read_metadata(out / "mitigation" / WEIGHTS).num_rows == 400
    report = json.loads((out / "report.json").read_text("utf-8"))
    tables = {table["name"]: table for part in report["sections"] for table in part["tables"]}
    (before, after) = tables["mitigation_files"]["rows"][0][5:]
    assert before > 0.3 > after
    page = (out / "report.html").read_text("utf-8")
    assert "corpusmith audit --mitigate" in page
    assert "jo@acme.de" in page
