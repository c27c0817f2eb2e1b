from collections import Counter
from pathlib import Path

import pytest
from rich.console import Console

from flows.cli.panel import panel, show_progress
from tasks.planning.costs import Cost, note_cost
from tasks.planning.progress import Progress, ProgressReader
from tasks.planning.workspace import Workspace

MOMENT = Progress(
    requested=600,
    round=1,
    generated=300,
    accepted=200,
    rejected=Counter(duplicate=40, near_duplicate=3),
    tokens=5000,
    generating_seconds=10.0,
)


def rendered(progress: Progress, *, width: int) -> list[str]:
    console = Console(width=width, record=True, file=None, quiet=False)
    with console.capture() as captured:
        console.print(panel(progress, title="corpus", elapsed=72.4))
    return captured.get().splitlines()


def test_every_fact_stands_on_a_line_of_its_own() -> None:
    lines = rendered(MOMENT, width=80)
    names = [line.split()[1] for line in lines[2:-1]]
    assert names == ["accepted", "generated", "rejected", "speed", "time", "memory"]
    text = "\n".join(lines)
    for fact in (
        "200 of 600 rows",
        "300 candidates, round 2",
        "43  (duplicate 40, near_duplicate 3)",
        "500 tokens/s",
        "0:01:12 gone, about 0:00:",
    ):
        assert fact in text


@pytest.mark.parametrize("width", [40, 60, 200])
def test_the_panel_keeps_to_the_width(width: int) -> None:
    assert {len(line) for line in rendered(MOMENT, width=width)} == {width}


def test_it_says_what_it_waits_for() -> None:
    assert "preparing" in "".join(rendered(Progress(600), width=80))
    done = Progress(600, generated=600, accepted=600, tokens=1, generating_seconds=1.0)
    assert "all rows accepted; publishing" in "".join(rendered(done, width=80))


@pytest.fixture
def reader(tmp_path: Path) -> ProgressReader:
    workspace = Workspace(tmp_path)
    note_cost(
        workspace.shard(0, 0, "candidates"),
        Cost(stage="candidates", rows=4, tokens=40, seconds=2.0),
    )
    note_cost(
        workspace.shard(0, 0, "selected"), Cost(stage="selected", rows=4, rejected={"words": 1})
    )
    return ProgressReader(workspace, 6)


def test_a_pipe_gets_plain_lines(
    reader: ProgressReader, capsys: pytest.CaptureFixture[str]
) -> None:
    with show_progress(reader, title="corpus", quiet=False):
        pass
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "corpus: started",
        "corpus: 3 of 6 rows accepted, 4 generated, 1 rejected (words 1), 20 tokens/s, round 1",
    ]


def test_quiet_is_quiet(reader: ProgressReader, capsys: pytest.CaptureFixture[str]) -> None:
    with show_progress(reader, title="corpus", quiet=True):
        pass
    assert capsys.readouterr() == ("", "")
