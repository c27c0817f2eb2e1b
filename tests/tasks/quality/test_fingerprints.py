"""What two copies of a text share, and the index of fingerprints."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.quality.fingerprints import FingerprintIndex, fingerprint, normalise_text


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("  Where's my CARD?! ", "where s my card"),
        ("card_arrival", "card arrival"),
        ("\uff26\uff35\uff2c\uff2c width ½", "full width 1 2"),
        ("Straße", "strasse"),
        ("cafe\u0301", "café"),
        ("की कि", "की कि"),
        ("❤️ ...", ""),
        ("", ""),
    ],
)
def test_normalised(text, normal):
    assert normalise_text(text) == normal


@settings(deadline=None, max_examples=200)
@given(st.text(st.characters(exclude_categories=["Cn", "Cs"]), max_size=20))
def test_a_normalised_text_is_words_with_one_space_between(text):
    normal = normalise_text(text)
    assert normal == " ".join(normal.split())
    assert all(word[0].isalnum() for word in normal.split())
    assert "_" not in normal


@settings(deadline=None, max_examples=200)
@given(st.lists(st.from_regex(r"[a-z0-9]{1,6}", fullmatch=True), max_size=6), st.data())
def test_case_and_punctuation_do_not_count(words, data):
    joint = st.text(" .,!?-_'\n", min_size=1, max_size=3)
    copy = "".join(data.draw(joint) + word.upper() for word in words)
    assert normalise_text(copy) == " ".join(words)
    assert fingerprint(copy) == fingerprint(" ".join(words))


@settings(deadline=None, max_examples=300)
@given(st.text(st.characters(max_codepoint=127), max_size=30))
def test_ascii_texts_are_normalised_by_the_same_rules(text):
    # A letter beyond ASCII at the end takes the general way.
    assert normalise_text(text) == normalise_text(text + " é").removesuffix("é").rstrip()


def test_fingerprints_never_change():
    assert fingerprint("Where is my card?") == GOLDEN


@settings(deadline=None, max_examples=100)
@given(st.lists(st.text("ab ", max_size=4)), st.text("ab ", max_size=4))
def test_the_index_is_a_set(texts, text):
    index = FingerprintIndex.of_texts(texts)
    normals = {normalise_text(text) for text in texts}
    assert (text in index) == (normalise_text(text) in normals)
    assert len(index) == len(normals)


def test_an_index_survives_its_file(tmp_path):
    index = FingerprintIndex(np.array([5, 3, 3], dtype=np.uint64))
    index.save(tmp_path / "index.npy")
    assert np.load(tmp_path / "index.npy").tolist() == [3, 5]
    assert len(FingerprintIndex.load(tmp_path / "index.npy")) == 2


GOLDEN = 0x38DCBF15A00D9E4D


def test_joined_indexes_hold_both() -> None:
    joined = FingerprintIndex.of_texts(["one"]) | FingerprintIndex.of_texts(["two", "One!"])
    assert len(joined) == 2
    assert "ONE" in joined
    assert "two" in joined
    assert "three" not in joined
