"""The JSON Schema of a comparison's `report.json`, for those who gate a schedule on it.

`python -m schemas.comparison_json_schema` prints what `schemas/comparison.schema.json` holds.
"""

import sys

from schemas.audit_json_schema import schema_text
from schemas.comparison import Comparison

if __name__ == "__main__":
    sys.stdout.write(schema_text(Comparison))
