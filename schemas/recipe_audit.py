"""What a release is audited beside."""

from pydantic import Field

from schemas.base import Frozen
from schemas.bounds import Weight

MOST_ROWS = 20_000


class RecipeAudit(Frozen):
    """The audit of the released rows, as `corpusmith audit` makes it of any dataset.

    Language, labels and attributes asked for are the recipe's.
    """

    rows: int = Field(default=MOST_ROWS, ge=1, le=1_000_000)
    """Rows that are measured at most: those with the smallest hash of id and text. It bounds time
    and memory, and the report states it."""
    reference: str | None = Field(default=None, min_length=1)
    """Real data of the task, beside the recipe or as a URI (s3, gs, hf, https): a file or folder
    with the columns text and label."""
    holdout: str | None = Field(default=None, min_length=1)
    """Evaluation data, beside the recipe or as a URI, that must not be in the release."""
    generator: bool = False
    """Let the recipe's own model, which must be decoder-only, read a sample of the texts: how
    probable they are, which labels it would give them, which pronouns it expects where."""
    groups: dict[str, dict[str, Weight]] = Field(default_factory=dict)
    """Target weight of each group by axis: `gender: {female: 1, male: 1}`."""
