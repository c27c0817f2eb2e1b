"""Memory: how many rows fit, and whether an error means that too many were tried."""

from pathlib import Path

import torch

MAX_ROWS = {"cpu": 512, "mps": 64, "cuda": 512}
"""Rows beyond which a batch gains little on each kind of device."""
_USABLE_SHARE = 0.5
_LOGITS_BYTES = 48
"""Bytes for each entry of a row's logits: the model's own, copies in float32 and float64."""


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether `error` is a failed allocation, on whichever device."""
    if isinstance(error, (torch.cuda.OutOfMemoryError, MemoryError)):
        return True
    words = ("out of memory", "defaultcpuallocator")
    return isinstance(error, RuntimeError) and any(word in str(error).lower() for word in words)


def free_bytes(device: torch.device) -> int:
    """Measure the memory that is free on `device` now."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if device.type == "mps":
        return int(torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
    statistics = Path("/proc/meminfo")
    if statistics.is_file():
        for line in statistics.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return 4 << 30


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
