"""Lanes against the naive reference: one whole forward pass of each lane's tokens, no cache."""

import random
from dataclasses import dataclass, field

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM

from tasks.generation import slot_lanes
from tasks.generation.lockstep_lanes import LockstepLanes
from tasks.generation.network import Network
from tasks.generation.slot_cache import SlotCache
from tasks.generation.slot_lanes import SlotLanes, serves

CPU = torch.device("cpu")
LONGEST, MAX_NEW, MAX_LANES = 13, 5, 7
law = settings(deadline=None, max_examples=15)
close = {"rtol": 1e-3, "atol": 1e-3}


@pytest.fixture(scope="module")
def models(llama, gpt2):
    return {
        kind: AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        for kind, folder in (("llama", llama), ("gpt2", gpt2))
    }


@dataclass
class Lane:
    """What a lane has read, and what was said behind each of its last tokens."""

    prompt: int
    num_prompt_tokens: int
    tokens: list
    said: list = field(default_factory=list)
    states: list = field(default_factory=list)


class Schedule:
    """Drives lanes by chance and compares what they say with what the model says alone."""

    def __init__(self, lanes, model, *, seed, prefix=(), hidden=False):
        self.lanes, self.model, self.hidden = lanes, model, hidden
        self.rng, self.prefix = random.Random(seed), list(prefix)
        self.present, self.num_prompts = [], 0

    def tokens(self, count):
        return [self.rng.randrange(3, 259) for _ in range(count)]

    def hear(self, lanes, reading):
        assert (reading.hidden_BD is not None) == self.hidden
        for place, lane in enumerate(lanes):
            lane.said.append(reading.logits_BV[place])
            lane.states.append(reading.hidden_BD[place] if self.hidden else None)

    def admit(self):
        room = MAX_LANES - len(self.present)
        copies = self.rng.randint(1, min(3, room))
        count = self.rng.randint(1, room // copies)
        longest = LONGEST - len(self.prefix)
        prompts = [self.prefix + self.tokens(self.rng.randint(1, longest)) for _ in range(count)]
        reading = self.lanes.admit(prompts, copies=copies, hidden=self.hidden)
        new = [
            Lane(self.num_prompts + number, len(prompt), list(prompt))
            for number, prompt in enumerate(prompts)
            for _ in range(copies)
        ]
        assert len(reading.logits_BV) == len(new)
        assert len(reading.prompt_hidden) == (count if self.hidden else 0)
        for prompt, states_TD in zip(prompts, reading.prompt_hidden, strict=False):
            alone_TD = self.read(prompt)[1]
            torch.testing.assert_close(states_TD, alone_TD, **close)
        self.num_prompts += count
        self.hear(new, reading)
        self.present += new

    def step(self):
        tokens = self.tokens(len(self.present))
        reading = self.lanes.step(torch.tensor(tokens), hidden=self.hidden)
        for lane, token in zip(self.present, tokens, strict=True):
            lane.tokens.append(token)
        self.hear(self.present, reading)

    def reorder(self):
        groups = self.groups()
        parents = [self.rng.choice(groups[lane.prompt]) for lane in self.present]
        self.lanes.reorder(torch.tensor(parents))
        self.check(self.present)
        self.present = [
            Lane(old.prompt, old.num_prompt_tokens, list(old.tokens), list(old.said), [*old.states])
            for old in (self.present[parent] for parent in parents)
        ]

    def keep(self, share):
        groups = self.groups()
        old = [lane for lane in self.present if len(lane.said) > MAX_NEW]
        leaving = {lane.prompt for lane in old}
        staying = [p for p in groups if p not in leaving and self.rng.random() < share]
        self.rng.shuffle(staying)
        order = [place for prompt in staying for place in groups[prompt]]
        self.check([lane for lane in self.present if lane.prompt not in staying])
        self.lanes.keep(torch.tensor(order, dtype=torch.long))
        self.present = [self.present[place] for place in order]

    def groups(self):
        found = {}
        for place, lane in enumerate(self.present):
            found.setdefault(lane.prompt, []).append(place)
        return found

    @torch.no_grad()
    def read(self, tokens):
        output = self.model(input_ids=torch.tensor([tokens]), output_hidden_states=True)
        return output.logits[0], output.hidden_states[-1][0]

    def check(self, lanes):
        for lane in lanes:
            first = lane.num_prompt_tokens - 1
            logits_TV, states_TD = self.read(lane.tokens)
            torch.testing.assert_close(torch.stack(lane.said), logits_TV[first:], **close)
            if self.hidden:
                torch.testing.assert_close(torch.stack(lane.states), states_TD[first:], **close)

    def run(self, num_turns):
        for _ in range(num_turns):
            free = MAX_LANES - len(self.present)
            may_admit = self.lanes.refills or not self.present
            if not self.present or (free and may_admit and self.rng.random() < 0.5):
                self.admit()
            self.step()
            if self.rng.random() < 0.5:
                self.reorder()
            self.keep(share=0.8)
        self.check(self.present)


def slots_of(model, *, prefix=()):
    return SlotLanes(
        Network(model),
        prefix=prefix,
        longest=LONGEST,
        max_new_tokens=MAX_NEW,
        max_lanes=MAX_LANES,
    )


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
@law
@given(seed=st.integers(0, 10**6), known=st.sampled_from([0, 1, 5, 8, 12]), hidden=st.booleans())
def test_slots_say_what_the_model_says_of_each_lane_alone(models, kind, seed, known, hidden):
    prefix = [7 + place for place in range(known)]
    lanes = slots_of(models[kind], prefix=prefix)
    Schedule(lanes, models[kind], seed=seed, prefix=prefix, hidden=hidden).run(14)


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
@law
@given(seed=st.integers(0, 10**6), hidden=st.booleans())
def test_lockstep_says_what_the_model_says_of_each_lane_alone(models, kind, seed, hidden):
    lanes = LockstepLanes(Network(models[kind]), device=CPU, pads_left=True)
    Schedule(lanes, models[kind], seed=seed, hidden=hidden).run(8)


def test_columns_move_left_again_and_again(models, monkeypatch):
    moves = []
    original = SlotCache.shift

    def spy(self, *, num_lanes, columns):
        moves.append(columns.start)
        original(self, num_lanes=num_lanes, columns=columns)

    monkeypatch.setattr(SlotCache, "shift", spy)
    monkeypatch.setattr(slot_lanes, "_ROOM", 2)
    for seed in range(3):
        Schedule(slots_of(models["llama"]), models["llama"], seed=seed).run(40)
    assert len(moves) >= 6
    assert min(moves) > 0


def test_many_prompts_are_read_in_parts(models, monkeypatch):
    monkeypatch.setattr(slot_lanes, "_TOKENS_AT_ONCE", 16)
    for seed in range(4):
        Schedule(slots_of(models["llama"]), models["llama"], seed=seed, hidden=True).run(10)


def test_the_prefix_is_read_once(models):
    prefix = list(range(20, 30))
    network = Network(models["llama"])
    widths = []
    forward = network.forward

    def spy(input_BT, **more):
        widths.append(tuple(input_BT.shape))
        return forward(input_BT, **more)

    network.forward = spy
    lanes = SlotLanes(network, prefix=prefix, longest=12, max_new_tokens=4, max_lanes=9)
    lanes.admit([[*prefix, 5], [*prefix, 6]], copies=2)
    lanes.admit([[*prefix, 5, 6]], copies=1)
    lanes.step(torch.tensor([1, 2, 3, 4, 5]))
    assert widths == [(1, 10), (2, 1), (1, 2), (5, 1)]


def test_lanes_may_all_leave_and_others_come(models):
    lanes = slots_of(models["llama"])
    schedule = Schedule(lanes, models["llama"], seed=1)
    for _ in range(5):
        schedule.admit()
        schedule.step()
        schedule.keep(share=0.0)
        assert not schedule.present


def spoilt(models, how):
    """A network that serves slots badly."""

    class Spoilt(Network):
        def forward(self, input_BT, *, position_BT, mask_BT, cache):
            if how == "mask":
                mask_BT = None if mask_BT is None else torch.zeros_like(mask_BT)
            if how == "position":
                position_BT = torch.zeros_like(position_BT)
            if how == "error" and isinstance(cache, SlotCache):
                raise TypeError("no such cache")
            return super().forward(input_BT, position_BT=position_BT, mask_BT=mask_BT, cache=cache)

    return Spoilt(models["llama"])


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_slots_serve_models_that_attend_everywhere(models, kind):
    assert serves(Network(models[kind]))


@pytest.mark.parametrize("how", ["mask", "position", "error"])
def test_the_trial_catches_a_model_that_slots_do_not_serve(models, how):
    assert not serves(spoilt(models, how))


@pytest.mark.parametrize(
    ("setting", "value"),
    [("_attn_implementation", "eager"), ("sliding_window", 4), ("layer_types", ["linear"])],
)
def test_windows_and_other_attention_are_left_to_lockstep(models, monkeypatch, setting, value):
    network = Network(models["llama"])
    monkeypatch.setattr(models["llama"].config, setting, value, raising=False)
    assert not serves(network)
