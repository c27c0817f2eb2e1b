"""Findings collected shard by shard, in memory that no number of rows makes grow."""

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas.audit import Audit
from schemas.manifest import Manifest
from schemas.recipe import Recipe
from schemas.recipe_identity import resolved_yaml
from tasks.report.counting import (
    Pairs,
    asked_labels,
    attribute_counts,
    by_first,
    missing_counts,
    pair_counts,
)
from tasks.report.findings import (
    Findings,
    Lengths,
    NoisedRow,
    NoiseFindings,
    Provenance,
    ReasonCount,
    RejectedRow,
    SampleRow,
    Samples,
    Shares,
)
from tasks.report.rows import excerpt, noised_row, rejected_row, sample_row
from tasks.report.shares import attribute_shares, label_shares
from tasks.report.sketches import BottomK, LengthCounts, StratifiedSample, row_hash
from tasks.report.strategies import StrategyCounts
from tasks.report.wording import grounds, reason_meaning

NUM_ACCEPTED = 40
NUM_NOISED = 20
NUM_REJECTED_PER_REASON = 5
MAX_REASONS = 12
MAX_SHORTFALLS = 100
MAX_ATTRIBUTES = 8
MAX_TEMPLATES = 20
RECIPE_CHARS = 20_000


class FindingsBuilder:
    """Accumulates a report's findings over shards, in any order of shards and rows."""

    def __init__(self, recipe: Recipe) -> None:
        """Start with no rows of the run that the resolved `recipe` describes."""
        self._recipe = recipe
        self._accepted: Pairs = Counter()
        self._rejected: Pairs = Counter()
        self._attributes: Pairs = Counter()
        self._reasons: Counter[str] = Counter()
        self._edits: Counter[str] = Counter()
        self._templates: set[str] = set()
        self._num_noised = 0
        self._num_flipped = 0
        self._num_words = LengthCounts()
        self._num_chars = LengthCounts()
        self._candidates = np.zeros((len(recipe.strategies), 2), dtype=np.int64)
        self._strategies = StrategyCounts(recipe.strategies)
        strata = len(recipe.labels)
        self._plain_rows = StratifiedSample[SampleRow](NUM_ACCEPTED, num_strata=strata)
        self._noised_rows = StratifiedSample[NoisedRow](NUM_NOISED, num_strata=strata)
        self._rejected_rows: dict[str, BottomK[RejectedRow]] = {}

    def add_accepted(self, table: pa.Table, strategies: NDArray[np.int64]) -> None:
        """Count released rows, every row once over all calls.

        Args:
            table: Columns of `RELEASED_SCHEMA`.
            strategies: Place of each row's strategy in the recipe, shape `(N,)`.
        """
        if not table.num_rows:
            return
        self._candidates[:, 0] += np.bincount(strategies, minlength=len(self._candidates))
        self._accepted.update(pair_counts(asked_labels(table), table["strategy"]))
        self._attributes.update(attribute_counts(table["attributes"]))
        self._templates.update(pc.unique(table["template"]).to_pylist())
        scores = table["scores"].combine_chunks()
        for name, counts in (("num_words", self._num_words), ("num_chars", self._num_chars)):
            counts.add(np.asarray(pc.struct_field(scores, name)).astype(np.int64))
        self._strategies.add(table, strategies)
        self._num_flipped += table.num_rows - table["clean_label"].null_count
        self._num_noised += table.num_rows - table["clean_text"].null_count
        kinds = pc.struct_field(pc.list_flatten(table["noise"].combine_chunks()), "kind")
        for entry in pc.value_counts(kinds).to_pylist():
            self._edits[entry["values"]] += entry["counts"]
        self._sample_accepted(table)

    def add_rejected(self, table: pa.Table, strategies: NDArray[np.int64]) -> None:
        """Count rejected candidates, each once over all calls.

        Args:
            table: Columns of `REJECTED_SCHEMA`.
            strategies: Place of each candidate's strategy in the recipe, shape `(N,)`.
        """
        if not table.num_rows:
            return
        self._candidates[:, 1] += np.bincount(strategies, minlength=len(self._candidates))
        self._rejected.update(pair_counts(table["label"], table["strategy"]))
        ids, reasons = table["id"].to_pylist(), table["reason"].to_pylist()
        self._reasons.update(reasons)
        for place, (row_id, reason) in enumerate(zip(ids, reasons, strict=True)):
            key = row_hash(row_id)
            sample = self._rejected_rows.setdefault(reason, BottomK(NUM_REJECTED_PER_REASON))
            if sample.wants(key):
                sample.add(key, row_id, rejected_row(_row(table, place)))

    def build(self, manifest: Manifest, *, audit: Audit | None = None) -> Findings:
        """Put everything together.

        Args:
            manifest: The run's manifest; `files` may still be empty.
            audit: The audit of its rows, when there is one.

        Returns:
            The findings; the same rows in any order and any shards give the same findings.

        Raises:
            ValueError: If the rows that were added are not those that the manifest counts.
        """
        self._check(manifest)
        missing = missing_counts(manifest.shortfalls)
        most_missing = sorted(manifest.shortfalls, key=lambda s: (-s.missing, s.label, s.strategy))
        rejections = self._rejections(manifest.rows.generated)
        strategies, comparison = self._strategies.findings(manifest.strategies)
        return Findings(
            name=manifest.name,
            version=manifest.version,
            created=manifest.created,
            language=self._recipe.language,
            verdict=manifest.verdict,
            grounds=grounds(manifest),
            counts=manifest.rows,
            rejections=rejections,
            shortfalls=tuple(most_missing[:MAX_SHORTFALLS]),
            shortfalls_left_out=max(0, len(most_missing) - MAX_SHORTFALLS),
            splits=manifest.splits,
            gates=manifest.gates,
            labels=self._label_shares(missing),
            attributes=self._attribute_shares(),
            attributes_left_out=max(0, len(self._recipe.attributes) - MAX_ATTRIBUTES),
            lengths=self._lengths(),
            strategies=strategies,
            comparison=comparison,
            noise=self._noise(),
            samples=self._samples(rejections),
            recipe=excerpt(resolved_yaml(self._recipe), RECIPE_CHARS),
            provenance=self._provenance(manifest),
            audit=audit,
        )

    def _sample_accepted(self, table: pa.Table) -> None:
        ids, labels = table["id"].to_pylist(), asked_labels(table).to_pylist()
        noised = pc.is_valid(table["clean_text"]).to_pylist()
        for place, (row_id, label, is_noised) in enumerate(zip(ids, labels, noised, strict=True)):
            key = row_hash(row_id)
            if is_noised and self._noised_rows.wants(label, key):
                self._noised_rows.add(label, key, row_id, noised_row(_row(table, place)))
            elif not is_noised and self._plain_rows.wants(label, key):
                self._plain_rows.add(label, key, row_id, sample_row(_row(table, place)))

    def _check(self, manifest: Manifest) -> None:
        num_accepted = self._accepted.total()
        if num_accepted != manifest.rows.accepted:
            raise ValueError(
                f"{num_accepted} accepted rows were added, the manifest counts "
                f"{manifest.rows.accepted}"
            )
        if self._reasons != Counter(manifest.rows.rejected):
            raise ValueError("the rejected rows that were added are not those the manifest counts")
        counted = [(s.accepted, s.generated - s.accepted) for s in manifest.strategies]
        if counted != [(accepted, rejected) for accepted, rejected in self._candidates.tolist()]:
            raise ValueError("the strategies of the rows are not those the manifest counts")

    def _rejections(self, generated: int) -> tuple[ReasonCount, ...]:
        ordered = sorted(self._reasons.items(), key=lambda entry: (-entry[1], entry[0]))
        return tuple(
            ReasonCount(
                reason=reason, rows=rows, share=rows / generated, meaning=reason_meaning(reason)
            )
            for reason, rows in ordered
        )

    def _label_shares(self, missing: Pairs) -> Shares:
        return label_shares(
            self._recipe.labels,
            accepted=by_first(self._accepted),
            rejected=by_first(self._rejected),
            missing=by_first(missing),
        )

    def _attribute_shares(self) -> tuple[Shares, ...]:
        return tuple(
            attribute_shares(name, attribute, self._attributes)
            for name, attribute in [*self._recipe.attributes.items()][:MAX_ATTRIBUTES]
        )

    def _lengths(self) -> tuple[Lengths, ...]:
        summaries = (self._num_words.summary("words"), self._num_chars.summary("characters"))
        return tuple(summary for summary in summaries if summary is not None)

    def _noise(self) -> NoiseFindings | None:
        if self._recipe.noise is None:
            return None
        num_accepted = self._accepted.total()
        return NoiseFindings(
            asked=self._recipe.noise.share,
            rows=self._num_noised,
            share=self._num_noised / num_accepted if num_accepted else 0.0,
            flipped_labels=self._num_flipped,
            edits=dict(sorted(self._edits.items(), key=lambda entry: (-entry[1], entry[0]))),
        )

    def _samples(self, rejections: tuple[ReasonCount, ...]) -> Samples:
        plain, noised = self._plain_rows.rows(), self._noised_rows.rows()
        reasons = [count.reason for count in rejections][:MAX_REASONS]
        return Samples(
            accepted=tuple(row for label in self._recipe.labels for row in plain.get(label, ())),
            noised=tuple(row for label in self._recipe.labels for row in noised.get(label, ())),
            rejected=tuple(row for reason in reasons for _, row in self._rejected_rows[reason]),
        )

    def _provenance(self, manifest: Manifest) -> Provenance:
        return Provenance(
            model=manifest.model,
            seed=self._recipe.seed,
            recipe_sha256=manifest.recipe_sha256,
            templates=tuple(sorted(self._templates)[:MAX_TEMPLATES]),
            packages=dict(sorted(manifest.packages.items())),
            tokens=manifest.tokens,
            seconds=manifest.seconds,
            determinism=manifest.determinism,
            hardware=manifest.hardware,
            parent=manifest.parent,
        )


def _row(table: pa.Table, place: int) -> dict[str, Any]:
    row: dict[str, Any] = table.slice(place, 1).to_pylist()[0]
    return row
