"""The files of the starter model: they load offline, lose no text, and the figures agree."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open

from tasks.quality.fingerprints import FingerprintIndex
from tasks.starter import STARTER_FOLDER
from tasks.starter.bench import Bench
from tasks.starter.card import END, START, render_figures
from tasks.starter.corpus import describe_prompt, load_descriptions, utterance_prompt
from tasks.starter.evaluate import QUICKSTART_LABELS, UNSEEN_DESCRIPTIONS
from tasks.starter.generation import GREEDY, Sampling, complete, load_starter

MEBIBYTE = 2**20


@pytest.fixture(scope="module")
def starter():
    return load_starter(STARTER_FOLDER)


@pytest.fixture(scope="module")
def tokenizer(starter):
    return starter[1]


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, tasks.starter; assert not {'torch', 'transformers'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=STARTER_FOLDER.parents[1])


def test_weights_are_small_and_half_precision():
    path = STARTER_FOLDER / "model.safetensors"
    assert path.stat().st_size <= 10 * MEBIBYTE
    with safe_open(path, framework="pt") as weights:
        names = list(weights.keys())
        assert "lm_head.weight" not in names
        for name in names:
            assert weights.get_tensor(name).dtype == torch.float16
            assert torch.isfinite(weights.get_tensor(name)).all()


def test_configuration_states_ends_and_precision():
    config = json.loads((STARTER_FOLDER / "config.json").read_text(encoding="utf-8"))
    generation = json.loads((STARTER_FOLDER / "generation_config.json").read_text(encoding="utf-8"))
    assert config["dtype"] == "float16"
    assert config["max_position_embeddings"] == 512
    for content in (config, generation):
        assert (content["eos_token_id"], content["pad_token_id"]) == (0, 1)


def test_tokenizer_has_its_special_tokens(tokenizer):
    assert (tokenizer.eos_token, tokenizer.eos_token_id) == ("<|endoftext|>", 0)
    assert (tokenizer.bos_token, tokenizer.bos_token_id) == ("<|endoftext|>", 0)
    assert (tokenizer.pad_token, tokenizer.pad_token_id) == ("<|pad|>", 1)
    assert tokenizer.padding_side == "left"
    assert len(tokenizer) == 4096


@given(text=st.text(max_size=200))
def test_tokenizer_loses_nothing(tokenizer, text):
    assert tokenizer.decode(tokenizer.encode(text)) == text


@given(text=st.text(alphabet="abc XYZ?!.,'\"0123", min_size=1, max_size=40))
def test_a_prompt_and_its_answer_are_tokenised_apart_as_together(tokenizer, text):
    answer = " ".join(text.split())
    if not answer:
        return
    for prompt in (utterance_prompt("opens a door"), describe_prompt("Open the door")):
        apart = tokenizer.encode(prompt) + tokenizer.encode(f" {answer}")
        assert apart == tokenizer.encode(f"{prompt} {answer}")


def test_model_loads_and_padding_does_not_change_it(starter):
    model, tokenizer = starter
    assert model.dtype == torch.float32
    assert model.lm_head.weight is model.model.embed_tokens.weight
    alone = tokenizer(["Intent: opens a door\nMessage:"], return_tensors="pt")
    padded = tokenizer(
        ["Intent: opens a door\nMessage:", "Intent: " + "opens a door " * 9 + "\nMessage:"],
        return_tensors="pt",
        padding=True,
    )
    with torch.inference_mode():
        left = model(input_ids=alone["input_ids"]).logits[0, -1]
        right = model(
            input_ids=padded["input_ids"], attention_mask=padded["attention_mask"]
        ).logits[0, -1]
    torch.testing.assert_close(left, right, rtol=1e-4, atol=1e-4)


def test_completions_are_repeatable_and_leave_the_global_generator_alone(starter):
    model, tokenizer = starter
    prompts = [utterance_prompt("asks how to close the account")] * 4
    parts = {"model": model, "tokenizer": tokenizer}
    before = torch.random.get_rng_state()
    first = complete(prompts, **parts, sampling=Sampling(), seed=1)
    assert torch.equal(before, torch.random.get_rng_state())
    assert first == complete(prompts, **parts, sampling=Sampling(), seed=1)
    assert first != complete(prompts, **parts, sampling=Sampling(), seed=2)
    assert len(set(complete(prompts, **parts, sampling=GREEDY, seed=1))) == 1
    assert all(text and "\n" not in text for text in first)


def test_index_is_sorted_and_counts_the_training_texts():
    hashes = np.load(STARTER_FOLDER / "training_index.npy", allow_pickle=False)
    training = json.loads((STARTER_FOLDER / "training.json").read_text(encoding="utf-8"))
    assert hashes.dtype == np.uint64
    assert (np.diff(hashes.astype(object)) > 0).all()
    index = FingerprintIndex.load(STARTER_FOLDER / "training_index.npy")
    assert len(index) == hashes.size == training["num_fingerprints"]
    assert "a sentence that no one has ever put into any of the sets" not in index


def test_card_states_the_figures_of_the_records():
    evaluation, training = (
        json.loads((STARTER_FOLDER / name).read_text(encoding="utf-8"))
        for name in ("evaluation.json", "training.json")
    )
    card = (STARTER_FOLDER / "MODEL_CARD.md").read_text(encoding="utf-8")
    stated = card[card.index(START) + len(START) : card.index(END)].strip()
    assert stated == render_figures(evaluation, training=training)


def test_figures_are_those_of_the_weights_and_good_enough():
    evaluation = json.loads((STARTER_FOLDER / "evaluation.json").read_text(encoding="utf-8"))
    assert evaluation["model_sha256"] == sha256_of(STARTER_FOLDER / "model.safetensors")
    assert evaluation["labels"] == list(QUICKSTART_LABELS)
    assert evaluation["quickstart"]["num_rows"] == 2000
    assert evaluation["quickstart"]["agreement_among_all_labels"] >= 0.85
    bits = evaluation["bits_per_character"]
    assert bits["model_given_description"] < bits["model_without_description"]
    assert bits["model_without_description"] < bits["token_unigram"] < bits["character_unigram"]


def test_unseen_descriptions_are_unseen():
    descriptions = load_descriptions()
    seen = {way for ways in descriptions.values() for way in ways}
    assert not seen & set(UNSEEN_DESCRIPTIONS.values())
    assert set(UNSEEN_DESCRIPTIONS) | set(QUICKSTART_LABELS) <= descriptions.keys()


def sha256_of(path):
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_heldout_rows_are_drawn_without_repetition(starter):
    model, tokenizer = starter
    rows = [("a/b", str(number)) for number in range(50)]
    bench = Bench(
        model=model,
        tokenizer=tokenizer,
        train=[],
        heldout=rows,
        descriptions={},
        judge=None,
        index=None,
        sampling=Sampling(),
        seed=7,
    )
    chosen = bench.choose_heldout(20, seed=1)
    assert len(set(chosen)) == 20
    assert chosen == bench.choose_heldout(20, seed=1) != bench.choose_heldout(20, seed=2)
