"""The JSON Schema of an `evaluation.json`, for those who gate a schedule on it.

`python -m schemas.evaluation_json_schema` prints what `schemas/evaluation.schema.json` holds.
"""

import sys

from schemas.audit_json_schema import schema_text
from schemas.evaluation import Evaluation

if __name__ == "__main__":
    sys.stdout.write(schema_text(Evaluation))
