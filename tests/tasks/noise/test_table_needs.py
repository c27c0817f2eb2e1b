from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from schemas.errors import InputError
from schemas.noise import NoiseConfig
from tasks.noise.streaming import TableNoise
from tasks.noise.table_columns import Columns
from tasks.noise.table_needs import check_labels_named, with_needs


def how(step: dict[str, Any], columns: Columns, **more: Any) -> TableNoise:
    return TableNoise(columns, NoiseConfig.model_validate({"steps": [step], **more}), 0)


@pytest.mark.parametrize(
    ("step", "more"),
    [
        ({"kind": "label_flip", "rate": 0.1}, {}),
        ({"kind": "keyboard", "rate": {"a": 0.1}}, {}),
        ({"kind": "keyboard", "rate": 0.1, "labels": ["a"]}, {}),
        ({"kind": "one_of", "steps": [{"kind": "keyboard", "rate": {"a": 0.1}}]}, {}),
        ({"kind": "keyboard", "rate": 0.1}, {"protect": {"label": True}}),
    ],
)
def test_steps_that_ask_for_labels_need_their_column(step: dict[str, Any], more: Any) -> None:
    with pytest.raises(InputError) as caught:
        check_labels_named(how(step, Columns(), **more))
    assert (caught.value.code, caught.value.place) == ("CS-I001", "--label")
    check_labels_named(how(step, Columns(label="label"), **more))


def test_other_steps_need_none() -> None:
    check_labels_named(how({"kind": "keyboard", "rate": 0.1}, Columns()))


BATCHES = [
    pa.record_batch({"text": ["one two", "two"], "y": pa.array(["b", None])}),
    pa.record_batch({"text": pa.array([None, "Two three"]), "y": pa.array(["c", "a"])}),
]


def needs(step: dict[str, Any], folder: Path) -> TableNoise:
    return with_needs(
        how(step, Columns(label="y")), lambda: iter(BATCHES), folder=folder, tokenizers={}
    )


def test_the_classes_are_all_labels_sorted(tmp_path: Path) -> None:
    assert needs({"kind": "label_flip", "rate": 0.1}, tmp_path).classes == ("a", "b", "c")


def test_the_vocabulary_is_that_of_all_texts(tmp_path: Path) -> None:
    step = {"kind": "some_of", "count": 1, "steps": [{"kind": "word_replace", "rate": 0.1}]}
    opened = needs(step, tmp_path).opened
    assert opened is not None
    assert opened.vocabulary is not None
    words = dict(zip(opened.vocabulary.words.to_pylist(), opened.vocabulary.counts, strict=True))
    assert words == {"one": 1, "two": 3, "three": 1}


def test_a_list_of_misspellings_lies_beside_the_recipe(tmp_path: Path) -> None:
    (tmp_path / "mine.tsv").write_text("card\tcrad\n", encoding="utf-8")
    opened = needs({"kind": "misspell", "rate": 0.1, "path": "mine.tsv"}, tmp_path.resolve()).opened
    assert opened is not None
    assert set(opened.misspellings) == {"mine.tsv"}
    with pytest.raises(InputError) as caught:
        needs({"kind": "misspell", "rate": 0.1, "path": "../mine.tsv"}, tmp_path.resolve())
    assert caught.value.code == "CS-R008"


def test_what_nobody_asks_for_is_not_read(tmp_path: Path) -> None:
    def unread() -> Any:
        raise AssertionError

    simple = how({"kind": "keyboard", "rate": 0.1}, Columns())
    found = with_needs(simple, unread, folder=tmp_path, tokenizers={})
    assert found.classes == ()
