from collections import Counter
from itertools import groupby
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from schemas.recipe import Recipe
from tasks.planning.permutation import permute
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
    shard = plan.shard(np.asarray(rows))
    cells = zip(shard.label_index.tolist(), shard.strategy_index.tolist(), strict=True)
    return [(plan.labels[label], strategy) for label, strategy in cells]


def columns_of(plan: Plan, rows: Any) -> list[NDArray[Any]]:
    return list(plan.shard(np.asarray(rows, dtype=np.int64)))


def strategy(rows_per_prompt: int) -> dict[str, Any]:
    return {"kind": "nucleus", "num_return_sequences": rows_per_prompt}


def slow_groups(plan: Plan, rows_per_prompt: list[int]) -> list[tuple[int, int, int, int]]:
    """Walk over the blocks one by one; (label, strategy, leader, member) of every row."""
    size = max(rows_per_prompt)
    kinds = len(rows_per_prompt)
    cells = [
        (place // kinds, place % kinds)
        for place, cell in enumerate(plan.quotas())
        for _ in range(cell.rows)
    ]
    blocks = [cells[start : start + size] for start in range(0, len(cells), size)]
    num_whole = len(cells) // size
    order = permute(np.arange(num_whole), size=num_whole, key=plan.key).tolist()
    found: list[tuple[int, int, int, int]] = []
    for block in [*(blocks[place] for place in order), *blocks[num_whole:]]:
        for (label, index), same in groupby(block):
            run = len(list(same))
            while run:
                group = min(run, rows_per_prompt[index])
                leader = len(found)
                found += [(label, index, leader, member) for member in range(group)]
                run -= group
    return found


@settings(deadline=None, max_examples=50)
@given(
    rows=st.integers(1, 500),
    shares=st.lists(st.floats(0.01, 100), min_size=1, max_size=5),
    weights=st.lists(st.floats(0.01, 100), min_size=1, max_size=4),
    seed=st.integers(0, 2**63 - 1),
    group=st.integers(1, 9),
)
def test_every_cell_has_exactly_its_quota(
    rows: int, shares: list[float], weights: list[float], seed: int, group: int
) -> None:
    plan = Plan.of(
        recipe(
            rows=rows,
            seed=seed,
            labels={f"l{i}": {"description": "x", "share": s} for i, s in enumerate(shares)},
            strategies=[strategy(group) | {"share": weight} for weight in weights],
        )
    )
    wanted = {
        (f"l{label}", strategy): count
        for label, quota in enumerate(largest_remainder(shares, rows).tolist())
        for strategy, count in enumerate(largest_remainder(weights, quota).tolist())
    }
    assert {(cell.label, cell.strategy_index): cell.rows for cell in plan.quotas()} == wanted
    assert Counter(cells_of(plan, range(rows))) == {k: v for k, v in wanted.items() if v}


@settings(deadline=None, max_examples=100)
@given(
    rows=st.integers(1, 200),
    shares=st.lists(st.floats(0.01, 100), min_size=1, max_size=5),
    groups=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    seed=st.integers(0, 2**63 - 1),
)
def test_groups_are_runs_of_one_cell_in_one_block(
    rows: int, shares: list[float], groups: list[int], seed: int
) -> None:
    plan = Plan.of(
        recipe(
            rows=rows,
            seed=seed,
            labels={f"l{i}": {"description": "x", "share": s} for i, s in enumerate(shares)},
            strategies=[strategy(group) for group in groups],
        )
    )
    shard = plan.shard(np.arange(rows))
    found = list(zip(*(column.tolist() for column in shard), strict=True))
    assert found == slow_groups(plan, groups)
    cells = cells_of(plan, range(rows))
    for row, (leader, member) in enumerate(zip(shard.leader, shard.member, strict=True)):
        assert leader + member == row
        assert cells[leader] == cells[row]
        assert shard.leader[leader] == leader
        assert 0 <= member < groups[cells[row][1]]


@settings(deadline=None, max_examples=50)
@given(rows=st.integers(1, 300), seed=st.integers(0, 2**63 - 1))
def test_without_groups_every_row_is_its_own_leader_at_its_own_place(rows: int, seed: int) -> None:
    plan = Plan.of(recipe(rows=rows, seed=seed))
    numbers = np.arange(rows)
    shard = plan.shard(numbers)
    assert shard.leader.tolist() == numbers.tolist()
    assert not shard.member.any()
    places = permute(numbers, size=rows, key=plan.key)
    cells = [cell for cell in plan.quotas() for _ in range(cell.rows)]
    wanted = [(cells[place].label, cells[place].strategy_index) for place in places.tolist()]
    assert cells_of(plan, numbers) == wanted


def test_most_rows_of_beams_find_a_whole_group() -> None:
    beams = [{"kind": "stochastic_beam", "num_beams": 4}, {"kind": "greedy"}]
    plan = Plan.of(recipe(rows=1000, strategies=beams))
    shard = plan.shard(np.arange(1000))
    sizes = Counter(Counter(shard.leader[shard.strategy_index == 0].tolist()).values())
    # A cell's first and last block can cut a group; there are three cells of beams.
    assert sum(count for size, count in sizes.items() if size < 4) <= 6
    assert set(Counter(shard.leader[shard.strategy_index == 1].tolist()).values()) == {1}


@pytest.mark.parametrize("group", [1, 4])
@settings(deadline=None, max_examples=30)
@given(rows=st.lists(st.integers(0, 98), max_size=20))
def test_a_row_does_not_depend_on_its_shard(group: int, rows: list[int]) -> None:
    plan = Plan.of(recipe(rows=99, strategies=[strategy(group), strategy(1)]))
    whole, part = columns_of(plan, range(99)), columns_of(plan, rows)
    for column, all_of_it in zip(part, whole, strict=True):
        assert column.tolist() == all_of_it[rows].tolist()
        assert column.dtype == all_of_it.dtype
    assert [column.dtype for column in part] == [np.int32, np.int32, np.int64, np.int32]


@pytest.mark.parametrize("group", [1, 4])
@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 1)])
def test_any_shape_of_rows(shape: tuple[int, ...], group: int) -> None:
    plan = Plan.of(recipe(strategies=[strategy(group)]))
    rows = (np.arange(np.prod(shape, dtype=int)) * 37 + 5).reshape(shape)
    whole = columns_of(plan, range(100))
    for column, all_of_it in zip(columns_of(plan, rows), whole, strict=True):
        assert np.shape(column) == shape
        assert np.asarray(column).tolist() == all_of_it[rows].tolist()


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
    for group in (1, 3):
        plan = Plan.of(recipe(strategies=[strategy(group)]))
        for row in (-1, 100):
            with pytest.raises(ValueError, match=r"rows must lie in \[0, 100\)"):
                plan.shard(np.array([row]))


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**63 - 1), st.integers(0, 10**9), st.integers(0, 1000))
def test_row_seeds_are_those_of_the_single_row(seed: int, row: int, attempt: int) -> None:
    seeds = row_seeds(seed, rows=np.array([row]), attempts=np.array([attempt], dtype=np.int32))
    assert seeds.tolist() == [row_seed(seed, row, attempt)]
    assert seeds.dtype == np.int64
    assert seeds[0] >= 0
