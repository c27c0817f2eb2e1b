import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.models import OpenAIModel
from schemas.strategies import Greedy
from tasks.generation.endpoint_reply import Malformed, Reply, complaint, read_reply
from tasks.generation.protocol import Request

CHAT = OpenAIModel(name="m", base_url="http://127.0.0.1:1/v1")
COMPLETIONS = CHAT.model_copy(update={"api": "completions"})


def request(*stops: str) -> Request:
    return Request(0, 0, 1, "a", "twelve bytes", Greedy(stop=stops))


def read(data: Any, *stops: str, model: OpenAIModel = CHAT) -> Reply:
    return read_reply(json.dumps(data).encode(), request=request(*stops), model=model)


def chat(content: Any, **changes: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": content, **changes.pop("message", {})}
    choice = {"message": message, "finish_reason": "stop", **changes}
    return {"choices": [choice], "usage": {"prompt_tokens": 11, "completion_tokens": 4}}


def logprobs(*values: Any) -> dict[str, Any]:
    return {"content": [{"token": "t", "logprob": value} for value in values]}


def test_a_chat_reply() -> None:
    reply = read(chat("a text", logprobs=logprobs(-1.0, -2.0, -0.5, -0.5)))
    assert reply == Reply("a text", 11, 4, -1.0, "eos")
    assert reply.completion(request()).num_tokens == 4


def test_a_completion() -> None:
    choice = {"text": " a text", "finish_reason": "length"}
    choice["logprobs"] = {"token_logprobs": [-1.0, -3.0], "tokens": ["a", "b"]}
    reply = read({"choices": [choice]}, model=COMPLETIONS)
    assert reply == Reply(" a text", 3, 2, -2.0, "length")


@pytest.mark.parametrize(
    ("data", "stops", "finish", "text"),
    [
        (chat("a b"), (), "eos", "a b"),
        (chat("a b", finish_reason="length"), (), "length", "a b"),
        (chat("a b", finish_reason=None), (), "eos", "a b"),
        (chat("a b", finish_reason="length"), ("b",), "stop", "a "),
        (chat("a b"), ("b",), "stop", "a "),
        (chat("a b"), ("x",), "eos", "a b"),
        (chat("a ", stop_reason="b"), ("b",), "stop", "a "),
        (chat("a ", stop_reason=2), ("b",), "eos", "a "),
        (chat(None, finish_reason="length"), (), "length", ""),
        (chat("\ud800a"), (), "eos", "?a"),
    ],
)
def test_how_a_text_ended(data: Any, stops: tuple[str, ...], finish: str, text: str) -> None:
    reply = read(data, *stops)
    assert (reply.finish_reason, reply.text, reply.error) == (finish, text, None)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (chat("x", finish_reason="content_filter"), "content filter"),
        (chat(None, message={"refusal": "I can't\x1b[31m help"}), "I can't\\x1b[31m help"),
        (chat(None, message={"tool_calls": [{}]}), "tool"),
    ],
)
def test_an_answer_without_a_text_is_an_error_that_was_paid(data: Any, words: str) -> None:
    reply = read(data)
    assert (reply.finish_reason, reply.text, reply.completion_tokens) == ("error", "", 4)
    assert words in str(reply.error)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"\xff\xfe",
        b"[" * 100_000,
        b"null",
        b"[]",
        b"{}",
        b'{"choices": 1}',
        b'{"choices": []}',
        b'{"choices": [1]}',
        b'{"choices": [{}]}',
        b'{"choices": [{"message": "hello"}]}',
        b'{"choices": [{"message": {"content": 3}}]}',
        b'{"choices": [{"message": {"content": "half"}, "finish_reason": "error"}]}',
        b'{"choices": [{"message": {"content": "half"}, "finish_reason": "abort"}]}',
    ],
)
def test_what_is_no_reply_is_malformed(content: bytes) -> None:
    with pytest.raises(Malformed):
        read_reply(content, request=request(), model=CHAT)


