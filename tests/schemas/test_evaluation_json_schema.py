import json
from importlib.resources import files

import jsonschema

from schemas.audit_json_schema import schema_text
from schemas.evaluation import Evaluation


def test_the_shipped_file_is_current() -> None:
    shipped = files("schemas").joinpath("evaluation.schema.json").read_text(encoding="utf-8")
    command = "python -m schemas.evaluation_json_schema > schemas/evaluation.schema.json"
    assert shipped == schema_text(Evaluation), command


def test_it_is_a_json_schema_that_wants_every_key() -> None:
    schema = json.loads(schema_text(Evaluation))
    jsonschema.Draft202012Validator.check_schema(schema)
    assert set(schema["required"]) == set(Evaluation.model_fields)
