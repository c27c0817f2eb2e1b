"""Label noise: the transition matrix, exactly, and the true label kept."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.noise import LabelFlip
from tasks.noise.label_flip import flip_in_turn, flip_labels, transition_matrix
from tasks.planning.streams import Stream, fold, row_keys, uniforms

CLASSES = ("a", "b", "c", "d")
MATRIX = {"a": {"a": 0.5, "b": 0.5}, "c": {"d": 1.0}, "d": {"a": 0.2, "b": 0.3, "d": 0.5}}


def keys_of(num: int) -> np.ndarray:
    return row_keys(7, np.arange(num), 0, Stream.NOISE)


def slow_flip(label: str, key: np.uint64, matrix: np.ndarray) -> str:
    draw = uniforms(fold(key, 0), 0)
    row = dict(zip(CLASSES, matrix[CLASSES.index(label)], strict=True))
    total = 0.0
    for target in (label, *(name for name in CLASSES if name != label)):
        total += row[target]
        if draw < total:
            return target
    raise AssertionError("the row does not add up")


@settings(deadline=None, max_examples=80)
@given(
    st.lists(st.sampled_from(CLASSES), max_size=30),
    st.sampled_from(
        [
            LabelFlip(rate=0.0),
            LabelFlip(rate=0.3),
            LabelFlip(rate=1.0),
            LabelFlip(rate=0.5, labels=("a", "c")),
            LabelFlip(matrix=MATRIX),
        ]
    ),
)
def test_it_does_what_the_definition_says(labels, step):
    keys = keys_of(len(labels))
    flipped = flip_labels(labels, keys=keys, step=step, classes=CLASSES)
    matrix = transition_matrix(step, CLASSES)
    expected = [slow_flip(label, key, matrix) for label, key in zip(labels, keys, strict=True)]
    assert flipped.labels.to_pylist() == expected
    assert flipped.clean_labels.to_pylist() == [
        None if old == new else old for old, new in zip(labels, expected, strict=True)
    ]
    assert flipped.labels.type == flipped.clean_labels.type == pa.string()


def test_the_matrix_is_met_in_binomial_bounds():
    num = 40_000
    for step in (LabelFlip(rate=0.3), LabelFlip(matrix=MATRIX)):
        matrix = transition_matrix(step, CLASSES)
        assert np.allclose(matrix.sum(1), 1)
        for place, name in enumerate(CLASSES):
            labels = flip_labels([name] * num, keys=keys_of(num), step=step, classes=CLASSES).labels
            found = labels.to_pylist()
            for target, share in zip(CLASSES, matrix[place], strict=True):
                bound = 4 * (share * (1 - share) / num) ** 0.5
                assert abs(found.count(target) / num - share) <= bound


def test_a_higher_rate_keeps_the_flips_of_a_lower_one():
    keys = keys_of(1000)
    low, high = (
        flip_labels(["a"] * 1000, keys=keys, step=LabelFlip(rate=rate), classes=CLASSES)
        for rate in (0.1, 0.4)
    )
    was, now = (pair.clean_labels.is_valid().to_numpy(False) for pair in (low, high))
    assert (now | ~was).all()
    assert now.sum() > was.sum() > 0


def test_steps_follow_one_another_and_may_lead_back():
    swap = LabelFlip(matrix={"a": {"b": 1.0}, "b": {"a": 1.0}})
    flipped = flip_in_turn(["a", "b", "c"], keys=keys_of(3), steps=[swap, swap], classes=CLASSES)
    assert flipped.labels.to_pylist() == ["a", "b", "c"]
    assert flipped.clean_labels.null_count == 3


def test_one_class_cannot_flip_and_an_unknown_label_is_refused():
    alone = flip_labels(["a"], keys=keys_of(1), step=LabelFlip(rate=1), classes=["a"])
    assert alone.labels.to_pylist() == ["a"]
    with pytest.raises(ValueError, match="'z'"):
        flip_labels(["z"], keys=keys_of(1), step=LabelFlip(rate=1), classes=CLASSES)


@pytest.mark.parametrize(
    ("step", "after"),
    [(LabelFlip(rate=0.5), "dddcacadabcd"), (LabelFlip(matrix=MATRIX), "bbdbabddabdd")],
)
def test_golden(step, after):
    labels = list("abcdabcdabcd")
    flipped = flip_labels(labels, keys=keys_of(len(labels)), step=step, classes=CLASSES)
    assert flipped.labels.to_pylist() == list(after)
