import math

import pytest
import torch

from schemas.strategies import Beam, Length
from tasks.decoding.beams import BeamSearch
from tasks.decoding.search import Start

ENDS = torch.tensor([0])


def test_masks_that_leave_fewer_texts_than_beams_give_these(drive, toy_model):
    texts = [[2, 0], [3, 4, 0], [3, 0]]

    def allowed(lane):
        nexts = {text[len(lane) - 1] for text in texts if lane[1:] == text[: len(lane) - 1]}
        return torch.tensor([token in nexts for token in range(6)])

    strategy = Beam(num_beams=4, length_penalty=0, length=Length(max=9))
    model = toy_model(5, 6)
    (found,) = drive(BeamSearch(strategy, end_ids_E=ENDS), model, [[1]], allowed=allowed)
    assert sorted(one.tokens for one in found) == sorted(texts)


@pytest.mark.parametrize("fault", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("at", [1, 3])
def test_logits_that_are_not_numbers_end_their_own_prompt_alone(drive, toy_model, fault, at):
    model = toy_model(2, 6)

    def broken(lanes):
        logits = model(lanes)
        for lane, row in zip(lanes, logits, strict=True):
            if lane[0] == 5 and len(lane) >= at:
                row[:] = fault
        return logits

    # Nothing ends before the fault, so that there is something to lose.
    strategy = Beam(num_beams=3, length=Length(min=3, max=7))
    search = BeamSearch(strategy, end_ids_E=ENDS)
    found = drive(search, broken, [[1], [5], [2]])
    alone = drive(search, model, [[1], [2]])
    assert found == [alone[0], [], alone[1]]


def test_one_nan_on_one_lane_is_enough(toy_model):
    search = BeamSearch(Beam(num_beams=2, length=Length(max=4)), end_ids_E=ENDS)
    search.admit([Start(seed=0), Start(seed=0)])
    logits = toy_model(1, 5)([[1], [1], [2], [2]])
    assert search.step(logits).done == []
    logits[1, 3] = math.nan
    assert search.step(logits).done == [0]
    assert search.results(0) == []


def test_a_text_is_steered_to_its_target_and_strength_0_changes_nothing(drive, toy_model):
    model = toy_model(4, 12)
    prompts = [[i] for i in range(12)]

    def texts(strength, target):
        strategy = Beam(num_beams=3, length=Length(min=0, max=30, strength=strength))
        starts = [Start(seed=0, target_tokens=target)] * len(prompts)
        return drive(BeamSearch(strategy, end_ids_E=ENDS), model, prompts, starts=starts)

    def mean(found):
        return sum(len(hypotheses[0].tokens) for hypotheses in found) / len(found)

    assert texts(0, 5) == texts(4, None)
    for strength in (1, 20, 100):
        lengths = [mean(texts(strength, target)) for target in (3, 9, 15, 21)]
        assert lengths == sorted(set(lengths))
    assert lengths == pytest.approx([3, 9, 15, 21], abs=3)
