from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from schemas.manifest import (
    Determinism,
    GateResult,
    Hardware,
    Manifest,
    ModelInfo,
    RowCounts,
    Shortfall,
    StrategyAccount,
    TokenCounts,
)
from schemas.recipe import Recipe
from schemas.row import REJECTED_SCHEMA, RELEASED_SCHEMA, SCORES, row_id
from tasks.report import Findings, FindingsBuilder

GATES = (
    GateResult(name="label_balance", passed=True, observed=0.99, bound=">= 0.9", meaning="shares"),
    GateResult(name="duplicate_rate", passed=True, observed=0.0, bound="<= 0.01", meaning="copies"),
)


def make_row(number: int, **changes: Any) -> dict[str, Any]:
    text = changes.get("clean_text") or changes.get("text", f"text number {number} of the sample")
    row = {
        "id": row_id("sample", number, changes.get("attempt", 0)),
        "text": text,
        "label": "a",
        "clean_text": None,
        "clean_label": None,
        "noise": [],
        "prompt": f"write text {number}",
        "template": "intent@0123abcd",
        "attributes": [("tone", "calm")],
        "model": "starter@0123abcd",
        "strategy": "nucleus",
        "seed": number,
        "attempt": 0,
        "num_tokens": 7,
        "logprob": -1.5 - number % 7 / 8,
        "finish_reason": "eos",
        "scores": dict.fromkeys(SCORES, 0.0)
        | {"num_chars": len(text), "num_words": len(text.split())},
    }
    return row | changes


def make_recipe(**changes: Any) -> Recipe:
    content = {
        "name": "sample",
        "seed": 7,
        "rows": 1,
        "labels": {"a": "says a", "b": {"description": "says b", "share": 2}},
        "attributes": {"tone": {"values": ["calm", "angry"], "weights": [3, 1]}},
        "strategies": [{"kind": "nucleus", "share": 2}, {"kind": "typical"}],
        "noise": {"share": 0.25, "steps": [{"kind": "word_delete", "rate": 0.1}]},
    }
    return Recipe.model_validate(content | changes)


def make_manifest(
    recipe: Recipe,
    accepted: Sequence[dict[str, Any]],
    rejected: Sequence[dict[str, Any]],
    shortfalls: Sequence[Shortfall] = (),
    **changes: Any,
) -> Manifest:
    missing = sum(shortfall.missing for shortfall in shortfalls)
    content: dict[str, Any] = {
        "name": recipe.name,
        "version": "20261121T074508Z-0123abcd",
        "created": "2026-11-21T07:45:08Z",
        "verdict": "fail" if shortfalls else "pass",
        "recipe_sha256": "ab" * 32,
        "model": ModelInfo(
            id="starter", weights_sha256="cd" * 32, backend="transformers", context_length=256
        ),
        "packages": {"torch": "2.13.0"},
        "rows": RowCounts(
            requested=len(accepted) + missing,
            generated=len(accepted) + len(rejected),
            accepted=len(accepted),
            shortfall=missing,
            rejected=Counter(row["reason"] for row in rejected),
        ),
        "shortfalls": tuple(shortfalls),
        "splits": {"train": len(accepted)},
        "tokens": TokenCounts(
            prompt=12345, generated=sum(row["num_tokens"] for row in (*accepted, *rejected))
        ),
        "strategies": make_accounts(recipe, accepted, rejected, shortfalls),
        "seconds": {"generate": 75.2, "score": 1.5},
        "determinism": Determinism(promise="exact", statement="No row depends on its neighbours."),
        "hardware": Hardware(device="cpu", cpu="a processor", cpu_count=2),
        "gates": GATES,
        "files": (),
    }
    return Manifest.model_validate(content | changes)


def strategies_of(recipe: Recipe, rows: Sequence[dict[str, Any]]) -> NDArray[np.int64]:
    """Place of each row's strategy: the first of its kind, where it does not name another."""
    kinds: list[str] = [strategy.kind for strategy in recipe.strategies]
    return np.array([row.get("place", kinds.index(row["strategy"])) for row in rows], np.int64)


