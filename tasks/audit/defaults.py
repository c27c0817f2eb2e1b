"""Gates that an audit has without a gates file."""

from collections.abc import Mapping

from schemas.bounds import Bound

DEFAULT_GATES: Mapping[str, Bound] = {}
