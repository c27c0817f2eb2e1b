import re
from pathlib import Path

import pytest
import yaml

from tasks.bias.lexicons import AXES, Lexicon, Lexicons, read_lexicon, shipped_lexicons
from tasks.quality.fingerprints import normalise_text

TOY = {
    "axis": "pets",
    "version": 1,
    "source": "made up",
    "groups": {
        "cats": {"terms": ["cat", "tom cat"], "ambiguous": ["tabby"]},
        "dogs": {"terms": ["dog"]},
    },
    "shields": ["dog ear"],
}


def test_every_term_reads_as_a_normalised_text_does() -> None:
    phrases = shipped_lexicons().phrases()
    assert {axis for _, axis, _ in phrases} == set(AXES)
    for words, _, _ in phrases:
        assert normalise_text(" ".join(words)).split() == list(words)


def test_every_lexicon_says_where_it_is_from() -> None:
    for lexicon in shipped_lexicons().axes:
        assert re.search("Compiled for corpusmith", lexicon.source)
        assert lexicon.version >= 1
        for name, group in lexicon.groups.items():
            assert "" not in group.terms, name


def test_an_ambiguous_word_counts_before_people_only() -> None:
    toy = Lexicons((Lexicon.model_validate(TOY),), ("person", "man"))
    assert toy.phrases() == [
        (("cat",), "pets", "cats"),
        (("tom", "cat"), "pets", "cats"),
        (("tabby", "person"), "pets", "cats"),
        (("tabby", "man"), "pets", "cats"),
        (("dog",), "pets", "dogs"),
        (("dog", "ear"), "pets", None),
    ]
    assert toy.columns() == [("pets", "cats"), ("pets", "dogs")]
    assert toy.words() == {"cat", "tom", "tabby", "person", "man", "dog", "ear"}


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ({"a": {"terms": ["x"]}, "b": {"terms": ["x"]}}, "twice"),
        ({"a": {"terms": ["X"]}, "b": {"terms": ["y"]}}, "capitals"),
        ({"a": {"terms": ["x-y"]}, "b": {"terms": ["y"]}}, "pattern"),
        ({"a": {"terms": ["x"]}}, "at least 2"),
        ({"a": {"terms": []}, "b": {"terms": ["y"]}}, "at least 1"),
    ],
)
def test_a_wrong_lexicon_is_refused(
    tmp_path: Path, groups: dict[str, object], message: str
) -> None:
    path = tmp_path / "pets.yaml"
    path.write_text(yaml.safe_dump({**TOY, "shields": [], "groups": groups}))
    with pytest.raises(ValueError, match=message):
        read_lexicon(path)


def test_a_lexicon_is_read_as_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "pets.yaml"
    path.write_text(yaml.safe_dump(TOY))
    assert read_lexicon(path).groups["cats"].ambiguous == ("tabby",)
