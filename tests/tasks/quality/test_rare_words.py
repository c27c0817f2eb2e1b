"""The prefix filter keeps its promise: three changed words leave a candidate."""

import random

import numpy as np

from tasks.quality.rare_words import RareWordIndex, document_frequencies
from tasks.quality.word_codes import Vocabulary, encode_words


def change(words: list[str], num_changes: int, pool: list[str], rng: random.Random) -> list[str]:
    """Replace, delete or insert words at random places, one after the other."""
    words = list(words)
    for _ in range(num_changes):
        place = rng.randrange(len(words))
        match rng.choice(["replace", "delete", "insert"]):
            case "replace":
                words[place] = rng.choice([word for word in pool if word != words[place]])
            case "delete":
                del words[place]
            case _:
                words.insert(place, rng.choice(pool))
    return words


def test_three_changed_words_leave_a_candidate() -> None:
    rng = random.Random(5)
    pool = [f"w{i}" for i in range(400)]
    texts = [rng.sample(pool, rng.randint(6, 15)) for _ in range(500)]
    edited = [change(words, 3, pool, rng) for words in texts]
    vocabulary = Vocabulary()
    others = encode_words([" ".join(words) for words in texts], vocabulary=vocabulary)
    queries = encode_words([" ".join(words) for words in edited], vocabulary=vocabulary)
    rarity = np.argsort(np.argsort(-document_frequencies(others)))
    index = RareWordIndex(others, np.arange(500), rarity)
    found = {
        pair
        for block in index.candidates(queries, np.arange(500))
        for pair in zip(*map(np.ndarray.tolist, block), strict=True)
    }
    # The prefix filter promises it for sets that lack at most three words of each other.
    promised = {
        (i, i)
        for i, words in enumerate(edited)
        if len(set(words)) >= 6
        and len(set(words) - set(texts[i])) <= 3
        and len(set(texts[i]) - set(words)) <= 3
    }
    assert len(promised) > 400
    assert promised <= found


def test_document_frequencies_count_texts() -> None:
    words = encode_words(["a b a", "", "b"])
    assert document_frequencies(words).tolist() == [1, 2]
