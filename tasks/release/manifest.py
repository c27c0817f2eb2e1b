"""What a release says about itself: hashes of its files, versions of its packages, the machine."""

import os
import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from schemas.manifest import FileEntry, Hardware
from tasks.planning.shards import file_sha256

PACKAGES = (
    "corpusmith",
    "duckdb",
    "great-expectations",
    "numpy",
    "pandas",
    "prefect",
    "pyarrow",
    "scikit-learn",
    "tokenizers",
    "torch",
    "transformers",
)
"""Packages that can bear on the rows or on their verdict."""


def file_entries(root: Path, *, rows: Mapping[str, int], under: str = ".") -> tuple[FileEntry, ...]:
    """Describe every file of a release, in the order of their paths.

    Args:
        root: The release folder.
        rows: Rows of the files that have rows, by path inside `root` with forward slashes.
        under: The part of it to describe.

    Returns:
        One entry for each regular file.
    """
    paths = {
        path.relative_to(root).as_posix(): path
        for path in (root / under).rglob("*")
        if path.is_file()
    }
    return tuple(
        FileEntry(
            path=name,
            sha256=file_sha256(path),
            bytes=path.stat().st_size,
            rows=rows.get(name),
        )
        for name, path in sorted(paths.items())
    )


def package_versions(names: Iterable[str] = PACKAGES) -> dict[str, str]:
    """Return the version of Python and of each package that is installed."""
    found = {"python": platform.python_version()}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def hardware(device: str, *, torch_threads: int | None = None) -> Hardware:
    """Describe this machine.

    Args:
        device: Where the model ran: `cpu`, `cuda:0`, with the card's name when it is known.
        torch_threads: Threads of torch; None when it did not run here.
    """
    return Hardware(
        device=device,
        cpu=_cpu_name(),
        cpu_count=os.cpu_count() or 1,
        torch_threads=torch_threads,
        memory_bytes=_memory_bytes(),
    )


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine() or "unknown"


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
