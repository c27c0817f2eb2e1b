from collections import Counter

import pytest

from schemas.recipe import Attribute, Label
from tasks.report.shares import MAX_LABELS, MAX_VALUES, attribute_shares, label_shares


def test_labels_beyond_the_limit_are_summed_up_and_none_is_lost() -> None:
    labels = {f"l{n}": Label(description="d", share=1 + n % 2) for n in range(MAX_LABELS + 50)}
    accepted = Counter({name: n for n, name in enumerate(labels)})
    found = label_shares(labels, accepted=accepted, rejected=Counter(), missing=Counter())
    assert len(found.entries) == MAX_LABELS
    assert found.left_out == 50
    assert sum(entry.rows for entry in found.entries) + found.left_out_rows == accepted.total()
    names = [entry.name for entry in found.entries]
    assert names == [name for name in labels if name in set(names)]
    assert {f"l{n}" for n in range(1, MAX_LABELS + 50, 2)} <= set(names)


def test_total_variation_is_half_the_absolute_difference() -> None:
    attribute = Attribute(values=("x", "y", "z"), weights=(1, 1, 2))
    found = attribute_shares("k", attribute, {("k", "x"): 6, ("k", "y"): 2, ("other", "z"): 9})
    assert [entry.asked for entry in found.entries] == [0.25, 0.25, 0.5]
    assert [entry.got for entry in found.entries] == [0.75, 0.25, 0.0]
    assert found.total_variation == pytest.approx(0.5)


def test_values_are_cut_and_bounded() -> None:
    attribute = Attribute(values=tuple(f"{n}" * 5000 for n in range(10, 60)))
    found = attribute_shares("k", attribute, {})
    assert len(found.entries) == MAX_VALUES
    assert found.left_out == 25
    assert all(len(entry.name) <= 60 for entry in found.entries)