def make_accounts(
    recipe: Recipe,
    accepted: Sequence[dict[str, Any]],
    rejected: Sequence[dict[str, Any]],
    shortfalls: Sequence[Shortfall],
) -> tuple[StrategyAccount, ...]:
    kinds: list[str] = [strategy.kind for strategy in recipe.strategies]
    missing: Counter[int] = Counter()
    for shortfall in shortfalls:
        known = shortfall.strategy in kinds
        missing[kinds.index(shortfall.strategy) if known else 0] += shortfall.missing
    rows = (*accepted, *rejected)
    generated = strategies_of(recipe, rows).tolist()
    released = Counter(strategies_of(recipe, accepted).tolist())
    tokens: Counter[int] = Counter()
    for place, row in zip(generated, rows, strict=True):
        tokens[place] += row["num_tokens"]
    return tuple(
        StrategyAccount(
            kind=kind,
            requested=released[place] + missing[place],
            generated=generated.count(place),
            accepted=released[place],
            tokens=tokens[place],
            seconds=0.5 * generated.count(place),
        )
        for place, kind in enumerate(kinds)
    )


def make_rejected(number: int, reason: str, **changes: Any) -> dict[str, Any]:
    verdict = {"stage": "row_gate", "reason": reason, "detail": f"detail {number}"}
    return make_row(number) | verdict | changes


@dataclass
class Release:
    """Rows of a run with everything that a report needs; `findings` reads them in shards."""

    recipe: Recipe = field(default_factory=make_recipe)
    accepted: Sequence[dict[str, Any]] = ()
    rejected: Sequence[dict[str, Any]] = ()
    shortfalls: Sequence[Shortfall] = ()
    changes: dict[str, Any] = field(default_factory=dict)

    @property
    def manifest(self) -> Manifest:
        return make_manifest(
            self.recipe, self.accepted, self.rejected, self.shortfalls, **self.changes
        )

    def findings(self, shard: int = 1000, backwards: bool = False) -> Findings:
        builder = FindingsBuilder(self.recipe)
        step = -1 if backwards else 1
        for rows in _batches(self.accepted[::step], shard):
            table = pa.Table.from_pylist(rows, schema=RELEASED_SCHEMA)
            builder.add_accepted(table, strategies_of(self.recipe, rows))
        for rows in _batches(self.rejected[::step], shard):
            table = pa.Table.from_pylist(rows, schema=REJECTED_SCHEMA)
            builder.add_rejected(table, strategies_of(self.recipe, rows))
        return builder.build(self.manifest)


def _batches(rows: Sequence[dict[str, Any]], size: int) -> list[list[dict[str, Any]]]:
    return [list(rows[start : start + size]) for start in range(0, len(rows), size)]


@pytest.fixture(scope="session")
def small() -> Release:
    """120 accepted rows (30 of them noised), 40 rejected candidates, 5 missing rows."""
    accepted = [
        make_row(
            number,
            label="ab"[number % 3 > 0],
            strategy="typical" if number % 4 == 0 else "nucleus",
            attributes=[("tone", "angry" if number % 5 == 0 else "calm")],
            **_noise(number) if number % 4 == 1 else {},
        )
        for number in range(120)
    ]
    reasons = ["duplicate", "duplicate", "chars", "label_leak"]
    rejected = [make_rejected(1000 + n, reasons[n % 4], label="b") for n in range(40)]
    shortfalls = [
        Shortfall(label="b", strategy="typical", missing=4, reasons={"duplicate": 20}),
        Shortfall(label="a", strategy="nucleus", missing=1, reasons={"chars": 5}),
    ]
    return Release(accepted=accepted, rejected=rejected, shortfalls=shortfalls)


def _noise(number: int) -> dict[str, Any]:
    clean = f"number {number} was typed in haste"
    edit = {"kind": "word_delete", "start": 0, "end": 7, "before": "number ", "after": ""}
    return {"clean_text": clean, "text": clean[7:], "noise": [edit]}


@pytest.fixture(scope="session")
def release() -> Callable[..., Release]:
    """Make a release of given rows."""
    return Release


@pytest.fixture(scope="session")
def row() -> Callable[..., dict[str, Any]]:
    """Make an accepted row of a number."""
    return make_row


@pytest.fixture(scope="session")
def rejected_row() -> Callable[..., dict[str, Any]]:
    """Make a rejected candidate of a number and a reason."""
    return make_rejected


@pytest.fixture(scope="session")
def recipe() -> Callable[..., Recipe]:
    """Make a recipe with some keys changed."""
    return make_recipe


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


@pytest.fixture(scope="session")
def tags_of() -> Callable[[str], list[tuple[str, dict[str, str | None]]]]:
    """Lists the tags of a page with their attributes, as a browser reads them."""

    def read(page: str) -> list[tuple[str, dict[str, str | None]]]:
        tags = _Tags()
        tags.feed(page)
        return tags.seen

    return read
