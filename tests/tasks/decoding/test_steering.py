"""Steering against a row-by-row reference."""

import math

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.strategies import Length
from tasks.decoding.steering import steer

law = settings(deadline=None, max_examples=80)
SIZE = 6


def reference(logits, *, step, target, allowed, ends, length):
    steered = logits.clone()
    for token in range(SIZE):
        if token in ends and not math.isnan(target):
            steered[token] += length.strength * (step - target) / target
    form = [True] * SIZE if allowed is None else allowed.tolist()
    others = any(form[token] for token in range(SIZE) if token not in ends)
    for token in range(SIZE):
        early = token in ends and step < length.min and (others or allowed is None)
        if early or not form[token]:
            steered[token] = -math.inf
    return steered


@law
@given(
    seed=st.integers(0, 2**32 - 1),
    ends=st.sets(st.integers(0, SIZE - 1), max_size=2),
    steps=st.lists(st.integers(0, 5), min_size=1, max_size=5),
    minimum=st.integers(0, 4),
    strength=st.sampled_from([0.0, 4.0]),
    has_form=st.booleans(),
)
def test_each_row_is_steered_alone(seed, ends, steps, minimum, strength, has_form):
    rng = np.random.default_rng(seed)
    logits = torch.from_numpy(rng.normal(size=(len(steps), SIZE)))
    targets = torch.from_numpy(rng.choice([math.nan, 2.0, 3.5], size=len(steps)))
    allowed = torch.from_numpy(rng.random(logits.shape) < 0.4) if has_form else None
    length = Length(min=minimum, max=9, strength=strength)
    steered = steer(
        logits,
        steps_B=torch.tensor(steps),
        targets_B=targets,
        allowed_BV=allowed,
        end_ids_E=torch.tensor(sorted(ends), dtype=torch.long),
        length=length,
    )
    for row, step in enumerate(steps):
        expected = reference(
            logits[row],
            step=step,
            target=float(targets[row]),
            allowed=None if allowed is None else allowed[row],
            ends=ends,
            length=length,
        )
        torch.testing.assert_close(steered[row], expected)


def test_nothing_asked_is_nothing_copied():
    logits = torch.zeros(2, SIZE)
    arguments = {
        "steps_B": torch.tensor([1, 4]),
        "targets_B": torch.full((2,), math.nan).double(),
        "allowed_BV": None,
        "end_ids_E": torch.tensor([0]),
    }
    assert steer(logits, **arguments, length=Length(min=1)) is logits
    assert steer(logits, **arguments, length=Length(min=2)) is not logits
