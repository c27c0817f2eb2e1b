"""What a release's report says: the content of `report.json`, all of it on the page."""

from typing import Literal

from pydantic import Field

from schemas.audit import Audit
from schemas.base import Frozen
from schemas.manifest import (
    Determinism,
    GateResult,
    Hardware,
    ModelInfo,
    RowCounts,
    Shortfall,
    TokenCounts,
)


class Excerpt(Frozen):
    """The beginning of a text, and how long the whole is."""

    text: str
    chars: int = Field(ge=0)
    """Code points of the whole text; more than `text` holds when it was cut."""

    @property
    def is_cut(self) -> bool:
        """Whether the whole text is longer than what is kept of it."""
        return self.chars > len(self.text)


class Interval(Frozen):
    """An estimate with the bounds of its 95 % confidence interval."""

    value: float
    low: float
    high: float
    n: int = Field(ge=1)
    """Observations that it is estimated from."""


class Share(Frozen):
    """One label or attribute value: what was asked for and what the released rows hold."""

    name: str
    asked: float = Field(ge=0, le=1)
    """Part of the rows that the recipe asks for."""
    got: float = Field(ge=0, le=1)
    """Part of the accepted rows."""
    rows: int = Field(ge=0)
    """Accepted rows."""
    missing: int | None = None
    """Rows asked for and not accepted; null for attribute values, which have no quota."""
    rejected: int = Field(default=0, ge=0)
    """Rejected candidates."""


class Shares(Frozen):
    """The labels, or the values of one attribute."""

    name: str
    """`label`, or the attribute's name."""
    entries: tuple[Share, ...]
    """In the recipe's order; when there are too many, those with the least shares are left out."""
    left_out: int = 0
    """Entries that are not listed."""
    left_out_rows: int = 0
    """Accepted rows of the entries that are not listed."""
    total_variation: float = Field(ge=0, le=1)
    """Half the sum of |got - asked| over all entries: 0 means exactly as asked."""


class ReasonCount(Frozen):
    """Rejected candidates of one reason."""

    reason: str
    rows: int = Field(ge=1)
    share: float = Field(ge=0, le=1)
    """Part of all generated candidates."""
    meaning: str


class Bin(Frozen):
    """One bar of a histogram: lengths from `start` up to but not including `end`."""

    start: int
    end: int | None
    """Null for the last bar when it has no upper end."""
    rows: int


class Lengths(Frozen):
    """How long the accepted texts are, before noise."""

    unit: Literal["characters", "words"]
    mean: float
    least: int
    p5: int
    median: int
    p95: int
    greatest: int
    bins: tuple[Bin, ...]


class StrategyFindings(Frozen):
    """One strategy of the recipe beside the others."""

    kind: str
    settings: str
    """Its parameters in a line."""
    asked: int
    """Rows that the recipe gives it."""
    accepted: int
    rejected: int
    """Rejected candidates."""
    missing: int
    """Rows asked for and not accepted."""
    acceptance: Interval | None
    """Accepted part of the candidates, Wilson interval; null without candidates."""
    tokens_per_row: float | None
    """Generated tokens, rejected candidates included, over accepted rows; null without rows."""
    seconds_per_row: float | None
    """Seconds of generation, rejected candidates included, over accepted rows; null without
    rows."""
    mean_words: Interval | None
    """Mean number of words of an accepted row before noise; null without rows."""
    logprob: Interval | None
    """Mean over accepted rows of the mean log-probability per token, nats; null when unknown."""
    agreement: Interval | None
    """Part of the accepted rows to which a classifier that never saw them gives their label, Wilson
    interval; null when it was not measured."""
    distinct: tuple[float | None, float | None, float | None]
    """Distinct part of the words, word 2-grams and 3-grams in `distinct_words` words; nulls with
    too few words."""
    self_bleu: Interval | None
    """Mean BLEU-4 of each of `self_bleu_texts` texts against the others; null with too few."""


class Comparison(Frozen):
    """What the strategies were compared on; samples are rows with the smallest hash of their id."""

    distinct_words: int
    """Words of each strategy's sample for `distinct`; 0 when it is not measured."""
    self_bleu_texts: int
    """Texts of each strategy's sample for `self_bleu`; 0 when it is not measured."""
    agreement_texts: int
    """Texts of all strategies together on which agreement was measured."""
    agreement_left_out: int
    """Sampled texts that were left out because their label has too few."""
    agreement_chance: float | None
    """Agreement that the most frequent label alone would reach; null when nothing was measured."""
    agreement_obstacle: str | None
    """Why agreement was not measured; null when it was."""


class NoiseFindings(Frozen):
    """What the noise stage did to the accepted rows."""

    asked: float
    rows: int
    """Accepted rows that were noised."""
    share: float
    flipped_labels: int
    """Rows whose label was flipped."""
    edits: dict[str, int]
    """Edits by kind, over all rows."""


class SampleRow(Frozen):
    """An accepted row to look at."""

    id: str
    label: str
    strategy: str
    attributes: dict[str, str]
    text: Excerpt
    prompt: Excerpt
    num_tokens: int
    logprob: float | None


class Segment(Frozen):
    """A stretch of a noised text: `before` became `after`."""

    kind: Literal["same", "deleted", "inserted", "replaced"]
    before: str
    after: str


class NoisedRow(SampleRow):
    """A noised row to look at."""

    clean_text: Excerpt
    clean_label: str | None
    """The label asked for; None when it was not flipped."""
    segments: tuple[Segment, ...]
    """The beginning of the text with every edit in its place."""
    edits: dict[str, int]
    """Edits of this row by kind."""


class RejectedRow(SampleRow):
    """A rejected candidate to look at."""

    stage: str
    reason: str
    detail: Excerpt


class Samples(Frozen):
    """Rows chosen by the hash of their id: spread over labels and reasons."""

    accepted: tuple[SampleRow, ...]
    noised: tuple[NoisedRow, ...]
    rejected: tuple[RejectedRow, ...]
    """In the order of the funnel's reasons."""


class Provenance(Frozen):
    """What made the rows."""

    model: ModelInfo
    seed: int
    recipe_sha256: str
    templates: tuple[str, ...]
    packages: dict[str, str]
    tokens: TokenCounts
    seconds: dict[str, float]
    determinism: Determinism
    hardware: Hardware
    parent: str | None


class Findings(Frozen):
    """Every number and every sample row of a release's report."""

    schema_version: Literal[1] = 1
    name: str
    version: str
    created: str
    language: str
    verdict: Literal["pass", "fail"]
    grounds: tuple[str, ...] = Field(min_length=1)
    """Why the verdict is what it is, in sentences."""
    counts: RowCounts
    rejections: tuple[ReasonCount, ...]
    """Most frequent first; their rows add up to generated - accepted."""
    shortfalls: tuple[Shortfall, ...]
    """Greatest first."""
    shortfalls_left_out: int = 0
    splits: dict[str, int]
    gates: tuple[GateResult, ...]
    labels: Shares
    attributes: tuple[Shares, ...]
    attributes_left_out: int = 0
    lengths: tuple[Lengths, ...]
    strategies: tuple[StrategyFindings, ...]
    """In the recipe's order."""
    comparison: Comparison
    noise: NoiseFindings | None
    samples: Samples
    recipe: Excerpt
    """The resolved recipe as YAML."""
    provenance: Provenance
    audit: Audit | None = None
    """The audit of the released rows; null when the recipe leaves it out."""
