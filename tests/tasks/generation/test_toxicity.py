"""Toxicity against the classifier itself, and which labels count."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertConfig,
    BertForSequenceClassification,
)

from schemas.errors import InputError
from schemas.recipe import TransformersModel
from tasks.generation.folders import find_model
from tasks.generation.toxicity import ToxicityClassifier, is_harmful

JIGSAW = ("toxicity", "severe_toxicity", "identity_attack", "female", "homosexual_gay_or_lesbian")
TEXTS = ["my card", "", "a" * 500, "\ud800 odd", *(f"number {n} " * (n % 5) for n in range(70))]


def write(folder: Path, tokenizer_of: Path, labels: tuple[str, ...], kind: str | None) -> Path:
    config = BertConfig(
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=96,
        vocab_size=259,
        initializer_range=0.5,
        pad_token_id=1,
        id2label=dict(enumerate(labels)),
        label2id={label: place for place, label in enumerate(labels)},
    )
    config.problem_type = kind
    with torch.random.fork_rng():
        torch.manual_seed(7)
        BertForSequenceClassification(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(tokenizer_of).save_pretrained(folder)
    return folder


def open_classifier(folder: Path) -> ToxicityClassifier:
    model = TransformersModel(name=str(folder), device="cpu")
    return ToxicityClassifier(model, folder=find_model(model, folder=folder))


def logits_by_definition(folder: Path, text: str) -> torch.Tensor:
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    whole = text.encode("utf-8", "replace").decode()
    inputs = AutoTokenizer.from_pretrained(folder)(
        whole, return_tensors="pt", truncation=True, max_length=96
    )
    with torch.inference_mode():
        return model(input_ids=inputs["input_ids"]).logits[0].double()


@pytest.mark.parametrize(
    ("labels", "kind", "counted"),
    [
        (("neutral", "toxic"), None, (1,)),
        (("hate speech", "normal", "offensive"), "single_label_classification", (0, 2)),
        (("NOT-HATE", "HATE"), None, (1,)),
    ],
)
def test_alternatives_give_the_sum_of_what_is_harmful(llama, tmp_path, labels, kind, counted):
    folder = write(tmp_path / "toxic", llama, labels, kind)
    classifier = open_classifier(folder)
    assert classifier.harmful_labels == tuple(labels[place] for place in counted)
    chosen = [0, 2, 3, 40]
    expected = [
        float(logits_by_definition(folder, TEXTS[place]).softmax(0)[list(counted)].sum())
        for place in chosen
    ]
    assert classifier(TEXTS)[chosen] == pytest.approx(expected, abs=1e-4)
    assert classifier(["", " \n"]).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("labels", "kind", "counted"),
    [
        (JIGSAW, "multi_label_classification", (0, 1, 2)),
        (("toxic", "obscene", "threat"), None, (0, 1, 2)),
        (("toxicity",), "regression", (0,)),
    ],
)
def test_independent_questions_give_the_greatest(llama, tmp_path, labels, kind, counted):
    folder = write(tmp_path / "toxic", llama, labels, kind)
    found = open_classifier(folder)(TEXTS)
    chosen = [0, 3, 7, 40]
    expected = [
        float(logits_by_definition(folder, TEXTS[place]).sigmoid()[list(counted)].max())
        for place in chosen
    ]
    assert found[chosen] == pytest.approx(expected, abs=1e-4)
    assert found.shape == (len(TEXTS),)
    assert np.all((found >= 0) & (found <= 1))


def test_no_text_gives_no_probability(llama, tmp_path):
    assert open_classifier(write(tmp_path / "t", llama, ("ok", "toxic"), None))([]).shape == (0,)


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        (("LABEL_0", "LABEL_1"), None),
        (("negative", "neutral", "positive"), None),
        (("toxic", "hate"), "single_label_classification"),
    ],
)
def test_labels_that_do_not_tell_are_refused(llama, tmp_path, labels, kind):
    with pytest.raises(InputError, match="cannot be told") as caught:
        open_classifier(write(tmp_path / "toxic", llama, labels, kind))
    assert caught.value.code == "CS-M004"
    assert "id2label" in caught.value.hint


def test_a_generator_is_no_classifier(llama):
    with pytest.raises(InputError, match="classifies no texts"):
        open_classifier(llama)


@pytest.mark.parametrize(
    ("label", "harmful"),
    [
        ("toxic", True), ("severe_toxic", True), ("identity_hate", True), ("HateSpeech", True),
        ("sexual_explicit", True), ("unsafe", True), ("cyberbullying", True), ("Abusive", True),
        ("non-toxic", False), ("nontoxic", False), ("not_toxic", False), ("nothate", False),
        ("no hate", False), ("harmless", False), ("inoffensive", False), ("neutral", False),
        ("LABEL_1", False), ("homosexual_gay_or_lesbian", False), ("safe", False), ("", False),
    ],
)  # fmt: skip
def test_harm_is_told_by_the_name(label, harmful):
    assert is_harmful(label) is harmful
