"""The manifest of a release: what was asked, what was made, by what, and how to check it."""

from typing import Literal, assert_never

from pydantic import Field, model_validator

from schemas.audit import Verdict
from schemas.base import Frozen

SCHEMA_VERSION = 1

Family = Literal["decoder", "encoder_decoder", "masked"]
"""How a model writes: on from its prompt, an answer to what an encoder read, or into gaps."""


class ModelInfo(Frozen):
    """The model that wrote the texts, identified so that another run can use the same one."""

    id: str
    """`starter`, hub id, or folder name."""
    revision: str | None = None
    """Commit of a hub model, host of an endpoint; null for local weights."""
    weights_sha256: str
    """SHA-256 over the weight files, in name order; "" behind an endpoint."""
    licence: str = "unknown"
    backend: str
    dtype: str = ""
    device: str = ""
    context_length: int = Field(ge=1)
    """Most tokens that the model has positions for; see `holds`."""
    family: Family = "decoder"
    """How it writes."""

    def holds(self, *, prompt: int, reply: int) -> bool:
        """Tell whether a prompt and the longest reply to it fit into the context.

        A decoder reads both in one. An encoder reads the prompt, and a decoder beside it the reply,
        behind its start token. A masked model's reply stands in the prompt's own places.

        Args:
            prompt: Tokens of the prompt.
            reply: Most tokens of the reply.
        """
        match self.family:
            case "decoder":
                return prompt + reply <= self.context_length
            case "encoder_decoder":
                return max(prompt, reply + 1) <= self.context_length
            case "masked":
                return prompt <= self.context_length
            case _:
                assert_never(self.family)

    @property
    def reference(self) -> str:
        """Model id with revision, or with the first 12 digits of the weights' hash."""
        return f"{self.id}@{self.revision or self.weights_sha256[:12]}"


class RowCounts(Frozen):
    """Counts that add up: generated = accepted + rejected, requested = accepted + shortfall."""

    requested: int = Field(ge=0)
    generated: int = Field(ge=0)
    accepted: int = Field(ge=0)
    shortfall: int = Field(ge=0)
    rejected: dict[str, int] = Field(default_factory=dict)
    """Rejected candidates by reason."""

    @model_validator(mode="after")
    def _add_up(self) -> "RowCounts":
        if self.generated != self.accepted + sum(self.rejected.values()):
            raise ValueError("generated is not accepted + rejected")
        if self.requested != self.accepted + self.shortfall:
            raise ValueError("requested is not accepted + shortfall")
        return self


class Shortfall(Frozen):
    """Rows that stayed empty when the budget was spent, and why their last candidates fell."""

    label: str
    strategy: str
    missing: int = Field(ge=1)
    reasons: dict[str, int] = Field(default_factory=dict)
    """Rejected candidates of these rows, by reason."""


class TokenCounts(Frozen):
    """Tokens read and written by the model."""

    prompt: int = Field(ge=0)
    generated: int = Field(ge=0)


class StrategyAccount(Frozen):
    """One strategy of the recipe: its rows, and what they cost."""

    kind: str
    requested: int = Field(ge=0)
    generated: int = Field(ge=0)
    """Candidates."""
    accepted: int = Field(ge=0)
    tokens: int = Field(ge=0)
    """Generated tokens, those of rejected candidates included."""
    seconds: float = Field(ge=0)
    """Seconds of generation, summed over shards and over the interrupted tries of the run."""


class Determinism(Frozen):
    """Which promise the rows carry."""

    promise: Literal["exact", "float32", "batch_plan", "none"]
    """`exact`: no row depends on its neighbours; `float32`: only near ties can; `batch_plan`: rows
    are the same for one batch plan; `none`: another program computes them."""
    statement: str
    """The promise in a sentence, with the measured flip rate where there is one."""


class Hardware(Frozen):
    """The machine, as far as it can bear on the figures."""

    device: str
    cpu: str
    cpu_count: int
    torch_threads: int | None = None
    memory_bytes: int | None = None


class FileEntry(Frozen):
    """One file of the release."""

    path: str
    """Path inside the release folder, with forward slashes."""
    sha256: str
    bytes: int
    rows: int | None = None


class GateResult(Frozen):
    """One dataset gate: what was measured against which bound."""

    name: str
    passed: bool
    observed: float | None
    """Null when it could not be measured."""
    bound: str
    """The condition in words: `>= 0.9`."""
    meaning: str


class AuditSummary(Frozen):
    """What the audit made of the released rows; all of it is in `report.json`."""

    verdict: Verdict
    """`block` fails the run unless `gates.audit` is off."""
    reasons: tuple[str, ...]
    """The three strongest, strongest first."""
    gates: dict[str, int]
    """Gates of the audit by outcome: `pass`, `warn`, `fail`, `unmeasured`."""


class Manifest(Frozen):
    """Everything needed to check, repeat or refuse a release."""

    schema_version: int = SCHEMA_VERSION
    name: str
    version: str
    created: str
    """UTC, ISO 8601."""
    verdict: Literal["pass", "fail"]
    recipe_sha256: str
    inputs: dict[str, str] = Field(default_factory=dict)
    """What the recipe only names (template, examples, weights, ...): SHA-256 of each, or a word."""
    model: ModelInfo
    packages: dict[str, str]
    rows: RowCounts
    shortfalls: tuple[Shortfall, ...] = ()
    splits: dict[str, int]
    tokens: TokenCounts
    usd: float | None = None
    """US dollars that an endpoint's replies cost by the recipe's price, all interrupted tries of
    the run included, and requests without an answer at their most; null without a price."""
    seconds: dict[str, float]
    """Seconds by stage, summed over shards and over the interrupted tries of the run: of the wall;
    of `render`, `score` and `noise`, which run beside other work, of the processor.

    `export` is the writing of rows, report and card; the report itself cannot state it.
    """
    strategies: tuple[StrategyAccount, ...] = ()
    """One for each strategy, in the recipe's order; they add up to `rows` and `tokens`."""
    determinism: Determinism
    hardware: Hardware
    gates: tuple[GateResult, ...]
    audit: AuditSummary | None = None
    """Null when the recipe leaves it out."""
    files: tuple[FileEntry, ...]
    parent: str | None = None
    """The version that `latest.json` named when the run began; null for the first."""

    @model_validator(mode="after")
    def _splits_hold_all(self) -> "Manifest":
        if sum(self.splits.values()) != self.rows.accepted:
            raise ValueError("the splits do not add up to the accepted rows")
        return self

    @model_validator(mode="after")
    def _strategies_hold_all(self) -> "Manifest":
        books = [(s.requested, s.generated, s.accepted, s.tokens) for s in self.strategies]
        rows = self.rows
        whole = (rows.requested, rows.generated, rows.accepted, self.tokens.generated)
        if books and tuple(map(sum, zip(*books, strict=True))) != whole:
            raise ValueError("the strategies do not add up to the rows and tokens of the run")
        return self
