from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.noise import Keyboard, WordDelete
from schemas.row import NOISED_SCHEMA, SCORED_SCHEMA, SCORES
from tasks.noise.rows import noise_rows, pick_noised

STEPS = (Keyboard(rate=0.3), WordDelete(rate=0.2))


def table(texts: list[str]) -> pa.Table:
    blank: dict[str, Any] = {
        field.name: "" if pa.types.is_string(field.type) else 0 for field in SCORED_SCHEMA
    }
    blank |= {"attributes": {}, "examples": [], "logprob": None, "error": None}
    blank |= {"scores": dict.fromkeys(SCORES, 0.0), "stage": None, "reason": None, "detail": None}
    rows = [{**blank, "row": row, "text": text} for row, text in enumerate(texts)]
    return pa.Table.from_pylist(rows, schema=SCORED_SCHEMA)


@settings(deadline=None, max_examples=100)
@given(
    count=st.integers(0, 200),
    share=st.floats(0, 1),
    seed=st.integers(0, 2**63 - 1),
    order=st.randoms(use_true_random=False),
)
def test_the_share_is_exact_and_the_choice_is_the_rows_own(
    count: int, share: float, seed: int, order: Any
) -> None:
    rows = np.arange(count, dtype=np.int64) * 3
    attempts = (rows % 4).astype(np.int32)
    picked = pick_noised(rows, attempts, share=share, seed=seed)
    assert picked.sum() == int(share * count + 0.5)
    shuffled = np.array(order.sample(range(count), count), dtype=np.int64)
    again = pick_noised(rows[shuffled], attempts[shuffled], share=share, seed=seed)
    assert np.array_equal(again, picked[shuffled])


def test_only_the_chosen_rows_change_and_every_edit_can_be_undone() -> None:
    texts = [f"where is card number {n} that i asked for" for n in range(40)]
    chosen = np.arange(40) % 3 == 0
    rows = noise_rows(table(texts), chosen, steps=STEPS, seed=5).to_pylist()
    assert sum(row["text"] != text for row, text in zip(rows, texts, strict=True)) > 8
    for row, text, noised in zip(rows, texts, chosen, strict=True):
        assert row["clean_text"] == (text if noised else None)
        undone = row["text"]
        for edit in reversed(row["noise"]):
            end = edit["start"] + len(edit["after"])
            undone = undone[: edit["start"]] + edit["before"] + undone[end:]
        assert undone == text


def test_a_shard_does_not_depend_on_its_cut() -> None:
    texts = [f"where is card number {n} that i asked for" for n in range(30)]
    whole, chosen = table(texts), np.ones(30, dtype=np.bool_)
    once = noise_rows(whole, chosen, steps=STEPS, seed=5)
    parts = [
        noise_rows(whole.slice(start, 7), chosen[start : start + 7], steps=STEPS, seed=5)
        for start in range(0, 30, 7)
    ]
    assert pa.concat_tables(parts).to_pylist() == once.to_pylist()


def test_no_rows() -> None:
    empty = noise_rows(table([]), np.zeros(0, dtype=np.bool_), steps=STEPS, seed=5)
    assert empty.schema.equals(NOISED_SCHEMA)
    assert empty.num_rows == 0
