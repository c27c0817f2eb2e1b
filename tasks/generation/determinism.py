"""Which promise a backend's rows carry, and the measurement behind it."""

from dataclasses import dataclass

from schemas.manifest import Determinism


@dataclass(frozen=True, slots=True)
class Flips:
    """Rows that differed between batch sizes, from `benchmarks/results/determinism.json`."""

    rows: int
    of_rows: int
    tokens: int


MEASURED_FLIPS = Flips(rows=0, of_rows=8_192, tokens=522_616)
"""Result of `benchmarks/determinism.py` in float32: batch sizes 7 and 64 against 1."""


def promise_of(*, dtype: str, strict: bool) -> Determinism:
    """State the promise of rows computed in `dtype`, each alone (`strict`) or in batches."""
    if strict:
        statement = (
            "Each row is computed alone, in shapes that depend on nothing but the row: on the same "
            "hardware and software no batch, shard, order or interruption changes a bit of it."
        )
        return Determinism(promise="exact", statement=statement)
    if dtype == "float32":
        statement = (
            "A row is a function of its own seed and prompt, save that the last bits of a matrix "
            f"product may depend on the batch and flip a token at a near tie; {_measured()}."
        )
        return Determinism(promise="float32", statement=statement)
    statement = (
        f"In {dtype} the rows are the same for the same batch size, requests and hardware; "
        "another batch plan may change tokens."
    )
    return Determinism(promise="batch_plan", statement=statement)


def _measured() -> str:
    flips = MEASURED_FLIPS
    return f"measured: {flips.rows} of {flips.of_rows:,} rows ({flips.tokens:,} tokens) differed"
