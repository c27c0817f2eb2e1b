from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from schemas.gates import RowGates
from schemas.row import SCORED_SCHEMA, SCORES, SELECTED_SCHEMA
from schemas.shard import FileRef
from tasks.quality.selection import (
    blocks,
    count_reasons,
    open_selector,
    remember_accepted,
    select_shard,
    select_shards,
)

TEXTS = ["where is my card", "I lost it again", "Where is my card?", "x", "what does it cost"]


def scored(texts: list[str], *, rejected: tuple[int, ...] = (), first: int = 0) -> pa.Table:
    blank: dict[str, Any] = {
        field.name: "" if pa.types.is_string(field.type) else 0 for field in SCORED_SCHEMA
    }
    blank |= {"attributes": {}, "examples": [], "logprob": None, "error": None, "detail": None}
    blank |= {"scores": dict.fromkeys(SCORES, 0.0)}
    rows = [
        {
            **blank,
            "row": first + place,
            "id": f"x-{first + place}-0",
            "text": text,
            "stage": "row_gate" if place in rejected else None,
            "reason": "chars" if place in rejected else None,
        }
        for place, text in enumerate(texts)
    ]
    return pa.Table.from_pylist(rows, schema=SCORED_SCHEMA)


def reasons(table: pa.Table) -> list[str | None]:
    found: list[str | None] = table["reason"].to_pylist()
    return found


def test_copies_are_rejected_and_earlier_verdicts_stand() -> None:
    table = select_shard(scored(TEXTS, rejected=(3,)), open_selector(RowGates()))
    assert table.schema.equals(SELECTED_SCHEMA)
    assert reasons(table) == [None, None, "duplicate", "chars", None]
    assert table["stage"].to_pylist()[2:4] == ["select", "row_gate"]
    assert "x-0-0" in table["detail"].to_pylist()[2]
    assert count_reasons(table) == {"chars": 1, "duplicate": 1}


def test_a_rejected_text_makes_no_copy_of_another() -> None:
    table = select_shard(scored([TEXTS[0], TEXTS[2]], rejected=(0,)), open_selector(RowGates()))
    assert reasons(table) == ["chars", None]


@pytest.mark.parametrize("cut", [1, 2, 3, 4])
def test_the_cut_into_shards_changes_no_verdict(cut: int) -> None:
    whole = select_shard(scored(TEXTS), open_selector(RowGates()))
    selector = open_selector(RowGates())
    parts = [
        select_shard(scored(TEXTS[:cut]), selector),
        select_shard(scored(TEXTS[cut:], first=cut), selector),
    ]
    assert pa.concat_tables(parts).to_pylist() == whole.to_pylist()


def test_what_earlier_rounds_accepted_is_remembered() -> None:
    selector = open_selector(RowGates())
    remember_accepted(selector, scored(TEXTS[:2], rejected=(1,)).select(["id", "text", "reason"]))
    assert reasons(select_shard(scored(TEXTS[1:3], first=7), selector)) == [None, "duplicate"]


def test_no_candidates() -> None:
    table = select_shard(scored([]), open_selector(RowGates()))
    assert table.num_rows == 0
    assert count_reasons(table) == {}


def test_shards_decided_together_are_decided_as_one_after_the_other() -> None:
    shards = [scored(TEXTS[:2]), scored([], first=2), scored(TEXTS[2:], rejected=(1,), first=2)]
    selector = open_selector(RowGates())
    apart = [select_shard(shard, selector) for shard in shards]
    together = select_shards(shards, open_selector(RowGates()))
    assert [table.to_pylist() for table in together] == [table.to_pylist() for table in apart]
    assert all(table.schema.equals(SELECTED_SCHEMA) for table in together)


@pytest.mark.parametrize("rows", [[], [5], [20_000], [9_000] * 5, [1, 1, 40_000, 0, 3]])
def test_blocks_are_whole_shards_in_order_and_just_large_enough(rows: list[int]) -> None:
    selector = open_selector(RowGates())
    refs = [
        FileRef(path=Path(str(place)), sha256="0" * 64, rows=count)
        for place, count in enumerate(rows)
    ]
    found = list(blocks(refs, selector))
    assert [ref for block in found for ref in block] == refs
    sizes = [[ref.rows for ref in block] for block in found]
    assert all(sum(size) >= selector.block for size in sizes[:-1])
    assert all(sum(size[:-1]) < selector.block for size in sizes)
