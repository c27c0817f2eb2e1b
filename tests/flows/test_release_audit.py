"""A release carries the audit of its own rows, and the audit's gates can refuse it."""

import json
from pathlib import Path
from typing import Any

import pytest

from flows.generate import generate
from schemas.audit import Audit
from schemas.errors import GateError, InputError
from schemas.manifest import Manifest
from schemas.recipe_file import load_recipe
from tasks.preflight.checks import check_recipe

pytestmark = [pytest.mark.flow, pytest.mark.usefixtures("prefect_api")]
ON: dict[str, Any] = {"rows": 5000}


def manifest_of(release: Path) -> Manifest:
    return Manifest.model_validate_json((release / "manifest.json").read_bytes())


def audit_of(release: Path) -> Audit:
    return Audit.model_validate(json.loads((release / "report.json").read_text())["audit"])


def test_a_release_holds_its_audit(scripted: Any, rows_of: Any, tmp_path: Path) -> None:
    release = generate(scripted(audit=ON, gates={"row": {}, "audit": "off"}), tmp_path / "out")
    manifest, audit = manifest_of(release), audit_of(release)
    assert manifest.audit is not None
    assert (manifest.audit.verdict, manifest.audit.reasons) == (audit.verdict, audit.reasons)
    assert sum(manifest.audit.gates.values()) == len(audit.gates)
    assert manifest.seconds["audit"] > 0
    (audited,) = audit.inputs
    assert (audited.role, audited.rows, audited.drawn_from) == ("audited", 40, None)
    texts = {row["text"] for row in rows_of(release)}
    assert {row.text for row in audit.sample} <= texts
    page = (release / "report.html").read_text("utf-8")
    assert all(f"room-{section.group.value}" in page for section in audit.sections)
    assert {path.name for path in (release / "expectations" / "audit").iterdir()} == {
        "suite.json",
        "result.json",
        "data_docs",
    }


def test_a_bound_of_the_recipe_refuses_the_release(scripted: Any, tmp_path: Path) -> None:
    gates: dict[str, Any] = {"row": {}, "audit": {"distinct_1": {"fail_below": 1.0}}}
    with pytest.raises(GateError) as caught:
        generate(scripted(audit=ON, gates=gates), tmp_path / "out")
    failed = Path(caught.value.place).parent
    assert caught.value.code == "CS-V001"
    assert "gates.audit" in caught.value.hint
    manifest = manifest_of(failed)
    assert all(gate.passed for gate in manifest.gates)
    assert manifest.audit is not None
    assert manifest.audit.verdict == "block"
    assert manifest.audit.gates["fail"] >= 1
    kept = generate(scripted(audit=ON, gates={"row": {}, "audit": "off"}), tmp_path / "out")
    assert manifest_of(kept).verdict == "pass"


def test_a_sample_is_measured_and_said_to_be_one(scripted: Any, tmp_path: Path) -> None:
    hashes = []
    for shard_size in (7, 64):
        path = scripted(
            audit={"rows": 12}, gates={"row": {}, "audit": "off"}, shard_size=shard_size
        )
        release = generate(path, tmp_path / str(shard_size))
        audit = audit_of(release)
        assert (audit.inputs[0].rows, audit.inputs[0].drawn_from) == (12, 40)
        assert "drawn from 40" in (release / "report.html").read_text("utf-8")
        hashes.append(sorted(row.id for row in audit.sample))
    assert hashes[0] == hashes[1]


def test_real_data_beside_the_recipe(scripted: Any, tmp_path: Path) -> None:
    path = scripted(
        audit={"reference": "real.jsonl", "holdout": "real.jsonl"},
        gates={"row": {}, "audit": "off"},
    )
    rows = [{"text": f"a real text of {label}, {n}", "label": label}
            for label in ("alpha", "beta", "gamma") for n in range(20)]  # fmt: skip
    (path.parent / "real.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    release = generate(path, tmp_path / "out")
    assert [one.role for one in audit_of(release).inputs] == ["audited", "reference", "holdout"]
    assert set(manifest_of(release).inputs) >= {"reference", "holdout"}
    baselines = [metric.baseline for metric in audit_of(release).metrics().values()]
    assert any(baseline is not None for baseline in baselines)


@pytest.mark.parametrize(
    ("changes", "code", "place"),
    [
        ({"audit": {"reference": "nowhere.jsonl"}}, "CS-D001", "reference"),
        ({"audit": {"reference": "script.jsonl"}}, None, ""),
        ({"audit": {"holdout": "../../etc/passwd"}}, "CS-R008", "holdout"),
        ({"gates": {"audit": {"distinkt_1": "off"}}}, "CS-R006", "audit"),
    ],
)
def test_what_an_audit_needs_is_checked_first(
    changes: dict[str, Any], code: str | None, place: str, scripted: Any
) -> None:
    path = scripted(**changes)
    if code is None:
        check_recipe(path)
        return
    with pytest.raises(InputError) as caught:
        check_recipe(path)
    assert caught.value.code == code
    assert place in caught.value.place


def test_every_gate_off_is_the_audits_too(scripted: Any) -> None:
    assert load_recipe(scripted(gates="off")).recipe.gates.audit is None
