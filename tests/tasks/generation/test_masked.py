"""Laws of masked re-generation: what is written anew, how it is drawn, and that only it changes."""

import json
import math
import random
import shutil
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare
from transformers import AutoModelForMaskedLM

from schemas.errors import InputError
from schemas.recipe import TransformersModel
from schemas.strategies import Beam, Greedy, MinP, Nucleus, Temperature, TopK, Typical
from tasks.generation.backends import inspect_model, open_backend
from tasks.generation.masked_text import MaskedCodec
from tasks.generation.protocol import Request
from tasks.generation.tokenisation import load_tokenizer
from tasks.preflight.checks import check_recipe
from tasks.preflight.sample import sample_rows

KINDS = ["bert", "roberta", "distilbert"]
STRATEGIES = [Greedy(), Temperature(), TopK(top_k=5), Nucleus(), MinP(), Typical()]
WORDS = ["the", "old", "card", "is", "not", "here", "yet", "and", "my", "bank", "never", "Straße"]


def backend_of(folder, **settings):
    settings = {"device": "cpu", "batch_size": 8, **settings}
    return open_backend(TransformersModel(name=str(folder), **settings), folder=folder)


def request_of(row: int, text: str, strategy, *, seed: int | None = None) -> Request:
    return Request(row, 0, row * 7919 + 3 if seed is None else seed, "any", text, strategy)


def requests_of(seed: int, strategy, *, count: int) -> list[Request]:
    rng = random.Random(seed)
    texts = [" ".join(rng.choices(WORDS, k=rng.randint(1, 7))) for _ in range(count)]
    return [request_of(row, text, strategy) for row, text in enumerate(texts)]


def by_row(completions) -> dict[int, tuple]:
    return {
        c.request.row: (c.text, c.num_tokens, c.finish_reason, c.error, c.logprob)
        for c in completions
    }


@pytest.fixture(scope="module")
def backends(family_model):
    return {
        kind: {size: backend_of(family_model(kind), batch_size=size) for size in (1, 3, 64)}
        for kind in KINDS
    }


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=6)
@given(seed=st.integers(0, 999), strategy=st.sampled_from(STRATEGIES), data=st.data())
def test_rows_do_not_depend_on_batch_size_order_or_sharding(backends, kind, seed, strategy, data):
    requests = requests_of(seed, strategy, count=7)
    alone = by_row(backends[kind][1].generate(requests))
    assert len(alone) == 7
    for size in (3, 64):
        shuffled = data.draw(st.permutations(requests))
        cut = data.draw(st.integers(0, 7))
        backend = backends[kind][size]
        batched = [*backend.generate(shuffled[:cut]), *backend.generate(shuffled[cut:])]
        assert by_row(batched) == alone


def test_a_row_depends_on_its_seed(backends):
    requests = [request_of(row, "the old card", Temperature(), seed=row) for row in range(8)]
    assert len({c.text for c in backends["bert"][64].generate(requests)}) == 8


@pytest.mark.parametrize("rate", [0.01, 0.3, 0.5, 1.0])
def test_the_asked_share_is_written_anew_and_nothing_else(family_model, rate):
    backend = backend_of(family_model("bert"), mask_rate=rate)
    requests = requests_of(5, Temperature(), count=20)
    for reply in backend.generate(requests):
        text = reply.request.prompt
        num_tokens = len(text.encode())
        expected = min(num_tokens, max(1, math.floor(rate * num_tokens + 0.5)))
        assert reply.num_tokens == expected
        assert (reply.finish_reason, reply.error, reply.weight) == ("eos", None, None)
        if text.isascii() and "\ufffd" not in reply.text and len(reply.text) == len(text):
            changed = sum(new != old for new, old in zip(reply.text, text, strict=True))
            assert changed <= expected


def test_every_position_is_chosen_equally_often(family_model):
    """600 texts of 10 tokens, 3 of each: a chi-square test with 9 degrees of freedom."""
    backend = backend_of(family_model("bert"), batch_size=200)
    requests = [request_of(row, "abcdefghij", Greedy(), seed=row * 13) for row in range(600)]
    drafts = [backend._writer._draft(request) for request in requests]
    chosen = Counter(place for draft in drafts for place in draft.order)
    first = Counter(draft.order[0] for draft in drafts)
    assert set(chosen) == set(first) == set(range(1, 11))
    assert sum(chosen.values()) == 1800
    # Three of ten without replacement vary less than independent draws: the test is conservative.
    assert chisquare([chosen[place] for place in range(1, 11)]).pvalue > 1e-3
    assert chisquare([first[place] for place in range(1, 11)]).pvalue > 1e-3


