"""The encoder student on a tiny BERT with random weights, made here."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertForMaskedLM, PreTrainedTokenizerFast

from schemas.errors import InputError, RunError
from tasks.utility import encoder
from tasks.utility.rows import LabelledTexts
from tasks.utility.students import open_student

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, make: Callable[..., Rows]) -> Path:
    """A masked language model: its folder holds no head for classes, and no pooler."""
    path = tmp_path_factory.mktemp("models") / "tiny-bert"
    words = sorted({word for row in make(200, seed=0) for word in row["text"].split()[:6]})
    vocabulary = {word: place for place, word in enumerate([*SPECIAL, *words])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]",
        sep_token="[SEP]",
    ).save_pretrained(path)  # fmt: skip
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=32, intermediate_size=32, num_hidden_layers=1,
        num_attention_heads=2, max_position_embeddings=24, pad_token_id=0,
        initializer_range=0.2,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        BertForMaskedLM(config).save_pretrained(path)
    return path


def labelled(rows: Rows) -> LabelledTexts:
    names = sorted({row["label"] for row in rows})
    codes = np.array([names.index(row["label"]) for row in rows], dtype=np.int64)
    return LabelledTexts([row["text"] for row in rows], codes)


def test_it_learns_and_equal_seeds_make_equal_students(
    folder: Path, make: Callable[..., Rows], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Random weights have further to go than trained ones.
    monkeypatch.setattr(encoder, "LEARNING_RATE", 3e-3)
    monkeypatch.setattr(encoder, "FEWEST_STEPS", 150)
    student = open_student(str(folder))
    assert student.draws_lots
    rows, unseen = labelled(make(300, seed=1)), labelled(make(100, seed=2))
    state = torch.random.get_rng_state()
    texts = [*unseen.texts, "", "\ud800", "heron " * 20_000]
    found = [
        student.learn(rows, num_labels=4, seed=seed).probabilities(texts) for seed in (1, 1, 2)
    ]
    assert found[0].shape == (103, 4)
    assert found[0].sum(axis=1) == pytest.approx(1)
    assert (found[0][:100].argmax(axis=1) == unseen.codes).mean() > 0.8
    assert np.array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])
    assert torch.equal(state, torch.random.get_rng_state())


def test_its_kind_names_weights_and_not_the_place(folder: Path) -> None:
    kind = open_student(str(folder)).kind
    assert kind.name == "tiny-bert"
    assert kind.settings["tokens of a text at most"] == 24
    assert len(str(kind.settings["weights, SHA-256"])) == 64
    assert str(folder.parent) not in kind.model_dump_json()


@pytest.mark.parametrize(
    ("error", "code"), [(RuntimeError("no such kernel"), "CS-G001"), (MemoryError(), "CS-G002")]
)
def test_a_model_that_fails_is_a_run_that_failed(
    error: Exception, code: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any) -> None:
        raise error

    monkeypatch.setattr(encoder, "_train", fail)
    rows = LabelledTexts(["a", "b"], np.array([0, 1]))
    with pytest.raises(RunError) as caught:
        open_student(str(folder)).learn(rows, num_labels=2, seed=0)
    assert caught.value.code == code


def test_what_is_no_encoder_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        open_student(str(tmp_path / "nowhere"))
    assert caught.value.code == "CS-M001"
    with pytest.raises(InputError) as caught:
        open_student(str(tmp_path))
    assert caught.value.code == "CS-M003"
    config = BertConfig.from_pretrained(folder)
    copy = tmp_path / "half"
    copy.mkdir()
    for file in folder.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    config.num_hidden_layers = 2
    config.save_pretrained(copy)
    with pytest.raises(InputError, match=r"missing|fit") as caught:
        open_student(str(copy)).learn(
            LabelledTexts(["a", "b"], np.array([0, 1])), num_labels=2, seed=0
        )
    assert caught.value.code == "CS-M003"
    (copy / "config.json").write_text('{"model_type": "marian", "num_hidden_layers": 1}')
    with pytest.raises(InputError) as caught:
        open_student(str(copy))
    assert caught.value.code == "CS-M004"
