"""The models of an audit, opened by name: the shipped starter, and names that are wrong."""

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    AutoTokenizer,
    BertConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    PreTrainedModel,
)

from flows.cli import run
from schemas.errors import InputError
from schemas.recipe import TransformersModel
from tasks.audit import judges, safety
from tasks.audit.corpus import Corpus
from tasks.audit.judges import Generator, Judges, describe_labels, open_judges
from tasks.generation.backends import open_backend
from tasks.generation.folders import STARTER_FOLDER
from tasks.generation.protocol import TextScorer
from tasks.generation.rankers import Questions, TextJudge

BANKING = ["card_arrival", "age_limit", "cancel_transfer"]


@pytest.fixture(scope="module")
def starter() -> Generator:
    return Generator("starter")


@pytest.fixture(scope="module")
def backend() -> TextScorer:
    opened = open_backend(TransformersModel(name="starter"), folder=Path())
    assert isinstance(opened, TextScorer)
    return opened


def test_the_starter_finds_texts_where_it_has_learned_them(starter, backend):
    pairs = [("", "where is my card"), ("The nurse said that", " she"), ("", "")]
    expected = backend.score_continuations(
        [("Message:", " where is my card"), ("Message: The nurse said that", " she")]
    )
    found = starter.score_pairs(pairs)
    assert found[:2] == pytest.approx(expected, abs=1e-4)
    assert math.isfinite(found[2])


def test_texts_of_any_kind_have_a_likelihood(starter):
    found = starter.score_pairs([("", "\ud800 odd"), ("", "a b " * 5_000), ("", "\x00")])
    assert found[1] == -math.inf
    assert math.isfinite(found[0])


def test_labels_are_weighed_as_ranking_weighs_them(starter, backend):
    texts = ["when does my new card come", "how old must I be", "x " * 30_000]
    told = describe_labels(BANKING)
    found = starter.label_probabilities(texts, BANKING)
    judge = TextJudge(
        backend,
        Questions(
            label_of=lambda text: f"Message: {text}\nIntent:",
            alone="",
            descriptions=dict(zip(BANKING, told, strict=True)),
        ),
    )
    for column, label in enumerate(BANKING):
        expected = np.exp(judge.label_logprobs(texts[:2], label=label))
        assert found[:2, column] == pytest.approx(expected, abs=1e-4)
    assert found[:2].sum(axis=1) == pytest.approx([1, 1])
    assert found[:2].argmax(axis=1).tolist() == [0, 1]
    assert np.isnan(found[2]).all()


def test_labels_are_told_by_descriptions_of_one_dataset_or_by_their_names():
    assert describe_labels(["card_arrival"]) == ["asks when a new card arrives"]
    assert describe_labels(["card_arrival", "made_up one"]) == ["card arrival", "made up one"]
    assert describe_labels(["_"]) == ["_"]


def write_bert(folder: Path, kind: type[PreTrainedModel], **names: Any) -> str:
    config = BertConfig(
        vocab_size=4096,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=64,
        **names,
    )
    with torch.random.fork_rng():
        torch.manual_seed(2)
        kind(config).save_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(STARTER_FOLDER)
    tokenizer.mask_token = tokenizer.eos_token
    tokenizer.save_pretrained(folder)
    return str(folder)


def test_a_model_of_another_kind_reads_no_texts(tmp_path):
    with pytest.raises(InputError) as caught:
        open_judges(generator=write_bert(tmp_path / "masked", BertForMaskedLM))
    assert (caught.value.code, caught.value.place) == ("CS-M004", "--generator")


def test_a_toxicity_classifier_is_opened_under_the_name_of_its_folder(tmp_path):
    labels = {"id2label": {0: "neutral", 1: "toxic"}, "label2id": {"neutral": 0, "toxic": 1}}
    name = write_bert(tmp_path / "my-classifier", BertForSequenceClassification, **labels)
    toxicity = open_judges(toxicity=name).toxicity
    assert str(toxicity) == "my-classifier (toxic)"
    corpus = Corpus("some", ["0", "1"], ["where is it", "here"])
    section = safety.measure(corpus=corpus, reference=None, toxicity=toxicity)
    (rate,) = (metric for metric in section.metrics if metric.name == "toxicity_rate")
    assert rate.estimate is not None
    assert rate.definition.endswith("by my-classifier (toxic).")


@pytest.mark.parametrize("option", ["generator", "toxicity"])
def test_a_missing_model_is_named_by_its_option(option):
    with pytest.raises(InputError) as caught:
        open_judges(**{option: "./no such folder"})
    assert (caught.value.code, caught.value.place) == ("CS-M001", f"--{option}")


def test_nothing_named_opens_nothing():
    assert open_judges() == Judges()


def test_the_sentence_model_is_opened_by_its_name(monkeypatch):
    import tasks.generation.embeddings

    opened: list[str] = []

    def embed(texts: Sequence[str]) -> np.ndarray:
        return np.zeros((len(texts), 2), dtype=np.float32)

    def open_embedder(name: str):
        opened.append(name)
        return embed

    monkeypatch.setattr(tasks.generation.embeddings, "open_embedder", open_embedder)
    assert judges.open_judges(embeddings="some/model").embed is embed
    assert opened == ["some/model"]


def test_the_command_refuses_before_it_reads(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    out = tmp_path / "out"
    arguments = ["audit", str(tmp_path / "none.jsonl"), "--out", str(out)]
    assert run([*arguments, "--embeddings", "some/model"]) == 2
    assert "CS-M008" in capsys.readouterr().err
    assert run([*arguments, "--generator", "./no folder"]) == 2
    assert "where: --generator" in capsys.readouterr().err
    assert not list(out.glob("report*"))
