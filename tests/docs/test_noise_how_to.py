"""The examples of the page on noise run as they stand."""

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.cli import run

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "noise.md"
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)


def test_the_page_runs_from_top_to_bottom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    labels = ["complaint", "praise"] * 20
    texts = [f"the parcel AB123456 number {row} came late again" for row in range(40)]
    pq.write_table(pa.table({"text": texts, "intent": labels}), "reviews.parquet")
    kinds = []
    for kind, block in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        kinds.append(kind)
        match kind:
            case "yaml":
                Path("noise.yaml").write_text(block, encoding="utf-8")
            case "console":
                for old in tmp_path.glob("noised.parquet*"):
                    old.unlink()
                assert run(block.removeprefix("$ corpusmith ").split()) == 0
            case "python":
                exec(compile(block, str(PAGE), "exec"), {})
    assert kinds == ["console", "yaml", "console", "python", "python"]
    assert "pin" in capsys.readouterr().out
    noised = pq.read_table("noised.parquet")
    assert all("AB123456" in text for text in noised["text"].to_pylist())
