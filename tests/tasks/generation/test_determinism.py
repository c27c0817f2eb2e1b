import pytest

from tasks.generation import determinism
from tasks.generation.determinism import Flips, promise_of


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
    monkeypatch.setattr(determinism, "MEASURED_FLIPS", None)
    assert "not been measured" in promise_of(dtype="float32", strict=False).statement
