import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from flows.cli import run
from flows.cli.noise_run import show_rows
from schemas.noise import Edit
from tasks.noise.edit_log import undo_edits

ROWS = [
    {"id": row, "text": f"please fly me to Rome on day {row} now", "intent": "ab"[row % 2],
     "spans": [{"start": 17, "end": 21, "label": "city"}]}
    for row in range(200)
]  # fmt: skip
STEPS = ["--step", "keyboard:0.1", "--step", "word_delete:heavy"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "in.parquet"
    pq.write_table(pa.Table.from_pylist(ROWS), path)
    return path


def read(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    if path.suffix == ".csv":
        rows = pyarrow.csv.read_csv(path).to_pylist()
        nested = {"noise": json.loads, "spans": json.loads}
        return [{name: nested.get(name, lambda x: x)(row[name]) for name in row} for row in rows]
    return list(pq.read_table(path).to_pylist())


def in_format(data: Path, suffix: str) -> Path:
    """Write the data in another format, by noise that changes nothing."""
    path = data.with_name(f"given{suffix}")
    assert run(["noise", str(data), "--step", "keyboard:0", "--out", str(path)]) == 0
    if suffix == ".csv":
        # A log in CSV is text, and no column of that name may be.
        table = pyarrow.csv.read_csv(path).drop_columns(["clean_text", "noise"])
        pyarrow.csv.write_csv(table, path)
    return path


@pytest.mark.parametrize("given", [".parquet", ".jsonl", ".csv"])
def test_every_format_gives_the_same_rows(
    given: str, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, columns = in_format(data, given), ["--spans", "spans", "--label", "intent"]
    texts = []
    for wanted in (".parquet", ".jsonl", ".csv"):
        out = data.with_name(f"out{wanted}")
        assert run(["noise", str(source), *STEPS, *columns, "--out", str(out)]) == 0
        assert capsys.readouterr().out.splitlines()[-1] == str(out)
        rows = read(out)
        texts.append([row["text"] for row in rows])
        for before, row in zip(ROWS, rows, strict=True):
            spans = row["spans"] if isinstance(row["spans"], list) else json.loads(row["spans"])
            assert row["clean_text"] == before["text"]
            assert undo_edits(row["text"], [Edit(**e) for e in row["noise"]]) == before["text"]
            assert [row["text"][span["start"] : span["end"]] for span in spans] == ["Rome"]
    plain = data.with_name("plain.parquet")
    assert run(["noise", str(data), *STEPS, *columns, "--out", str(plain)]) == 0
    assert texts == [[row["text"] for row in read(plain)]] * 3


def test_the_summary_and_the_report_add_up(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = data.with_name("out.parquet")
    assert run(["noise", str(data), *STEPS, "--out", str(out), "--share", "0.5", "--json"]) == 0
    printed = capsys.readouterr()
    summary, rows = json.loads(printed.out), read(out)
    assert "edits" in printed.err
    assert (summary["rows"], summary["out"]) == (200, str(out))
    assert 60 < summary["noised"] == sum(row["clean_text"] is not None for row in rows) < 140
    edits = {operator["kind"]: operator["edits"] for operator in summary["operators"]}
    for kind, number in edits.items():
        assert number == sum(edit["kind"] == kind for row in rows for edit in row["noise"]) > 0
    twin = json.loads(data.with_name("out.parquet.report.json").read_text(encoding="utf-8"))
    assert {name: twin[name] for name in twin if name in summary} == {
        name: value for name, value in summary.items() if name in twin
    }
    assert twin["examples"]["keyboard"]
    assert data.with_name("out.parquet.report.html").exists()


def test_a_noise_file_gives_share_seed_and_steps(data: Path) -> None:
    recipe = data.with_name("noise.yaml")
    steps = "steps: [{kind: keyboard, rate: {a: 0.5}}, {kind: label_flip, rate: 0.3}]"
    recipe.write_text(f"seed: 4\nnoise: {{share: 1, {steps}}}\n", encoding="utf-8")
    base = ["noise", str(data), "--recipe", str(recipe), "--quiet", "--label", "intent"]
    for name, more in (("a", []), ("b", ["--seed", "4"]), ("c", ["--seed", "5"])):
        assert run([*base, "--out", str(data.with_name(f"{name}.parquet")), *more]) == 0
    first, same, other = (read(data.with_name(f"{name}.parquet")) for name in "abc")
    assert first == same != other
    for before, row in zip(ROWS, first, strict=True):
        assert (row["clean_label"] or row["intent"]) == before["intent"]
        assert not row["noise"] or before["intent"] == "a"
    assert 30 < sum(row["clean_label"] is not None for row in first) < 90


def test_fifty_thousand_rows_stream_through(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pq.ParquetWriter(tmp_path / "a.parquet", pa.schema([("text", pa.string())])) as writer:
        texts = [f"row {row} of a long list of short texts" for row in range(5000)]
        for _ in range(10):
            writer.write_table(pa.table({"text": texts}))
    out = tmp_path / "b.parquet"
    assert run(["noise", str(tmp_path / "a.parquet"), *STEPS, "--out", str(out)]) == 0
    written = pq.ParquetFile(out)
    assert written.metadata.num_rows == 50_000
    noised = written.read(columns=["text"])["text"].to_pylist()
    assert len(set(noised)) > 40_000
    assert "50,000" in capsys.readouterr().err


def test_quiet_says_nothing_but_the_path(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = data.with_name("out")
    assert run(["noise", str(data), *STEPS, "--quiet", "--out", str(out)]) == 0
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == (f"{out}\n", "")
    assert pq.read_metadata(out).num_rows == 200


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["{data}", "--out", "{new}"], "CS-I001", "--step"),
        (["{data}", *STEPS, "--recipe", "x", "--out", "{new}"], "CS-I001", "--recipe"),
        (["{data}", *STEPS], "CS-I001", "--out PATH"),
        (["--out", "{new}", *STEPS], "CS-I001", "DATA"),
        (["{data}", *STEPS, "--out", "{data}"], "CS-O005", "in.parquet"),
        (["{data}", *STEPS, "--out", "{new}.xlsx"], "CS-O001", ".xlsx"),
        (["{data}", *STEPS, "--out", "{new}", "--text", "txet"], "CS-D002", 'did you mean "text"'),
        (["{data}", *STEPS, "--out", "{new}", "--spans", "intent"], "CS-D004", "row 1"),
        (["{data}", *STEPS, "--out", "{new}", "--label", "lable"], "CS-D002", "--label lable"),
        (["{data}", *STEPS, "--out", "{new}", "--text", "id"], "CS-D003", "--text id"),
        (["{data}", *STEPS, "--out", "{new}", "--share", "nan"], "CS-I001", "--share"),
        (["{data}", *STEPS, "--out", "{new}", "--share", "2"], "CS-I001", "--share"),
        (["{data}", "--step", "keybord:0.1", "--out", "{new}"], "CS-R006", '"keyboard"'),
        (["{data}", "--step", "label_flip:0.1", "--out", "{new}"], "CS-I001", "--label"),
        (["{data}x", *STEPS, "--out", "{new}"], "CS-D001", "in.parquet"),
    ],
)
def test_wrong_input_is_one_block_and_leaves_nothing(
    arguments: list[str], code: str, said: str, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = data.with_name("new")
    filled = [part.format(data=data, new=new) for part in arguments]
    assert run(["noise", *filled]) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith(f"error[{code}]: ")
    assert said in printed.err
    assert len(printed.err.splitlines()) <= 3
    assert printed.out == ""
    assert [entry.name for entry in data.parent.iterdir()] == ["in.parquet"]


def test_the_kinds_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["noise", "--list"]) == 0
    assert "word_delete\n" in capsys.readouterr().out
    assert run(["noise", "--list", "--json"]) == 0
    assert "keyboard" in [kind["kind"] for kind in json.loads(capsys.readouterr().out)]


def test_lines_and_bar_take_the_rows_done(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.cli.noise_run._LINE_SECONDS", 0.0)
    with show_rows(10, title="x\x1b", quiet=False) as advance:
        advance(5)
    assert "x\\x1b: 5 of 10 rows, " in capsys.readouterr().err
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with show_rows(None, title="y", quiet=False) as advance:
        advance(5)
        advance(7)


def test_it_works_without_the_heavy_libraries(data: Path) -> None:
    program = (
        "import sys; from flows.cli import run; code = run(sys.argv[1:]); "
        "heavy = {'torch', 'prefect', 'transformers', 'great_expectations'} & set(sys.modules); "
        "sys.exit(str(heavy) if heavy else code)"
    )
    out = str(data.with_name("out.csv"))
    command = [sys.executable, "-c", program, "noise", str(data), *STEPS, "--out", out]
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=root)
    assert done.returncode == 0, done.stderr
