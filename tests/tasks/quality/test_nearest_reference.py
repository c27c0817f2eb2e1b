import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tasks.quality import nearest_reference as module
from tasks.quality.nearest_reference import nearest_reference
from tasks.quality.word_codes import Vocabulary, encode_words

TEXTS = st.lists(st.lists(st.sampled_from("abcd"), max_size=9), max_size=6)


def rouge_l(text: list[str], other: list[str]) -> float:
    """ROUGE-L F1 by the table of longest common subsequences, as Lin defines it."""
    table = [[0] * (len(other) + 1) for _ in range(len(text) + 1)]
    for i, word in enumerate(text):
        for j, second in enumerate(other):
            longest = max(table[i][j + 1], table[i + 1][j])
            table[i + 1][j + 1] = table[i][j] + 1 if word == second else longest
    common = table[-1][-1]
    if not common:
        return 0.0
    recall, precision = common / len(other), common / len(text)
    return 2 * recall * precision / (recall + precision)


def bleu(text: list[str], other: list[str]) -> float:
    """BLEU-4 of a sentence, as Papineni et al. and Chen and Cherry (method 1) define it."""
    if not set(text) & set(other):
        return 0.0
    log = 0.0
    for n in (1, 2, 3, 4):
        own, theirs = (
            Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))
            for words in (text, other)
        )
        log += math.log(((own & theirs).total() or 0.1) / max(1, own.total())) / 4
    return math.exp(log + min(0.0, 1 - len(other) / len(text)))


@settings(deadline=None, max_examples=120)
@given(TEXTS, TEXTS.filter(bool))
@example([[], ["a"]], [[]])
@example([list("aaaa")], [list("aa"), list("aaaaaaa")])
def test_the_best_is_that_of_all_pairs(texts: list[list[str]], references: list[list[str]]) -> None:
    vocabulary = Vocabulary()
    sides = [
        encode_words([" ".join(words) for words in side], vocabulary=vocabulary)
        for side in (texts, references)
    ]
    found = nearest_reference(*sides)
    for place, text in enumerate(texts):
        rouges = [rouge_l(text, other) for other in references]
        bleus = [bleu(text, other) for other in references]
        assert found.rouge_l[place] == pytest.approx(max(rouges))
        assert rouges[found.rouge_l_places[place]] == pytest.approx(max(rouges))
        assert found.bleu[place] == pytest.approx(max(bleus))
        assert bleus[found.bleu_places[place]] == pytest.approx(max(bleus))


def test_a_copy_has_1_and_an_unlike_text_0() -> None:
    vocabulary = Vocabulary()
    texts = encode_words(["This is a copy, of it.", "Nothing shared"], vocabulary=vocabulary)
    references = encode_words(["else", "this is a COPY of it"], vocabulary=vocabulary)
    found = nearest_reference(texts, references)
    assert found.rouge_l.tolist() == [1, 0]
    assert found.rouge_l_places[0] == found.bleu_places[0] == 1
    assert found.bleu == pytest.approx([1, 0])


def test_blocks_give_what_one_block_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    sides = [[" ".join(rng.choice(list("abcdefg"), 6)) for _ in range(20)] for _ in range(2)]
    vocabulary = Vocabulary()
    texts, references = (encode_words(side, vocabulary=vocabulary) for side in sides)
    whole = nearest_reference(texts, references)
    monkeypatch.setattr(module, "_BLOCK_PAIRS", 60)
    parts = nearest_reference(texts, references)
    assert parts.rouge_l.tolist() == whole.rouge_l.tolist()
    assert parts.bleu.tolist() == whole.bleu.tolist()


def test_only_the_beginning_of_a_long_text_counts() -> None:
    vocabulary = Vocabulary()
    long = " ".join(f"w{i % 700}" for i in range(30_000))
    texts = encode_words(["short one", long, ""], vocabulary=vocabulary)
    references = encode_words([" ".join(long.split()[:512]), long], vocabulary=vocabulary)
    found = nearest_reference(texts, references)
    assert found.rouge_l.tolist() == [0, 1, 0]


def test_there_must_be_a_reference() -> None:
    words = encode_words(["a"])
    with pytest.raises(ValueError, match="no reference"):
        nearest_reference(words, encode_words([]))


@pytest.mark.shared
def test_on_real_questions_no_better_match_is_missed(shared: Path) -> None:
    """The search leaves pairs out; none of them may win."""
    import csv

    with (shared / "data/banking77/train.csv").open(encoding="utf-8") as file:
        questions = [row["text"] for row in csv.DictReader(file)][::25]
    vocabulary = Vocabulary()
    texts = encode_words(questions[:40], vocabulary=vocabulary)
    references = encode_words(questions[40:], vocabulary=vocabulary)
    found = nearest_reference(texts, references)
    for place in range(len(texts)):
        own = [str(code) for code in texts.of(place)]
        others = [[str(code) for code in references.of(i)] for i in range(len(references))]
        assert found.rouge_l[place] == pytest.approx(max(rouge_l(own, o) for o in others))
        assert found.bleu[place] == pytest.approx(max(bleu(own, o) for o in others))