def test_one_gap_is_drawn_from_the_softmax(family_model):
    """1,500 draws of one token against the model's own softmax without special tokens."""
    folder = family_model("roberta")
    backend = backend_of(folder, batch_size=500)
    # Tokens are told apart here by their log-probabilities.
    backend._writer._num_digits = None
    codec = MaskedCodec(load_tokenizer(folder), place=folder)
    text = "q"
    source = codec.read(text)
    with torch.no_grad():
        ids = torch.tensor([[codec.mask_id if n == 1 else t for n, t in enumerate(source.ids)]])
        model = AutoModelForMaskedLM.from_pretrained(folder, dtype=torch.float32).eval()
        logits = model(input_ids=ids).logits[0, 1].double()
    kept = [token for token in range(262) if token not in codec.special_ids]
    expected = logits[kept].softmax(0).numpy()
    rows = [request_of(row, text, Temperature(), seed=row * 31 + 7) for row in range(1500)]
    replies = backend.generate(rows)
    scores = logits.log_softmax(0)[kept].numpy()
    drawn = np.zeros(len(kept))
    for reply in replies:
        place = int(np.abs(scores - reply.logprob).argmin())
        assert reply.logprob == pytest.approx(scores[place], abs=1e-4)
        drawn[place] += 1
    order = expected.argsort()[::-1]
    top = order[:30]
    observed = [*drawn[top], drawn.sum() - drawn[top].sum()]
    wanted = [*expected[top], 1 - expected[top].sum()]
    assert min(wanted) * 1500 >= 5
    assert chisquare(observed, np.array(wanted) * 1500).pvalue > 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_greedy_fills_each_gap_with_the_best_given_all_others(backends, family_model, kind):
    folder = family_model(kind)
    codec = MaskedCodec(load_tokenizer(folder), place=folder)
    model = AutoModelForMaskedLM.from_pretrained(folder, dtype=torch.float32).eval()
    requests = requests_of(11, Greedy(), count=6)
    replies = {reply.request.row: reply for reply in backends[kind][64].generate(requests)}
    for request in requests:
        draft = backends[kind][1]._writer._draft(request)
        ids, scores = list(draft.ids), []
        for place in draft.order:
            with torch.no_grad():
                logits = model(input_ids=torch.tensor([ids])).logits[0, place]
            allowed = logits.clone()
            allowed[sorted(codec.special_ids)] = -math.inf
            ids[place] = int(allowed.argmax())
            scores.append(float(logits.log_softmax(0)[ids[place]]))
        assert replies[request.row].text == codec.rewrite(draft.source, ids)
        assert replies[request.row].logprob == pytest.approx(np.mean(scores), abs=0.006)


@pytest.mark.parametrize("kind", KINDS)
def test_special_tokens_are_never_written(family_model, kind, monkeypatch):
    backend = backend_of(family_model(kind), mask_rate=1.0)
    engine = backend._writer
    read, written = engine._read, []

    def spy(texts, places):
        written.extend(token for ids in texts for token in ids[1:-1])
        logits = read(texts, places)
        logits[:, :6] += 50
        return logits

    monkeypatch.setattr(engine, "_read", spy)
    for strategy in STRATEGIES:
        for reply in backend.generate(requests_of(2, strategy, count=2)):
            assert reply.error is None
    assert set(written) & set(range(6)) == {engine._codec.mask_id}


def test_a_text_without_open_tokens_and_one_that_is_too_long_fail_alone(backends):
    texts = ["", "x" * 127, "fine", "x" * 126]
    requests = [request_of(row, text, Greedy()) for row, text in enumerate(texts)]
    replies = {reply.request.row: reply for reply in backends["roberta"][64].generate(requests)}
    assert "no token" in replies[0].error
    assert "context overflow" in replies[1].error
    assert replies[2].error is replies[3].error is None
    assert replies[3].num_tokens == 38


def test_scores_that_are_no_numbers_are_one_rows_fault(backends, monkeypatch):
    engine = backends["distilbert"][64]._writer
    read = engine._read

    def spoilt(texts, places):
        logits = read(texts, places)
        logits[[len(ids) == 6 for ids in texts]] = math.nan
        return logits

    monkeypatch.setattr(engine, "_read", spoilt)
    texts = ["abcd", "abcdefg", "hijk", "lmnopqrs"]
    requests = [request_of(row, text, Nucleus()) for row, text in enumerate(texts)]
    replies = {reply.request.row: reply for reply in backends["distilbert"][64].generate(requests)}
    assert [replies[row].error is None for row in range(4)] == [False, True, False, True]
    assert "not numbers" in replies[0].error


