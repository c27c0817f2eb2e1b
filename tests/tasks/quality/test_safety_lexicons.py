import hashlib

import pytest

from tasks.quality.fingerprints import normalise_text
from tasks.quality.lexicon_match import find_phrases
from tasks.quality.safety_lexicons import LEXICON, VERSION
from tasks.quality.word_codes import encode_words

PHRASES = [entry.phrase for entry in LEXICON]


def test_every_phrase_stands_once_and_is_found() -> None:
    normals = [normalise_text(phrase) for phrase in PHRASES]
    assert len(set(normals)) == len(normals) > 200
    texts = [f"Well, {phrase.upper()}!" for phrase in PHRASES]
    hits = find_phrases(encode_words(texts), PHRASES)
    own = {(place, place) for place in range(len(PHRASES))}
    assert own <= set(zip(hits.texts.tolist(), hits.phrases.tolist(), strict=True))


@pytest.mark.parametrize(
    "text",
    [
        "Moby Dick sank off Scunthorpe, and the cockpit crew passed the assassin's class.",
        "Where in hell's kitchen do I pick up a Maine Coon, or a pussy willow?",
        "Homo sapiens, a gay couple and a queer reader met at the dyke.",
        "A jackal, a shiitake, spick and span; blue tits in a chink of light; Kaffir lime.",
        "J. F. K. flew; a B. Tech. and C. T. scans; (c) 2020; sh, he sleeps.",
    ],
)
def test_harmless_words_are_not_on_the_list(text: str) -> None:
    assert len(find_phrases(encode_words([text]), PHRASES)) == 0


def test_a_changed_list_is_a_new_version() -> None:
    content = "\n".join(f"{entry.kind} {entry.severity} {entry.phrase}" for entry in LEXICON)
    digest = hashlib.sha256(content.encode()).hexdigest()[:12]
    assert (VERSION, digest) == ("1", "cd34ebd72bdb")
