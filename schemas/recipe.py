"""The recipe: everything that decides what a release holds."""

from typing import Annotated, Any, Literal

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from schemas.base import Frozen
from schemas.bounds import or_off
from schemas.gates import Gates, GatesConfig
from schemas.models import OpenAIModel, VllmModel
from schemas.noise import NoiseConfig
from schemas.noise_mixtures import asks_for_tokenizer, labels_named, unknown_label, walk
from schemas.output import JsonOutput, Output, output_conflict
from schemas.recipe_audit import RecipeAudit
from schemas.strategies import NoisyChannel, Nucleus, Strategy

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=64)]
LabelName = Annotated[
    str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]+$", max_length=200)
]
SplitName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=32)]
Weight = Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)]
Description = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=64)]
Values = Annotated[tuple[str, ...], Field(min_length=1, max_length=10_000)]
Citation = Annotated[str, StringConstraints(min_length=1, max_length=4000)]


def _spdx(value: str) -> str:
    try:
        known = str(canonicalize_license_expression(value))
    except InvalidLicenseExpression:
        known = ""
    if not known or any(character in known for character in " ()"):
        raise ValueError(
            f"{value!r} is not one SPDX identifier, such as CC-BY-4.0; "
            "terms of your own are written LicenseRef-NAME"
        )
    return known


Licence = Annotated[str, StringConstraints(max_length=100), AfterValidator(_spdx)]
"""One SPDX identifier, in the spelling of its list."""


class Label(Frozen):
    """One class of the corpus; a bare string in the recipe is its description."""

    description: Description
    """What a text of this label says or wants, in plain words; the model reads it."""
    share: Weight = 1.0
    """Part of the rows, relative to the other labels' shares."""


class Attribute(Frozen):
    """A further axis of variation, drawn for each row and attempt; a bare list is its values."""

    values: Values
    weights: tuple[Weight, ...] | None = None
    """Relative frequency of each value; equal when absent."""

    @model_validator(mode="after")
    def _one_weight_a_value(self) -> "Attribute":
        if self.weights is not None and len(self.weights) != len(self.values):
            raise ValueError(f"{len(self.values)} values but {len(self.weights)} weights")
        if len(set(self.values)) != len(self.values):
            raise ValueError("the same value stands twice; give it a weight instead")
        return self


def _long_label(value: Any) -> Any:
    return {"description": value} if isinstance(value, str) else value


def _long_attribute(value: Any) -> Any:
    return {"values": value} if isinstance(value, (list, tuple)) else value


def _long_task(value: Any) -> Any:
    return {"kind": value} if isinstance(value, str) else value


def _default_backend(value: Any) -> Any:
    if isinstance(value, dict) and "backend" not in value:
        return {"backend": "transformers", **value}
    return value


class Classification(Frozen):
    """Each row has exactly one label."""

    kind: Literal["classification"] = "classification"


Task = Annotated[
    Annotated[Classification, Field()],
    BeforeValidator(_long_task, json_schema_input_type=Classification | Literal["classification"]),
]
"""What a label is. Multi-label, spans, pairs and text-to-text become further members."""


class Examples(Frozen):
    """Few-shot examples: a JSONL file of `{"text": ..., "label": ...}`."""

    path: str = Field(min_length=1)
    """File beside the recipe, or its URI (s3, gs, hf, https)."""
    per_row: int = Field(default=3, ge=0, le=100)
    """Number of examples in each prompt."""
    draw: Literal["own", "mixed"] = "own"
    """`own`: from the row's own label; `mixed`: from all labels."""
    licence: Licence | None = None
    """SPDX identifier of their licence, for the dataset card."""
    citation: Citation | None = None
    """How to cite them."""


class Prompt(Frozen):
    """Which template is rendered, with which examples."""

    template: str = Field(default="intent", min_length=1)
    """A name among the shipped templates, or a path beside the recipe."""
    examples: Examples | None = None
    output: Output | None = None
    """The form that replies must have; any when absent."""


DEFAULT_MASK_RATE = 0.3


