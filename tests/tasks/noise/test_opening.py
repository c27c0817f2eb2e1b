"""What steps on words need, found in mixtures too."""

import pytest

from schemas.errors import InputError
from schemas.noise import OneOf
from schemas.noise_words import Misspell, WordReplace, WordSwap
from tasks.noise.opening import count_words, needs_vocabulary, open_misspellings


def inside(step):
    return OneOf(steps=(WordSwap(rate=0.1), OneOf(steps=(step,))))


def test_words_of_the_corpus_are_asked_for():
    assert needs_vocabulary([inside(WordReplace(rate=0.1))])
    assert not needs_vocabulary([inside(WordReplace(rate=0.1, words=("a",))), WordSwap(rate=0.1)])


def test_words_are_counted_over_all_batches():
    vocabulary = count_words([["a b"], ["B c"]])
    assert vocabulary.words.to_pylist() == ["a", "b", "c"]
    assert vocabulary.counts.tolist() == [1, 2, 1]


def test_lists_are_read_by_name(tmp_path):
    (tmp_path / "own.tsv").write_text("zebra\tzebar\n", "utf-8")
    steps = [inside(Misspell(rate=0.1, path="own.tsv")), Misspell(rate=0.1)]
    opened = open_misspellings(steps, folder=tmp_path)
    assert list(opened) == ["own.tsv"]
    assert "zebra" in opened["own.tsv"].words.to_pylist()


def test_a_list_outside_the_folder_is_refused(tmp_path):
    (tmp_path / "own.tsv").write_text("zebra\tzebar\n", "utf-8")
    folder = tmp_path / "recipe"
    folder.mkdir()
    with pytest.raises(InputError) as caught:
        open_misspellings([Misspell(rate=0.1, path="../own.tsv")], folder=folder)
    assert caught.value.code == "CS-R008"
