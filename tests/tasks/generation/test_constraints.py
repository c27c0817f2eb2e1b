"""A random model held to a form always writes that form."""

from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from schemas.errors import InputError
from schemas.output import ChoicesOutput, JsonOutput, RegexOutput
from tasks.generation.constraints import Constraint
from tasks.generation.folders import STARTER_FOLDER
from tasks.generation.structured import open_reader

END = "<|end|>"
OUTPUTS = {
    "json": JsonOutput(
        json_schema={
            "type": "object",
            "properties": {
                "text": {"type": "string", "minLength": 2, "maxLength": 12},
                "stars": {"type": "integer", "minimum": 1, "maximum": 50},
                "kind": {"enum": ["a", True, None]},
                "tags": {"type": "array", "items": {"type": "boolean"}, "maxItems": 2},
            },
            "required": ["text", "stars", "kind", "tags"],
        }
    ),
    "regex": RegexOutput(regex="^[a-é]{2,5}(x|日本)?$"),
    "choices": ChoicesOutput(choices=("yes", "no", "yes please", "日本")),
}


def byte_tokenizer(alphabet: str | None = None) -> PreTrainedTokenizerFast:
    letters = sorted(alphabet or pre_tokenizers.ByteLevel.alphabet())
    core = Tokenizer(
        models.BPE(vocab={END: 0} | {b: 1 + i for i, b in enumerate(letters)}, merges=[])
    )
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=core, eos_token=END)


@pytest.fixture(scope="module", params=["bytes", "starter"])
def tokenizer(request: pytest.FixtureRequest) -> Any:
    return byte_tokenizer() if request.param == "bytes" else AutoTokenizer.from_pretrained(
        STARTER_FOLDER
    )  # fmt: skip


def walk(constraint: Constraint, *, lanes: int, ends: set[int], steps: int = 150) -> Any:
    """Let a model of uniform logits write; return each lane's tokens, None when it never ended."""
    rng = np.random.default_rng(0)
    states = [constraint.open() for _ in range(lanes)]
    tokens: list[list[int]] = [[] for _ in states]
    ended = [False] * lanes
    for _ in range(steps):
        allowed_BV = constraint.allowed(states)
        assert allowed_BV.any(dim=1).all()
        for lane, state in enumerate(states):
            token = int(rng.choice(np.flatnonzero(allowed_BV[lane].numpy())))
            state.accept(token)
            assert not state.is_broken
            ended[lane] |= token in ends
            if not ended[lane]:
                tokens[lane].append(token)
        if all(ended):
            break
    return [own if done else None for own, done in zip(tokens, ended, strict=True)]


@pytest.mark.parametrize("form", OUTPUTS)
def test_every_finished_text_has_the_form(form: str, tokenizer: Any) -> None:
    output, size = OUTPUTS[form], len(tokenizer)
    # Wider logits than the tokenizer's vocabulary, and a second end token among the padding.
    ends = {tokenizer.eos_token_id, size + 3}
    constraint = Constraint(
        output, tokenizer=tokenizer, vocabulary_size=size + 70, end_ids=sorted(ends)
    )
    reader = open_reader(output)
    texts = set()
    for tokens in walk(constraint, lanes=24, ends=ends):
        assert tokens is not None
        assert max(tokens) < size
        text = tokenizer.decode(tokens, clean_up_tokenization_spaces=False)
        assert ": " not in text
        assert ", " not in text or form == "json"
        assert reader.read(text, prompt="").fault is None
        texts.add(text)
    assert len(texts) > (3 if form == "choices" else 12)


def test_uniform_bytes_reach_every_choice() -> None:
    output = ChoicesOutput(choices=("ax", "by", "cz", "dw"))
    tokenizer = byte_tokenizer()
    constraint = Constraint(output, tokenizer=tokenizer, vocabulary_size=257, end_ids=[0])
    texts = [tokenizer.decode(tokens) for tokens in walk(constraint, lanes=800, ends={0})]
    counts = [texts.count(choice) for choice in output.choices]
    assert sum(counts) == 800
    assert sum((count - 200) ** 2 / 200 for count in counts) < 16.3  # chi-square, 3 df, p = 0.001


