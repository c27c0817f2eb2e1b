import json
from importlib.resources import files
from typing import Any

import jsonschema
import pytest

from schemas.audit import (
    Audit,
    Band,
    Estimate,
    Evidence,
    Finding,
    GateOutcome,
    Group,
    Inspected,
    Metric,
    Section,
    Span,
    Table,
)
from schemas.audit_json_schema import audit_json_schema, schema_text

VALIDATOR = jsonschema.Draft202012Validator(audit_json_schema())


def audit() -> Audit:
    measured = Metric(
        name="exact_duplicate_rate", group=Group.DUPLICATES, title="Copies", unit="share",
        better="lower", estimate=Estimate(value=0.5, low=0.1, high=0.9, n=4), sampled=4,
        baseline=Estimate(value=0, n=4), definition="Share of rows that repeat another.",
    )  # fmt: skip
    unmeasured = measured.model_copy(
        update={"name": "other", "estimate": None, "unmeasured": "no labels"}
    )
    finding = Finding(
        name="copies", group=Group.DUPLICATES, severity="block", what="Copies.", action="Drop.",
        rows=2, evidence=(Evidence(id="1", text="a b", chars=3, spans=(Span(start=0, end=1),)),),
    )  # fmt: skip
    table = Table(
        name="t", group=Group.DUPLICATES, title="T", caption="c", columns=("a", "b"),
        rows=(("x", 1), (None, 0.5)),
    )  # fmt: skip
    section = Section(
        group=Group.DUPLICATES,
        metrics=(measured, unmeasured),
        tables=(table,),
        findings=(finding,),
    )
    return Audit(
        name="a", created="2026-11-21T07:45:08Z", corpusmith="0.1.0", verdict="block",
        inputs=(Inspected(role="audited", path="a.csv", rows=4, text="text", label=None),),
        reasons=("Copies.",), sections=(section,), sample=finding.evidence,
        bands=(Band(group=Group.DUPLICATES, level="poor", why="Copies.", action="Drop."),),
        gates=(GateOutcome(metric="other", level="unmeasured", observed=None, bound="<= 1"),),
        seconds={"duplicates": 0.5},
    )  # fmt: skip


def written() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(audit().model_dump_json())
    return data


def test_the_shipped_file_is_current() -> None:
    shipped = files("schemas").joinpath("audit.schema.json").read_text(encoding="utf-8")
    command = "python -m schemas.audit_json_schema > schemas/audit.schema.json"
    assert shipped == schema_text(), command


def test_it_is_a_json_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(schema_text()))


def test_every_key_says_what_it_means() -> None:
    schema = json.loads(schema_text())
    for name, definition in [("Audit", schema), *schema["$defs"].items()]:
        for key, value in definition.get("properties", {}).items():
            assert value.get("description"), f"{name}.{key}"


def test_it_accepts_what_an_audit_writes() -> None:
    VALIDATOR.validate(written())


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": "perhaps"},
        {"verdicts": "ship"},
        {"reasons": "one"},
        {"sections": [{"group": "shape"}]},
        {"gates": [{"metric": "a", "level": "pass", "observed": 1}]},
    ],
)
def test_it_refuses_what_no_audit_writes(change: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid(written() | change)


def test_no_key_may_be_missing() -> None:
    """A reader of the file need not ask whether a key is there."""
    for key in written():
        assert not VALIDATOR.is_valid({k: v for k, v in written().items() if k != key}), key
