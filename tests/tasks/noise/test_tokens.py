"""Tokens replaced and lost, with a tokenizer small enough to see through."""

import numpy as np
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.noise import TokenDelete, TokenReplace
from tasks.noise.edit_log import undo_edits
from tasks.noise.resources import OpenSteps
from tasks.noise.texts import noise_texts
from tasks.planning.streams import Stream, row_keys

TOKENS = ("", " the", " cat", "sat", "\ufffd", "\u0301", " ", "x", "y", "sat", "?")
PIECE = regex.compile(r" ?[a-z]+|.", regex.S)


class Pieces:
    """Words with their space; other characters alone; what is beyond the BMP in two pieces."""

    vocabulary_size = len(TOKENS)

    def encode_with_offsets(self, texts):
        ids, starts, ends, counts = [], [], [], []
        for text in texts:
            before = len(ids)
            for match in PIECE.finditer(text):
                for _ in range(1 + (ord(match[0][0]) > 0xFFFF)):
                    ids.append(TOKENS.index(match[0]) if match[0] in TOKENS else 0)
                    starts.append(match.start())
                    ends.append(match.end())
            counts.append(len(ids) - before)
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return (*(np.array(part, np.int64) for part in (ids, starts, ends)), offsets)

    def decode_token(self, token_id):
        return TOKENS[token_id]


PIECES = Pieces()
TEXTS = st.lists(
    st.text("ab \n?e\u0301日👍👩\u200d\U0001f1e9\U0001f1ea", max_size=14) | st.just(" the cat sat"),
    max_size=5,
)
STEP = st.sampled_from([TokenReplace, TokenDelete])


def noise(texts, *steps, seed=3):
    keys = row_keys(seed, np.arange(len(texts)), 0, Stream.NOISE)
    return noise_texts(texts, keys=keys, steps=OpenSteps(steps, {"model": PIECES}))


@settings(deadline=None, max_examples=120)
@given(TEXTS, STEP, st.sampled_from([0.0, 0.3, 1.0]))
def test_laws(texts, kind, rate):
    for clean, row in zip(texts, noise(texts, kind(rate=rate)), strict=True):
        assert undo_edits(row.text, row.edits) == clean
        assert bool(clean.strip()) == bool(row.text.strip())
        assert rate or not row.edits
        bounds = {0, *(match.end() for match in regex.finditer(r"\X", clean))}
        shift = 0
        for edit in row.edits:
            assert {edit.start - shift, edit.end - shift} <= bounds
            assert edit.before != edit.after
            shift += len(edit.after) - len(edit.before)


def test_only_whole_tokens_with_ink_are_drawn():
    rows = noise([" the cat sat?"] * 500, TokenReplace(rate=1))
    afters = {edit.after for row in rows for edit in row.edits}
    assert afters == {" the", " cat", "sat", "x", "y", "?"}
    assert [edit.before for edit in rows[0].edits] == [" the", " cat", " sat", "?"]


def test_the_rate_and_the_choice_are_fair():
    num, rate = 20_000, 0.3
    rows = noise(["xxxx"] * 5000, TokenReplace(rate=rate))
    assert {edit.before for row in rows for edit in row.edits} == {"xxxx"}
    rows = noise(["?" * 4] * (num // 4), TokenReplace(rate=rate))
    afters = [edit.after for row in rows for edit in row.edits]
    assert abs(len(afters) - num * rate) < 4 * (num * rate * (1 - rate)) ** 0.5
    for text in (" the", " cat", "sat", "x", "y"):
        assert abs(afters.count(text) / len(afters) - 0.2) < 4 * (0.16 / len(afters)) ** 0.5


def test_pieces_of_one_character_stay():
    for kind in (TokenReplace, TokenDelete):
        (row,) = noise(["👍a👍"], kind(rate=1))
        assert [edit.before for edit in row.edits] == ["a"]


def test_a_tokenizer_must_be_opened():
    with pytest.raises(ValueError, match="tokenizer"):
        noise_texts(
            ["a"], keys=row_keys(1, np.arange(1), 0, Stream.NOISE), steps=[TokenDelete(rate=1)]
        )


def test_golden():
    texts = [" the cat sat on", "x y?"]
    assert [row.text for row in noise(texts, TokenReplace(rate=0.5))] == GOLDEN_REPLACED
    assert [row.text for row in noise(texts, TokenDelete(rate=0.5))] == GOLDEN_LOST


GOLDEN_REPLACED = ["x cat sat on", "x?x"]
GOLDEN_LOST = [" cat sat on", "x"]
