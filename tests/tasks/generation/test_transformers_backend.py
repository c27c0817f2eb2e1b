"""Laws of generation: what a row is, whoever shares its batch, and what a failure does to it."""

import math
import random
import re
from collections import Counter
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, AutoTokenizer

import tasks.starter
from schemas.errors import RunError
from schemas.recipe import TransformersModel
from schemas.strategies import (
    STRATEGY_CLASSES,
    Arithmetic,
    Beam,
    Contrastive,
    Greedy,
    Length,
    MinP,
    NoisyChannel,
    Nucleus,
    StochasticBeam,
    Temperature,
)
from tasks.generation import lane_writer
from tasks.generation.backends import open_backend
from tasks.generation.network import Network, Probe
from tasks.generation.protocol import Request
from tasks.generation.slot_cache import SlotCache
from tasks.generation.transformers_backend import TransformersBackend

WORDS = ["the", "old", "card", "is", "not", "here", "yet", "and", "my", "bank", "never", "wrote"]
DECODING = [kind for kind in STRATEGY_CLASSES if kind is not NoisyChannel]


def backend_of(folder, **settings) -> TransformersBackend:
    settings = {"device": "cpu", "batch_size": 8, **settings}
    return open_backend(TransformersModel(name=str(folder), **settings), folder=folder)


def request_of(row: int, prompt: str, strategy, *, seed: int | None = None) -> Request:
    return Request(row, 0, row * 7919 + 3 if seed is None else seed, "any", prompt, strategy)


def requests_of(seed: int, strategy, *, count: int) -> list[Request]:
    rng = random.Random(seed)
    return [
        request_of(row, " ".join(rng.choices(WORDS, k=rng.randint(1, 7))), strategy)
        for row in range(count)
    ]


def groups_of(seed: int, kind, *, count: int) -> list[Request]:
    """Requests of `count` prompts, several of each where the strategy makes several."""
    several = {"num_return_sequences": 3} if "num_return_sequences" in kind.model_fields else {}
    strategy = kind(**several, length=Length(min=2, max=12))
    rng = random.Random(seed)
    requests = []
    for group in range(count):
        prompt = " ".join(rng.choices(WORDS, k=rng.randint(1, 7)))
        for member in range(strategy.rows_per_prompt):
            row = len(requests)
            requests.append(
                Request(row, 0, row * 7919 + seed, "any", prompt, strategy, group + seed, member)
            )
    return requests


def by_row(completions) -> dict[int, tuple]:
    """Everything that a row is made of, to the last bit of its logprob."""
    return {
        c.request.row: (c.text, c.num_tokens, c.finish_reason, c.error, c.logprob, c.weight)
        for c in completions
    }


@pytest.fixture(scope="module")
def strict(llama):
    return backend_of(llama, deterministic="strict", batch_size=64)


@pytest.fixture(scope="module")
def backends(llama, gpt2):
    sizes = (1, 3, 7, 64)
    opened = {"llama": {n: backend_of(llama, batch_size=n) for n in sizes}}
    opened["gpt2"] = {n: backend_of(gpt2, batch_size=n) for n in sizes}
    return opened


@pytest.mark.parametrize("family", ["llama", "gpt2"])
@pytest.mark.parametrize("kind", DECODING)
@settings(deadline=None, max_examples=2)
@given(seed=st.integers(0, 999))
def test_rows_do_not_depend_on_batch_size_order_or_sharding(backends, family, seed, kind):
    requests = groups_of(seed, kind, count=4)
    alone = by_row(backends[family][1].generate(requests))
    assert sorted(alone) == list(range(len(requests)))
    assert all(error is None for _, _, _, error, _, _ in alone.values())
    rng = random.Random(seed)
    for size in (3, 7, 64):
        shuffled = rng.sample(requests, len(requests))
        cut = rng.randint(0, len(requests))
        backend = backends[family][size]
        batched = [*backend.generate(shuffled[:cut]), *backend.generate(shuffled[cut:])]
        assert by_row(batched) == alone


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_slots_and_lockstep_make_the_same_rows(backends, family, request):
    lockstep = backend_of(request.getfixturevalue(family))
    lockstep._writer.slots = False
    assert backends[family][7]._writer.slots
    for kind in (Temperature, Beam, Contrastive):
        requests = groups_of(11, kind, count=6)
        expected = by_row(lockstep.generate(requests))
        assert by_row(backends[family][7].generate(requests)) == expected


