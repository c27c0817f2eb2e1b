"""Copies are found where they are, of the kind they are, on both sides."""

from collections.abc import Sequence

import pytest

from tasks.quality.copies import CodedTexts, CopyKind, CopyMatches, find_copies
from tasks.quality.fingerprints import normalise_text
from tasks.quality.word_codes import Vocabulary, encode_words


def copies(first: Sequence[str], second: Sequence[str]) -> tuple[CopyMatches, CopyMatches]:
    vocabulary = Vocabulary()
    return find_copies(
        CodedTexts(first, encode_words(first, vocabulary=vocabulary)),
        CodedTexts(second, encode_words(second, vocabulary=vocabulary)),
    )


REFERENCE = [
    "Where did my parcel with the blue lamp go?",
    "Please cancel the second order from Tuesday.",
    "The kettle that came yesterday leaks at the handle.",
    "Yes.",
    "...",
    "",
]


def test_kinds_by_hand() -> None:
    rows = [
        "Where did my parcel with the blue lamp go?",
        "where did my parcel with the blue lamp go",
        "Where did my parcel with the red lamp go?",
        "Please could you cancel the second order from Tuesday.",
        "yes",
        "...",
        "",
        "A song about winter and the sea that nobody knows.",
    ]
    found, back = copies(rows, REFERENCE)
    assert found.kinds.tolist() == [3, 2, 1, 1, 2, 0, 0, 0]
    assert found.others.tolist() == [0, 0, 0, 1, 3, -1, -1, -1]
    assert found.similarities[:2].tolist() == [1, 1]
    assert 0.58 <= found.similarities[2] < 1
    assert back.kinds.tolist() == [3, 1, 0, 2, 0, 0]
    assert back.others.tolist() == [0, 3, -1, 4, -1, -1]
    assert found.where(CopyKind.NEAR).tolist() == [2, 3]
    assert found.count(CopyKind.NORMALISED, CopyKind.VERBATIM) == 3


def test_a_copy_has_the_place_of_the_text_with_its_characters() -> None:
    found, _ = copies(["my card"], ["My card", "my card", "my card"])
    assert (found.kinds[0], found.others[0]) == (CopyKind.VERBATIM, 1)


def test_repeated_near_copies_are_all_found() -> None:
    edited = "The kettle which came yesterday leaks at the handle."
    found, back = copies([edited, "other words", edited], REFERENCE)
    assert found.kinds.tolist() == [1, 0, 1]
    assert found.others.tolist() == [2, -1, 2]
    assert back.others.tolist() == [-1, -1, 0, -1, -1, -1]


def test_nothing_is_a_copy_of_nothing() -> None:
    found, back = copies([], REFERENCE)
    assert found.kinds.size == 0
    assert back.count(CopyKind.NONE) == len(REFERENCE)
    found, _ = copies(["", "!"], [""])
    assert found.kinds.tolist() == [0, 0]


def test_two_vocabularies_cannot_be_compared() -> None:
    one, two = (CodedTexts(["a"], encode_words(["a"])) for _ in range(2))
    with pytest.raises(ValueError, match="vocabulary"):
        find_copies(one, two)


def test_a_template_of_thousands_is_no_trouble() -> None:
    rows = [f"your parcel number {i} waits at the blue counter today" for i in range(3000)]
    found, back = copies(rows, [row.replace("today", "now") for row in rows])
    assert (found.kinds == CopyKind.NEAR).all()
    assert found.others.tolist() == list(range(3000))
    assert back.others.tolist() == list(range(3000))


def test_a_page_is_compared_by_its_beginning() -> None:
    page = " ".join(f"w{i * 7919 % 20_011}" for i in range(20_000))
    found, _ = copies([page.replace("w7919 ", "x y ")], [page, "other"])
    assert found.kinds.tolist() == [CopyKind.NEAR]
    assert normalise_text(page) == page
