"""The recipe's JSON Schema, for editors that complete and check recipes as they are written.

`python -m schemas.json_schema` prints what `schemas/recipe.schema.json` holds.
"""

import json
import sys
from functools import cache
from typing import Any

from schemas.recipe import Recipe

_TAGS = ("kind", "backend")
_TAG_MAY_BE_ABSENT = ("Classification", "TransformersModel")


@cache
def recipe_json_schema() -> dict[str, Any]:
    """Describe what a recipe may hold, short forms included (JSON Schema, draft 2020-12).

    The result is shared: do not change it.
    """
    schema = Recipe.model_json_schema()
    for name, definition in schema["$defs"].items():
        # Pydantic calls a tag with a default optional; a union can only be told apart by it.
        tags = [tag for tag in _TAGS if "const" in definition.get("properties", {}).get(tag, {})]
        if tags and name not in _TAG_MAY_BE_ABSENT:
            definition["required"] = [*definition.get("required", ()), *tags]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def schema_text() -> str:
    """Write the schema as the shipped file holds it."""
    return json.dumps(recipe_json_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
