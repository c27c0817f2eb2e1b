from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.noise import Edit, NoiseConfig
from schemas.row import RELEASED_SCHEMA, SCORES
from tasks.noise.edit_log import undo_edits
from tasks.noise.streaming import NoisedRecords, TableNoise, noise_records
from tasks.noise.table_columns import Columns
from tasks.noise.texts import noise_texts
from tasks.planning.streams import Stream, row_keys

STEPS = [{"kind": "keyboard", "rate": 0.2}, {"kind": "word_delete", "rate": 0.3}]
TEXTS = st.lists(st.none() | st.text("ab cé\u0301😀 .", max_size=12), max_size=24)


def config(*, share: float = 1.0, steps: Any = STEPS, **more: Any) -> NoiseConfig:
    return NoiseConfig.model_validate({"share": share, "steps": steps, **more})


def stream(
    table: pa.Table,
    noise: NoiseConfig,
    *,
    rows: int = 7,
    columns: Columns | None = None,
    **more: Any,
) -> list[NoisedRecords]:
    how = TableNoise(columns or Columns(), noise, 5, **more)
    batches = table.to_batches(max_chunksize=rows)
    return list(noise_records(batches, schema=table.schema, how=how))


def noised(table: pa.Table, noise: NoiseConfig, **more: Any) -> pa.Table:
    parts = stream(table, noise, **more)
    return pa.Table.from_batches([part.records for part in parts])


def texts_table(texts: list[str | None]) -> pa.Table:
    return pa.table({"id": range(len(texts)), "text": pa.array(texts, pa.string())})


@given(TEXTS.filter(bool), st.integers(1, 30), st.floats(0, 1))
@settings(deadline=None, max_examples=60)
def test_each_row_is_noised_by_its_own_number(
    texts: list[str | None], rows: int, share: float
) -> None:
    after = noised(texts_table(texts), config(share=share), rows=rows).to_pylist()
    keys = row_keys(5, np.arange(len(texts)), 0, Stream.NOISE)
    for number, (text, row) in enumerate(zip(texts, after, strict=True)):
        assert row["id"] == number
        if row["clean_text"] is None:
            assert (row["text"], row["noise"]) == (text, [])
            continue
        [alone] = noise_texts([str(text)], keys=keys[[number]], steps=config().steps)
        assert (row["text"], row["clean_text"]) == (alone.text, text)
        assert [Edit(**edit) for edit in row["noise"]] == list(alone.edits)
    if share == 1:
        assert [row["clean_text"] for row in after] == texts


def test_share_nothing_is_the_identity() -> None:
    table = texts_table(["one two", None, ""])
    parts = stream(table, config(share=0))
    after = pa.Table.from_batches([part.records for part in parts])
    assert after.select(["id", "text"]) == table
    assert after["clean_text"].null_count == 3
    counts = parts[0].counts
    assert (counts.rows, counts.nulls, counts.noised, counts.edits.total()) == (3, 1, 0, 0)


def test_counts_add_up_to_the_log() -> None:
    table = texts_table([f"some words of row {number}" for number in range(60)] + [None])
    parts = stream(table, config(share=0.5))
    rows = pa.Table.from_batches([part.records for part in parts]).to_pylist()
    counts = sum((part.counts for part in parts[1:]), parts[0].counts)
    chosen = [row for row in rows if row["clean_text"] is not None]
    edits = [edit for row in rows for edit in row["noise"]]
    assert counts.rows == 61
    assert counts.nulls == 1
    assert 0 < counts.noised == len(chosen) < 60
    assert counts.changed == sum(row["text"] != row["clean_text"] for row in chosen)
    assert counts.characters == sum(len(row["clean_text"]) for row in chosen)
    assert counts.words == sum(len(row["clean_text"].split()) for row in chosen)
    assert counts.characters_changed == sum(
        max(len(edit["before"]), len(edit["after"])) for edit in edits
    )
    for kind in ("keyboard", "word_delete"):
        assert counts.edits[kind] == sum(edit["kind"] == kind for edit in edits)
        touched = [any(edit["kind"] == kind for edit in row["noise"]) for row in rows]
        assert counts.texts[kind] == sum(touched)


