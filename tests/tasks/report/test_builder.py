import hashlib
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from schemas.manifest import RowCounts
from schemas.recipe import Recipe
from schemas.row import REJECTED_SCHEMA, RELEASED_SCHEMA
from tasks.report import Findings, FindingsBuilder
from tasks.report.builder import NUM_ACCEPTED, NUM_NOISED, NUM_REJECTED_PER_REASON
from tasks.report.counting import attribute_counts


def test_the_counts_are_those_of_the_rows(small: Any) -> None:
    found = small.findings()
    assert {(share.name, share.rows) for share in found.labels.entries} == {("a", 40), ("b", 80)}
    a, b = found.labels.entries
    assert (a.asked, b.asked) == (1 / 3, 2 / 3)
    assert (a.got, b.got) == (40 / 120, 80 / 120)
    assert (a.missing, b.missing) == (1, 4)
    assert (a.rejected, b.rejected) == (0, 40)
    assert found.labels.total_variation == pytest.approx(0)
    (tone,) = found.attributes
    assert [(share.name, share.rows) for share in tone.entries] == [("calm", 96), ("angry", 24)]
    assert tone.total_variation == pytest.approx(0.05)
    assert found.noise is not None
    assert (found.noise.rows, found.noise.share) == (30, 0.25)
    assert found.noise.edits == {"word_delete": 30}


def test_the_funnel_adds_up(small: Any) -> None:
    found = small.findings()
    reasons = [(count.reason, count.rows) for count in found.rejections]
    assert reasons == [("duplicate", 20), ("chars", 10), ("label_leak", 10)]
    counts = found.counts
    assert counts.generated == counts.accepted + sum(rows for _, rows in reasons)
    assert counts.requested == counts.accepted + sum(s.missing for s in found.shortfalls)
    assert [s.missing for s in found.shortfalls] == [4, 1]
    total = counts.accepted / counts.generated + sum(count.share for count in found.rejections)
    assert total == pytest.approx(1)


def test_strategies_are_measured_side_by_side(small: Any) -> None:
    nucleus, typical = small.findings().strategies
    assert (nucleus.kind, typical.kind) == ("nucleus", "typical")
    assert (nucleus.accepted, typical.accepted) == (90, 30)
    assert (nucleus.rejected, typical.rejected) == (40, 0)
    assert (nucleus.missing, typical.missing) == (1, 4)
    assert (nucleus.asked, typical.asked) == (91, 34)
    assert nucleus.acceptance is not None
    assert (nucleus.acceptance.value, nucleus.acceptance.n) == (90 / 130, 130)
    expected = [row["logprob"] for row in small.accepted if row["strategy"] == "nucleus"]
    assert nucleus.logprob is not None
    assert nucleus.logprob.value == pytest.approx(sum(expected) / len(expected))
    words = [row["scores"]["num_words"] for row in small.accepted if row["strategy"] == "nucleus"]
    assert nucleus.mean_words is not None
    assert nucleus.mean_words.n == 90
    assert nucleus.mean_words.value == pytest.approx(sum(words) / 90)
    # Rejected candidates cost tokens and seconds too: 7 tokens and half a second each.
    assert nucleus.tokens_per_row == pytest.approx(7 * 130 / 90)
    assert nucleus.seconds_per_row == pytest.approx(0.5 * 130 / 90)
    assert typical.tokens_per_row == 7


def test_diversity_uses_samples_of_the_same_size_for_every_strategy(
    release: Callable[..., Any], row: Callable[..., Any]
) -> None:
    rows = [
        row(number, text=f"word {number} again", strategy=kind)
        for number, kind in enumerate(["nucleus"] * 400 + ["typical"] * 100)
    ]
    found = release(accepted=rows).findings()
    assert (found.comparison.distinct_words, found.comparison.self_bleu_texts) == (300, 100)
    for strategy in found.strategies:
        # Of 300 words 200 are "word" and "again"; every 2-gram holds a row's own number.
        assert strategy.distinct == (102 / 300, 1, 1)
        assert strategy.self_bleu is not None
        assert strategy.self_bleu.n == 100
        # Two of three words stand in another text; no pair and no triple does.
        assert strategy.self_bleu.value == pytest.approx((2 / 3 * 0.05 * 0.1 * 0.1) ** 0.25)
    few = release(accepted=rows[:405]).findings()
    assert (few.comparison.distinct_words, few.comparison.self_bleu_texts) == (1200, 400)
    assert few.strategies[1].distinct == (None, None, None)
    assert few.strategies[1].self_bleu is None


