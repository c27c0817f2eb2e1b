"""A row as it travels: the Arrow schema after each step, and the released one."""

import pyarrow as pa

SCORES: dict[str, str] = {
    "num_chars": "code points of the clean text",
    "num_words": "white-space separated words of the clean text",
    "repetition": "share of word 3-grams that repeat an earlier one of the same text, 0 to 1",
    "prompt_overlap": "share of word 3-grams that stand in the prompt (examples apart), 0 to 1",
    "example_similarity": "greatest Jaccard similarity (character 5-grams) to an example, 0 to 1",
    "label_leak": "1 when the label's name stands in the text, else 0",
    "memorised": "1 for a copy of an example or of the model's known training text, else 0",
}
"""Row-level quality scores, each with its definition; all float32, computed on the clean text."""

ATTRIBUTES = pa.map_(pa.string(), pa.string())
EDITS = pa.list_(
    pa.struct(
        [
            pa.field("kind", pa.string(), nullable=False),
            pa.field("start", pa.int32(), nullable=False),
            pa.field("end", pa.int32(), nullable=False),
            pa.field("before", pa.string(), nullable=False),
            pa.field("after", pa.string(), nullable=False),
        ]
    )
)
SCORES_TYPE = pa.struct([pa.field(name, pa.float32(), nullable=False) for name in SCORES])


def _field(name: str, kind: pa.DataType, meaning: str, *, nullable: bool = False) -> pa.Field:
    return pa.field(name, kind, nullable=nullable, metadata={"description": meaning})


_WEIGHT = _field(
    "weight",
    pa.float32(),
    "importance weight of a text drawn without replacement, its logarithm rounded to 2 digits "
    "outside strict mode; null for others",
    nullable=True,
)
_LOGPROB = _field(
    "logprob",
    pa.float32(),
    "mean log-probability a generated token, nats; rounded to 2 digits outside strict mode",
    nullable=True,
)
_DRAW_ID = _field(
    "draw_id",
    pa.string(),
    "the same for all texts drawn together from one prompt, whether accepted or rejected; "
    "null when the strategy makes one row a prompt",
    nullable=True,
)

PROMPT_FIELDS: tuple[pa.Field, ...] = (
    _field("row", pa.int64(), "row number in the plan, from 0"),
    _field("attempt", pa.int32(), "how often this row was tried before, from 0"),
    _field("id", pa.string(), "recipe name, row number, attempt"),
    _field("label", pa.string(), "the label asked for"),
    _field("strategy_index", pa.int32(), "place of the strategy in the recipe, from 0"),
    _field("strategy", pa.string(), "kind of the strategy"),
    _field("seed", pa.int64(), "the row's own seed: key of its randomness in this attempt"),
    _field("group_seed", pa.int64(), "the seed that all rows made from this prompt share"),
    _field("member", pa.int32(), "place among the rows made from this prompt, from 0"),
    _DRAW_ID,
    _field("attributes", ATTRIBUTES, "sampled attributes"),
    _field("examples", pa.list_(pa.string()), "texts of the few-shot examples in the prompt"),
    _field("template", pa.string(), "template name and sha256 prefix"),
    _field("prompt", pa.string(), "exactly what the model was given"),
)
CANDIDATE_FIELDS: tuple[pa.Field, ...] = (
    *PROMPT_FIELDS,
    _field("model", pa.string(), "model id with revision"),
    _field("raw_text", pa.string(), "the reply before it was cleaned"),
    _field("text", pa.string(), "the reply, cleaned"),
    _field("num_tokens", pa.int32(), "generated tokens, the end-of-text token included"),
    _LOGPROB,
    _WEIGHT,
    _field("finish_reason", pa.string(), "eos, stop, length, error"),
    _field("error", pa.string(), "what is wrong: no reply, or one of a wrong form", nullable=True),
)
VERDICT_FIELDS: tuple[pa.Field, ...] = (
    _field("stage", pa.string(), "where the candidate was dropped", nullable=True),
    _field("reason", pa.string(), "why it was dropped; null while it is good", nullable=True),
    _field("detail", pa.string(), "the measurement behind the reason", nullable=True),
)
SCORED_FIELDS: tuple[pa.Field, ...] = (
    *CANDIDATE_FIELDS,
    _field("scores", SCORES_TYPE, "row-level quality scores"),
    *VERDICT_FIELDS,
)
RELEASED_FIELDS: tuple[pa.Field, ...] = (
    _field("id", pa.string(), "stable: recipe name, row number, attempt"),
    _field("text", pa.string(), "what a model trains on, after noise"),
    _field("label", pa.string(), "what a model learns to predict, after noise"),
    _field("clean_text", pa.string(), "the text before noise; null when not noised", nullable=True),
    _field(
        "clean_label",
        pa.string(),
        "the label asked for; null when it was not flipped",
        nullable=True,
    ),
    _field("noise", EDITS, "every edit in the order made"),
    _field("prompt", pa.string(), "exactly what the model was given"),
    _field("template", pa.string(), "template name and sha256 prefix"),
    _field("attributes", ATTRIBUTES, "sampled attributes"),
    _field("model", pa.string(), "model id with revision"),
    _field("strategy", pa.string(), "kind of the strategy"),
    _field("seed", pa.int64(), "the row's own seed"),
    _field("attempt", pa.int32(), "how often this row was tried before"),
    _DRAW_ID,
    _field("num_tokens", pa.int32(), "generated tokens, the end-of-text token included"),
    _LOGPROB,
    _WEIGHT,
    _field("finish_reason", pa.string(), "eos, stop, length"),
    _field("scores", SCORES_TYPE, "row-level quality scores"),
)

PROMPT_SCHEMA = pa.schema(PROMPT_FIELDS)
CANDIDATE_SCHEMA = pa.schema(CANDIDATE_FIELDS)
SCORED_SCHEMA = pa.schema(SCORED_FIELDS)
SELECTED_SCHEMA = pa.schema(
    [*(SCORED_SCHEMA.field(name) for name in ("row", "attempt", "num_tokens")), *VERDICT_FIELDS]
)
NOISE_COLUMNS = ("clean_text", "clean_label", "noise")
"""What the noise stage adds to a row."""
NOISED_SCHEMA = pa.schema(
    (*SCORED_FIELDS, *(field for field in RELEASED_FIELDS if field.name in NOISE_COLUMNS))
)
ARRANGED_SCHEMA = pa.schema(
    (
        _field("row", pa.int64(), "row number in the plan"),
        _field("split", pa.int64(), "place of the row's split in the recipe, from 0"),
        _field("noised", pa.bool_(), "whether the row is noised"),
    )
)
RELEASED_SCHEMA = pa.schema(RELEASED_FIELDS)
REJECTED_SCHEMA = pa.schema((*RELEASED_FIELDS, *VERDICT_FIELDS))


def row_id(name: str, row: int, attempt: int) -> str:
    """Name a row for ever: `support-intents-000042-0`."""
    return f"{name}-{row:06d}-{attempt}"
