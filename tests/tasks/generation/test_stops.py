"""Stop strings against the slow definition: the whole text is decoded after each token."""

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

import tasks.starter
from tasks.generation.stops import StopWatch
from tasks.generation.tokenisation import PromptCodec

law = settings(deadline=None, max_examples=150)
PIECES = ["the", " the", "card", "\n", "\n\n", " ", "##", "é", "日本", "a", "b", "!", "ing "]
pieces = st.lists(st.sampled_from(PIECES), min_size=1, max_size=12)


@pytest.fixture(scope="module")
def codecs(llama):
    starter = Path(tasks.starter.__file__).parent
    folders = {"bytes": llama, "starter": starter}
    return {
        name: (PromptCodec(tokenizer), len(tokenizer))
        for name, folder in folders.items()
        for tokenizer in [AutoTokenizer.from_pretrained(folder)]
    }


def watch_of(codec, size, stops):
    return StopWatch(codec, stops, vocabulary_size=size, device=torch.device("cpu"))


def stops_at(watch, tokens):
    """The number of tokens at which the watch sees a stop string; None if it never does."""
    for count in range(1, len(tokens) + 1):
        suspects = watch.suspects(torch.tensor([tokens[count - 1]]))
        if suspects and watch.is_stopped(tokens[:count][-watch.tail :]):
            return count
    return None


def stops_by_definition(codec, tokens, stops):
    for count in range(1, len(tokens) + 1):
        if any(stop in codec.decode(tokens[:count]) for stop in stops):
            return count
    return None


@pytest.mark.parametrize("kind", ["bytes", "starter"])
@law
@given(text=pieces, data=st.data())
def test_a_stop_is_seen_at_the_token_that_completes_it(codecs, kind, text, data):
    codec, size = codecs[kind]
    whole = "".join(text)
    count = data.draw(st.integers(1, 3))
    stops = []
    for _ in range(count):
        first = data.draw(st.integers(0, len(whole) - 1))
        stops.append(whole[first : first + data.draw(st.integers(1, 9))])
    if data.draw(st.booleans()):
        stops = [stop + "?" for stop in stops]
    (tokens,) = codec.encode([whole])
    noise = data.draw(st.lists(st.integers(0, size - 1), max_size=4))
    tokens = [*tokens, *noise, *tokens]
    assert stops_at(watch_of(codec, size, stops), tokens) == stops_by_definition(
        codec, tokens, stops
    )


@pytest.mark.parametrize("kind", ["bytes", "starter"])
@pytest.mark.parametrize("stop", ["\n", "\n\n", " ", "the card", "card\nthe", "é", "日本"])
def test_stops_of_many_tokens_newlines_and_spaces(codecs, kind, stop):
    codec, size = codecs[kind]
    (tokens,) = codec.encode(["b" + stop + "a card the"])
    expected = stops_by_definition(codec, tokens, [stop])
    assert expected is not None
    assert stops_at(watch_of(codec, size, [stop]), tokens) == expected


class Dropping:
    """A tokenizer that drops the space in front of what it decodes, one word a token."""

    WORDS = (" my", " card", "s", " is", ".")

    def decode(self, tokens):
        return "".join(self.WORDS[token] for token in tokens).removeprefix(" ")

    def decode_each(self, tokens):
        return [self.decode([token]) for token in tokens]


@pytest.mark.parametrize("stop", [" ", "y ", "s is", " card", "rds i"])
def test_a_space_that_is_dropped_in_front_is_seen_behind(stop):
    codec, tokens = Dropping(), [0, 1, 2, 3, 4]
    expected = stops_by_definition(codec, tokens, [stop])
    assert expected is not None
    assert stops_at(watch_of(codec, 5, [stop]), tokens) == expected


def test_few_tokens_are_suspects(codecs):
    codec, size = codecs["starter"]
    watch = watch_of(codec, size, ["\n", "##"])
    places = watch.suspects(torch.arange(size))
    assert 0 < len(places) < size / 10
    pieces = codec.decode_each(places)
    assert all("\n" in piece or "#" in piece or "\ufffd" in piece for piece in pieces)