@pytest.mark.parametrize("count", [-1, "4", 1.5, None, True, 10**30, [1]])
def test_a_count_that_cannot_be_is_estimated(count: Any) -> None:
    data = {**chat("eight by"), "usage": {"prompt_tokens": count, "completion_tokens": count}}
    reply = read(data)
    assert (reply.prompt_tokens, reply.completion_tokens) == (3, 2)
    assert read({**data, "usage": count}).completion_tokens == 2


@pytest.mark.parametrize(
    "values",
    [(), (None,), ("x",), (-1.0, None), (math.nan,), (-math.inf,), (3.0,), (-1e308, -1e308)],
)
def test_log_probabilities_that_cannot_be_are_unknown(values: tuple[Any, ...]) -> None:
    logprob = read(chat("a", logprobs=logprobs(*values))).logprob
    assert logprob is None or (math.isfinite(logprob) and logprob <= 0)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["choices", "message", "content", "text", "usage", "logprobs", "finish_reason",
             "completion_tokens", "token_logprobs", "logprob", "error", "refusal", "stop_reason"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(data=JSON, model=st.sampled_from([CHAT, COMPLETIONS]))
def test_nothing_an_endpoint_sends_breaks_the_reader(data: Any, model: OpenAIModel) -> None:
    for whole in (data, {"choices": [data]}, {"choices": [{"message": data}], "usage": data}):
        content = json.dumps(whole).encode()
        message, code = complaint(content)
        assert message.isprintable()
        assert code.isprintable()
        try:
            reply = read_reply(content, request=request("b"), model=model)
        except Malformed:
            continue
        reply.text.encode()
        assert 0 <= reply.completion_tokens <= 10_000_000


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"error": {"message": "too long", "code": "context"}}', ("too long", "context")),
        (b'{"error": {"message": "no", "type": "invalid"}}', ("no", "invalid")),
        (b'{"error": "plain"}', ("plain", "")),
        (b'{"detail": [{"msg": "x"}]}', ('[{"msg": "x"}]', "")),
        (b'{"message": "two\\nlines\\u001b"}', ("two\\nlines\\x1b", "")),
        (b"<html>", ("", "")),
        (b"", ("", "")),
    ],
)
def test_a_complaint_is_one_harmless_line(content: bytes, expected: tuple[str, str]) -> None:
    assert complaint(content) == expected


def test_a_long_complaint_is_cut() -> None:
    message, _ = complaint(json.dumps({"error": {"message": "x" * 10_000}}).encode())
    assert len(message) < 300


def test_the_key_is_struck_out_before_a_complaint_is_cut() -> None:
    secret = "sk-0123456789-abcdefghij"
    for place in range(150, 420):
        content = json.dumps({"error": {"message": "x" * place + secret, "code": secret}}).encode()
        message, code = complaint(content, secret=secret)
        assert "sk-" not in message
        assert code == "[key]"
    refusal = chat(None, message={"refusal": "y" * 190 + secret})
    reply = read_reply(json.dumps(refusal).encode(), request=request(), model=CHAT, secret=secret)
    assert "sk-" not in str(reply.error)


def test_an_error_in_place_of_a_reply_is_told() -> None:
    content = json.dumps({"error": {"message": f"out of memory {'k' * 20}"}}).encode()
    with pytest.raises(Malformed, match=r"an error: out of memory \[key\]"):
        read_reply(content, request=request(), model=CHAT, secret="k" * 20)
    assert read({**chat("fine"), "error": None}).text == "fine"


@pytest.mark.parametrize("letter", ["a", "é"])
def test_a_text_that_is_far_too_long_is_an_error_that_was_paid(letter: str) -> None:
    most = (64 * Greedy().length.max + 1000) // len(letter.encode())
    assert read(chat(letter * most)).text == letter * most
    reply = read(chat(letter * (most + 1), finish_reason="length"))
    assert (reply.text, reply.finish_reason, reply.completion_tokens) == ("", "error", 4)
    assert "bytes" in str(reply.error)