class TransformersModel(Frozen):
    """A model run by transformers in this process: decoder-only, encoder-decoder or masked."""

    backend: Literal["transformers"] = "transformers"
    name: str = Field(default="starter", min_length=1)
    """`starter`, a hub id, or a local folder."""
    revision: str | None = None
    """Branch, tag or commit of a hub id."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """`auto`: float32 on a CPU, bfloat16 on a GPU that has it."""
    device: Annotated[str, StringConstraints(pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")] = "auto"
    batch_size: Literal["auto"] | Annotated[int, Field(ge=1, le=65_536)] = "auto"
    """Lanes, that is hypotheses in flight: a beam search of four takes four for a prompt. `auto`
    measures how many pay in float32 on slots; elsewhere it finds them from the free memory."""
    deterministic: Literal["auto", "strict"] = "auto"
    """`strict`: each row is computed alone, in shapes that depend on nothing but the row."""
    mask_rate: float = Field(default=DEFAULT_MASK_RATE, gt=0, le=1)
    """Part of a text's tokens that a masked model (BERT and its kin) writes anew; others have no
    use for it."""


class ScriptedModel(Frozen):
    """Replies read from a file instead of a model: for tests and dry runs of a whole pipeline."""

    backend: Literal["scripted"] = "scripted"
    name: str = Field(min_length=1)
    """JSONL file beside the recipe, `{"text": ..., "label": ...}` a line.

    One line is drawn per row and attempt among those of the row's label.
    """


AnyModel = TransformersModel | ScriptedModel | OpenAIModel | VllmModel
"""A model of any backend."""
_AnyModel = Annotated[AnyModel, Field(discriminator="backend")]
Model = Annotated[_AnyModel, BeforeValidator(_default_backend, json_schema_input_type=_AnyModel)]


class Budget(Frozen):
    """When to stop trying."""

    attempts_per_row: int = Field(default=5, ge=1, le=1000)
    """How often one row may be generated before it counts as missing."""
    tokens: int | None = Field(default=None, ge=1)
    """Most tokens to generate in all; never exceeded."""
    usd: float | None = Field(default=None, gt=0, le=1e9, allow_inf_nan=False)
    """Most US dollars to spend at an endpoint, by `model.price`; never exceeded."""
    allow_shortfall: bool = False
    """Release what there is when the budget is spent, instead of failing."""


class Recipe(Frozen):
    """A corpus, described completely: with the model's weights it decides every row."""

    name: Name
    """Name of the corpus and of its folder."""
    seed: int = Field(default=0, ge=0, lt=2**63)
    """Key of all randomness."""
    rows: int = Field(ge=1, le=1_000_000_000)
    """Accepted rows wanted, exactly."""
    language: str = Field(default="en", pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$")
    """BCP 47 tag of the texts' language, for the dataset card."""
    licence: Licence | None = None
    """SPDX identifier of the licence that you publish the corpus under; not set when absent."""
    citation: Citation | None = None
    """How to cite the corpus, best in BibTeX."""
    task: Task = Classification()
    """What kind of label a row has."""
    labels: dict[
        LabelName,
        Annotated[Label, BeforeValidator(_long_label, json_schema_input_type=Label | Description)],
    ] = Field(min_length=1)
    """The classes, each with a description and a share."""
    attributes: dict[
        Key,
        Annotated[
            Attribute, BeforeValidator(_long_attribute, json_schema_input_type=Attribute | Values)
        ],
    ] = Field(default_factory=dict)
    """Further axes, drawn for each row and attempt by weight."""
    prompt: Prompt = Prompt()
    model: Model = Field(default_factory=TransformersModel)
    strategies: tuple[Strategy, ...] = Field(default=(Nucleus(),), min_length=1, max_length=64)
    """Ways of decoding; each label's rows are divided among them by share."""
    noise: NoiseConfig | None = None
    """Noise put into a part of the accepted rows; none when absent."""
    gates: Gates = GatesConfig()
    audit: Annotated[RecipeAudit | None, or_off(RecipeAudit)] = RecipeAudit()
    """What the released rows are audited beside; `off` leaves the audit out."""
    splits: dict[SplitName, Weight] = Field(
        default_factory=lambda: {"train": 0.8, "validation": 0.1, "test": 0.1}, min_length=1
    )
    """Parts of the release; they add up to 1."""
    budget: Budget = Budget()
    shard_size: int = Field(default=1024, ge=1, le=1_000_000)
    """Rows worked on at once; bounds the memory of prompts and texts, changes no row."""

    @model_validator(mode="after")
    def _noise_fits(self) -> "Recipe":
        steps = self.noise.steps if self.noise else ()
        trees: list[tuple[tuple[str | int, ...], Any]] = [(("noise", "steps"), steps)]
        for place, strategy in enumerate(self.strategies):
            if isinstance(strategy, NoisyChannel):
                trees.append((("strategies", place, "noise"), strategy.noise))
        for root, tree in trees:
            for path, step in walk(tree):
                for below, label in labels_named(step):
                    if label not in self.labels:
                        where = (*root, *path, *below)
                        raise unknown_label(where, label, labels=tuple(self.labels))
        if isinstance(self.model, ScriptedModel | OpenAIModel) and asks_for_tokenizer(
            steps, name="model"
        ):
            what = "a scripted model" if isinstance(self.model, ScriptedModel) else "an endpoint"
            raise ValueError(f"noise: {what} has no tokenizer; use tokenizer: starter")
        return self

    @model_validator(mode="after")
    def _money_has_a_price(self) -> "Recipe":
        if self.budget.usd is not None and getattr(self.model, "price", None) is None:
            raise ValueError(
                "budget: usd needs model.price (backend openai), in US dollars a million tokens; "
                "add model.price: {prompt: ..., completion: ...} or leave usd out"
            )
        return self

    @model_validator(mode="after")
    def _output_fits(self) -> "Recipe":
        output = self.prompt.output
        if output is None:
            return self
        if (conflict := output_conflict(output, strategies=self.strategies)) is not None:
            raise ValueError(conflict)
        names = output.attributes if isinstance(output, JsonOutput) else ()
        if taken := [name for name in names if name in self.attributes]:
            raise ValueError(f"attributes: {taken[0]!r} is also a property of the output's schema")
        return self

    @model_validator(mode="after")
    def _splits_add_up(self) -> "Recipe":
        total = sum(self.splits.values())
        if abs(total - 1) > 1e-6:
            raise ValueError(f"splits: the parts add up to {total:g}, not to 1")
        return self