def test_masks_are_those_of_the_definition() -> None:
    """A token is allowed iff some choice goes on with it; the end iff the text is a choice."""
    choices = ("ab", "abc", "b")
    tokenizer = byte_tokenizer()
    constraint = Constraint(
        ChoicesOutput(choices=choices), tokenizer=tokenizer, vocabulary_size=257, end_ids=[0]
    )
    letters = tokenizer.convert_tokens_to_ids(["a", "b", "c"])
    for text in ("", "a", "b", "ab", "abc"):
        state = constraint.open()
        for letter in text:
            state.accept(tokenizer.convert_tokens_to_ids(letter))
        allowed_V = constraint.allowed([state])[0]
        expected = [token for token, letter in zip(letters, "abc", strict=True)
                    if any(c.startswith(text + letter) for c in choices)]  # fmt: skip
        assert allowed_V.nonzero().flatten().tolist() == [0] * (text in choices) + expected
        assert state.is_complete == (text in choices)
        assert state.must_end == (text in ("b", "abc"))


def test_lanes_do_not_know_each_other() -> None:
    tokenizer = byte_tokenizer()
    constraint = Constraint(OUTPUTS["regex"], tokenizer=tokenizer, vocabulary_size=257, end_ids=[0])
    a, b = constraint.open(), constraint.open()
    before = constraint.allowed([b])
    a.accept(tokenizer.convert_tokens_to_ids("a"))
    after_one = constraint.allowed([a])[0]
    a.accept(tokenizer.convert_tokens_to_ids("b"))
    assert torch.equal(constraint.allowed([a, b])[1:2], before)
    assert torch.equal(constraint.allowed([b, a])[1], constraint.allowed([a])[0])
    assert not torch.equal(after_one, constraint.allowed([a])[0])
    assert constraint.allowed([]).shape == (0, 257)


def test_a_forbidden_token_breaks_a_lane_and_ends_it() -> None:
    constraint = Constraint(
        OUTPUTS["choices"], tokenizer=byte_tokenizer(), vocabulary_size=257, end_ids=[0]
    )
    state, other = constraint.open(), constraint.open()
    state.accept(256)
    assert state.is_broken
    allowed_BV = constraint.allowed([state, other])
    assert allowed_BV[0].nonzero().flatten().tolist() == [0]
    assert not allowed_BV[1, 0]
    other.accept(0)
    assert other.must_end
    assert constraint.allowed([other])[0].nonzero().flatten().tolist() == [0]


def test_models_that_cannot_write_a_form() -> None:
    full, poor = byte_tokenizer(), byte_tokenizer('abcdefghijklmnopqrstuvwxyz:,"')
    for tokenizer, size, ends, words in (
        (full, 257, [], "ends a text"),
        (full, 257, [300], "ends a text"),
        (poor, len(poor), [0], "vocabulary"),
        (object(), 257, [0], "fast"),
    ):
        with pytest.raises(InputError) as caught:
            Constraint(OUTPUTS["json"], tokenizer=tokenizer, vocabulary_size=size, end_ids=ends)
        assert caught.value.code == "CS-M004"
        assert words in caught.value.message


@pytest.mark.shared
def test_a_sentencepiece_vocabulary(tinystories: Any) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tinystories)
    constraint = Constraint(
        RegexOutput(regex="[a-z]{3,9}(,|!)? [a-z]+[.]"), tokenizer=tokenizer,
        vocabulary_size=len(tokenizer), end_ids=[tokenizer.eos_token_id],
    )  # fmt: skip
    reader = open_reader(RegexOutput(regex="[a-z]{3,9}(,|!)? [a-z]+[.]"))
    for tokens in walk(constraint, lanes=16, ends={tokenizer.eos_token_id}):
        assert tokens is None or reader.read(tokenizer.decode(tokens), prompt="").fault is None
