import json
from pathlib import Path

import pytest

from tasks.generation import determinism
from tasks.generation.determinism import Flips, promise_of

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("dtype", "strict", "promise"),
    [
        ("float32", False, "float32"),
        ("float32", True, "exact"),
        ("bfloat16", True, "exact"),
        ("bfloat16", False, "batch_plan"),
        ("float16", False, "batch_plan"),
    ],
)
def test_the_promise_follows_from_dtype_and_mode(dtype, strict, promise):
    assert promise_of(dtype=dtype, strict=strict).promise == promise


def test_the_measured_rate_is_named(monkeypatch):
    monkeypatch.setattr(determinism, "MEASURED_FLIPS", Flips(rows=3, of_rows=40_000, tokens=10**6))
    statement = promise_of(dtype="float32", strict=False).statement
    assert "3 of 40,000 rows (1,000,000 tokens) differed" in statement


def test_the_rate_is_the_one_that_was_measured():
    result = json.loads((ROOT / "benchmarks/results/determinism.json").read_text("utf-8"))
    differing = [result["differing_rows"][size]["texts"] for size in ("7", "64")]
    flips = determinism.MEASURED_FLIPS
    assert flips.rows == sum(differing)
    assert flips.of_rows == len(differing) * result["rows"]
    assert flips.tokens == len(differing) * result["tokens"]