def test_a_strategy_that_fills_no_gaps_is_refused(backends):
    with pytest.raises(ValueError, match="beam"):
        list(backends["bert"][64].generate([request_of(0, "abc", Beam())]))


def test_strict_gives_the_same_bits_in_any_company(family_model):
    backend = backend_of(family_model("bert"), deterministic="strict")
    requests = requests_of(3, Nucleus(), count=8)
    first = by_row(backend.generate(requests))
    assert by_row(backend.generate(requests[::-1][:5])).items() <= first.items()


def test_a_masked_model_is_inspected_without_its_weights(family_model, llama):
    model = TransformersModel(name=str(family_model("roberta")), device="cpu")
    inspected = inspect_model(model, folder=llama)
    assert (inspected.info.family, inspected.info.context_length) == ("masked", 128)
    assert inspected.format_prompt("as it is") == "as it is"
    assert inspected.count_tokens(["abc"]) == [5]


def test_a_masked_model_without_a_mask_token_is_refused(family_model, llama, tmp_path):
    for file in family_model("bert").iterdir():
        tokenizer = llama / file.name if "token" in file.name else file
        (tmp_path / file.name).write_bytes(tokenizer.read_bytes())
    model = TransformersModel(name=str(tmp_path), device="cpu")
    for opened in (inspect_model, open_backend):
        with pytest.raises(InputError, match="mask token") as caught:
            opened(model, folder=tmp_path)
        assert caught.value.code == "CS-M004"


@pytest.fixture
def recipe(family_model, tmp_path):
    """A recipe that rewrites examples, three of each of two labels."""
    shutil.copytree(family_model("bert"), tmp_path / "bert")
    lines = [
        {"text": f"Note: {label}'s card {number} is lost", "label": label}
        for label in "ab"
        for number in range(3)
    ]
    (tmp_path / "examples.jsonl").write_text("\n".join(map(json.dumps, lines)), "utf-8")
    path = tmp_path / "recipe.yaml"
    path.write_text(
        "name: rewritten\nrows: 6\nlabels: {a: says a, b: says b}\n"
        "prompt: {template: rewrite, examples: {path: examples.jsonl, per_row: 1}}\n"
        "model: {name: ./bert, device: cpu, mask_rate: 0.1}\n",
        "utf-8",
    )
    return path


def test_a_recipe_rewrites_its_examples_and_keeps_their_labels(recipe):
    checked = check_recipe(recipe, overrides=["gates=off"])
    assert checked.model.info.family == "masked"
    texts = {
        example.text: example.label for pool in checked.writer.examples.pools for example in pool
    }
    for row in sample_rows(checked, 6):
        assert texts[row["prompt"]] == row["label"]
        assert row["examples"] == [row["prompt"]]
        assert row["num_tokens"] == math.floor(0.1 * len(row["prompt"]) + 0.5)
        # A field's name at the start of a text is the text's own, not the template's.
        assert row["text"].startswith("Note:") == row["raw_text"].startswith("Note:")


def test_a_text_that_came_back_as_it_was_is_memorised(recipe, monkeypatch):
    monkeypatch.setattr(MaskedCodec, "rewrite", lambda self, source, ids: source.text)
    rows = sample_rows(check_recipe(recipe), 6)
    assert {row["scores"]["memorised"] for row in rows} == {1.0}
    assert all(row["reason"] for row in rows)


@pytest.mark.parametrize(
    ("override", "code", "place"),
    [
        ("strategies=[{kind: beam}]", "CS-M006", "strategies"),
        ("prompt={template: intent}", "CS-R007", "prompt"),
        ("prompt.examples.draw=mixed", "CS-R007", "prompt.examples.draw"),
    ],
)
def test_what_a_masked_model_cannot_do_shows_at_check(recipe, override, code, place):
    with pytest.raises(InputError) as caught:
        check_recipe(recipe, overrides=[override])
    assert caught.value.code == code
    assert place in caught.value.place


def test_a_masked_models_text_needs_no_room_for_a_reply(recipe):
    long = {"text": "Note: " + "x" * 100, "label": "a"}
    with (recipe.parent / "examples.jsonl").open("a", encoding="utf-8") as file:
        file.write("\n" + json.dumps(long))
    assert int(check_recipe(recipe).prompt_tokens.max()) <= 108
    with (recipe.parent / "examples.jsonl").open("a", encoding="utf-8") as file:
        file.write("\n" + json.dumps({**long, "text": "x" * 127}))
    with pytest.raises(InputError) as caught:
        check_recipe(recipe)
    assert caught.value.code == "CS-P008"
