"""The JSON Schema of an audit's `report.json`, for those who gate a schedule on it.

`python -m schemas.audit_json_schema` prints what `schemas/audit.schema.json` holds.
"""

import json
import sys
from typing import Any

from schemas.audit import Audit


def audit_json_schema() -> dict[str, Any]:
    """Describe what a `report.json` holds, every key of it (JSON Schema, draft 2020-12)."""
    schema = Audit.model_json_schema(mode="serialization")
    for definition in (schema, *schema["$defs"].values()):
        if "properties" in definition:
            # What has a default may be left out by who writes one; an audit leaves nothing out.
            definition["required"] = list(definition["properties"])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def schema_text() -> str:
    """Write the schema as the shipped file holds it."""
    return json.dumps(audit_json_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
