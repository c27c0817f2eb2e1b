"""The JSON Schema of an audit's `report.json`, for those who gate a schedule on it.

`python -m schemas.audit_json_schema` prints what `schemas/audit.schema.json` holds.
"""

import json
import sys
from typing import Any

from pydantic import BaseModel

from schemas.audit import Audit


def audit_json_schema() -> dict[str, Any]:
    """Describe what a `report.json` holds, every key of it (JSON Schema, draft 2020-12)."""
    return written_schema(Audit)


def written_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Describe what a model is written as, every key of it (JSON Schema, draft 2020-12)."""
    schema = model.model_json_schema(mode="serialization")
    for definition in (schema, *schema["$defs"].values()):
        if "properties" in definition:
            # What has a default may be left out by who writes one; a report leaves nothing out.
            definition["required"] = list(definition["properties"])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def schema_text(model: type[BaseModel] = Audit) -> str:
    """Write a model's schema as its shipped file holds it."""
    return json.dumps(written_schema(model), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
