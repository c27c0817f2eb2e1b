"""A rewritten text: the model's tokens where they are new, the author's characters elsewhere."""

from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from schemas.errors import InputError
from tasks.generation.masked_text import MaskedCodec
from tasks.generation.tokenisation import load_tokenizer

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=30)


@pytest.fixture(scope="module")
def pieces(word_piece):
    return MaskedCodec(word_piece, place=Path("model"))


@pytest.fixture(scope="module")
def byte_codec(family_model):
    return MaskedCodec(load_tokenizer(family_model("bert")), place=Path("model"))


def rewritten(codec, tokenizer, text: str, **changes: str) -> str:
    """Replace the open token of each number by another: `_1="dog"`."""
    source = codec.read(text)
    ids = list(source.ids)
    for number, token in changes.items():
        place = source.open_places[int(number[1:])]
        ids[place] = tokenizer.convert_tokens_to_ids(token)
        assert ids[place] != tokenizer.unk_token_id
    return codec.rewrite(source, ids)


@pytest.mark.parametrize(
    ("text", "changes", "expected"),
    [
        ("The OLD  card!", {"_1": "dog"}, "The dog  card!"),
        ("The OLD card!", {"_3": "."}, "The OLD card."),
        ("the old card", {"_1": "##s"}, "thes card"),
        ("the old card", {"_1": "dog", "_2": "##s"}, "the dogs"),
        ("The (Old) card", {"_2": "dog"}, "The (dog) card"),
        ("playing CAT", {"_0": "dog"}, "doging CAT"),
        ("playing CAT", {"_1": "dog"}, "play dog CAT"),
        ("playing CAT", {"_1": "."}, "play. CAT"),
        ("the cat", {"_1": "."}, "the."),
        ("the-cat", {"_1": "dog"}, "the dog cat"),
        ("the old", {"_0": "##s"}, "s old"),
        ("Zebra 🦓 old card", {"_0": "cat"}, "Zebra 🦓 cat card"),
        ("我爱你", {"_1": "他"}, "我他你"),
        ("我 爱你", {"_1": "他"}, "我 他你"),
        ("  the old ", {"_0": "a"}, "  a old "),
    ],
)
def test_words_replace_words_and_nothing_else(pieces, word_piece, text, changes, expected):
    assert rewritten(pieces, word_piece, text, **changes) == expected


def word_level(scheme: str) -> PreTrainedTokenizerFast:
    """Whole words with their space in front, as RoBERTa (`Ġ`) and XLM-RoBERTa (`▁`) mark it."""
    sign = {"bytes": "Ġ", "metaspace": "▁"}[scheme]
    words = ["the", "old", "card", "dog", "s", ".", "(", ")", sign]
    tokens = ["<unk>", "<mask>", "a", "▁a", *words, *(sign + word for word in words)]
    core = Tokenizer(models.WordLevel({token: n for n, token in enumerate(tokens)}, "<unk>"))
    if scheme == "bytes":
        core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        core.decoder = decoders.ByteLevel()
        core.post_processor = processors.ByteLevel(trim_offsets=True)
    else:
        core.pre_tokenizer = pre_tokenizers.Metaspace()
        core.decoder = decoders.Metaspace()
    return PreTrainedTokenizerFast(
        tokenizer_object=core, unk_token="<unk>", mask_token="<mask>", pad_token="<unk>"
    )


@pytest.mark.parametrize("scheme", ["bytes", "metaspace"])
@pytest.mark.parametrize(
    ("text", "changes", "expected"),
    [
        ("the old card", {"_1": "+dog"}, "the dog card"),
        ("the old card", {"_1": "s"}, "thes card"),
        ("the old card", {"_0": "+dog"}, "dog old card"),
        ("the old card", {"_2": "."}, "the old."),
        ("the old card", {"_1": "+dog", "_2": "s"}, "the dogs"),
        ("the OLD card", {"_1": "+dog"}, "the OLD dog"),
        ("the old card", {"_0": "(", "_1": "+dog"}, "( dog card"),
    ],
)
def test_words_that_carry_their_space_keep_it(scheme, text, changes, expected):
    tokenizer = word_level(scheme)
    sign = {"bytes": "Ġ", "metaspace": "▁"}[scheme]
    codec = MaskedCodec(tokenizer, place=Path("model"))
    changes = {place: token.replace("+", sign) for place, token in changes.items()}
    assert rewritten(codec, tokenizer, text, **changes) == expected


@settings(deadline=None, max_examples=60)
@given(text=TEXTS)
def test_a_text_with_nothing_new_is_itself(pieces, byte_codec, text):
    for codec in (pieces, byte_codec):
        source = codec.read(text)
        assert codec.rewrite(source, source.ids) == text


@settings(deadline=None, max_examples=150)
@given(text=TEXTS.filter(bool), data=st.data())
def test_bytes_are_replaced_as_in_the_bytes_of_the_text(byte_codec, text, data):
    source = byte_codec.read(text)
    ids = list(source.ids)
    assert source.open_places == list(range(1, len(ids) - 1))
    letters = byte_codec.read("aZ. -é").ids[1:-1]
    for place in data.draw(st.sets(st.sampled_from(source.open_places), max_size=6)):
        ids[place] = data.draw(st.sampled_from(letters))
    decode = byte_codec._tokenizer.decode
    whole = decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    assume("\ufffd" not in whole)
    assert byte_codec.rewrite(source, ids).lstrip() == whole.lstrip()


def test_special_tokens_are_never_open(pieces, word_piece):
    source = pieces.read("the [MASK] 🦓 [SEP] old")
    opened = [word_piece.convert_ids_to_tokens(source.ids[place]) for place in source.open_places]
    assert opened == ["the", "old"]
    assert not pieces.special_ids.isdisjoint({word_piece.mask_token_id})


def test_control_tokens_in_a_text_are_text(byte_codec):
    source = byte_codec.read("a<|mask|>b")
    assert len(source.open_places) == len("a<|mask|>b")


def test_a_tokenizer_without_a_mask_token_is_refused(llama):
    with pytest.raises(InputError, match="mask token") as caught:
        MaskedCodec(load_tokenizer(llama), place=llama)
    assert caught.value.code == "CS-M004"
