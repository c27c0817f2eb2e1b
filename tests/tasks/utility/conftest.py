"""Made-up rows whose label a classifier can learn: the words of a label are its own."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

WORDS = {
    "fruit": ("apple", "pear", "plum", "cherry", "quince", "medlar"),
    "metal": ("iron", "copper", "silver", "tin", "nickel", "zinc"),
    "bird": ("heron", "wren", "robin", "crane", "finch", "swift"),
}
COMMON = ("the", "a", "one", "small", "old", "seen", "here", "now", "again", "today")

Rows = list[dict[str, object]]


def made_rows(size: int, *, seed: int, share: float = 0.5, wrong: float = 0.0) -> Rows:
    """Rows of six words, each a word of the label with probability `share`; some labels wrong."""
    generator = np.random.default_rng(seed)
    names = list(WORDS)
    rows: Rows = []
    for _ in range(size):
        label = names[generator.integers(len(names))]
        told = [
            generator.choice(WORDS[label] if generator.random() < share else COMMON)
            for _ in range(6)
        ]
        if generator.random() < wrong:
            label = names[generator.integers(len(names))]
        rows.append(
            {"text": " ".join(map(str, told)) + f" {generator.integers(10**6)}", "label": label}
        )
    return rows


def write_rows(path: Path, rows: Rows) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def make() -> Callable[..., Rows]:
    return made_rows


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, Rows], Path]:
    return lambda name, rows: write_rows(tmp_path / name, rows)
