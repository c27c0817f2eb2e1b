from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from schemas.errors import InputError
from tasks.audit.reading import Choice
from tasks.utility.notes import notes_on
from tasks.utility.rows import LabelledTexts, read_held_out, read_training_set

Write = Callable[[str, list[dict[str, Any]]], Path]
TEST = [
    {"text": "A first text.", "label": "x"},
    {"text": "Another one!", "label": "y"},
    {"text": "!!!", "label": "y"},
    {"text": " ", "label": "y"},
    {"text": "without a label", "label": None},
]


def test_every_row_is_used_or_counted(write: Write) -> None:
    test = read_held_out(write("test.jsonl", TEST), Choice())
    assert test.names == ("x", "y")
    assert (test.data.rows, test.data.used, test.data.blank, test.data.unlabelled) == (5, 3, 1, 1)
    train = [
        {"text": "Its own text", "label": "x"},
        {"text": "a FIRST text", "label": "y"},
        {"text": "???", "label": "x"},
        {"text": "!!!", "label": "x"},
        {"text": "of no such label", "label": "z"},
        {"text": None, "label": "x"},
        {"text": "without a label", "label": None},
    ]
    path = write("train.jsonl", train)
    rows, data = read_training_set(path, Choice(), role="synthetic", test=test, keep_copies=False)
    assert rows.texts == ["???", "Its own text"]
    assert (data.rows, data.used, data.copies, data.removed_copies) == (7, 2, 2, 2)
    assert (data.blank, data.unlabelled, data.other_labels) == (1, 1, 1)
    assert data.rows == data.used + data.removed_copies + 3
    assert (data.unknown_labels, data.missing_labels) == (("z",), ())
    kept, data = read_training_set(path, Choice(), role="train", test=test, keep_copies=True)
    assert len(kept) == data.used == 4
    assert (data.copies, data.removed_copies) == (2, 0)


def test_a_label_that_is_missing_is_named(write: Write) -> None:
    test = read_held_out(write("test.jsonl", TEST), Choice())
    path = write("train.jsonl", [{"text": "one", "label": "x"}])
    _, data = read_training_set(path, Choice(), role="train", test=test, keep_copies=False)
    assert data.missing_labels == ("y",)


def test_the_order_of_a_file_is_forgotten(write: Write) -> None:
    backwards = read_held_out(write("b.jsonl", TEST[::-1]), Choice()).rows
    forwards = read_held_out(write("f.jsonl", TEST), Choice()).rows
    assert backwards.texts == forwards.texts == ["A first text.", "!!!", "Another one!"]
    assert backwards.codes.tolist() == forwards.codes.tolist() == [0, 1, 1]


def test_joined_rows_stand_in_order() -> None:
    one = LabelledTexts(["b", "a"], np.array([0, 1]))
    other = LabelledTexts(["c", "b"], np.array([0, 1]))
    both = one.joined(other)
    assert (both.texts, both.codes.tolist()) == (["b", "c", "a", "b"], [0, 0, 1, 1])
    assert both.take(np.array([3, 0])).texts == ["b", "b"]


@pytest.mark.parametrize(
    ("test", "train", "code", "says"),
    [
        (TEST[:1], TEST, "CS-E001", "has 1 labels"),
        (TEST, [{"text": "t", "label": "z"}], "CS-E001", "'z' here, 'x', 'y' there"),
        (TEST, [{"text": "t", "label": None}], "CS-E001", "none here"),
        (TEST, TEST[:2], "CS-E001", "all 2 rows repeat rows of the test set"),
        ([{"text": "t"}], TEST, "CS-D002", "no column of labels"),
        ([{"words": "t", "label": "x"}], TEST, "CS-D002", "no column 'text'"),
    ],
)
def test_what_cannot_be_evaluated_is_said(
    test: list[dict[str, Any]], train: list[dict[str, Any]], code: str, says: str, write: Write
) -> None:
    paths = write("test.jsonl", test), write("train.jsonl", train)

    def read() -> None:
        held_out = read_held_out(paths[0], Choice())
        read_training_set(paths[1], Choice(), role="train", test=held_out, keep_copies=False)

    with pytest.raises(InputError, match=says) as caught:
        read()
    assert caught.value.code == code


def test_too_many_labels_are_refused(write: Write) -> None:
    rows = [{"text": f"text {number}", "label": str(number)} for number in range(501)]
    with pytest.raises(InputError, match="501 labels"):
        read_held_out(write("test.jsonl", rows), Choice())


def test_a_column_of_other_things_is_named_in_few_words(write: Write) -> None:
    test = read_held_out(write("test.jsonl", TEST), Choice())
    rows = [{"text": f"t {number}", "label": f"{number:03}" + "x" * 9999} for number in range(150)]
    path = write("train.jsonl", [*rows, {"text": "one", "label": "y"}])
    _, data = read_training_set(path, Choice(), role="train", test=test, keep_copies=False)
    assert (len(data.unknown_labels), data.unknown_labels_left_out) == (100, 50)
    (note,) = [note for note in notes_on([data], keep_copies=False) if "test set lacks:" in note]
    assert len(note) < 600
    assert "and 145 more. Rows left out for that: 150." in note
    with pytest.raises(InputError) as caught:
        read_training_set(
            write("none.jsonl", rows), Choice(), role="train", test=test, keep_copies=False
        )
    assert len(caught.value.message) < 600
