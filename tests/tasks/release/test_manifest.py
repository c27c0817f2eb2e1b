import hashlib
import platform
from pathlib import Path

import numpy as np

from tasks.release.manifest import file_entries, hardware, package_versions


def test_every_file_is_described(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.parquet").write_bytes(b"abc")
    (tmp_path / "README.md").write_bytes(b"")
    entries = file_entries(tmp_path, rows={"data/a.parquet": 3})
    assert [(entry.path, entry.bytes, entry.rows) for entry in entries] == [
        ("README.md", 0, None),
        ("data/a.parquet", 3, 3),
    ]
    assert entries[1].sha256 == hashlib.sha256(b"abc").hexdigest()


def test_versions_are_those_installed() -> None:
    found = package_versions(["numpy", "no-such-package"])
    assert found == {"python": platform.python_version(), "numpy": np.__version__}


def test_the_machine_is_described() -> None:
    found = hardware("cpu", torch_threads=2)
    assert found.device == "cpu"
    assert found.cpu
    assert found.cpu_count >= 1
    assert found.memory_bytes is None or found.memory_bytes > 2**20
