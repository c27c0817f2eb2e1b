"""Memory: how many rows fit, and whether an error means that too many were tried."""

import sys
from pathlib import Path

import torch

MAX_ROWS = {"cpu": 512, "mps": 64, "cuda": 512}
"""Rows beyond which a batch gains little on each kind of device."""
_GROUP = Path("/sys/fs/cgroup")
_USABLE_SHARE = 0.5
_LOGITS_BYTES = 48
"""Bytes for each entry of a row's logits: the model's own, copies in float32 and float64."""


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether `error` is a failed allocation, on whichever device."""
    if isinstance(error, (torch.cuda.OutOfMemoryError, MemoryError)):
        return True
    words = ("out of memory", "alloc_failed", "defaultcpuallocator")
    return isinstance(error, RuntimeError) and any(word in str(error).lower() for word in words)


def free_bytes(device: torch.device) -> int:
    """Measure the memory that is free on `device` now."""
    if device.type == "cuda":
        # What torch has reserved and does not use counts as taken outside, and is free for us.
        reserved = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0] + reserved)
    if device.type == "mps":
        return int(torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
    return min(_free_in_machine(), _free_in_container())


def _free_in_machine() -> int:
    statistics = Path("/proc/meminfo")
    if statistics.is_file():
        for line in statistics.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return 4 << 30


def _free_in_container() -> int:
    """Return what the control group of this process has left; no limit is a very large number.

    Files that are cached count as used there, but go when memory is short.
    """
    try:
        limit = (_GROUP / "memory.max").read_text().strip()
        used = int((_GROUP / "memory.current").read_text())
        counts = dict(line.split() for line in (_GROUP / "memory.stat").read_text().splitlines())
        return sys.maxsize if limit == "max" else int(limit) - used + int(counts["inactive_file"])
    except (OSError, ValueError, KeyError):
        return sys.maxsize


def rows_that_fit(
    device: torch.device, *, cache_bytes: int, max_tokens: int, vocabulary_size: int
) -> int:
    """Choose a batch size: a power of two that fits half of the free memory, at least 1.

    Args:
        device: Where the rows are computed.
        cache_bytes: Bytes of cache for one token of one row.
        max_tokens: Longest prompt and reply together.
        vocabulary_size: Entries of a row's logits.
    """
    # The cache counts twice: it is copied when it moves, and where it is not allocated once.
    row_bytes = 2 * cache_bytes * max_tokens + _LOGITS_BYTES * vocabulary_size
    fitting = int(_USABLE_SHARE * free_bytes(device) / row_bytes)
    rows = max(1, min(fitting, MAX_ROWS[device.type]))
    return 1 << (rows.bit_length() - 1)
