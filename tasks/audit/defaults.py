"""Gates that an audit has without a gates file."""

from collections.abc import Mapping

from schemas.audit_gates import Bound

DEFAULT_GATES: Mapping[str, Bound] = {}
