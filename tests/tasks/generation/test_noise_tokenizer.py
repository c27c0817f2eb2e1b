"""The bundled tokenizer behind the noise stage's protocol."""

import numpy as np
import pytest

from schemas.noise import TokenDelete, TokenReplace
from schemas.recipe import ScriptedModel, TransformersModel
from tasks.generation.noise_tokenizer import NoiseTokenizer, open_tokenizers
from tasks.noise.edit_log import undo_edits
from tasks.noise.resources import OpenSteps
from tasks.noise.texts import noise_texts
from tasks.planning.streams import Stream, row_keys

TEXTS = [
    "Where is my new card?",
    "naïve 日本語 👩‍👩‍👧‍👦 e\u0301 ok",
    "",
    " ",
    "  two  spaces",
    "<|endoftext|>",
]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory) -> NoiseTokenizer:
    folder = tmp_path_factory.mktemp("recipe")
    return open_tokenizers([TokenDelete(rate=1)], TransformersModel(), folder=folder)["model"]


def test_tokens_write_what_stands_at_their_places(tokenizer):
    ids, starts, ends, offsets = tokenizer.encode_with_offsets(TEXTS)
    assert offsets.size == len(TEXTS) + 1
    assert ids.size == starts.size == ends.size == offsets[-1]
    for place, text in enumerate(TEXTS):
        inside = slice(offsets[place], offsets[place + 1])
        covered = np.zeros(len(text), bool)
        for token_id, start, end in zip(ids[inside], starts[inside], ends[inside], strict=True):
            covered[start:end] = True
            written = tokenizer.decode_token(int(token_id))
            assert written in ("", text[start:end])
        assert covered.all()


def test_special_tokens_write_nothing(tokenizer):
    special = tokenizer._tokenizer.all_special_ids
    assert special
    assert {tokenizer.decode_token(token_id) for token_id in special} == {""}
    assert tokenizer.vocabulary_size > max(special)


def test_no_text_at_all(tokenizer):
    assert [part.size for part in tokenizer.encode_with_offsets([])] == [0, 0, 0, 1]


@pytest.mark.parametrize("kind", [TokenReplace, TokenDelete])
def test_noise_with_it_inverts(tokenizer, kind):
    texts = TEXTS * 20
    keys = row_keys(5, np.arange(len(texts)), 0, Stream.NOISE)
    rows = noise_texts(texts, keys=keys, steps=OpenSteps([kind(rate=0.4)], {"model": tokenizer}))
    assert [undo_edits(row.text, row.edits) for row in rows] == texts
    assert len({row.text for row in rows[:: len(TEXTS)]}) > 10
    assert all("👩‍👩‍👧‍👦" in row.text for row in rows[1 :: len(TEXTS)])


def test_the_bundled_one_serves_a_scripted_model(tmp_path):
    steps = [TokenDelete(rate=1, tokenizer="starter")]
    opened = open_tokenizers(steps, ScriptedModel(backend="scripted", name="x"), folder=tmp_path)
    assert list(opened) == ["starter"]
