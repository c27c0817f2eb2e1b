import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.quality.self_bleu import self_bleu
from tasks.quality.self_bleu_arrays import SelfBleu
from tasks.quality.word_codes import encode_words

TEXTS = st.lists(st.lists(st.sampled_from("abcd"), max_size=9), max_size=9)


@settings(deadline=None, max_examples=300)
@given(texts=TEXTS, data=st.data())
def test_it_is_self_bleu_of_any_part(texts: list[list[str]], data: st.DataObject) -> None:
    kept = data.draw(st.lists(st.booleans(), min_size=len(texts), max_size=len(texts)))
    part = [text for text, keep in zip(texts, kept, strict=True) if keep]
    found = SelfBleu(encode_words([" ".join(text) for text in texts]))
    assert found.scores().tolist() == pytest.approx(self_bleu(texts), abs=1e-9)
    some = found.scores(np.array(kept, dtype=np.bool_))
    assert some.tolist() == pytest.approx(self_bleu(part), abs=1e-9)


@pytest.mark.parametrize("lengths", [[1, 2, 3], [2, 4, 7], [1, 9], [0, 5], [3, 3, 8], [0, 0]])
def test_lengths_that_differ(lengths: list[int]) -> None:
    texts = [["a"] * length for length in lengths]
    found = SelfBleu(encode_words([" ".join(text) for text in texts])).scores()
    assert found.tolist() == pytest.approx(self_bleu(texts), abs=1e-9)
