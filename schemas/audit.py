"""What an audit says: metrics with their intervals and baselines, findings with rows, a verdict."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, model_validator

from schemas.base import Frozen

SCHEMA_VERSION = 1


class Group(StrEnum):
    """The rooms of an audit, in the order in which a page shows them."""

    SHAPE = "shape"
    FLUENCY = "fluency"
    DIVERSITY = "diversity"
    DUPLICATES = "duplicates"
    LABELS = "labels"
    FIDELITY = "fidelity"
    DRIFT = "drift"
    PRIVACY = "privacy"
    CONTAMINATION = "contamination"
    SAFETY = "safety"
    BIAS = "bias"


class Estimate(Frozen):
    """A figure, the bounds of its 95 % confidence interval, and what it was estimated from."""

    value: float = Field(allow_inf_nan=False)
    """The figure, in the metric's unit."""
    low: float | None = Field(default=None, allow_inf_nan=False)
    """Lower bound of the interval; null when none is defined."""
    high: float | None = Field(default=None, allow_inf_nan=False)
    """Upper bound of the interval; null when none is defined."""
    n: int = Field(ge=1)
    """Observations: rows, pairs or n-grams, as the metric's definition says."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if (self.low is None) != (self.high is None):
            raise ValueError("an interval has both bounds or none")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"the interval is {self.low} to {self.high}")
        return self


class Metric(Frozen):
    """One measured figure, or the reason why there is none."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    """Unique in an audit; a gate of the same name bounds it."""
    group: Group
    """The room that it belongs to."""
    title: str
    """A few plain words."""
    unit: Literal["share", "score", "bits", "nats", "words", "characters", "rows", "ratio"]
    """A `share` lies in [0, 1]; a `score` and a `ratio` have no unit."""
    better: Literal["lower", "higher", "neither"]
    """Which way is better, all else equal."""
    estimate: Estimate | None
    """Null when it was not measured."""
    unmeasured: str | None = None
    """Why there is no estimate."""
    baseline: Estimate | None = None
    """The same figure of the reference, from as many rows."""
    sampled: int | None = Field(default=None, ge=1)
    """Rows of the sample that it was measured on; null when every row counted."""
    definition: str
    """What is measured, exactly enough to do it again."""
    source: str = ""
    """Paper or standard, with its address; empty where the definition is all there is."""

    @model_validator(mode="after")
    def _measured_or_not(self) -> Self:
        if (self.estimate is None) == (self.unmeasured is None):
            raise ValueError(f"{self.name} has either an estimate or a reason for none")
        return self


class Span(Frozen):
    """Part of a shown text, in code points."""

    start: int = Field(ge=0)
    """The first code point."""
    end: int = Field(ge=0)
    """The one after the last."""


class Evidence(Frozen):
    """A row that shows what a finding means."""

    id: str
    """The row's id, or its number in the file."""
    text: str
    """The text, or its beginning."""
    chars: int = Field(ge=0)
    """Code points of the whole text."""
    label: str | None = None
    """Its label; null when it has none."""
    spans: tuple[Span, ...] = ()
    """What the finding is about, within `text`."""
    note: str = ""
    """What was seen in this row: "expected class lost_card (0.97)"."""
    other: str | None = None
    """The text that it is compared with: the row it copies, the passage it repeats."""
    other_id: str | None = None
    """That text's id."""


