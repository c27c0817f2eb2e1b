import json
from pathlib import Path

import pytest

from flows.audit import refusal
from schemas.audit import Group
from schemas.errors import GateError, InputError
from tasks.audit.defaults import DEFAULT_GATES
from tasks.audit.reading import Choice
from tasks.audit.run import Request
from tasks.audit_dataset import audit_dataset

WORDS = ("red", "green", "blue", "amber", "black", "white", "grey", "pink", "brown", "plain")


def write(path: Path, *, copies: int = 0) -> Path:
    rows = [
        {"text": f"the {one} box is beside the {two} door", "label": one[0]}
        for one in WORDS
        for two in WORDS
    ]
    path.write_text("\n".join(map(json.dumps, rows + rows[:1] * copies)), encoding="utf-8")
    return path


@pytest.mark.slow
def test_an_audit_writes_its_report_and_obeys_a_gates_file(tmp_path: Path) -> None:
    gates = tmp_path / "gates.yaml"
    gates.write_text("gates: {duplicate_rate: {warn_above: 0.01, fail_above: 0.1}}\n")
    found = audit_dataset.fn(
        Request(write(tmp_path / "data.jsonl", copies=30), Choice(), gates=gates),
        tmp_path / "out",
    )
    assert [section.group for section in found.sections] == list(Group)
    assert {gate.metric for gate in found.gates} == set(DEFAULT_GATES)
    outcome = next(gate for gate in found.gates if gate.metric == "duplicate_rate")
    assert outcome.level == "fail"
    assert outcome.observed == pytest.approx(30 / 130)
    assert found.verdict == "block"
    assert isinstance(refusal(found, tmp_path), GateError)
    twin = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    assert twin["verdict"] == "block"
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "box is beside" in page
    assert str(tmp_path) not in page
    result = json.loads((tmp_path / "out" / "expectations" / "result.json").read_text("utf-8"))
    assert result["success"] is False


def test_a_gate_on_no_metric_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    gates = tmp_path / "gates.yaml"
    gates.write_text("gates: {duplicate_rat: {fail_above: 0.1}}\n")
    with pytest.raises(InputError, match="duplicate_rat") as caught:
        audit_dataset.fn(Request(write(tmp_path / "d.jsonl"), Choice(), gates=gates), tmp_path)
    assert "duplicate_rate" in caught.value.hint
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("gates: {duplicate_rate: {warn_above: 0.3, fail_above: 0.1}}", "CS-R007"),
        ("gates: {duplicate_rate: {}}", "CS-R007"),
        ("gate: {}", "CS-R003"),
    ],
)
def test_a_wrong_gates_file_is_explained(text: str, code: str, tmp_path: Path) -> None:
    gates = tmp_path / "gates.yaml"
    gates.write_text(text)
    with pytest.raises(InputError) as caught:
        audit_dataset.fn(Request(write(tmp_path / "d.jsonl"), Choice(), gates=gates), tmp_path)
    assert caught.value.code == code
