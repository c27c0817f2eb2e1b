"""The number of lanes: doubled while a step's rate grows."""

import pytest
import torch

from tasks.generation import sizing
from tasks.generation.sizing import fastest_lanes

CPU = torch.device("cpu")


class OnCpu:
    place = (CPU, torch.float32)


class OnCuda:
    place = (torch.device("cuda:0"), torch.float32)


@pytest.mark.parametrize(
    ("seconds", "most", "expected"),
    [
        # Every doubling is nearly free: only the bounds end it.
        ({}, 512, 256),
        ({}, 100, 64),
        ({}, 8, 8),
        # From 128 lanes on a step takes twice as long for twice the lanes.
        ({256: 2e-3}, 512, 128),
        ({128: 1.95e-3}, 512, 64),
        # A step that is long already is busy with arithmetic.
        ({64: 0.6, 128: 0.6}, 512, 64),
    ],
)
def test_lanes_double_while_it_pays(monkeypatch, seconds, most, expected):
    tried = []

    def step_seconds(network, num_lanes, *, chooser):
        tried.append(num_lanes)
        return seconds.get(num_lanes, 1e-3)

    monkeypatch.setattr(sizing, "_step_seconds", step_seconds)
    assert fastest_lanes(OnCpu(), most=most, chooser=CPU) == expected
    assert max(tried) <= most


def test_one_busy_moment_settles_nothing(monkeypatch):
    times = iter([1e-3, 9e-3, 1e-3, 1e-3])
    monkeypatch.setattr(sizing, "_step_seconds", lambda network, num_lanes, *, chooser: next(times))
    assert fastest_lanes(OnCpu(), most=256, chooser=CPU) == 256


def test_the_bound_of_cpus_is_theirs_alone(monkeypatch):
    monkeypatch.setattr(sizing, "_step_seconds", lambda network, num_lanes, *, chooser: 1e-3)
    assert fastest_lanes(OnCuda(), most=512, chooser=CPU) == 512