@pytest.mark.parametrize("kind", DECODING)
def test_a_shared_prefix_changes_no_row(backends, monkeypatch, kind):
    requests = [
        Request(r.row, 0, r.seed, "any", "my card: " + r.prompt, r.strategy, r.group_seed, r.member)
        for r in groups_of(12, kind, count=4)
    ]
    shared = by_row(backends["llama"][7].generate(requests))
    monkeypatch.setattr(lane_writer, "common_prefix", lambda _jobs: [])
    assert by_row(backends["llama"][7].generate(requests)) == shared


def test_a_row_depends_on_its_seed(backends):
    requests = [request_of(row, "the old card", Temperature(), seed=row) for row in range(8)]
    texts = [c.text for c in backends["llama"][64].generate(requests)]
    assert len(set(texts)) == 8


def test_mixed_strategies_answer_each_request_once(backends):
    kinds = [kind(length=Length(max=5)) for kind in DECODING]
    requests = [request_of(row, "my bank", kinds[row % len(kinds)]) for row in range(20)]
    alone = [next(backends["llama"][1].generate([request])) for request in requests]
    together = list(backends["llama"][7].generate(requests))
    assert Counter(c.request.row for c in together) == Counter(range(20))
    assert by_row(together) == by_row(alone)


@pytest.mark.parametrize("kind", DECODING)
def test_strict_gives_the_same_bits_in_any_company(strict, kind):
    requests = groups_of(3, kind, count=4)
    first = by_row(strict.generate(requests))
    second = by_row(strict.generate(requests[::-1][: len(requests) // 2 + 1]))
    assert len(second) > 1
    assert second.items() <= first.items()


def test_strict_promises_exact_rows(strict):
    assert strict.determinism.promise == "exact"


def test_the_promise_is_stated(llama):
    assert backend_of(llama).determinism.promise == "float32"
    half = backend_of(llama, dtype="bfloat16")
    assert half.determinism.promise == "batch_plan"
    assert half.info.dtype == "bfloat16"


def generated(model, tokenizer, prompt: str, **options) -> list[tuple[str, int]]:
    """Texts and numbers of tokens that the library's own search finds for one prompt alone."""
    inputs = tokenizer(prompt, return_tensors="pt")
    ids = inputs["input_ids"]
    output = model.generate(
        input_ids=ids,
        attention_mask=inputs["attention_mask"],
        do_sample=False,
        pad_token_id=tokenizer.eos_token_id,
        **options,
    )
    ends = torch.tensor(model.generation_config.eos_token_id)
    found = []
    for sequence in output[:, ids.shape[1] :]:
        places = torch.isin(sequence, ends).nonzero().flatten().tolist()
        size = places[0] + 1 if places else len(sequence)
        found.append((tokenizer.decode(sequence[:size], skip_special_tokens=True), size))
    return found


STORIES = ["Once upon a time", "The little dog was", "Tom and Lily", "One day a girl", "A", "Sam"]
SENTENCES = ["the old card", "a", "why it took so long?", "my bank never", "not yet", "wrote"]


@pytest.fixture(scope="module", params=["llama", "gpt2", "starter", "tinystories"])
def library(request):
    """A model in the library's own hands, its folder, prompts for it and a length."""
    if request.param == "starter":
        folder = Path(tasks.starter.__file__).parent
    else:
        folder = request.getfixturevalue(request.param)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    prompts = STORIES if request.param == "tinystories" else SENTENCES
    length = 10 if request.param == "starter" else 16
    return model, AutoTokenizer.from_pretrained(folder), folder, prompts, length


@pytest.mark.shared
def test_greedy_is_the_librarys_own(library):
    model, tokenizer, folder, prompts, length = library
    strategy = Greedy(length=Length(min=0, max=length))
    requests = [request_of(row, prompt, strategy) for row, prompt in enumerate(prompts)]
    for completion in backend_of(folder, batch_size=2).generate(requests):
        prompt = completion.request.prompt
        (expected,) = generated(model, tokenizer, prompt, max_new_tokens=length)
        assert (completion.text, completion.num_tokens) == expected


@pytest.mark.shared
@pytest.mark.parametrize(
    ("num_beams", "length_penalty", "early_stopping"),
    [(2, 1.0, False), (3, 0.0, True), (4, 1.0, False), (5, 2.0, "never"), (4, -1.0, True)],
)
def test_beams_are_the_librarys_own(library, num_beams, length_penalty, early_stopping):
    model, tokenizer, folder, prompts, length = library
    options = {
        "num_beams": num_beams,
        "length_penalty": length_penalty,
        "early_stopping": early_stopping,
        "num_return_sequences": num_beams,
    }
    strategy = Beam(**options, length=Length(min=0, max=length))
    requests = [
        Request(number * 8 + member, 0, number, "any", prompt, strategy, number, member)
        for number, prompt in enumerate(prompts)
        for member in range(num_beams)
    ]
    # Room for two prompts at once: the others take the places of those that are done.
    found = by_row(backend_of(folder, batch_size=2 * num_beams).generate(requests))
    for number, prompt in enumerate(prompts):
        expected = generated(model, tokenizer, prompt, max_new_tokens=length, **options)
        assert [found[number * 8 + member][:2] for member in range(num_beams)] == expected


@pytest.mark.parametrize("strategy", [Greedy(), Nucleus(top_p=0.6, temperature=0.7), MinP()])
@pytest.mark.parametrize("mode", ["auto", "strict"])
def test_logprob_is_the_teacher_forced_one_of_the_untruncated_model(llama, strategy, mode):
    strategy = strategy.model_copy(update={"length": Length(min=8, max=8)})
    requests = requests_of(1, strategy, count=5)
    tokenizer = AutoTokenizer.from_pretrained(llama)
    model = AutoModelForCausalLM.from_pretrained(llama, dtype=torch.float32).eval()
    for completion in backend_of(llama, deterministic=mode).generate(requests):
        prompt = tokenizer(completion.request.prompt)["input_ids"]
        reply = replay(model, prompt, completion)
        with torch.no_grad():
            logits = model(torch.tensor([prompt + reply])).logits[0, len(prompt) - 1 : -1]
        scores = logits.double().log_softmax(-1)[range(len(reply)), reply]
        # Without `strict` two digits are kept.
        abs_error = 1e-4 if mode == "strict" else 0.0051
        assert completion.logprob == pytest.approx(scores.mean().item(), abs=abs_error)


def replay(model, prompt: list[int], completion) -> list[int]:
    """Decode a row again, one whole forward pass a token."""
    from tasks.decoding.strategies import choose_tokens

    tokens: list[int] = []
    for step in range(completion.num_tokens):
        with torch.no_grad():
            logits = model(torch.tensor([prompt + tokens])).logits[:, -1]
        logits[:, 0] = -math.inf
        chosen = choose_tokens(
            logits,
            strategy=completion.request.strategy,
            keys_B=torch.tensor([completion.request.seed]),
            steps_B=torch.tensor([step]),
        )
        tokens.append(int(chosen))
    return tokens


@pytest.mark.parametrize("bounds", [(1, 1), (3, 3), (5, 20)])
def test_length_bounds_are_hard(backends, bounds):
    least, most = bounds
    strategy = Temperature(temperature=3.0, length=Length(min=least, max=most))
    requests = requests_of(2, strategy, count=40)
    completions = list(backends["llama"][64].generate(requests))
    for completion in completions:
        ended = completion.finish_reason == "eos"
        assert least <= completion.num_tokens - ended
        assert completion.num_tokens <= most
        assert ended or completion.num_tokens == most


def test_the_text_ends_before_the_first_stop_string(backends):
    strategy = Temperature(length=Length(max=40))
    requests = requests_of(6, strategy, count=20)
    plain = {c.request.row: c for c in backends["llama"][7].generate(requests)}
    pairs = re.findall(r"(?=([!-~]{2}))", "\n".join(c.text for c in plain.values()))
    stops = (Counter(pairs).most_common(1)[0][0], pairs[-1], "\r")
    assert any(stop in c.text for c in plain.values() for stop in stops)
    stopping = strategy.model_copy(update={"stop": stops})
    stopped = backends["llama"][7].generate(
        [request_of(r.row, r.prompt, stopping, seed=r.seed) for r in requests]
    )
    for completion in stopped:
        whole = plain[completion.request.row]
        places = [p for stop in stops if (p := whole.text.find(stop)) >= 0]
        assert completion.text == whole.text[: min(places, default=len(whole.text))]
        assert completion.finish_reason == ("stop" if places else whole.finish_reason)
        assert completion.num_tokens <= whole.num_tokens


class Spied(Network):
    """A network whose calls a test sees and spoils."""

    def __init__(self, network: Network, spoil) -> None:
        self.__dict__.update(network.__dict__)
        self._spoil = spoil
        self.calls: list[tuple[int, bool]] = []
        self.num_prompts = 0

    def forward(self, input_BT, *, position_BT, mask_BT, cache):
        self.calls.append((input_BT.shape[0], mask_BT is not None))
        self.num_prompts += input_BT.shape[0] if input_BT.shape[1] > 1 else 0
        logits_BV, cache = super().forward(
            input_BT, position_BT=position_BT, mask_BT=mask_BT, cache=cache
        )
        return self._spoil(input_BT, logits_BV), cache

    def forward_hidden(self, input_BT, **reading):
        logits_BV, cache, hidden_BTD = super().forward_hidden(input_BT, **reading)
        return self._spoil(input_BT, logits_BV), cache, hidden_BTD


def spied(backend: TransformersBackend, spoil, *, pads_left: bool = True) -> Spied:
    network = Spied(backend._model.network, spoil)
    object.__setattr__(backend._model, "network", network)
    object.__setattr__(backend._model, "probe", Probe(pads_left, 1000))
    return network


def test_a_row_whose_scores_are_not_numbers_fails_alone(llama):
    requests = requests_of(4, Temperature(length=Length(max=6)), count=10)
    requests[3] = request_of(3, "~", Temperature(length=Length(max=6)))
    good = by_row(backend_of(llama).generate(requests))
    backend = backend_of(llama)
    tilde = AutoTokenizer.from_pretrained(llama)("~")["input_ids"][0]

    def spoil(input_BT, logits_BV):
        is_prompt = input_BT.shape[1] > 1
        return logits_BV.masked_fill(((input_BT[:, -1:] == tilde) & is_prompt), math.nan)

    spied(backend, spoil)
    completions = {c.request.row: c for c in backend.generate(requests)}
    broken = completions.pop(3)
    assert (broken.finish_reason, broken.text, broken.logprob) == ("error", "", None)
    assert "not numbers" in broken.error
    good.pop(3)
    assert by_row(completions.values()) == good


def test_a_row_that_fails_does_not_spoil_who_takes_its_place(llama):
    strategy = Greedy(length=Length(min=40, max=40))
    tilde = AutoTokenizer.from_pretrained(llama)("~")["input_ids"][0]
    requests = [
        request_of(row, f"the{' ~' * (row % 3 == 1)} old card", strategy) for row in range(9)
    ]
    # It is admitted first and stays long: what was in front of shorter prompts is still looked at.
    requests[0] = request_of(0, "the old card is not here yet, wrote my bank", strategy)
    found = []
    for size in (1, 2):
        backend = backend_of(llama, batch_size=size)
        backend._model.network._model.get_input_embeddings().weight.data[tilde] = math.nan
        found.append({c.request.row: (c.text, c.error) for c in backend.generate(requests)})
    assert found[0] == found[1]
    assert {row for row, (_, error) in found[0].items() if error} == {1, 4, 7}


def test_a_token_that_the_model_does_not_know_is_its_rows_error(llama):
    backend = backend_of(llama)
    tokenizer = AutoTokenizer.from_pretrained(llama)
    known, unknown = (tokenizer(text)["input_ids"] for text in ("a", "\u00e9"))
    backend._model.network.vocabulary_size = max(known) + 1
    request = request_of(0, "", Greedy())
    assert backend._misfit(known, request) is None
    assert f"token {max(unknown)}, " in backend._misfit(unknown, request)


def test_few_rows_take_few_lanes(llama, monkeypatch):
    sizes = []
    original = SlotCache.__init__

    def spy(self, *, num_lanes, num_columns):
        sizes.append(num_lanes)
        original(self, num_lanes=num_lanes, num_columns=num_columns)

    monkeypatch.setattr(SlotCache, "__init__", spy)
    list(backend_of(llama, batch_size=64).generate(requests_of(1, Greedy(), count=3)))
    assert sizes[-1] == 3


def test_a_row_that_fails_half_way_counts_its_tokens(llama):
    backend = backend_of(llama)
    steps = iter(range(100))
    spied(backend, lambda _input_BT, logits: logits * (math.nan if next(steps) == 3 else 1))
    requests = requests_of(4, Greedy(length=Length(min=6, max=6)), count=2)
    for broken in backend.generate(requests):
        assert (broken.finish_reason, broken.num_tokens) == ("error", 3)
        assert (broken.text, broken.logprob) == ("", None)


@pytest.mark.parametrize("kind", [Temperature, Beam, Contrastive])
def test_a_long_run_of_refills_makes_the_same_rows(llama, monkeypatch, kind):
    moves = []
    shift = SlotCache.shift

    def spy(self, **where):
        moves.append(where)
        shift(self, **where)

    def end_early(_input_BT, logits_BV):
        logits_BV[:, 0] += 5
        return logits_BV

    monkeypatch.setattr(SlotCache, "shift", spy)
    requests = groups_of(13, kind, count=30)
    narrow, wide = backend_of(llama, batch_size=12), backend_of(llama, batch_size=128)
    for backend in (narrow, wide):
        spied(backend, end_early)
    few = by_row(narrow.generate(requests))
    assert moves
    moves.clear()
    assert by_row(wide.generate(requests[::-1])) == few
    assert not moves


@pytest.mark.parametrize("kind", [Temperature, Arithmetic, Beam, StochasticBeam])
def test_rows_of_one_prompt_read_it_once(llama, kind):
    backend = backend_of(llama, batch_size=64)
    network = spied(backend, lambda _input_BT, logits_BV: logits_BV)
    requests = groups_of(21, kind, count=5)
    found = by_row(backend.generate(requests))
    assert network.num_prompts == len({request.prompt for request in requests}) == 5
    size = requests[0].strategy.rows_per_prompt
    for first in range(0, len(requests), size):
        assert len({found[row] for row in range(first, first + size)}) == size


@pytest.mark.parametrize(
    "error", [RuntimeError("DefaultCPUAllocator: can't allocate"), MemoryError()]
)
@pytest.mark.parametrize("when", ["prompt", "later"])
@pytest.mark.parametrize("kind", [Temperature, StochasticBeam])
def test_out_of_memory_halves_the_batch_and_the_run_goes_on(llama, error, when, kind):
    requests = requests_of(5, kind(length=Length(max=9)), count=21)
    expected = by_row(backend_of(llama).generate(requests))
    backend = backend_of(llama, batch_size=16)

    def spoil(input_BT, logits_BV):
        if input_BT.shape[0] > 4 and (when == "prompt" or input_BT.shape[1] == 1):
            raise error
        return logits_BV

    network = spied(backend, spoil)
    completions = list(backend.generate(requests))
    assert Counter(c.request.row for c in completions) == Counter(range(21))
    assert by_row(completions) == expected
    assert max(size for size, _ in network.calls) == 16
    network.calls.clear()
    assert by_row(backend.generate(requests)) == expected
    assert max(size for size, _ in network.calls) == 4


def test_out_of_memory_with_one_row_ends_the_run(llama):
    backend = backend_of(llama)

    def spoil(input_BT, logits_BV):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    spied(backend, spoil)
    with pytest.raises(RunError) as caught:
        list(backend.generate(requests_of(1, Greedy(), count=3)))
    assert (caught.value.code, caught.value.retryable) == ("CS-G002", False)


def test_lanes_of_one_job_are_not_halved(llama):
    backend = backend_of(llama, batch_size=16)

    def spoil(input_BT, logits_BV):
        if input_BT.shape[0] > 1:
            raise MemoryError
        return logits_BV

    network = spied(backend, spoil)
    with pytest.raises(RunError) as caught:
        list(backend.generate(groups_of(1, Beam, count=6)))
    assert (caught.value.code, caught.value.retryable) == ("CS-G002", False)
    assert network.calls[-1][0] == 4


def test_a_job_has_all_its_lanes_however_few_are_asked_for(backends):
    requests = groups_of(2, StochasticBeam, count=3)
    assert by_row(backends["llama"][1].generate(requests)) == by_row(
        backends["llama"][64].generate(requests)
    )


def test_another_failure_of_the_model_is_a_retryable_run_error(llama):
    backend = backend_of(llama)

    def spoil(input_BT, logits_BV):
        raise RuntimeError("device-side assert")

    spied(backend, spoil)
    with pytest.raises(RunError) as caught:
        list(backend.generate(requests_of(1, Greedy(), count=3)))
    assert (caught.value.code, caught.value.retryable) == ("CS-G001", True)


def test_a_prompt_over_the_context_fails_alone(backends):
    strategy = Temperature(length=Length(max=28))
    prompts = ["a" * 100, "a" * 101, "b", ""]
    requests = [request_of(row, prompt, strategy) for row, prompt in enumerate(prompts)]
    completions = {c.request.row: c for c in backends["llama"][7].generate(requests)}
    assert [row for row in range(4) if completions[row].error is None] == [0, 2]
    assert completions[1].error.startswith("context overflow: 101 tokens of prompt and 28 of reply")
    assert completions[3].error == "the prompt has no tokens"


def test_a_text_of_the_greatest_length_is_whole_when_it_ends_there(llama):
    backend = backend_of(llama, deterministic="strict")
    steps = iter(range(100))

    def spoil(_input_BT, logits_BV):
        logits_BV[:, 0] = 1e4 if next(steps) == 4 else -1e4
        return logits_BV

    spied(backend, spoil)
    (whole,) = backend.generate(requests_of(8, Nucleus(length=Length(max=5)), count=1))
    assert (whole.finish_reason, whole.num_tokens) == ("eos", 5)
    (cut,) = backend.generate(requests_of(8, Nucleus(length=Length(max=4)), count=1))
    assert (cut.finish_reason, cut.num_tokens) == ("length", 4)


def test_an_empty_reply_is_a_reply(llama):
    backend = backend_of(llama, deterministic="strict")

    def spoil(_input_BT, logits_BV):
        logits_BV[:, 0] = 1e4
        return logits_BV

    spied(backend, spoil)
    requests = requests_of(8, Nucleus(length=Length(min=0, max=9)), count=3)
    for completion in backend.generate(requests):
        assert (completion.text, completion.finish_reason, completion.num_tokens) == ("", "eos", 1)
        assert completion.logprob == pytest.approx(0, abs=1e-6)


def test_a_model_that_bears_no_padding_batches_equal_lengths_alone(llama):
    requests = requests_of(9, Temperature(length=Length(max=5)), count=12)
    requests += [request_of(12 + row, "why", Temperature(length=Length(max=5))) for row in range(3)]
    expected = by_row(backend_of(llama).generate(requests))
    backend = backend_of(llama)
    backend._writer.slots = False
    network = spied(backend, lambda _input_BT, logits_BV: logits_BV, pads_left=False)
    assert by_row(backend.generate(requests)) == expected
    assert not any(masked for _, masked in network.calls)
    assert max(size for size, _ in network.calls) >= 3


def test_nothing_asked_is_nothing_answered(backends):
    assert list(backends["llama"][3].generate([])) == []


def test_generation_leaves_the_callers_autograd_alone(backends):
    replies = backends["llama"][3].generate(requests_of(1, Greedy(), count=5))
    next(replies)
    assert not torch.is_inference_mode_enabled()
    assert torch.is_grad_enabled()


def test_automatic_batch_size_answers_every_row(llama):
    backend = backend_of(llama, batch_size="auto")
    requests = requests_of(3, Greedy(length=Length(max=3)), count=70)
    network = spied(backend, lambda _input_BT, logits_BV: logits_BV)
    assert len(list(backend.generate(requests))) == 70
    assert max(size for size, _ in network.calls) > 1


@pytest.mark.shared
def test_a_trained_model_writes_a_story(tinystories):
    backend = backend_of(tinystories)
    request = request_of(0, "Once upon a time there was a little", Greedy(length=Length(max=20)))
    (completion,) = backend.generate([request])
    assert len(completion.text.split()) > 5
    assert backend.count_tokens([request.prompt]) == [
        len(AutoTokenizer.from_pretrained(tinystories)(request.prompt)["input_ids"])
    ]
