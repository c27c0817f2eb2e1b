"""The shipped comparison, really generated: all strategies stand in the report with figures."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from flows.generate import generate
from schemas.manifest import Manifest
from schemas.strategies import STRATEGY_CLASSES

pytestmark = [pytest.mark.flow, pytest.mark.slow, pytest.mark.usefixtures("prefect_api")]

RECIPE = Path(__file__).resolve().parents[2] / "recipes" / "strategies.yaml"
# Ten rows a strategy are the fewest that self-BLEU is measured on; with three tries, greedy and
# its kin miss some, and labels are no longer balanced.
SMALLER = ("rows=130", "budget.attempts_per_row=3", "gates.dataset.label_balance=off")


def test_the_comparison_of_all_strategies_is_whole(tmp_path: Path, rows_of: Any) -> None:
    release = generate(RECIPE, tmp_path, list(SMALLER))
    manifest = Manifest.model_validate_json((release / "manifest.json").read_bytes())
    report = json.loads((release / "report.json").read_text("utf-8"))
    found, comparison = report["strategies"], report["comparison"]
    kinds = {strategy.model_fields["kind"].default for strategy in STRATEGY_CLASSES}
    assert {entry["kind"] for entry in found} == kinds
    assert [entry["kind"] for entry in found] == [account.kind for account in manifest.strategies]
    for entry in found:
        assert_measured(entry, comparison)
    assert_same_sums(found, manifest)
    assert comparison["agreement_obstacle"] is None
    assert comparison["self_bleu_texts"] >= 10
    assert comparison["distinct_words"] >= 100
    assert_draws(rows_of(release) + rows_of(release, "rejected"), rows_of(release))


def assert_measured(entry: dict[str, Any], comparison: dict[str, Any]) -> None:
    """Every figure is there, or the sample is smaller than the one that all are measured on."""
    accepted = entry["accepted"]
    assert accepted > 0, entry["kind"]
    assert 0 < entry["acceptance"]["value"] == accepted / (accepted + entry["rejected"]) <= 1
    assert entry["tokens_per_row"] >= 1
    assert entry["seconds_per_row"] > 0
    assert entry["logprob"]["n"] == entry["mean_words"]["n"] == accepted
    assert entry["logprob"]["value"] < 0
    if entry["agreement"] is None:
        assert comparison["agreement_left_out"] >= accepted
    else:
        assert 0 <= entry["agreement"]["value"] <= 1
    if entry["self_bleu"] is None:
        assert accepted < comparison["self_bleu_texts"]
    else:
        assert entry["self_bleu"]["n"] == comparison["self_bleu_texts"]
        assert 0 < entry["self_bleu"]["value"] <= 1
    if entry["distinct"][0] is None:
        # The sample may be cut at whole texts; the mean is of all accepted rows.
        assert entry["mean_words"]["value"] * accepted < comparison["distinct_words"] * 1.1
    else:
        assert all(0 < share <= 1 for share in entry["distinct"])


def assert_same_sums(found: list[dict[str, Any]], manifest: Manifest) -> None:
    rows = manifest.rows
    assert sum(entry["asked"] for entry in found) == rows.requested
    assert sum(entry["accepted"] for entry in found) == rows.accepted
    assert sum(entry["rejected"] for entry in found) == sum(rows.rejected.values())
    assert sum(entry["missing"] for entry in found) == rows.shortfall
    tokens = sum(entry["tokens_per_row"] * entry["accepted"] for entry in found)
    assert tokens == pytest.approx(manifest.tokens.generated)
    assert sum(account.generated for account in manifest.strategies) == rows.generated
    assert manifest.seconds["export"] > 0


def assert_draws(made: list[dict[str, Any]], released: list[dict[str, Any]]) -> None:
    """What is drawn without replacement has a weight, and the texts of a draw can be told."""
    drawn = [row for row in released if row["strategy"] == "stochastic_beam"]
    assert drawn
    assert all(math.isfinite(row["weight"]) and row["weight"] > 0 for row in drawn)
    assert all(row["weight"] is None for row in made if row["strategy"] != "stochastic_beam")
    shared = {"arithmetic", "beam", "diverse_beam", "stochastic_beam"}
    assert {row["strategy"] for row in made if row["draw_id"]} == shared
    assert all(row["draw_id"] for row in made if row["strategy"] in shared)
    draws: dict[str, list[dict[str, Any]]] = {}
    for row in made:
        if row["strategy"] == "stochastic_beam":
            draws.setdefault(row["draw_id"], []).append(row)
    # Two rows of each label.
    assert max(map(len, draws.values())) == 2
    for rows in draws.values():
        assert len({(row["attempt"], row["label"], row["prompt"]) for row in rows}) == 1
        assert len({row["text"] for row in rows}) == len(rows)
