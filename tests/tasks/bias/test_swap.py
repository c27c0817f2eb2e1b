import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.bias.swap import swap_counted, swap_gender, swap_words, swappable_words

WORDS = swap_words()
CASINGS = (str.lower, str.upper, str.capitalize, str.swapcase, lambda word: word[:1] + "X")
near = sorted(
    swappable_words()
    | WORDS.closes
    | WORDS.givers
    | WORDS.given
    | WORDS.causers
    | WORDS.caused
    | WORDS.adverbial
    | WORDS.not_adverbs
    | {
        "quickly",
        "family",
        "book",
        "he2",
        "thé",
        "he\u0301",
        "_her",
        "\u0130",
        "\u017fhe",
        "\u212a",
    }
)
pronouns = st.sampled_from(["her", "him", "his", "hers", "and", "or"])
word = st.one_of(st.sampled_from(near), pronouns, st.text(max_size=4))
token = st.builds(lambda w, casing: casing(w), word, st.sampled_from(CASINGS))
gap = st.sampled_from([" ", " ", " ", "  ", ", ", ". ", "'s ", "-", "\n", "\x85", "", "\u200b"])
texts = st.lists(st.tuples(token, gap), max_size=12).map(
    lambda pairs: "".join(piece for pair in pairs for piece in pair)
)


@given(st.one_of(texts, st.text()))
@settings(max_examples=600, deadline=None)
def test_the_swap_is_an_involution(text: str) -> None:
    assert swap_gender(swap_gender(text)) == text


@given(texts)
@settings(max_examples=200, deadline=None)
def test_every_counted_word_changes_sides(text: str) -> None:
    one = swap_counted(text)
    other = swap_counted(one.text)
    assert (one.from_male, one.from_female) == (other.from_female, other.from_male)
    assert (one.text == text) == (one.from_male + one.from_female == 0)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("She lost her card.", "He lost his card."),
        ("I saw her.", "I saw him."),
        ("I saw her at home", "I saw him at home"),
        ("That book is hers.", "That book is his."),
        ("A friend of hers has called", "A friend of his has called"),
        ("HER mother called", "HIS father called"),
        ("Her, of all people", "Him, of all people"),
        ("They gave her money", "They gave him money"),
        ("They gave her mother money", "They gave his father money"),
        ("They charged her 200 dollars", "They charged him 200 dollars"),
        ("It made her cry", "It made him cry"),
        ("Let her go", "Let him go"),
        ("We called her back.", "We called him back."),
        ("Her back hurts", "His back hurts"),
        ("They told her quickly", "They told him quickly"),
        ("Her family came", "His family came"),
        ("her and his books", "his and her books"),
        ("Tell her that she's late", "Tell him that he's late"),
        ("I met Mrs. Green and her two sons", "I met Mr. Green and his two daughters"),
        ("the theatre, there, then", "the theatre, there, then"),
        ("", ""),
    ],
)
def test_sentences(one: str, other: str) -> None:
    assert swap_gender(one) == other
    assert swap_gender(other) == one


def test_odd_casings_stay() -> None:
    assert swap_gender("hEr sHe hers_") == "hEr sHe hers_"


def test_hostile_lengths() -> None:
    long = "her and " * 12_000 + "he" * 50_000
    assert swap_gender(swap_gender(long)) == long
    assert swap_gender("\ud800 she") == "\ud800 he"


def sentences(folder: Path, name: str) -> list[str]:
    lines = (folder / "winobias" / name).read_text("utf-8").splitlines()
    return [line.split(" ", 1)[1] for line in lines]


@pytest.mark.shared
@pytest.mark.parametrize("kind", ["type1", "type2"])
@pytest.mark.parametrize("split", ["dev", "test"])
def test_the_pronouns_of_winobias_are_swapped_as_its_authors_did(
    shared: Path, kind: str, split: str
) -> None:
    pro = sentences(shared / "data", f"pro_stereotyped_{kind}.txt.{split}")
    anti = sentences(shared / "data", f"anti_stereotyped_{kind}.txt.{split}")
    pronoun = re.compile(r"\[(he|she|him|her|his|hers)\]", re.IGNORECASE)
    right = judged = 0
    for one, other in zip(pro, anti, strict=False):
        # The brackets would part a pronoun from its noun.
        plain, expected = (re.sub(r"[\[\]]", "", text) for text in (one, other))
        assert swap_gender(swap_gender(plain)) == plain
        if pronoun.sub("_", one) == pronoun.sub("_", other):
            judged += 1
            right += swap_gender(plain) == expected
    assert judged > 300
    assert right / judged >= 0.96


@pytest.mark.shared
def test_winogender_is_swapped_as_its_authors_did(shared: Path) -> None:
    lines = (shared / "data/winogender/all_sentences.tsv").read_text("utf-8").splitlines()[1:]
    sentence = dict(line.split("\t") for line in lines)
    pairs = [
        (sentence[k], sentence[k.replace(".male.", ".female.")]) for k in sentence if ".male." in k
    ]
    assert len(pairs) == 240
    assert all(swap_gender(one) == other and swap_gender(other) == one for one, other in pairs)
