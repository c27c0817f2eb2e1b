"""The cache of all lanes: what is written where, and what a layer's queries get to see."""

import gc
import weakref

import pytest
import torch

from tasks.generation.slot_cache import SlotCache

LANES, COLUMNS, HEADS, SIZE = 5, 12, 2, 3


def states(count, width, *, start=1.0):
    """Keys and values, no two numbers alike."""
    keys = torch.arange(count * HEADS * width * SIZE).float() + start
    keys = keys.view(count, HEADS, width, SIZE)
    return keys, keys + 0.5


def filled(cache, count, width, *, column, first=0, copies=1):
    cache.read_prompts(first=first, copies=copies, column=column)
    pair = states(count, width)
    assert all(map(torch.equal, cache.update(*pair, 0), pair))
    return pair


def stored(cache, layer=0):
    return cache._layers[layer]


@pytest.fixture
def cache():
    return SlotCache(num_lanes=LANES, num_columns=COLUMNS)


def test_prompts_lie_in_front_of_the_column_once_for_each_copy(cache):
    pair = filled(cache, 2, 4, column=9, first=1, copies=2)
    for store, new in zip(stored(cache), pair, strict=True):
        expected = torch.zeros(LANES, HEADS, COLUMNS, SIZE)
        expected[1:5, :, 5:9] = new.repeat_interleave(2, 0)
        assert torch.equal(store, expected)


def test_the_prefix_stands_in_front_of_every_prompt(cache):
    cache.read_prefix()
    prefix = states(1, 3, start=500.0)
    assert all(map(torch.equal, cache.update(*prefix, 0), prefix))
    cache.read_prompts(first=0, copies=2, column=8)
    own = states(2, 2)
    seen = cache.update(*own, 0)
    for store, part, known, new in zip(stored(cache), seen, prefix, own, strict=True):
        expected = torch.cat([known.expand(2, -1, -1, -1), new], 2)
        assert torch.equal(part, expected)
        assert torch.equal(store[:4, :, 3:8], expected.repeat_interleave(2, 0))
        assert not store[4].any()


def test_a_step_is_one_column_of_the_first_lanes(cache):
    pair = filled(cache, 3, 4, column=6)
    cache.write_step(num_lanes=3, first_column=2, column=6)
    step = states(3, 1, start=900.0)
    seen = cache.update(*step, 0)
    for part, old, new in zip(seen, pair, step, strict=True):
        assert torch.equal(part, torch.cat([old, new], 2))
    assert not stored(cache)[0][3:].any()


def test_a_step_copies_nothing(cache):
    filled(cache, 3, 4, column=6)
    cache.write_step(num_lanes=3, first_column=2, column=6)
    keys, _ = cache.update(*states(3, 1), 0)
    assert keys.untyped_storage().data_ptr() == stored(cache)[0].untyped_storage().data_ptr()


def test_lanes_that_change_places_are_read_before_any_is_written(cache):
    pair = filled(cache, 3, 4, column=6)
    cache.copy_lanes(torch.tensor([1, 2, 0]), torch.tensor([0, 1, 2]), columns=slice(4, 6))
    for store, old in zip(stored(cache), pair, strict=True):
        assert torch.equal(store[:3, :, 2:4], old[:, :, :2])
        assert torch.equal(store[:3, :, 4:6], old[[1, 2, 0], :, 2:])


@pytest.mark.parametrize("first", [1, 3, 5])
def test_columns_move_to_the_left_end_though_they_overlap(cache, first):
    filled(cache, 3, 8, column=10)
    before = [store.clone() for store in stored(cache)]
    cache.shift(num_lanes=2, columns=slice(first, 10))
    for store, old in zip(stored(cache), before, strict=True):
        assert torch.equal(store[:2, :, : 10 - first], old[:2, :, first:10])
        assert torch.equal(store[2:], old[2:])


def test_every_layer_has_its_own_columns(cache):
    cache.read_prompts(first=0, copies=1, column=4)
    one, two = states(2, 2), states(2, 2, start=70.0)
    cache.update(*one, 0)
    cache.update(*two, 1)
    assert torch.equal(stored(cache, 0)[0][:2, :, 2:4], one[0])
    assert torch.equal(stored(cache, 1)[0][:2, :, 2:4], two[0])
    assert cache.get_seq_length() == 0


def test_a_cache_is_freed_with_its_last_user():
    cache = SlotCache(num_lanes=LANES, num_columns=COLUMNS)
    cache.read_prefix()
    cache.update(*states(1, 3), 0)
    cache.read_prompts(first=0, copies=1, column=8)
    cache.update(*states(1, 1), 0)
    cache.write_step(num_lanes=1, first_column=0, column=8)
    cache.update(*states(1, 1), 0)
    alive = weakref.ref(cache)
    gc.disable()
    try:
        del cache
        assert alive() is None
    finally:
        gc.enable()


def test_cleared_lanes_hold_zeros(cache):
    filled(cache, 3, 4, column=6)
    cache.clear_lanes([0, 2])
    for store in stored(cache):
        assert not store[[0, 2]].any()
        assert store[1].any()
