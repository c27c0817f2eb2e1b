"""Lanes in lockstep say what `generate` says, whatever the cache and whoever is beside them."""

import pytest
import torch
from transformers import AutoModelForCausalLM

from tasks.generation.lockstep_lanes import LockstepLanes
from tasks.generation.network import Network

CPU = torch.device("cpu")
KINDS = ["gpt2", "bloom", "mistral"]
PROMPTS = [[40, 41, 42], [50, 51, 52, 53, 54, 55, 56, 57, 58], [60]]


@pytest.fixture(scope="module")
def models(gpt2, family_model):
    folders = {"gpt2": gpt2, "bloom": family_model("bloom"), "mistral": family_model("mistral")}
    return {
        kind: AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        for kind, folder in folders.items()
    }


def lanes_of(model) -> LockstepLanes:
    return LockstepLanes(Network(model), device=CPU, pads_left=True)


def greedy_alone(model, prompt: list[int], count: int) -> list[int]:
    output = model.generate(
        input_ids=torch.tensor([prompt]),
        attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
        do_sample=False,
        max_new_tokens=count,
        min_new_tokens=count,
    )
    return output[0, len(prompt) :].tolist()


def greedy(lanes, reading, count: int) -> list[list[int]]:
    """Let every lane write `count` tokens, none of them the end."""
    written = []
    for step in range(count):
        logits = reading.logits_BV.clone()
        logits[:, 0] = -torch.inf
        written.append(logits.argmax(dim=-1))
        if step + 1 < count:
            reading = lanes.step(written[-1])
    return torch.stack(written, 1).tolist()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("copies", [1, 3])
def test_greedy_is_that_of_generate(models, kind, copies):
    model = models[kind]
    lanes = lanes_of(model)
    written = greedy(lanes, lanes.admit(PROMPTS, copies=copies), 12)
    expected = [greedy_alone(model, prompt, 12) for prompt in PROMPTS]
    assert len({tuple(tokens) for tokens in expected}) == len(PROMPTS)
    assert written == [tokens for tokens in expected for _ in range(copies)]


@pytest.mark.parametrize("kind", KINDS)
def test_kept_lanes_go_on_as_they_were(models, kind):
    model = models[kind]
    lanes = lanes_of(model)
    expected = [greedy_alone(model, prompt, 12) for prompt in PROMPTS]
    reading = lanes.admit(PROMPTS, copies=2)
    for step in range(4):
        tokens = torch.tensor([expected[place // 2][step] for place in range(6)])
        reading = lanes.step(tokens)
    lanes.keep(torch.tensor([5, 2]))
    reading = lanes.step(torch.tensor([expected[2][4], expected[1][4]]))
    assert greedy(lanes, reading, 7) == [expected[2][5:], expected[1][5:]]
    lanes.keep(torch.tensor([], dtype=torch.long))
    assert greedy(lanes, lanes.admit(PROMPTS[1:2], copies=1), 12) == [expected[1]]


@pytest.mark.parametrize("kind", KINDS)
def test_a_reordered_lane_reads_on_from_its_parent(models, kind):
    model = models[kind]
    lanes = lanes_of(model)
    lanes.admit(PROMPTS[:2], copies=3)
    first, second = torch.tensor([70, 71, 72, 80, 81, 82]), torch.tensor([90, 91, 92, 93, 94, 95])
    lanes.step(first)
    lanes.reorder(torch.tensor([2, 0, 0, 4, 4, 3]))
    reading = lanes.step(second)
    for lane, parent in enumerate([2, 0, 0, 4, 4, 3]):
        history = [*PROMPTS[lane // 3], int(first[parent]), int(second[lane])]
        with torch.no_grad():
            alone = model(input_ids=torch.tensor([history])).logits[0, -1]
        torch.testing.assert_close(reading.logits_BV[lane], alone, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_hidden_states_are_those_of_each_row_alone(models, kind):
    model = models[kind]
    lanes = lanes_of(model)
    opening = lanes.admit(PROMPTS, copies=2, hidden=True)
    tokens = torch.tensor([70, 71, 72, 73, 74, 75])
    stepped = lanes.step(tokens, hidden=True)
    assert [len(states) for states in opening.prompt_hidden] == [3, 9, 1]
    for lane in range(6):
        history = [*PROMPTS[lane // 2], int(tokens[lane])]
        with torch.no_grad():
            output = model(input_ids=torch.tensor([history]), output_hidden_states=True)
        alone = output.hidden_states[-1][0]
        together = torch.cat([opening.prompt_hidden[lane // 2], stepped.hidden_BD[lane][None]])
        torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(opening.hidden_BD[lane], alone[-2], rtol=1e-4, atol=1e-4)


def test_nothing_is_kept_that_was_not_asked_for(models):
    lanes = lanes_of(models["gpt2"])
    reading = lanes.admit(PROMPTS, copies=1)
    assert reading.hidden_BD is None
    assert not reading.prompt_hidden
    assert lanes.step(torch.tensor([7, 8, 9])).hidden_BD is None


def test_lanes_are_admitted_together_and_only_when_they_fit(models):
    lanes = lanes_of(models["gpt2"])
    lanes.admit(PROMPTS, copies=1)
    with pytest.raises(ValueError, match="together"):
        lanes.admit(PROMPTS, copies=1)
    careful = LockstepLanes(Network(models["gpt2"]), device=CPU, pads_left=False)
    with pytest.raises(ValueError, match="one length"):
        careful.admit(PROMPTS, copies=1)
    same = [[40, 41], [50, 51]]
    expected = [greedy_alone(models["gpt2"], prompt, 5) for prompt in same]
    assert greedy(careful, careful.admit(same, copies=1), 5) == expected
