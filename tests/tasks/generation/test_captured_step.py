"""Recorded steps: what a recording leaves fixed must not change what a lane computes."""

import pytest
import torch
from transformers import AutoModelForCausalLM

from tasks.generation import slot_lanes
from tasks.generation.captured_step import CapturedStep
from tasks.generation.network import Network
from tasks.generation.slot_lanes import SlotLanes


@pytest.fixture(scope="module")
def network(llama):
    return Network(AutoModelForCausalLM.from_pretrained(llama, dtype=torch.float32).eval())


def lanes_of(network, monkeypatch, *, record):
    """Slots whose steps run through recordings, on the CPU: to replay is to call again."""

    def open_captured(network, cache, mask_BW):
        return CapturedStep(network, cache, mask_BW, record=record)

    monkeypatch.setattr(slot_lanes, "open_captured", open_captured)
    return SlotLanes(network, longest=20, max_new_tokens=60, max_lanes=10)


def drive(lanes):
    """Admit, step, drop and admit again, through a move to the left; return all logits."""
    seen = [lanes.admit([[5, 6, 7], [8, 9, 10, 11, 12]], copies=2).logits_BV]
    for step in range(110):
        count = len(seen[-1])
        seen.append(lanes.step(torch.arange(count) * 3 + step % 50 + 3).logits_BV.clone())
        if step in (20, 50, 80):
            fresh = lanes.admit([[20 + step, 21, 22, 23]], copies=3).logits_BV
            seen.append(torch.cat([seen[-1], fresh]))
        if step in (35, 65, 95):
            lanes.keep(torch.tensor([count - 1, count - 3]))
            seen.append(seen[-1][:2])
        if step == 40:
            lanes.reorder(torch.tensor([1, 1]))
    assert lanes._column < 110, "the lanes did not move"
    return seen


def test_recorded_steps_compute_what_unrecorded_steps_do(network, monkeypatch):
    recorded = []

    def record(step):
        recorded.append(step)
        return step

    plain = drive(SlotLanes(network, longest=20, max_new_tokens=60, max_lanes=10))
    replayed = drive(lanes_of(network, monkeypatch, record=record))
    assert len(recorded) > 1
    for one, other in zip(plain, replayed, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_each_size_is_recorded_once(network, monkeypatch):
    sizes = []

    def record(step):
        sizes.append(step)
        return step

    lanes = lanes_of(network, monkeypatch, record=record)
    lanes.admit([[5, 6, 7]], copies=3)
    for _ in range(30):
        lanes.step(torch.tensor([3, 4, 5]))
    assert len(sizes) == 1


def test_a_model_that_cannot_be_recorded_steps_unrecorded(network, monkeypatch):
    def record(step):
        raise RuntimeError("operation not permitted when stream is capturing")

    plain = drive(SlotLanes(network, longest=20, max_new_tokens=60, max_lanes=10))
    lanes = lanes_of(network, monkeypatch, record=record)
    with pytest.warns(UserWarning, match="cannot be recorded"):
        found = drive(lanes)
    for one, other in zip(plain, found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)
