"""The score of a continuation against its definition, token by token without batch or cache."""

import math
import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, AutoTokenizer

from schemas.errors import RunError
from schemas.recipe import TransformersModel
from tasks.generation import scoring
from tasks.generation.backends import open_backend
from tasks.generation.folders import STARTER_FOLDER
from tasks.generation.network import Probe
from tasks.generation.protocol import TextScorer
from tasks.generation.scoring import ContinuationScorer
from tasks.generation.transformers_backend import TransformersBackend

WORDS = ["the", " old", " card", "\nis", " not", "here", " yét", ":", " wróte"]


def backend_of(folder: Path) -> TransformersBackend:
    model = TransformersModel(name=str(folder), device="cpu")
    backend = open_backend(model, folder=folder)
    assert isinstance(backend, TransformersBackend)
    return backend


@pytest.fixture(scope="module")
def opened(llama, gpt2):
    def load(folder):
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        return backend_of(folder), model, AutoTokenizer.from_pretrained(folder)

    return {"llama": load(llama), "gpt2": load(gpt2)}


@torch.inference_mode()
def by_definition(model, start: list[int], end: list[int]) -> float:
    """The sum over the tokens of the log-softmax behind all tokens before, read anew each time."""
    total = 0.0
    for place, token in enumerate(end):
        before = torch.tensor([start + end[:place]])
        logits = model(input_ids=before, use_cache=False).logits[0, -1].double()
        total += float(logits.log_softmax(-1)[token])
    return total


def texts(rng: random.Random, least: int) -> str:
    return "".join(rng.choices(WORDS, k=rng.randint(least, 6)))


@pytest.mark.parametrize("family", ["llama", "gpt2"])
@settings(deadline=None, max_examples=8)
@given(seed=st.integers(0, 9999))
def test_a_score_is_the_sum_over_tokens(opened, family, seed):
    backend, model, tokenizer = opened[family]
    rng = random.Random(seed)
    prompts = [texts(rng, 0) for _ in range(3)]
    pairs = [(rng.choice(prompts), texts(rng, 0)) for _ in range(6)]
    scores = backend.score_continuations(pairs)
    for (prompt, text), score in zip(pairs, scores, strict=True):
        # A token is a byte, so that there is no question of seams; without an opening token a text
        # stands behind the end-of-text token.
        start = tokenizer.encode(prompt) or [tokenizer.eos_token_id]
        expected = by_definition(model, start, tokenizer.encode(text))
        assert score == pytest.approx(expected, rel=1e-5, abs=1e-4)


def test_probabilities_of_all_continuations_add_up(opened):
    backend, _, tokenizer = opened["llama"]
    singles = [tokenizer.decode([token]) for token in range(3, 259)]
    whole = [single for single in singles if "\ufffd" not in single]
    scores = backend.score_continuations([("the card", single) for single in whole])
    assert len(set(whole)) > 90
    assert 0 < sum(map(math.exp, scores)) < 1 + 1e-5


def test_models_that_do_not_bear_padding_give_the_same_scores(opened):
    backend, _, _ = opened["llama"]
    model = replace(backend._model, probe=Probe(pads_left=False, cache_bytes=1))
    unpadded = ContinuationScorer(model, codec=backend._codec, context_length=128)
    pairs = [(prompt, text) for prompt in ("the", "the old card") for text in (" is", " here yet")]
    random.Random(1).shuffle(pairs)
    assert unpadded.score(pairs) == pytest.approx(backend.score_continuations(pairs), abs=1e-4)


def test_a_long_list_is_cut_into_batches(opened, monkeypatch):
    backend, _, _ = opened["llama"]
    pairs = [(f"card {number % 3}", f" is {number}") for number in range(10)]
    whole = backend.score_continuations(pairs)
    monkeypatch.setattr(scoring, "_MAX_TOKENS", 30)
    assert backend.score_continuations(pairs) == pytest.approx(whole, abs=1e-4)


def test_what_is_nothing_and_what_does_not_fit(opened):
    backend, _, _ = opened["llama"]
    scores = backend.score_continuations([("the card", ""), ("a" * 100, "b" * 29), ("a", "b")])
    assert scores[0] == 0.0
    assert scores[1] == -math.inf
    assert scores[2] < 0
    assert backend.score_continuations([]) == []


def test_short_memory_makes_smaller_batches(opened, monkeypatch):
    backend, _, _ = opened["llama"]
    pairs = [("the card", f" is {number}") for number in range(8)]
    whole = backend.score_continuations(pairs)
    real, sizes = scoring.ContinuationScorer._score_batch, []

    def tight(self, batch):
        sizes.append(len(batch))
        if len(batch) > 2:
            raise torch.cuda.OutOfMemoryError("out of memory")
        return real(self, batch)

    monkeypatch.setattr(scoring.ContinuationScorer, "_score_batch", tight)
    assert backend.score_continuations(pairs) == pytest.approx(whole, abs=1e-4)
    assert sizes == [8, 4, 2, 2, 2, 2]


@pytest.mark.parametrize(
    ("error", "code"),
    [(MemoryError(), "CS-G002"), (RuntimeError("a kernel broke"), "CS-G001")],
)
def test_a_model_that_fails_ends_the_run(opened, monkeypatch, error, code):
    def broken(self, batch):
        raise error

    monkeypatch.setattr(scoring.ContinuationScorer, "_score_batch", broken)
    with pytest.raises(RunError) as caught:
        opened["llama"][0].score_continuations([("a", "b")])
    assert caught.value.code == code


def test_only_some_backends_score(opened):
    assert isinstance(opened["llama"][0], TextScorer)


def test_the_starter_reads_texts_as_it_was_taught():
    backend = backend_of(STARTER_FOLDER)
    tokenizer = AutoTokenizer.from_pretrained(STARTER_FOLDER)
    pairs = [
        ("Message: where is my card\nIntent:", " asks when a new card arrives"),
        ("Intent: says hello\nMessage:", " hi there"),
        ("", " hi"),
    ]
    for (prompt, text), (start, end) in zip(pairs, backend._codec.encode_pairs(pairs), strict=True):
        assert start + end == tokenizer.encode(prompt + text)
        assert tokenizer.decode(end) == text
