from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.recipe import Recipe
from tasks.planning.plan import Plan, row_seeds
from tasks.planning.quotas import largest_remainder
from tasks.planning.streams import row_seed


def recipe(**changes: Any) -> Recipe:
    return Recipe.model_validate(
        {
            "name": "x",
            "seed": 3,
            "rows": 100,
            "labels": {"a": {"description": "says a", "share": 2}, "b": "says b", "c": "says c"},
            "strategies": [{"kind": "nucleus", "share": 3}, {"kind": "greedy"}],
            **changes,
        }
    )


def cells_of(plan: Plan, rows: Any) -> list[tuple[str, int]]:
    label_index, strategy_index = plan.shard(np.asarray(rows))
    return [
        (plan.labels[label], strategy)
        for label, strategy in zip(label_index.tolist(), strategy_index.tolist(), strict=True)
    ]


@settings(deadline=None, max_examples=50)
@given(
    rows=st.integers(1, 500),
    shares=st.lists(st.floats(0.01, 100), min_size=1, max_size=5),
    weights=st.lists(st.floats(0.01, 100), min_size=1, max_size=4),
    seed=st.integers(0, 2**63 - 1),
)
def test_every_cell_has_exactly_its_quota(
    rows: int, shares: list[float], weights: list[float], seed: int
) -> None:
    plan = Plan.of(
        recipe(
            rows=rows,
            seed=seed,
            labels={f"l{i}": {"description": "x", "share": s} for i, s in enumerate(shares)},
            strategies=[{"kind": "greedy", "share": weight} for weight in weights],
        )
    )
    wanted = {
        (f"l{label}", strategy): count
        for label, quota in enumerate(largest_remainder(shares, rows).tolist())
        for strategy, count in enumerate(largest_remainder(weights, quota).tolist())
    }
    assert {(cell.label, cell.strategy_index): cell.rows for cell in plan.quotas()} == wanted
    assert Counter(cells_of(plan, range(rows))) == {k: v for k, v in wanted.items() if v}


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 99), max_size=20))
def test_a_row_does_not_depend_on_its_shard(rows: list[int]) -> None:
    plan = Plan.of(recipe())
    whole = cells_of(plan, range(100))
    assert cells_of(plan, np.array(rows, dtype=np.int64)) == [whole[row] for row in rows]


def test_the_plan_is_for_ever() -> None:
    # A change here changes every corpus ever planned: it needs a new major version.
    cells = cells_of(Plan.of(recipe()), range(8))
    assert "".join(f"{label}{strategy}" for label, strategy in cells) == "b0b0c0a0c0a0c0a0"


def test_labels_are_spread_over_the_rows() -> None:
    first = [label for label, _ in cells_of(Plan.of(recipe(rows=3000)), range(300))]
    # The label `a` has half of the rows: a hypergeometric standard deviation is about 8.2.
    assert abs(first.count("a") - 150) < 5 * 8.2


def test_another_seed_is_another_order_with_the_same_quotas() -> None:
    one, other = Plan.of(recipe()), Plan.of(recipe(seed=4))
    assert one.quotas() == other.quotas()
    assert cells_of(one, range(100)) != cells_of(other, range(100))


def test_attributes_and_templates_do_not_move_labels() -> None:
    one = cells_of(Plan.of(recipe()), range(100))
    other = cells_of(Plan.of(recipe(attributes={"tone": ["a"]}, shard_size=7)), range(100))
    assert one == other


def test_more_labels_than_rows() -> None:
    plan = Plan.of(recipe(rows=1))
    assert cells_of(plan, [0]) == [("a", 0)]
    assert plan.rows == 1
    assert sum(cell.rows for cell in plan.quotas()) == 1
    assert plan.quotas()[0].kind == "nucleus"


def test_a_row_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="rows must lie in"):
        Plan.of(recipe()).shard(np.array([100]))


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**63 - 1), st.integers(0, 10**9), st.integers(0, 1000))
def test_row_seeds_are_those_of_the_single_row(seed: int, row: int, attempt: int) -> None:
    seeds = row_seeds(seed, rows=np.array([row]), attempts=np.array([attempt], dtype=np.int32))
    assert seeds.tolist() == [row_seed(seed, row, attempt)]
    assert seeds.dtype == np.int64
    assert seeds[0] >= 0
