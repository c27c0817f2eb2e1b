"""Lanes of encoder-decoder models say what `generate` says, whoever is beside them."""

import pytest
import torch
from transformers import AutoModelForSeq2SeqLM

from schemas.recipe import TransformersModel
from tasks.generation.folders import find_model
from tasks.generation.loading import load_model
from tasks.generation.seq2seq_lanes import Seq2SeqLanes

CPU = torch.device("cpu")
KINDS = ["t5", "mt5", "bart", "bart-forced"]
PROMPTS = [[40, 41, 42, 0], [50, 51, 52, 53, 54, 55, 56, 57, 58, 0], [60, 0]]


@pytest.fixture(scope="module")
def loaded(family_model):
    def load(kind):
        folder = family_model(kind)
        model = TransformersModel(name=str(folder), device="cpu")
        return load_model(model, folder=find_model(model, folder=folder), end_id=None)

    return {kind: load(kind) for kind in KINDS}


@pytest.fixture(scope="module")
def models(family_model):
    return {
        kind: AutoModelForSeq2SeqLM.from_pretrained(family_model(kind), dtype=torch.float32).eval()
        for kind in KINDS
    }


def lanes_of(loaded) -> Seq2SeqLanes:
    return Seq2SeqLanes(loaded.network, device=CPU, pads_right=True)


def greedy_alone(model, prompt: list[int], count: int) -> list[int]:
    """Return what `generate` writes behind the tokens that it is made to open with."""
    forced = int(model.generation_config.forced_bos_token_id is not None)
    output = model.generate(
        input_ids=torch.tensor([prompt]),
        attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
        do_sample=False,
        max_new_tokens=count + forced,
        min_new_tokens=count + forced,
        no_repeat_ngram_size=1,
    )
    return output[0, 1 + forced :].tolist()


def greedy(lanes, reading, count: int, before: list[list[int]]) -> list[list[int]]:
    """Let every lane write `count` tokens, none twice and none of them the end.

    Tiny random models repeat themselves at once, which would test little.
    """
    written = list(torch.tensor(before).T)
    for step in range(count):
        logits = reading.logits_BV.clone()
        logits[:, 0] = -torch.inf
        for tokens in written:
            logits.scatter_(1, tokens[:, None], -torch.inf)
        written.append(logits.argmax(dim=-1))
        if step + 1 < count:
            reading = lanes.step(written[-1])
    return torch.stack(written[-count:], 1).tolist()


def assert_close(one, other) -> None:
    torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4 * float(other.abs().max()))


def read_alone(model, network, prompt: list[int], reply: list[int]):
    with torch.no_grad():
        return model(
            input_ids=torch.tensor([prompt]),
            decoder_input_ids=torch.tensor([[*network.decoder_prompt, *reply]]),
            output_hidden_states=True,
        )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("copies", [1, 3])
def test_greedy_is_that_of_generate(models, loaded, kind, copies):
    lanes = lanes_of(loaded[kind])
    opening = [list(loaded[kind].network.decoder_prompt)]
    written = greedy(lanes, lanes.admit(PROMPTS, copies=copies), 12, opening * 3 * copies)
    expected = [greedy_alone(models[kind], prompt, 12) for prompt in PROMPTS]
    assert len({tuple(tokens) for tokens in expected}) == len(PROMPTS)
    assert written == [tokens for tokens in expected for _ in range(copies)]


@pytest.mark.parametrize("kind", KINDS)
def test_kept_lanes_go_on_as_they_were(models, loaded, kind):
    lanes = lanes_of(loaded[kind])
    expected = [greedy_alone(models[kind], prompt, 12) for prompt in PROMPTS]
    lanes.admit(PROMPTS, copies=2)
    for step in range(4):
        lanes.step(torch.tensor([expected[place // 2][step] for place in range(6)]))
    lanes.keep(torch.tensor([5, 2]))
    reading = lanes.step(torch.tensor([expected[2][4], expected[1][4]]))
    opening = list(loaded[kind].network.decoder_prompt)
    before = [[*opening, *expected[place][:5]] for place in (2, 1)]
    assert greedy(lanes, reading, 7, before) == [expected[2][5:], expected[1][5:]]
    lanes.keep(torch.tensor([], dtype=torch.long))
    assert greedy(lanes, lanes.admit(PROMPTS[1:2], copies=1), 12, [opening]) == [expected[1]]


@pytest.mark.parametrize("kind", KINDS)
def test_a_reordered_lane_reads_on_from_its_parent(models, loaded, kind):
    lanes = lanes_of(loaded[kind])
    lanes.admit(PROMPTS[:2], copies=3)
    first, second = torch.tensor([70, 71, 72, 80, 81, 82]), torch.tensor([90, 91, 92, 93, 94, 95])
    lanes.step(first)
    lanes.reorder(torch.tensor([2, 0, 0, 4, 4, 3]))
    reading = lanes.step(second, hidden=True)
    for lane, parent in enumerate([2, 0, 0, 4, 4, 3]):
        reply = [int(first[parent]), int(second[lane])]
        alone = read_alone(models[kind], loaded[kind].network, PROMPTS[lane // 3], reply)
        assert_close(reading.logits_BV[lane], alone.logits[0, -1])
        states = alone.decoder_hidden_states[-1][0, -1]
        assert_close(reading.hidden_BD[lane], states)


@pytest.mark.parametrize("kind", KINDS)
def test_a_prompt_and_its_reply_are_read_at_once(models, loaded, kind):
    network = loaded[kind].network
    for reply in ([70], [70, 71, 72, 73]):
        known = torch.tensor(PROMPTS[0] + reply[:-1])
        with torch.no_grad():
            logits = network.read(known, num_last=len(reply))
        alone = read_alone(models[kind], network, PROMPTS[0], reply[:-1]).logits[0, -len(reply) :]
        assert_close(logits, alone)


def test_hidden_states_of_the_decoder_prompt_are_those_of_a_prompt(models, loaded):
    network = loaded["bart-forced"].network
    assert network.decoder_prompt == (0, 3)
    lanes = lanes_of(loaded["bart-forced"])
    reading = lanes.admit(PROMPTS, copies=2, hidden=True)
    for place, prompt in enumerate(PROMPTS):
        alone = read_alone(models["bart-forced"], network, prompt, []).decoder_hidden_states[-1][0]
        assert_close(reading.prompt_hidden[place], alone)
        assert_close(reading.hidden_BD[2 * place + 1], alone[-1])


def test_lanes_are_admitted_together_and_only_when_they_fit(models, loaded):
    lanes = lanes_of(loaded["t5"])
    lanes.admit(PROMPTS, copies=1)
    with pytest.raises(ValueError, match="together"):
        lanes.admit(PROMPTS, copies=1)
    careful = Seq2SeqLanes(loaded["t5"].network, device=CPU, pads_right=False)
    with pytest.raises(ValueError, match="one length"):
        careful.admit(PROMPTS, copies=1)
    same = [[40, 41, 0], [50, 51, 0]]
    expected = [greedy_alone(models["t5"], prompt, 5) for prompt in same]
    assert greedy(careful, careful.admit(same, copies=1), 5, [[1], [1]]) == expected


def test_prompts_as_long_as_the_encoder_are_read(loaded):
    lanes = lanes_of(loaded["bart"])
    long = [[7] * 128, [8] * 127]
    assert lanes.admit(long, copies=1).logits_BV.isfinite().all()
