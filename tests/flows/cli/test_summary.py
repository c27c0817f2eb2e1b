from pathlib import Path

import pytest

from flows.cli.summary import show_release
from schemas.manifest import (
    Determinism,
    GateResult,
    Hardware,
    Manifest,
    ModelInfo,
    RowCounts,
    TokenCounts,
)


def manifest(**changes: object) -> Manifest:
    return Manifest.model_construct(
        name="corpus",
        version="v",
        verdict="pass",
        model=ModelInfo(
            id="a\x1b[2J[red]b", weights_sha256="0" * 64, backend="scripted", context_length=9
        ),
        rows=RowCounts(
            requested=40, generated=50, accepted=38, shortfall=2, rejected={"words": 12}
        ),
        splits={"train": 30, "test": 8},
        tokens=TokenCounts(prompt=4000, generated=1234),
        seconds={"generate": 12.34, "select": 0.001, "validate": 2.0},
        determinism=Determinism(promise="exact", statement="s"),
        hardware=Hardware(device="cpu", cpu="c", cpu_count=2),
        gates=(
            GateResult(name="g", passed=True, observed=1.0, bound="b", meaning="m"),
            GateResult(name="h", passed=False, observed=None, bound="b", meaning="m"),
        ),
        **changes,
    )


@pytest.mark.parametrize("columns", [40, 100])
def test_the_facts_of_a_run_and_a_path_that_can_be_copied(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    release = Path("out") / "a-rather-long-name-of-a-corpus" / ("x" * 60)
    show_release(release, manifest())
    out, err = capsys.readouterr()
    assert out == ""
    assert "\x1b" not in err
    assert err.splitlines()[-1].rstrip() == f"report     {release / 'report.html'}"
    told = " ".join(err.split())
    for fact in (
        "rows 38 of 40 (train 30, test 8)",
        "generated 50 texts, 1,234 tokens",
        "rejected 12 (words 12)",
        "gates 1 of 2 passed",
        "seconds generate 12.3, validate 2.0",
        r"model a\x1b[2J[red]b@000000000000",
    ):
        assert fact in told
