from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, AutoTokenizer

from schemas.strategies import Beam, Length
from tasks.decoding.beams import BeamSearch
from tasks.decoding.search import Start
from tasks.starter import STARTER_FOLDER

TEXTS = ["Once upon a time", "The dog was", "Lily wanted to play with her friend, but", "He"]


class Read:
    """A real model that reads every lane anew, each text once."""

    def __init__(self, folder, ends):
        # Tokens that are likely in the middle of a text: hypotheses must end at all lengths for the
        # rules of stopping to differ.
        self.ends = ends
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        tokenizer = AutoTokenizer.from_pretrained(folder)
        self.prompts = [tokenizer(text).input_ids for text in TEXTS]
        self.known = {}

    def __call__(self, lanes):
        new = sorted({tuple(lane) for lane in lanes} - self.known.keys())
        if new:
            longest = max(map(len, new))
            ids = torch.tensor([[*lane, *[0] * (longest - len(lane))] for lane in new])
            hidden = self.model.base_model(ids, use_cache=False).last_hidden_state
            last = hidden[torch.arange(len(new)), torch.tensor([len(lane) - 1 for lane in new])]
            self.known.update(zip(new, self.model.get_output_embeddings()(last), strict=True))
        return torch.stack([self.known[tuple(lane)] for lane in lanes])

    def generate(self, prompt, strategy, *, ends):
        """What `generate` returns for one prompt alone, cut behind the first end."""
        beams = {"length_penalty": strategy.length_penalty}
        beams |= {"early_stopping": strategy.early_stopping}
        sequences = self.model.generate(
            torch.tensor([prompt]),
            attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
            do_sample=False,
            num_beams=strategy.num_beams,
            num_return_sequences=strategy.num_beams,
            min_new_tokens=strategy.length.min,
            max_new_tokens=strategy.length.max,
            eos_token_id=ends,
            pad_token_id=0,
            **(beams if strategy.num_beams > 1 else {}),
        )
        return [cut(sequence, ends) for sequence in sequences[:, len(prompt) :].tolist()]


def cut(tokens, ends):
    stop = next((i for i, token in enumerate(tokens) if token in ends), len(tokens))
    return tokens[: stop + 1]


@pytest.fixture(scope="module")
def starter():
    return Read(STARTER_FOLDER, ends=[0, 15, 32])


@pytest.fixture(scope="module")
def stories(shared):
    return Read(shared / "models" / "tinystories-656k", ends=[94, 100, 88])


def compare(drive, model, strategy, *, num_ends):
    ends = model.ends[:num_ends]
    found = drive(
        BeamSearch(strategy, end_ids_E=torch.tensor(ends)),
        model,
        model.prompts,
        admitted=[0, 2, 2, 5],
        reverse=True,
    )
    for prompt, hypotheses in zip(model.prompts, found, strict=True):
        expected = model.generate(prompt, strategy, ends=ends)
        assert [hypothesis.tokens for hypothesis in hypotheses] == expected
        assert [hypothesis.ended for hypothesis in hypotheses] == [
            tokens[-1] in ends for tokens in expected
        ]


@pytest.mark.parametrize(
    ("num_beams", "length_penalty", "early_stopping", "num_ends"),
    [(1, 1, False, 1), (2, 0, "never", 1), (4, 1, False, 3), (4, -1, True, 2), (7, 2, "never", 3)],
)
def test_texts_are_those_of_generate_on_the_starter(
    drive, starter, num_beams, length_penalty, early_stopping, num_ends
):
    strategy = Beam(
        num_beams=num_beams,
        length_penalty=length_penalty,
        early_stopping=early_stopping,
        length=Length(min=1, max=10),
    )
    compare(drive, starter, strategy, num_ends=num_ends)


@pytest.mark.shared
@pytest.mark.parametrize("length_penalty", [0, 0.6, 1, 2, -1])
@pytest.mark.parametrize(
    ("num_beams", "early_stopping", "num_ends", "least"),
    [
        (1, "never", 2, 3),
        (2, True, 3, 0),
        (4, False, 3, 6),
        (4, True, 1, 1),
        (4, "never", 1, 0),
        (7, False, 2, 0),
    ],
)
def test_texts_are_those_of_generate_on_stories(
    drive, stories, num_beams, length_penalty, early_stopping, num_ends, least
):
    strategy = Beam(
        num_beams=num_beams,
        length_penalty=length_penalty,
        early_stopping=early_stopping,
        length=Length(min=least, max=16),
    )
    compare(drive, stories, strategy, num_ends=num_ends)


ENDS = torch.tensor([0])
strategies = st.builds(
    Beam,
    num_beams=st.integers(1, 5),
    length_penalty=st.sampled_from([0, 0.6, 1, 2, -1, 10, -10]),
    early_stopping=st.sampled_from([True, False, "never"]),
    length=st.builds(
        Length,
        min=st.integers(0, 3),
        max=st.integers(3, 8),
        strength=st.sampled_from([0, 0.5, 4]),
    ),
)


