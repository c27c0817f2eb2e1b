"""Groups of equal texts against comparing every pair, conflicts against counting by hand."""

import json
import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.quality.duplicate_groups import (
    find_conflicts,
    fold_ascii,
    group_codes,
    group_equal,
    group_folded,
)
from tasks.quality.fingerprints import normalise_text

TEXTS = st.lists(st.text("aAbB é!?1 \t", max_size=4), max_size=30)
ROWS = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from(["x", "y", "z", None])), min_size=1, max_size=30
)


def first_equal(keys):
    return [keys.index(key) for key in keys]


@given(TEXTS)
@settings(deadline=None)
def test_equal_keys_share_the_number_of_the_first(texts):
    groups = group_equal(texts)
    assert groups.firsts.tolist() == first_equal(texts)
    assert groups.num_repeats == len(texts) - len(set(texts))
    assert groups.sizes.tolist() == [texts.count(text) for text in texts]


@given(TEXTS)
@settings(deadline=None)
def test_folded_texts_are_those_of_the_pattern(texts):
    def slow(text):
        folded = re.sub("[^a-z0-9]+", " ", text.lower()).strip()
        return (bool(folded), folded or text)

    keys = [slow(text) for text in texts]
    assert group_folded(texts).firsts.tolist() == first_equal(keys)


def test_what_folds_to_nothing_is_compared_as_it_is():
    texts = ["где моя карта", "где мой счёт", "где моя карта", "!", "?", ""]
    assert group_folded(texts).firsts.tolist() == [0, 1, 0, 3, 4, 5]
    assert fold_ascii("  It's 5 o'CLOCK -- café! ") == "it s 5 o clock caf"


def test_texts_no_page_can_show_are_folded():
    assert group_folded(["\ud800", "\udfff", "\ud800", "\0"]).firsts.tolist() == [0, 1, 0, 3]


@given(st.lists(st.integers(0, 9), max_size=30))
@settings(deadline=None)
def test_codes_are_grouped_like_keys(codes):
    groups = group_codes(np.array(codes, dtype=np.int64))
    assert groups.firsts.tolist() == first_equal(codes)


@given(ROWS)
@settings(deadline=None)
def test_conflicts_are_counted_group_by_group(rows):
    keys, values = zip(*rows, strict=True)
    conflicts = find_conflicts(group_equal(keys), values)
    held = {key: Counter(v for k, v in rows if k == key and v is not None) for key in keys}
    assert conflicts.num_valued == sum(value is not None for value in values)
    assert conflicts.num_outvoted == sum(
        sum(counts.values()) - max(counts.values(), default=0) for counts in held.values()
    )
    assert conflicts.rows.tolist() == [
        len(held[key]) > 1 and value is not None for key, value in rows
    ]


def test_rows_without_values_do_not_conflict():
    conflicts = find_conflicts(group_equal(["a", "a"]), [None, None])
    assert (conflicts.num_outvoted, conflicts.num_valued) == (0, 0)
    assert not conflicts.rows.any()


def test_no_rows_have_no_groups():
    groups = group_equal([])
    assert len(groups) == groups.num_repeats == 0
    assert groups.sizes.shape == (0,)
    assert group_codes(np.zeros(0, dtype=np.int64)).firsts.shape == (0,)
    assert find_conflicts(groups, []).num_outvoted == 0


@pytest.mark.shared
def test_the_copies_of_a_real_synthetic_set(shared):
    rows = json.loads((shared / "data/supergen_sst2/train.json").read_text("utf-8"))
    texts = [row["text"] for row in rows]
    assert group_equal(texts).num_repeats == 4
    assert group_folded(texts).num_repeats == 476
    assert group_equal(normalise_text(text) for text in texts).num_repeats == 476
