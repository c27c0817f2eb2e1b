"""References to files: what travels between Prefect tasks instead of tensors and frames."""

from pathlib import Path

from pydantic import Field

from schemas.base import Frozen


class FileRef(Frozen):
    """A whole file on disk: where it is, what it holds, how to tell that it is intact."""

    path: Path
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    rows: int = Field(ge=0)
    """Rows in the file; 0 for a file that holds none."""