class Finding(Frozen):
    """Something that a reader should know, with rows that show it."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    """What kind of finding it is."""
    group: Group
    """The room that it belongs to."""
    metric: str | None = None
    """The metric that it puts into words, where the finding has another name: a gate on that metric
    decides how grave the finding is."""
    severity: Literal["block", "fix", "note"] = "note"
    """`block`: do not train on this; `fix`: mend it first; `note`: know it."""
    what: str
    """One sentence with the figure in it."""
    action: str
    """What to do next."""
    rows: int | None = Field(default=None, ge=0)
    """Rows concerned; null where the finding is about the whole."""
    evidence: tuple[Evidence, ...] = ()
    """The worst rows, at most 20."""

    @property
    def measured_by(self) -> str:
        """Name of the metric whose gate decides, if there is one."""
        return self.metric or self.name


Cell = str | int | float | None


class Table(Frozen):
    """Figures that are more than one: a noise matrix, the n-grams that give a label away."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    """What it holds."""
    group: Group
    """The room that it belongs to."""
    title: str
    """A few plain words."""
    caption: str
    """How to read it; how rows were chosen when not all are here."""
    columns: tuple[str, ...]
    """The header."""
    rows: tuple[tuple[Cell, ...], ...]
    """Each as long as the header."""
    left_out: int = Field(default=0, ge=0)
    """Rows that are not shown."""

    @model_validator(mode="after")
    def _rectangular(self) -> Self:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"table {self.name} has a row of another length than its header")
        return self


class Section(Frozen):
    """What one room of the audit found."""

    group: Group
    """The room."""
    metrics: tuple[Metric, ...]
    """Every metric of the room, measured or not."""
    tables: tuple[Table, ...] = ()
    """Figures that are more than one."""
    findings: tuple[Finding, ...] = ()
    """What a reader should know."""

    @classmethod
    def joined(cls, group: Group, parts: Iterable["Section"]) -> "Section":
        """Make one section of several."""
        sections = list(parts)
        return cls(
            group=group,
            metrics=tuple(metric for part in sections for metric in part.metrics),
            tables=tuple(table for part in sections for table in part.tables),
            findings=tuple(finding for part in sections for finding in part.findings),
        )


class GateOutcome(Frozen):
    """What one gate said about its metric."""

    metric: str
    """Name of the metric."""
    level: Literal["pass", "warn", "fail", "unmeasured"]
    """`unmeasured`: the metric has no estimate, or the gate no bound for this dataset (nothing was
    asked for, no reference to compare with, too few observations): nothing is held against it."""
    observed: float | None
    """The metric's estimate; null when there is none."""
    bound: str
    """The bound that was broken, or the strictest that held: "<= 0.05"; empty without one."""


Verdict = Literal["ship", "fix", "block"]


class Band(Frozen):
    """One room in a word: where it stands and what to do next."""

    group: Group
    """The room."""
    level: Literal["good", "fair", "poor", "unmeasured"]
    """`poor`: something blocks; `fair`: something is to be mended; `unmeasured`: nothing was
    measured."""
    why: str
    """The strongest ground in one sentence."""
    action: str
    """What to do next; empty when there is nothing to do."""


class Inspected(Frozen):
    """A dataset that was read: the audited one, its reference or its holdout."""

    role: Literal["audited", "reference", "holdout", "examples", "previous"]
    """What it was given as."""
    path: str
    """Name of the file or folder, without where it lies."""
    rows: int = Field(ge=0)
    """Rows read."""
    drawn_from: int | None = Field(default=None, ge=0)
    """Rows of the dataset, when these are a sample of them; null when all were read."""
    text: str
    """Column of the texts."""
    label: str | None
    """Column of the labels."""


class Audit(Frozen):
    """The whole audit of a dataset: the content of its `report.json`."""

    schema_version: int = SCHEMA_VERSION
    """Grows when a key changes its meaning or goes."""
    name: str
    """Name of the dataset."""
    created: str
    """UTC, ISO 8601."""
    corpusmith: str
    """Version that measured."""
    inputs: tuple[Inspected, ...]
    """What was read, the audited dataset first."""
    verdict: Verdict
    """`ship`: nothing found stands against training on it; `fix`: mend it first; `block`: do not
    train on it as it is."""
    reasons: tuple[str, ...]
    """The three strongest, strongest first."""
    bands: tuple[Band, ...]
    """One a room."""
    gates: tuple[GateOutcome, ...]
    """In the order of the metrics."""
    sections: tuple[Section, ...]
    """One a room, in the order of `Group`."""
    sample: tuple[Evidence, ...] = ()
    """Rows drawn by a hash of id and text."""
    seconds: dict[str, float] = Field(default_factory=dict)
    """Seconds of processor time by group."""

    def metrics(self) -> dict[str, Metric]:
        """Return every metric by its name."""
        return {metric.name: metric for section in self.sections for metric in section.metrics}
