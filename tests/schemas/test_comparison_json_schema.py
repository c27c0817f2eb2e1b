import json
from importlib.resources import files

import jsonschema

from schemas.audit import Audit, Estimate, GateOutcome, Group, Inspected, Section
from schemas.audit_json_schema import schema_text, written_schema
from schemas.comparison import Comparison, GatePair, LabelPair, MetricPair

VALIDATOR = jsonschema.Draft202012Validator(written_schema(Comparison))


def comparison() -> Comparison:
    audit = Audit(
        name="a", created="2026-11-21T07:45:08Z", corpusmith="0.1.0", verdict="ship",
        inputs=(Inspected(role="audited", path="a.csv", rows=4, text="text", label=None),),
        reasons=(), sections=(), bands=(), gates=(),
    )  # fmt: skip
    gate = GateOutcome(metric="m", level="pass", observed=0.5, bound="<= 1")
    share = Estimate(value=0.5, low=0.1, high=0.9, n=4)
    return Comparison(
        created="2026-11-21T07:45:08Z", corpusmith="0.1.0", first=audit, second=audit,
        metrics=(
            MetricPair(
                name="m", group=Group.SHAPE, title="M", unit="share", first=share, second=None,
                change="unknown",
            ),
        ),
        gates=(GatePair(metric="m", first=gate, second=gate, change="same"),),
        labels=(
            LabelPair(
                label=None, first_rows=2, second_rows=0, first=share, second=None, change="unknown"
            ),
        ),
        drift=Section(group=Group.FIDELITY, metrics=()), new_labels=("n",), kept_rows=3,
    )  # fmt: skip


def test_the_shipped_file_is_current() -> None:
    shipped = files("schemas").joinpath("comparison.schema.json").read_text(encoding="utf-8")
    command = "python -m schemas.comparison_json_schema > schemas/comparison.schema.json"
    assert shipped == schema_text(Comparison), command


def test_it_is_a_json_schema_that_accepts_what_a_comparison_writes() -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(schema_text(Comparison)))
    written = json.loads(comparison().model_dump_json())
    VALIDATOR.validate(written)
    assert Comparison.model_validate(written) == comparison()


def test_it_wants_every_key_and_no_other() -> None:
    written = json.loads(comparison().model_dump_json())
    for name in written:
        assert not VALIDATOR.is_valid({key: written[key] for key in written if key != name})
    assert not VALIDATOR.is_valid(written | {"more": 1})
    assert not VALIDATOR.is_valid(written | {"kept_rows": -1})