def test_a_log_grows_and_the_clean_text_stays_the_oldest() -> None:
    table = texts_table(["some words to noise", "and some more words", None] * 20)
    once = noised(table, config(share=0.5))
    twice = noised(once, config(share=0.5, steps=[{"kind": "char_delete", "rate": 0.2}]))
    assert twice.schema == once.schema
    kinds = set()
    for clean, row in zip(table["text"].to_pylist(), twice.to_pylist(), strict=True):
        edits = [Edit(**edit) for edit in row["noise"]]
        kinds.add(tuple(dict.fromkeys(edit.kind == "char_delete" for edit in edits)))
        if row["clean_text"] is None:
            assert (row["text"], edits) == (clean, [])
        else:
            assert row["clean_text"] == clean == undo_edits(row["text"], edits)
    assert (False, True) in kinds


def test_a_release_can_be_noised_again() -> None:
    texts = ["some words to noise", "and some more words"]
    rows: list[dict[str, Any]] = [
        {name: "x" for name in RELEASED_SCHEMA.names}
        | {"text": text, "clean_text": None, "clean_label": None, "noise": [], "scores": scores}
        | {"attributes": [("tone", "calm")], "seed": 1, "attempt": 0, "num_tokens": 3}
        | {"logprob": None, "weight": None}
        for text, scores in zip(texts, [dict.fromkeys(SCORES, 0.5)] * 2, strict=True)
    ]
    table = pa.Table.from_pylist(rows, RELEASED_SCHEMA)
    after = noised(table, config(steps=[{"kind": "char_delete", "rate": 0.5}]))
    assert after.schema.names == RELEASED_SCHEMA.names
    assert after["clean_text"].to_pylist() == texts
    untouched = [n for n in table.schema.names if n not in {"text", "clean_text", "noise"}]
    assert after.select(untouched) == table.select(untouched)


def test_spans_are_carried_along_beside_other_columns() -> None:
    table = pa.table(
        {
            "text": ["please fly to Rome now", "no spans", "Rome"],
            "spans": [[{"start": 14, "end": 18, "label": "city", "score": 0.5}], [], None],
        }
    )
    after = noised(
        table,
        config(steps=[{"kind": "word_delete", "rate": 0.6}, {"kind": "keyboard", "rate": 0.5}]),
        columns=Columns(spans="spans"),
    )
    assert after.schema.field("spans") == table.schema.field("spans")
    first, second, third = after.to_pylist()
    [span] = first["spans"]
    assert first["text"][span["start"] : span["end"]] == "Rome"
    assert first["text"] != first["clean_text"]
    assert (span["label"], span["score"]) == ("city", 0.5)
    assert (second["spans"], third["spans"]) == ([], None)


def test_labels_are_flipped_and_the_clean_ones_kept_in_their_own_type() -> None:
    labels = [0, 1, 2, None] * 50
    table = pa.table({"text": ["some words"] * 200, "label": pa.array(labels, pa.int64())})
    after = noised(
        table,
        config(steps=[{"kind": "label_flip", "rate": 0.5}]),
        columns=Columns(label="label"),
        classes=("0", "1", "2"),
    )
    assert after.schema.field("label") == table.schema.field("label")
    flipped = 0
    for label, row in zip(labels, after.to_pylist(), strict=True):
        was = row["label"] if row["clean_label"] is None else int(row["clean_label"])
        assert was == label
        flipped += row["clean_label"] is not None
    assert 40 < flipped < 110


def test_text_types_are_kept_and_dictionaries_become_plain() -> None:
    for kind in (pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())):
        texts = pa.array(["some words", "some words", None]).cast(kind)
        after = noised(pa.table({"text": texts}), config())
        assert after.schema.field("text").type == (
            pa.string() if pa.types.is_dictionary(kind) else kind
        )
        assert after["clean_text"].to_pylist() == ["some words", "some words", None]


def test_only_a_bounded_number_of_rows_is_held() -> None:
    read = 0

    def rows() -> Iterator[pa.RecordBatch]:
        nonlocal read
        for _ in range(5):
            read += 10_000
            yield pa.record_batch({"text": ["a few short words"] * 10_000})

    schema, done = pa.schema([("text", pa.string())]), 0
    how = TableNoise(Columns(), config(), 1)
    for part in noise_records(rows(), schema=schema, how=how):
        assert part.first_row == done
        assert len(part.records) <= 8192
        done += len(part.records)
        assert read - done < 10_000
    assert done == 50_000


def test_long_texts_are_worked_on_a_few_at_a_time() -> None:
    table = pa.table({"text": ["long words " * 200_000] * 9})
    parts = stream(table, config(steps=[{"kind": "word_delete", "rate": 0.01}]), rows=9)
    assert [len(part.records) for part in parts] == [3, 4, 2]
