"""From a shard of prompts to a shard of candidates."""

from collections.abc import Callable, Sequence

import pyarrow as pa

from schemas.row import CANDIDATE_FIELDS, CANDIDATE_SCHEMA, PROMPT_FIELDS
from schemas.strategies import Strategy
from tasks.generation.cleaning import clean_reply
from tasks.generation.protocol import Backend, Completion, Request

_MADE_HERE = CANDIDATE_FIELDS[len(PROMPT_FIELDS) :]


def generate_candidates(
    prompts: pa.Table,
    strategies: Sequence[Strategy],
    backend: Backend,
    *,
    on_reply: Callable[[Completion], None] = lambda reply: None,
) -> pa.Table:
    """Let the backend answer every prompt, and clean the answers.

    Args:
        prompts: Rows of `PROMPT_SCHEMA`.
        strategies: The recipe's strategies; `strategy_index` counts in them.
        backend: The source of replies.
        on_reply: Called with each completion as it arrives.

    Returns:
        The rows in the same order with `CANDIDATE_SCHEMA`: one for each prompt, also where the
        reply is an error.
    """
    replies: dict[int, Completion] = {}
    for reply in backend.generate(list(requests(prompts, strategies))):
        replies[reply.request.row] = reply
        on_reply(reply)
    # What a masked model is given is a text: what looks like a field's name in it is none.
    has_fields = backend.info.family != "masked"
    made = [
        _columns(replies[row], backend.info.reference, has_fields=has_fields)
        for row in prompts["row"].to_pylist()
    ]
    added = pa.Table.from_pylist(made, schema=pa.schema(_MADE_HERE))
    return pa.table([*prompts.columns, *added.columns], schema=CANDIDATE_SCHEMA)


def requests(prompts: pa.Table, strategies: Sequence[Strategy]) -> list[Request]:
    """Turn rows of `PROMPT_SCHEMA` into requests, in the same order."""
    columns = ["row", "attempt", "seed", "label", "prompt", "strategy_index"]
    return [
        Request(
            row=row["row"],
            attempt=row["attempt"],
            seed=row["seed"],
            label=row["label"],
            prompt=row["prompt"],
            strategy=strategies[row["strategy_index"]],
        )
        for row in prompts.select(columns).to_pylist()
    ]


def _columns(reply: Completion, model: str, *, has_fields: bool) -> dict[str, object]:
    prompt = reply.request.prompt if has_fields else ""
    return {
        "model": model,
        "raw_text": reply.text,
        "text": clean_reply(reply.text, prompt=prompt),
        "num_tokens": reply.num_tokens,
        "logprob": reply.logprob,
        "finish_reason": reply.finish_reason,
        "error": reply.error,
    }