def check(hypotheses, defined, *, ends):
    """The same texts in the same order with the model's own log-probabilities."""
    assert [tuple(one.tokens) for one in hypotheses] == [tokens for _, _, tokens in defined]
    for one, (_, logprob, tokens) in zip(hypotheses, defined, strict=True):
        assert one.logprob == pytest.approx(logprob, abs=1e-4)
        assert one.ended == (tokens[-1] in ends)
        assert one.weight is None


@settings(deadline=None, max_examples=60)
@given(
    strategy=strategies,
    seed=st.integers(0, 10**6),
    num_tokens=st.integers(2, 9),
    ends=st.sampled_from([(), (0,), (1, 0)]),
    targets=st.lists(st.sampled_from([None, 1, 2.5, 6]), min_size=3, max_size=3),
    masked=st.booleans(),
    admitted=st.lists(st.integers(0, 4), min_size=3, max_size=3),
)
def test_every_prompt_of_a_batch_is_searched_as_defined(
    drive, define_beams, toy_model, strategy, seed, num_tokens, ends, targets, masked, admitted
):
    model = toy_model(seed, num_tokens)
    shadow = toy_model(seed + 1, num_tokens)
    prompts = [[3], [1, 2, 4], [8, 8]]

    def allowed(lane):
        return shadow([lane])[0] > -1.5

    found = drive(
        BeamSearch(strategy, end_ids_E=torch.tensor(ends, dtype=torch.long)),
        model,
        prompts,
        starts=[Start(seed=0, target_tokens=target) for target in targets],
        admitted=admitted,
        reverse=seed % 2 == 0,
        linger=seed % 3,
        allowed=allowed if masked else None,
    )
    for prompt, target, hypotheses in zip(prompts, targets, found, strict=True):
        (defined,) = define_beams(
            model,
            prompt,
            strategy,
            ends=ends,
            target=target,
            allowed=allowed if masked else None,
        )
        check(hypotheses, defined, ends=ends)


@pytest.mark.parametrize(("length_penalty", "spread"), [(-0.5, 3), (1, 1), (2, 1)])
def test_the_settings_of_early_stopping_are_told_apart(
    drive, define_beams, toy_model, length_penalty, spread
):
    model = toy_model(1, 6, spread=spread)
    prompts = [[first, second] for first in range(5) for second in range(6)]
    outcomes = []
    for early_stopping in (True, False, "never"):
        strategy = Beam(
            num_beams=3,
            length_penalty=length_penalty,
            early_stopping=early_stopping,
            length=Length(min=0, max=10),
        )
        found = drive(BeamSearch(strategy, end_ids_E=ENDS), model, prompts)
        for prompt, hypotheses in zip(prompts, found, strict=True):
            (defined,) = define_beams(model, prompt, strategy, ends=(0,))
            check(hypotheses, defined, ends=(0,))
        outcomes.append(found)
    assert outcomes[0] != outcomes[1]
    assert (outcomes[1] != outcomes[2]) == (length_penalty > 0)


@pytest.mark.parametrize("seed", range(5))
def test_one_beam_is_greedy(drive, toy_model, seed):
    model = toy_model(seed, 7)
    (((hypothesis),),) = drive(
        BeamSearch(Beam(num_beams=1, length=Length(min=0, max=9)), end_ids_E=ENDS), model, [[1]]
    )
    lane = [1]
    while len(lane) < 10 and lane[-1] != 0:
        lane.append(int(model([lane])[0].argmax()))
    assert hypothesis.tokens == lane[1:]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("early_stopping", [False, "never"])
def test_beams_without_bound_find_the_most_probable_text(drive, toy_model, seed, early_stopping):
    num_tokens, most = 3, 4
    model = toy_model(seed, num_tokens)
    strategy = Beam(
        num_beams=num_tokens ** (most - 1),
        length_penalty=0,
        early_stopping=early_stopping,
        length=Length(min=0, max=most),
    )
    texts = {tuple(cut(list(text), [0])) for text in product(range(num_tokens), repeat=most)}

    def logprob(text):
        lanes = [[1, *text[:i]] for i in range(len(text))]
        return float(model(lanes).log_softmax(-1).gather(1, torch.tensor(text)[:, None]).sum())

    ((best, *_),) = drive(BeamSearch(strategy, end_ids_E=ENDS), model, [[1]])
    assert best.tokens == list(max(texts, key=logprob))
    assert best.logprob == pytest.approx(logprob(tuple(best.tokens)), abs=1e-5)


def test_as_many_texts_as_beams_all_different_and_best_first(drive, toy_model):
    strategy = Beam(num_beams=6, length_penalty=0.6, length=Length(min=1, max=8))
    (found,) = drive(BeamSearch(strategy, end_ids_E=ENDS), toy_model(3, 20), [[1]])
    scores = [one.logprob / len(one.tokens) ** 0.6 for one in found]
    assert len({tuple(one.tokens) for one in found}) == 6
    assert scores == sorted(scores, reverse=True)
