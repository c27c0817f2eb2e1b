import pytest
import torch

from tasks.generation import memory
from tasks.generation.memory import free_bytes, is_out_of_memory, rows_that_fit

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.cuda.OutOfMemoryError("x"), True),
        (MemoryError(), True),
        (RuntimeError("MPS backend out of memory"), True),
        (
            RuntimeError("[enforce fail at alloc_cpu.cpp:1] DefaultCPUAllocator: can't allocate"),
            True,
        ),
        (RuntimeError("shape mismatch"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_failed_allocations_are_recognised(error, expected):
    assert is_out_of_memory(error) is expected


def test_torchs_own_failed_allocation_is_recognised():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60)
    assert is_out_of_memory(caught.value)


@pytest.mark.parametrize(
    ("free", "rows"), [(0, 1), (2_000_000, 1), (20_000_000, 8), (1 << 50, 512)]
)
def test_the_batch_is_a_power_of_two_that_fits_half_of_the_memory(monkeypatch, free, rows):
    monkeypatch.setattr(memory, "free_bytes", lambda _device: free)
    # 2 * 4,000 * 100 bytes of cache and 48 * 1,000 of logits: 848,000 bytes a row.
    fitting = rows_that_fit(CPU, cache_bytes=4000, max_tokens=100, vocabulary_size=1000)
    assert fitting == rows
    assert rows == 1 or rows * 848_000 <= free / 2


def test_the_free_memory_of_this_machine_is_plausible():
    assert 1 << 20 < free_bytes(CPU) < 1 << 50


@pytest.mark.parametrize(
    ("limit", "free"), [("max", None), ("8000000", 8_000_000 - 5_000_000 + 1_000_000)]
)
def test_a_containers_limit_counts(monkeypatch, tmp_path, limit, free):
    files = {
        "memory.max": limit,
        "memory.current": "5000000",
        "memory.stat": "inactive_file 1000000",
    }
    for name, content in files.items():
        (tmp_path / name).write_text(content + "\n")
    monkeypatch.setattr(memory, "_GROUP", tmp_path)
    unlimited = memory._free_in_machine()
    assert free_bytes(CPU) == pytest.approx(unlimited if free is None else free, rel=0.1)
    monkeypatch.setattr(memory, "_GROUP", tmp_path / "absent")
    assert free_bytes(CPU) == pytest.approx(unlimited, rel=0.1)
