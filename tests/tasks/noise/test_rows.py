"""Noise on a shard: the chosen rows, each as it would be alone."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.noise import CharDelete, Keyboard, NoiseConfig, Protect
from schemas.row import NOISED_SCHEMA, SCORED_SCHEMA, SCORES
from tasks.noise.rows import noise_rows, pick_noised
from tasks.noise.texts import noise_texts
from tasks.planning.streams import Stream, row_keys

TEXTS = ["where is my new card?", "the card has come", "", "déjà vu", "card card"]
NOISE = NoiseConfig(steps=(Keyboard(rate=0.4), CharDelete(rate=0.2)))


def shard(num: int = len(TEXTS)) -> pa.Table:
    filled = {
        "row": np.arange(num) * 3,
        "attempt": np.arange(num) % 2,
        "text": TEXTS[:num],
        "label": ["card"] * num,
        "scores": [dict.fromkeys(SCORES, 0.0)] * num,
    }
    empty = {
        pa.string(): "",
        pa.int32(): 0,
        pa.int64(): 0,
        pa.float32(): 0.0,
    }
    columns = []
    for field in SCORED_SCHEMA:
        values = filled.get(field.name)
        if values is None:
            values = [None if field.nullable else empty.get(field.type, [])] * num
        columns.append(pa.array(values, field.type))
    return pa.table(columns, schema=SCORED_SCHEMA)


def test_chosen_rows_are_noised_and_no_others():
    chosen = np.array([True, False, True, True, False])
    table = noise_rows(shard(), chosen, noise=NOISE, seed=5)
    table.validate(full=True)
    assert table.schema.equals(NOISED_SCHEMA, check_metadata=True)
    keys = row_keys(5, np.arange(5) * 3, np.arange(5) % 2, Stream.NOISE)
    alone = noise_texts(TEXTS, keys=keys, steps=NOISE.steps)
    for place, row in enumerate(table.to_pylist()):
        if chosen[place]:
            assert row["text"] == alone[place].text
            assert row["clean_text"] == TEXTS[place]
            assert row["noise"] == [edit.model_dump() for edit in alone[place].edits]
        else:
            assert (row["text"], row["clean_text"], row["noise"]) == (TEXTS[place], None, [])
    assert table["text"][0].as_py() != TEXTS[0]


@pytest.mark.parametrize("num", [0, 1, 5])
def test_nothing_chosen(num):
    for noise in (None, NOISE):
        table = noise_rows(shard(num), np.zeros(num, bool), noise=noise, seed=5)
        table.validate(full=True)
        assert table["text"].to_pylist() == TEXTS[:num]
        assert table["clean_text"].null_count == num
        assert table["noise"].to_pylist() == [[]] * num


def test_label_words_can_be_protected():
    noise = NoiseConfig(steps=(Keyboard(rate=1),), protect=Protect(label=True))
    table = noise_rows(shard(), np.ones(5, bool), noise=noise, seed=5)
    texts = table["text"].to_pylist()
    assert texts[4] == "card card"
    assert texts[0].endswith(" card?")
    assert texts[0] != TEXTS[0]


@settings(deadline=None, max_examples=100)
@given(
    count=st.integers(0, 200),
    share=st.floats(0, 1),
    seed=st.integers(0, 2**63 - 1),
    order=st.randoms(use_true_random=False),
)
def test_the_share_is_exact_and_the_choice_is_the_rows_own(count, share, seed, order):
    rows = np.arange(count, dtype=np.int64) * 3
    attempts = (rows % 4).astype(np.int32)
    picked = pick_noised(rows, attempts, share=share, seed=seed)
    assert picked.sum() == int(share * count + 0.5)
    shuffled = np.array(order.sample(range(count), count), dtype=np.int64)
    again = pick_noised(rows[shuffled], attempts[shuffled], share=share, seed=seed)
    assert np.array_equal(again, picked[shuffled])


def test_a_shard_does_not_depend_on_its_cut():
    chosen = np.array([True, True, False, True, True])
    once = noise_rows(shard(), chosen, noise=NOISE, seed=5)
    parts = [
        noise_rows(shard().slice(start, 2), chosen[start : start + 2], noise=NOISE, seed=5)
        for start in range(0, 5, 2)
    ]
    assert pa.concat_tables(parts).to_pylist() == once.to_pylist()


def test_labels_flip_in_the_chosen_rows_and_the_true_ones_are_kept():
    noise = NoiseConfig.model_validate(
        {
            "steps": [
                {"kind": "label_flip", "rate": 1},
                {"kind": "keyboard", "rate": {"card": 0.5, "pin": 0}},
            ],
            "protect": {"label": True},
        }
    )
    chosen = np.array([True, False, True, True, True])
    table = noise_rows(shard(), chosen, noise=noise, seed=5, classes=("card", "pin"))
    table.validate(full=True)
    assert table["label"].to_pylist() == ["pin", "card", "pin", "pin", "pin"]
    assert table["clean_label"].to_pylist() == ["card", None, "card", "card", "card"]
    # Steps on texts and protection go by the label asked for.
    assert table["text"][0].as_py() != TEXTS[0]
    assert table["text"][4].as_py() == "card card"


def test_a_label_step_changes_no_draw_of_another():
    flip = {"kind": "label_flip", "rate": 0.5}
    keyboard = {"kind": "keyboard", "rate": 0.5}
    plain = NoiseConfig.model_validate({"steps": [keyboard]})
    both = NoiseConfig.model_validate({"steps": [keyboard, flip]})
    texts = [
        noise_rows(shard(), np.ones(5, bool), noise=noise, seed=5, classes=("card", "pin"))["text"]
        for noise in (plain, both)
    ]
    assert texts[0].equals(texts[1])
