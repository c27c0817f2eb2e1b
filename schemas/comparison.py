"""Two audited datasets side by side: what got better, what got worse, how far they drifted."""

from typing import Literal

from pydantic import Field

from schemas.audit import Audit, Estimate, GateOutcome, Group, Section
from schemas.base import Frozen

SCHEMA_VERSION = 1

Change = Literal["better", "worse", "changed", "same", "unknown"]
"""`same`: the 95 % intervals overlap, or the values are equal; `changed`: they do not, and neither
direction is better; `unknown`: one of the two was not measured."""


class MetricPair(Frozen):
    """One metric of both datasets."""

    name: str
    group: Group
    title: str
    unit: str
    first: Estimate | None
    second: Estimate | None
    change: Change


class GatePair(Frozen):
    """One gate of both datasets."""

    metric: str
    first: GateOutcome
    second: GateOutcome
    change: Change
    """Never `changed`. A gate that warns or fails where nothing was measured before got worse."""


class LabelPair(Frozen):
    """One label of both datasets."""

    label: str | None
    """Null: rows without a label."""
    first_rows: int = Field(ge=0)
    second_rows: int = Field(ge=0)
    first: Estimate | None
    """Share of the rows; null when the dataset has no rows or no labels."""
    second: Estimate | None
    change: Change


class Comparison(Frozen):
    """The second dataset held against the first: the content of `compare`'s `report.json`."""

    schema_version: int = SCHEMA_VERSION
    created: str
    corpusmith: str
    first: Audit
    second: Audit
    metrics: tuple[MetricPair, ...]
    gates: tuple[GatePair, ...]
    labels: tuple[LabelPair, ...] = ()
    """By how far the shares lie apart, farthest first; empty when neither dataset has labels."""
    labels_left_out: int = Field(default=0, ge=0)
    """Labels whose shares lie closer together than those of `labels`."""
    drift: Section
    """The room of fidelity with the first dataset as the reference of the second."""
    new_labels: tuple[str, ...] = ()
    """Labels of the second that the first lacks; none when one of the two has no labels at all."""
    lost_labels: tuple[str, ...] = ()
    kept_rows: int = Field(ge=0)
    """Rows of the second whose normalised text the first has too."""

    @property
    def regressions(self) -> tuple[str, ...]:
        """Gates at which the second does worse."""
        return tuple(pair.metric for pair in self.gates if pair.change == "worse")
