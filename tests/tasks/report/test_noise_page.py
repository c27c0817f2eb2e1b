import re
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from schemas.noise import NoiseConfig
from schemas.row import EDITS
from tasks.noise.counts import NoiseCounts
from tasks.report.noise_findings import ExampleSample, NoiseFindings
from tasks.report.noise_operators import operator_findings
from tasks.report.noise_page import noise_report_paths, render_noise_page, write_noise_report

EVIL = "<script>alert(1)</script> & \u202eevil\x07"
NOISE = NoiseConfig.model_validate(
    {
        "share": 0.5,
        "steps": [
            {"kind": "keyboard", "rate": 0.1},
            {"kind": "word_delete", "rate": {"a": 0.1}},
            {"kind": "one_of", "steps": [{"kind": "ocr", "rate": 0.2}]},
        ],
    }
)
COUNTS = NoiseCounts(
    rows=10, nulls=1, noised=5, changed=4, characters=200, words=40, characters_changed=30,
    edits=Counter(keyboard=10, ocr=4, mine=2), texts=Counter(keyboard=3, ocr=2, mine=1),
)  # fmt: skip


def records(num: int, *, text: str = "") -> pa.RecordBatch:
    rows = []
    for row in range(num):
        clean = text or f"word {row}"
        kinds = ["keyboard", *(["ocr"] if row % 3 == 0 else [])] if row % 2 else []
        edits = [{"kind": kind, "start": 0, "end": 0, "before": "", "after": "X"} for kind in kinds]
        after = "X" * len(kinds) + clean
        rows.append({"text": after, "clean_text": clean if kinds else None, "noise": edits})
    schema = pa.schema([("text", pa.string()), ("clean_text", pa.string()), ("noise", EDITS)])
    return pa.RecordBatch.from_pylist(rows, schema)


def findings(**changes: Any) -> NoiseFindings:
    sample = ExampleSample(text="text", seed=1)
    sample.add(records(9, text=EVIL), first_row=0)
    facts: dict[str, Any] = {
        "data": f"a{EVIL}.parquet",
        "created": "2026-11-21T08:15:00+00:00",
        "version": "1",
        "seed": 1,
        "noise": NOISE,
        "operators": operator_findings(NOISE, COUNTS),
        "examples": sample.examples(),
        **{name: getattr(COUNTS, name) for name in NoiseCounts.__slots__[:7]},
    }
    return NoiseFindings(**(facts | changes))


def test_operators_are_described_in_the_order_of_the_steps() -> None:
    described = operator_findings(NOISE, COUNTS)
    assert [(o.kind, o.asked, o.unit, o.measured) for o in described] == [
        ("keyboard", (0.1,), "character", 0.05),
        ("word_delete", (), "word", 0.0),
        ("mine", (), "word", 0.05),
        ("ocr", (), "character", 0.02),
    ]
    assert all(o.measured is None for o in operator_findings(NOISE, NoiseCounts()))


@pytest.mark.parametrize("size", [1, 7, 100])
def test_the_sample_does_not_depend_on_the_batches(size: int) -> None:
    every = records(100)
    whole, parts = (ExampleSample(text="text", seed=3) for _ in range(2))
    whole.add(every, first_row=0)
    for start in range(0, 100, size):
        parts.add(every.slice(start, size), first_row=start)
    assert parts.examples() == whole.examples()
    assert {kind: len(rows) for kind, rows in parts.examples().items()} == {"keyboard": 4, "ocr": 4}
    for rows in parts.examples().values():
        for example in rows:
            assert example.clean_text.text == f"word {example.row - 1}"
            assert "".join(part.after for part in example.segments) == example.text.text


def test_the_page_is_self_contained_and_nothing_in_it_acts(tags_of: Any) -> None:
    page = render_noise_page(findings())
    tags = tags_of(page)
    names = Counter(tag for tag, _ in tags)
    assert (names["script"], names["style"]) == (1, 1)
    assert not {"img", "link", "iframe", "object", "base", "form"} & names.keys()
    for _, attributes in tags:
        assert not any(name.startswith("on") for name in attributes)
        assert not {"src", "style"} & attributes.keys()
        assert (attributes.get("href") or "#").startswith("#")
    assert "\u202e" not in page
    assert "\x07" not in page
    assert "&lt;script&gt;alert(1)" in page
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert policy[1].startswith("default-src &#39;none&#39;; style-src &#39;sha256-")


def test_asked_and_measured_stand_side_by_side() -> None:
    page = render_noise_page(findings())
    row = re.search(r"<code><bdi>keyboard</bdi></code>.*?</tr>", page, re.DOTALL)
    assert row is not None
    cells = re.findall(r'<td class="n">(.*?)</td>', row[0])
    assert cells == ["10.0\u00a0%", "5 per 100 characters", "10", "3"]


def test_a_run_without_rows_has_a_page_too() -> None:
    empty = dict.fromkeys(NoiseCounts.__slots__[:7], 0)
    operators = operator_findings(NOISE, NoiseCounts())
    page = render_noise_page(findings(**empty, operators=operators, examples={}))
    assert "No row was changed." in page


def test_page_and_twin_lie_beside_the_data(tmp_path: Path) -> None:
    data = tmp_path / "a.parquet"
    write_noise_report(findings(), data)
    page, twin = noise_report_paths(data)
    assert (page.name, twin.name) == ("a.parquet.report.html", "a.parquet.report.json")
    assert page.read_text(encoding="utf-8") == render_noise_page(findings())
    assert NoiseFindings.model_validate_json(twin.read_bytes()) == findings()
