"""Rewards against the classifier itself, text by text."""

import random
from pathlib import Path

import pytest
import torch
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertConfig,
    BertForSequenceClassification,
    LlamaConfig,
    LlamaForSequenceClassification,
)

from schemas.errors import InputError
from schemas.recipe import TransformersModel
from tasks.generation.folders import find_model
from tasks.generation.reward import RewardModel

SIZES = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
SIZES |= {"num_attention_heads": 4, "max_position_embeddings": 96, "vocab_size": 259}


def write_classifier(folder: Path, tokenizer_of: Path, *, kind: str, pad: int | None = 1) -> Path:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        common = {**SIZES, "initializer_range": 0.3, "pad_token_id": pad, "num_labels": 2}
        if kind == "bert":
            BertForSequenceClassification(BertConfig(**common)).save_pretrained(folder)
        else:
            config = LlamaConfig(**common, bos_token_id=None, eos_token_id=0)
            LlamaForSequenceClassification(config).save_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(tokenizer_of)
    tokenizer.padding_side = "left"
    tokenizer.save_pretrained(folder)
    return folder


def reward_of(folder: Path) -> RewardModel:
    model = TransformersModel(name=str(folder), device="cpu")
    return RewardModel(model, folder=find_model(model, folder=folder))


def by_definition(folder: Path, prompt: str, text: str) -> float:
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    inputs = AutoTokenizer.from_pretrained(folder)(prompt, text, return_tensors="pt")
    taken = {"input_ids": inputs["input_ids"]}
    if "token_type_ids" in inputs and "Bert" in type(model).__name__:
        taken["token_type_ids"] = inputs["token_type_ids"]
    with torch.inference_mode():
        return float(model(**taken).logits[0, 0])


@pytest.mark.parametrize(("kind", "pad"), [("bert", 1), ("llama", 1), ("llama", None)])
def test_the_score_is_the_first_logit_of_prompt_and_text(llama, tmp_path, kind, pad):
    folder = write_classifier(tmp_path / "reward", llama, kind=kind, pad=pad)
    reward = reward_of(folder)
    rng = random.Random(4)
    pairs = [("Intent: x", " ".join(["card", "is", "my"][: rng.randint(1, 3)])) for _ in range(5)]
    expected = [by_definition(folder, prompt, text) for prompt, text in pairs]
    assert reward.score(pairs) == pytest.approx(expected, abs=1e-4)
    assert reward.score(pairs[:1]) == pytest.approx(expected[:1], abs=1e-4)
    assert reward.score([]) == []


def test_long_texts_are_cut_and_control_tokens_are_text(llama, tmp_path):
    reward = reward_of(write_classifier(tmp_path / "reward", llama, kind="bert"))
    long, marked, odd = reward.score(
        [("Intent: x", "a" * 500), ("<|turn|>user", "card"), ("x", "\ud800")]
    )
    assert long != marked != odd


def test_a_generator_gives_no_rewards(llama):
    with pytest.raises(InputError) as caught:
        reward_of(llama)
    assert caught.value.code == "CS-M004"
