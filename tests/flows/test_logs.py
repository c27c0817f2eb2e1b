"""What a run says as JSON: every line a record of OpenTelemetry's log data model."""

import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace

from flows.logs import OpenTelemetryFormatter

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-c", "from flows.cli import main; main()", "generate"]
FIELDS = {
    "Timestamp",
    "SeverityText",
    "SeverityNumber",
    "Body",
    "Attributes",
    "Resource",
    "InstrumentationScope",
}


def records(stderr: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stderr.splitlines()]


@pytest.fixture
def generate(environment: dict[str, str], prefect_api: str) -> Any:
    def generate(path: Path, out: Path) -> tuple[int, list[dict[str, Any]]]:
        process = subprocess.run(
            [*COMMAND, str(path), "--out", str(out)],
            env={**environment, "PREFECT_API_URL": prefect_api, "CORPUSMITH_LOG": "json"},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        return process.returncode, records(process.stderr)

    return generate


@pytest.mark.flow
@pytest.mark.slow
def test_every_line_of_a_run_is_a_record(scripted: Any, generate: Any, tmp_path: Path) -> None:
    code, said = generate(scripted(rows=6, bad=3), tmp_path / "out")
    assert code == 0
    assert all(set(record) == FIELDS for record in said)
    assert len({record["Attributes"].get("prefect.flow_run.id") for record in said}) == 1
    times = [int(record["Timestamp"]) for record in said]
    assert times == sorted(times)
    (released,) = (r for r in said if r["Attributes"].get("event.name") == "run.released")
    (release,) = (tmp_path / "out" / "scripted").glob("2*")
    manifest = json.loads((release / "manifest.json").read_text())
    attributes = released["Attributes"]
    assert attributes["corpusmith.release"] == str(release)
    assert attributes["corpusmith.rows.accepted"] == 6
    for stage, seconds in manifest["seconds"].items():
        assert attributes[f"corpusmith.seconds.{stage}"] == seconds
    for reason, count in manifest["rows"]["rejected"].items():
        assert attributes[f"corpusmith.rejected.{reason}"] == count
    assert attributes["corpusmith.tokens.generated"] == manifest["tokens"]["generated"]
    short = {"gates": {"row": {"chars": [900, 999]}}, "budget": {"attempts_per_row": 1}}
    code, said = generate(scripted(rows=3, bad=0, **short), tmp_path / "out")
    assert code == 1
    events = [record["Attributes"].get("event.name") for record in said]
    assert {"run.refused", "run.failed", "command.failed"} <= set(events)
    failed = said[events.index("command.failed")]
    assert (failed["SeverityText"], failed["Attributes"]["corpusmith.code"]) == ("ERROR", "CS-V002")


@pytest.mark.flow
def test_wrong_input_is_a_record_too(generate: Any, tmp_path: Path) -> None:
    code, (record,) = generate(tmp_path / "none.yaml", tmp_path / "out")
    assert code == 2
    assert record["Attributes"]["corpusmith.code"] == "CS-R001"
    assert record["Attributes"]["corpusmith.hint"]


def test_a_record_names_the_span_that_it_was_made_in() -> None:
    record = logging.LogRecord("a", logging.WARNING, "", 0, "%d texts", (2,), None)
    plain = json.loads(OpenTelemetryFormatter().format(record))
    assert (plain["Body"], plain["SeverityNumber"]) == ("2 texts", 13)
    assert "TraceId" not in plain
    context = trace.SpanContext(trace_id=10, span_id=11, is_remote=False)
    with trace.use_span(trace.NonRecordingSpan(context)):
        inside = json.loads(OpenTelemetryFormatter().format(record))
    assert (inside["TraceId"], inside["SpanId"]) == (f"{10:032x}", f"{11:016x}")
