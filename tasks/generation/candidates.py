"""From a shard of prompts to a shard of candidates."""

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from schemas.output import Output
from schemas.row import CANDIDATE_FIELDS, CANDIDATE_SCHEMA, PROMPT_FIELDS
from schemas.strategies import Strategy
from tasks.generation.cleaning import clean_reply
from tasks.generation.protocol import Backend, Completion, Request
from tasks.generation.structured import ReplyReader, open_reader

_MADE_HERE = CANDIDATE_FIELDS[len(PROMPT_FIELDS) :]


def generate_candidates(
    prompts: pa.Table,
    strategies: Sequence[Strategy],
    backend: Backend,
    *,
    output: Output | None = None,
    on_reply: Callable[[Completion], None] = lambda reply: None,
) -> pa.Table:
    """Let the backend answer every prompt, and clean the answers.

    With an output's form, a reply is read as that form: what it holds becomes the text and further
    attributes, and a reply of another form gets an `error` that says where it is wrong.

    Args:
        prompts: Rows of `PROMPT_SCHEMA`.
        strategies: The recipe's strategies; `strategy_index` counts in them.
        backend: The source of replies.
        output: The form that replies must have; any when None.
        on_reply: Called with each completion as it arrives.

    Returns:
        The rows in the same order with `CANDIDATE_SCHEMA`: one for each prompt, also where the
        reply is an error.
    """
    replies: dict[int, Completion] = {}
    for reply in backend.generate(requests(prompts, strategies, output=output)):
        replies[reply.request.row] = reply
        on_reply(reply)
    reader = None if output is None else open_reader(output)
    # What a masked model is given is a text: what looks like a field's name in it is none.
    has_fields = backend.info.family != "masked"
    made = [
        _columns(replies[row], backend.info.reference, reader, has_fields=has_fields)
        for row in prompts["row"].to_pylist()
    ]
    prompts = _with_attributes(prompts, [row.pop("attributes") for row in made])
    added = pa.Table.from_pylist(made, schema=pa.schema(_MADE_HERE))
    return pa.table([*prompts.columns, *added.columns], schema=CANDIDATE_SCHEMA)


def requests(
    prompts: pa.Table, strategies: Sequence[Strategy], *, output: Output | None = None
) -> list[Request]:
    """Turn rows of `PROMPT_SCHEMA` into requests, in the same order."""
    columns = ["row", "attempt", "seed", "group_seed", "member", "label", "prompt"]
    places = prompts["strategy_index"].to_pylist()
    return [
        Request(**row, strategy=strategies[place], output=output)
        for row, place in zip(prompts.select(columns).to_pylist(), places, strict=True)
    ]


def _columns(
    reply: Completion, model: str, reader: ReplyReader | None, *, has_fields: bool
) -> dict[str, Any]:
    prompt = reply.request.prompt if has_fields else ""
    text, error = clean_reply(reply.text, prompt=prompt), reply.error
    attributes: tuple[tuple[str, str], ...] = ()
    if reader is not None and error is None:
        read = reader.read(reply.text, prompt=prompt)
        if read.fault is None:
            text, attributes = read.text, read.attributes
        else:
            was_cut = reply.finish_reason == "length"
            error = f"cut at the greatest length: {read.fault}" if was_cut else read.fault
    return {
        "model": model,
        "raw_text": reply.text,
        "text": text,
        "num_tokens": reply.num_tokens,
        "logprob": reply.logprob,
        "weight": reply.weight,
        "finish_reason": reply.finish_reason,
        "error": error,
        "attributes": attributes,
    }


def _with_attributes(prompts: pa.Table, added: Sequence[Sequence[tuple[str, str]]]) -> pa.Table:
    """Add what replies say of themselves to the sampled attributes of their rows."""
    if not any(added):
        return prompts
    place = prompts.schema.get_field_index("attributes")
    rows = [
        [*sampled, *own]
        for sampled, own in zip(prompts["attributes"].to_pylist(), added, strict=True)
    ]
    field = prompts.schema.field(place)
    return prompts.set_column(place, field, pa.array(rows, type=field.type))
