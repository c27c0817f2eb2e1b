"""How many lanes to run at once: measured, not guessed."""

import time

import torch

from schemas.strategies import Nucleus
from tasks.decoding.strategies import choose_tokens
from tasks.generation.network import Network
from tasks.generation.slot_lanes import SlotLanes

_LEAST_LANES = 64
_GAIN = 1.05
"""Twice the lanes must be faster by this factor, for they take twice the memory."""
_MOST_ON_CPU = 256
"""Beyond, whole runs did not get faster (`docs/log.md`), whatever a single step gains."""
_STEPS = 3
_LONGEST_STEP_SECONDS = 0.5
"""A model whose step takes longer is busy with arithmetic: more lanes would gain little."""
_CONTEXT = 32
_CHOICE = Nucleus()


@torch.inference_mode()
def fastest_lanes(network: Network, *, most: int, chooser: torch.device) -> int:
    """Find the number of lanes beyond which a step does not get cheaper for each.

    Doubling is tried from 64 lanes on, with a short context, in some tenths of a second for a model
    that fits this. No row's text depends on the outcome, save at near ties.

    Args:
        network: A model that slots serve.
        most: Lanes that fit into memory.
        chooser: Where tokens are chosen.

    Returns:
        A number of lanes, at most `most`.
    """
    if network.place[0].type == "cpu":
        most = min(most, _MOST_ON_CPU)
    best_lanes, best_rate = most, 0.0
    num_lanes = min(_LEAST_LANES, most)
    while num_lanes <= most:
        seconds = _step_seconds(network, num_lanes, chooser=chooser)
        if num_lanes / seconds < _GAIN * best_rate:
            # A busy moment must not settle it for the whole run.
            seconds = min(seconds, _step_seconds(network, num_lanes, chooser=chooser))
        if num_lanes / seconds < _GAIN * best_rate:
            break
        best_lanes, best_rate = num_lanes, num_lanes / seconds
        if seconds > _LONGEST_STEP_SECONDS:
            break
        num_lanes *= 2
    return best_lanes


def _step_seconds(network: Network, num_lanes: int, *, chooser: torch.device) -> float:
    """Time one step of so many lanes, model and choice, the best of a few, after a first one."""
    lanes = SlotLanes(network, longest=_CONTEXT, max_new_tokens=_STEPS + 1, max_lanes=num_lanes)
    lanes.admit([[0] * _CONTEXT], copies=num_lanes)
    tokens_B = keys_B = torch.arange(num_lanes, device=chooser) % network.vocabulary_size
    times = []
    for step in range(_STEPS + 1):
        start = time.perf_counter()
        logits_BV = lanes.step(tokens_B).logits_BV.to(chooser)
        chosen_B = choose_tokens(logits_BV, strategy=_CHOICE, keys_B=keys_B, steps_B=keys_B + step)
        chosen_B[0].item()  # a GPU answers before it has computed
        times.append(time.perf_counter() - start)
    return min(times[1:])