@pytest.mark.parametrize(("shard", "backwards"), [(1, False), (7, True), (1000, True)])
def test_no_order_and_no_sharding_changes_a_byte(small: Any, shard: int, backwards: bool) -> None:
    expected = small.findings().model_dump_json()
    assert small.findings(shard=shard, backwards=backwards).model_dump_json() == expected


def test_report_json_reads_back(small: Any) -> None:
    found = small.findings()
    assert Findings.model_validate_json(found.model_dump_json()) == found


def test_samples_are_bounded_and_spread(
    release: Callable[..., Any],
    row: Callable[..., Any],
    rejected_row: Callable[..., Any],
    recipe: Callable[..., Recipe],
) -> None:
    labels = {f"label {n}": f"says {n}" for n in range(30)}
    rows = [
        row(n, label=f"label {n * n % 30}", **{"clean_text": "clean"} if n % 2 else {})
        for n in range(600)
    ]
    rejected = [rejected_row(1000 + n, ["chars", "words"][n % 2]) for n in range(50)]
    run = release(recipe=recipe(labels=labels | {"a": "says a"}), accepted=rows, rejected=rejected)
    samples = run.findings().samples
    assert len(samples.noised) == min(NUM_NOISED, len({r["label"] for r in rows[1::2]}) * 1)
    assert len(samples.accepted) <= NUM_ACCEPTED
    assert {s.label for s in samples.accepted} == {r["label"] for r in rows[::2]}
    reasons = Counter(sample.reason for sample in samples.rejected)
    assert reasons == dict.fromkeys(("chars", "words"), NUM_REJECTED_PER_REASON)


def test_samples_are_the_rows_with_the_smallest_hashes(
    release: Callable[..., Any], rejected_row: Callable[..., Any]
) -> None:
    rejected = [rejected_row(n, "chars") for n in range(40)]
    found = release(rejected=rejected).findings()
    by_hash = sorted(
        (row["id"] for row in rejected),
        key=lambda name: hashlib.blake2b(name.encode(), digest_size=8).digest(),
    )
    assert [sample.id for sample in found.samples.rejected] == by_hash[:NUM_REJECTED_PER_REASON]


def test_rows_that_the_manifest_does_not_count_are_refused(small: Any) -> None:
    builder = FindingsBuilder(small.recipe)
    with pytest.raises(ValueError, match="0 accepted rows were added, the manifest counts 120"):
        builder.build(small.manifest)
    accepted = pa.Table.from_pylist(list(small.accepted), schema=RELEASED_SCHEMA)
    builder.add_accepted(accepted, np.zeros(120, np.int64))
    with pytest.raises(ValueError, match="rejected rows"):
        builder.build(small.manifest)
    rejected = pa.Table.from_pylist(list(small.rejected), schema=REJECTED_SCHEMA)
    builder.add_rejected(rejected, np.zeros(40, np.int64))
    with pytest.raises(ValueError, match="the strategies of the rows"):
        builder.build(small.manifest)


def test_a_run_without_any_row_has_findings(release: Callable[..., Any]) -> None:
    run = release(changes={"rows": RowCounts(requested=0, generated=0, accepted=0, shortfall=0)})
    builder = FindingsBuilder(run.recipe)
    builder.add_accepted(RELEASED_SCHEMA.empty_table(), np.empty(0, np.int64))
    builder.add_rejected(REJECTED_SCHEMA.empty_table(), np.empty(0, np.int64))
    found = builder.build(run.manifest)
    assert found.lengths == ()
    assert (found.comparison.distinct_words, found.comparison.self_bleu_texts) == (0, 0)
    assert found.comparison.agreement_obstacle == "no row has a label"
    for strategy in found.strategies:
        assert strategy.distinct == (None, None, None)
        measured = strategy.model_dump(exclude={"kind", "settings", "distinct"})
        assert set(measured.values()) == {0, None}


def test_a_sliced_column_of_maps_is_counted_within_its_slice() -> None:
    maps = pa.array(
        [[("k", "1")], [("k", "2"), ("l", "2")], []], RELEASED_SCHEMA.field("attributes").type
    )
    assert attribute_counts(pa.chunked_array([maps]).slice(1)) == {("k", "2"): 1, ("l", "2"): 1}
    assert attribute_counts(pa.chunked_array([maps]).slice(2)) == {}


def test_an_unknown_logprob_is_left_out(
    release: Callable[..., Any], row: Callable[..., Any]
) -> None:
    rows = [row(0, logprob=None), row(1, logprob=float("nan")), row(2, logprob=-2.0)]
    found = release(accepted=rows).findings()
    assert found.strategies[0].logprob is not None
    assert (found.strategies[0].logprob.value, found.strategies[0].logprob.n) == (-2.0, 1)
    assert {sample.logprob for sample in found.samples.accepted} == {None, -2.0}
