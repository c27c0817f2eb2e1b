"""The page on strategies: its example of an estimate runs, and takes whole draws alone."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "strategies.md"
EXAMPLE = PAGE.read_text("utf-8").split("```python\n")[1].split("```")[0]


def row(group: str | None, words: int, weight: float | None, **changes: Any) -> dict[str, Any]:
    text = " ".join(["w"] * words)
    plain = {"strategy": "stochastic_beam", "attempt": 0, "clean_text": None, "text": text}
    return {**plain, "draw_id": group, "weight": weight, **changes}


def test_the_estimate_is_the_weighted_mean_of_whole_draws(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = [
        row("a", 4, 0.5),
        row("a", 8, 0.25),
        # Noise has changed this one, which was drawn with twelve words.
        row("a", 1, 0.125, clean_text=" ".join(["w"] * 12)),
        *[row("b", words, 0.1) for words in (1, 2, 3, 4)],
        *[row("cut", 50, 0.5)] * 3,
        row("again", 50, 0.5, attempt=1),
        row(None, 50, None, strategy="nucleus"),
    ]
    release = tmp_path / "out" / "strategies-compared" / "VERSION"
    for name, rows in {"data": data, "rejected": [row("a", 16, 0.125)]}.items():
        (release / name).mkdir(parents=True)
        schema = pa.Table.from_pylist(data).schema
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), release / name / "x.parquet")
    monkeypatch.chdir(tmp_path)
    exec(EXAMPLE, {})
    wanted = [(4 * 0.5 + 8 * 0.25 + 12 * 0.125 + 16 * 0.125) / 1.0, 2.5]
    assert float(capsys.readouterr().out) == pytest.approx(sum(wanted) / 2)
