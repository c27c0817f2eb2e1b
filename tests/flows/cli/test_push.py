"""`corpusmith push` from the command line to a folder: first what it would do, then the deed."""

import json
from pathlib import Path

import pytest

from flows.cli import run
from schemas.manifest import (
    Determinism,
    Hardware,
    Manifest,
    ModelInfo,
    RowCounts,
    TokenCounts,
)
from tasks.release.draft import ReleaseDraft

VERSION = "20261121T081500Z-abc123def456"


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """A release that has everything but rows."""
    manifest = Manifest(
        name="mini",
        version=VERSION,
        created="2026-11-21T08:15:00Z",
        verdict="pass",
        recipe_sha256="0" * 64,
        model=ModelInfo(id="m", weights_sha256="", backend="scripted", context_length=9),
        packages={},
        rows=RowCounts(requested=0, generated=0, accepted=0, shortfall=0),
        splits={"train": 0},
        tokens=TokenCounts(prompt=0, generated=0),
        seconds={},
        determinism=Determinism(promise="exact", statement="x"),
        hardware=Hardware(device="cpu", cpu="x", cpu_count=1),
        gates=(),
        files=(),
    )
    with ReleaseDraft(tmp_path / "mini", version=VERSION, splits=["train"]) as draft:
        draft.write_text("README.md", "# mini \x1b[2J")
        return draft.publish(manifest)


def test_without_yes_nothing_is_sent(
    release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "there"
    assert run(["push", str(release), str(target)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert not target.exists()
    listed, told = out.split("\n\n")
    assert [line.split()[1] for line in listed.splitlines()] == [
        "README.md",
        "manifest.json",
        "checksums.txt",
    ]
    sizes = sum(int(line.split()[0].replace(",", "")) for line in listed.splitlines())
    assert told.splitlines() == [
        f"release    mini {VERSION}",
        f"to         file://{target}",
        f"files      3, {sizes:,} bytes",
        "held back  rejected/rejected-00000.parquet (--with-rejected sends it)",
        "nothing was sent: add --yes to send it",
    ]


def test_a_repository_and_its_openness_are_told(
    release: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["push", str(release.parent), "org/mini", "--with-rejected", "--public"]) == 0
    out = capsys.readouterr().out
    assert f"to         hf://datasets/org/mini\nrevision   main, tagged {VERSION}\n" in out
    assert "if new     public\n" in out
    assert "held back" not in out


def test_yes_sends_and_a_second_time_finds_it_there(
    release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "there"
    arguments = ["push", str(release), f"file://{target}", "--yes", "--quiet"]
    assert run(arguments) == 0
    assert capsys.readouterr().out == f"file://{target}\n"
    assert (target / "manifest.json").read_bytes() == (release / "manifest.json").read_bytes()
    assert not (target / "rejected").exists()
    assert run(arguments) == 0
    assert capsys.readouterr().out == f"already there: file://{target}\n"


def test_json(release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = f"file://{tmp_path / 'there'}"
    found = {}
    for given in ([], ["--yes"]):
        assert run(["push", str(release), target, "--json", *given]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["sent"] is bool(given)
    assert (found["name"], found["version"], found["destination"]) == ("mini", VERSION, target)
    assert [entry["path"] for entry in found["files"]] == ["README.md", "manifest.json"]
    assert found["held_back"] == ["rejected/rejected-00000.parquet"]


@pytest.mark.parametrize(
    ("harm", "destination", "code", "exit_code"),
    [
        (False, "mini", "CS-U003", 2),
        (True, "file:///nowhere", "CS-U002", 2),
        (False, "file:///dev/null/x", "CS-U004", 3),
    ],
)
def test_errors_are_one_block(
    harm: bool,
    destination: str,
    code: str,
    exit_code: int,
    release: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if harm:
        (release / "README.md").write_text("edited", encoding="utf-8")
    assert run(["push", str(release), destination, "--yes"]) == exit_code
    out, err = capsys.readouterr()
    assert out == ""
    assert [line[:9] for line in err.splitlines()] == ["error[CS-", "  where: ", "  to do: "]
    assert err.startswith(f"error[{code}]")
