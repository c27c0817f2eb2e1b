"""An endpoint that does everything wrong: every row is accounted for, and no money twice."""

import asyncio
import json
import threading
import time
from collections import Counter
from email.utils import formatdate
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from schemas.errors import CorpusmithError, InputError, RunError
from schemas.gates import UNSENT
from schemas.models import OpenAIModel, Price
from schemas.strategies import Greedy, Length, Nucleus
from tasks.generation import endpoint_client, endpoint_reply, endpoint_retry
from tasks.generation.endpoint_backend import EndpointBackend, is_loopback
from tasks.generation.endpoint_faults import fault_of_connection
from tasks.generation.endpoint_limit import ConcurrencyLimit
from tasks.generation.endpoint_purse import Purse
from tasks.generation.protocol import Completion, Request
from tasks.generation.replay_log import ReplayLog, Usage, read_usage

SECRET = "sk-very-secret-0123456789"
ENVIRONMENT = {"OPENAI_API_KEY": SECRET}
MALFORMED = [
    {"content": b""},
    {"content": b"{"},
    {"content": b'{"choices": []}'},
    {"content": b'{"choices": [{"message": null}]}'},
]
BROKEN = [{"cut": "before"}, {"cut": "within", "content": b'{"choices": ['}, *MALFORMED]


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint_retry, "FIRST_SECONDS", 0.01)


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Any:
    yield
    assert not [thread for thread in threading.enumerate() if thread.name == "endpoint"]


def model(endpoint: Any, **changes: Any) -> OpenAIModel:
    return OpenAIModel(name="m", base_url=endpoint.url, retries=2, **changes)


def backend(endpoint: Any, **changes: Any) -> EndpointBackend:
    own = {key: changes.pop(key) for key in ("replay", "usd") if key in changes}
    return EndpointBackend(model(endpoint, **changes), environment=ENVIRONMENT, **own)


def rows(count: int, **changes: Any) -> list[Request]:
    strategy = changes.pop("strategy", Nucleus(length=Length(max=10)))
    return [
        Request(row, 0, 1000 + row, "a", f"Write number {row}.", strategy) for row in range(count)
    ]


def answers(source: EndpointBackend, asked: list[Request]) -> list[Completion]:
    """Read all completions, and check that each request has exactly one."""
    found = sorted(source.generate(asked), key=lambda reply: reply.request.row)
    assert [reply.request for reply in found] == asked
    return found


def prompt_of(body: dict[str, Any]) -> str:
    return str(body["messages"][0]["content"])


def test_replies_become_completions(endpoint: Any) -> None:
    endpoint.answer = lambda number, body: endpoint.chat(
        f"to: {prompt_of(body)}", logprobs={"content": [{"logprob": -0.25}]}
    )
    found = answers(backend(endpoint), rows(100))
    assert [reply.text for reply in found] == [f"to: Write number {row}." for row in range(100)]
    assert {(r.num_tokens, r.logprob, r.finish_reason, r.error) for r in found} == {
        (5, -0.25, "eos", None)
    }
    assert sorted(body["seed"] for body in endpoint.bodies) == list(range(1000, 1100))
    assert {head["Authorization"] for head in endpoint.headers} == {f"Bearer {SECRET}"}
    assert answers(backend(endpoint), []) == []


def test_completions_api(endpoint: Any) -> None:
    endpoint.answer = lambda number, body: {
        "content": json.dumps({"choices": [{"text": f"{body['prompt']} done"}]}).encode()
    }
    found = answers(backend(endpoint, api="completions"), rows(3))
    assert [reply.text for reply in found] == [f"Write number {row}. done" for row in range(3)]
    assert {reply.num_tokens for reply in found} == {5}


@pytest.mark.parametrize("fault", [*BROKEN, {"status": 500}, {"status": 503}, {"status": 429}])
def test_a_fault_that_passes_costs_a_retry_and_no_row(fault: Any, endpoint: Any) -> None:
    seen: Counter[str] = Counter()

    def answer(number: int, body: dict[str, Any]) -> Any:
        seen[prompt_of(body)] += 1
        return fault if seen[prompt_of(body)] == 1 else endpoint.chat("good")

    endpoint.answer = answer
    found = answers(backend(endpoint), rows(12))
    assert {reply.text for reply in found} == {"good"}
    assert set(seen.values()) == {2}


@pytest.mark.parametrize("fault", [*BROKEN, {"status": 500, "content": b"<html>"}])
def test_a_fault_that_stays_is_the_rows_own_error(fault: Any, endpoint: Any) -> None:
    def answer(number: int, body: dict[str, Any]) -> Any:
        return fault if prompt_of(body).endswith(("3.", "5.")) else endpoint.chat("good")

    endpoint.answer = answer
    found = answers(backend(endpoint), rows(10))
    failed = [reply.request.row for reply in found if reply.error]
    assert failed == [3, 5]
    assert all(found[row].finish_reason == "error" and found[row].text == "" for row in failed)
    assert len(endpoint.bodies) == 8 + 2 * 3


def test_a_reply_without_an_end_is_not_read_to_it(
    endpoint: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint_client, "MOST_BYTES", 100_000)
    endpoint.answer = lambda number, body: {"content": b" " * 3_000_000}
    (reply,) = answers(backend(endpoint), rows(1))
    assert "more than" in str(reply.error)
    assert endpoint_reply.MOST_BYTES == 8 * 2**20


def test_a_slow_reply_is_waited_for_no_longer_than_the_recipe_says(endpoint: Any) -> None:
    endpoint.answer = lambda number, body: {**endpoint.chat("late"), "seconds": 0.5}
    (reply,) = answers(backend(endpoint, timeout_seconds=0.1), rows(1))
    assert reply.error == "no whole reply within 0.1 seconds"
    assert len(endpoint.bodies) == 3


def test_a_row_that_the_endpoint_refuses_is_not_sent_again(endpoint: Any) -> None:
    refusal = {"status": 400, "content": b'{"error": {"message": "the prompt is too long"}}'}
    endpoint.answer = lambda number, body: (
        refusal if prompt_of(body).endswith("1.") else endpoint.chat("good")
    )
    found = answers(backend(endpoint), rows(3))
    assert found[1].error == "the endpoint answered 400: the prompt is too long"
    assert len(endpoint.bodies) == 3


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_honoured(form: str, endpoint: Any) -> None:
    moments: list[float] = []

    def answer(number: int, body: dict[str, Any]) -> Any:
        moments.append(time.monotonic())
        if len(moments) > 1:
            return endpoint.chat("good")
        # A date has whole seconds: two of them are at least one.
        after = "1" if form == "seconds" else formatdate(time.time() + 2, usegmt=True)
        return {"status": 429, "headers": {"Retry-After": after}}

    endpoint.answer = answer
    (reply,) = answers(backend(endpoint), rows(1))
    assert reply.text == "good"
    assert moments[1] - moments[0] >= 0.95


def test_too_many_requests_lower_the_limit(endpoint: Any) -> None:
    def answer(number: int, body: dict[str, Any]) -> Any:
        if endpoint.in_flight > 4:
            return {"status": 429}
        return {**endpoint.chat("good"), "seconds": 0.01}

    endpoint.answer = answer
    source = EndpointBackend(
        model(endpoint).model_copy(update={"retries": 50}), environment=ENVIRONMENT
    )
    found = answers(source, rows(150))
    assert {reply.text for reply in found} == {"good"}
    assert source._limit.now < 32


def test_a_number_bounds_the_requests_in_flight(endpoint: Any) -> None:
    endpoint.answer = lambda number, body: {**endpoint.chat("good"), "seconds": 0.01}
    answers(backend(endpoint, concurrency=3), rows(30))
    assert endpoint.most_in_flight == 3


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        ({"status": 401}, InputError, "CS-M007"),
        ({"status": 403}, InputError, "CS-M007"),
        ({"status": 404}, InputError, "CS-M001"),
        ({"status": 307, "headers": {"Location": "http://127.0.0.1:1/"}}, InputError, "CS-M001"),
        ({"status": 402}, RunError, "CS-G003"),
        (
            {"status": 429, "content": b'{"error": {"code": "insufficient_quota"}}'},
            RunError,
            "CS-G003",
        ),
        ({"status": 429, "headers": {"Retry-After": "86400"}}, RunError, "CS-G003"),
    ],
)
def test_what_every_row_would_get_ends_the_run(
    answer: Any, kind: type[CorpusmithError], code: str, endpoint: Any
) -> None:
    content = json.dumps({"error": {"message": f"wrong key {SECRET}"}}).encode()
    endpoint.answer = lambda number, body: {"content": content, **answer}
    with pytest.raises(kind) as caught:
        list(backend(endpoint).generate(rows(40)))
    error = caught.value
    assert error.code == code
    assert error.hint
    assert SECRET not in f"{error.message}{error.place}{error.hint}"


def test_the_key_is_struck_out_where_an_endpoint_repeats_it(endpoint: Any) -> None:
    content = json.dumps({"error": {"message": f"for {SECRET}: no"}}).encode()
    endpoint.answer = lambda number, body: {"status": 422, "content": content}
    (reply,) = answers(backend(endpoint), rows(1))
    assert reply.error == "the endpoint answered 422: for [key]: no"


def test_an_endpoint_that_nobody_serves_can_be_tried_again(endpoint: Any) -> None:
    nobody = OpenAIModel(name="m", base_url="http://127.0.0.1:9/v1", retries=1)
    with pytest.raises(RunError) as caught:
        list(EndpointBackend(nobody, environment={}).generate(rows(3)))
    assert (caught.value.code, caught.value.retryable) == ("CS-G003", True)


def test_a_run_without_hope_ends(endpoint: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint_client, "HOPELESS_ROWS", 5)
    endpoint.answer = lambda number, body: {
        "status": 422,
        "content": b'{"error": {"message": "logprobs is not supported"}}',
    }
    with pytest.raises(RunError) as caught:
        list(backend(endpoint).generate(rows(100)))
    assert "logprobs is not supported" in caught.value.message
    assert "model.logprobs" in caught.value.hint
    assert len(endpoint.bodies) < 100


def test_rows_without_hope_are_counted_over_the_shards(
    endpoint: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint_client, "HOPELESS_ROWS", 5)
    endpoint.answer = lambda number, body: {"status": 422}
    source = backend(endpoint)
    answers(source, rows(2))
    answers(source, rows(2))
    with pytest.raises(RunError, match="5 rows in succession"):
        answers(source, rows(2))
    endpoint.answer = lambda number, body: endpoint.chat("good") if number % 3 else {"status": 422}
    for _ in range(10):
        answers(source, rows(2))


def test_requests_that_are_sent_again_heed_the_limit(endpoint: Any) -> None:
    later: list[int] = []

    def answer(number: int, body: dict[str, Any]) -> Any:
        if number < 16:
            return {"status": 429, "seconds": 0.1}
        later.append(endpoint.in_flight)
        return {**endpoint.chat("good"), "seconds": 0.1}

    endpoint.answer = answer
    found = answers(backend(endpoint, concurrency=16), rows(16))
    assert {reply.text for reply in found} == {"good"}
    # Halved by the refusals, then raised by one after a window of eight replies.
    assert max(later) <= 9


@pytest.mark.parametrize("host", ["a..b", "256.256.256.256"])
def test_an_address_that_cannot_be_ends_the_run(host: str) -> None:
    wrong = OpenAIModel(name="m", base_url=f"http://{host}/v1", retries=5)
    with pytest.raises(InputError) as caught:
        list(EndpointBackend(wrong, environment=ENVIRONMENT).generate(rows(3)))
    assert (caught.value.code, caught.value.place) == ("CS-M001", "model.base_url")
    assert host in caught.value.message


def test_a_request_that_was_never_sent_costs_nothing(
    endpoint: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(*_: Any) -> None:
        await asyncio.sleep(60)

    path = tmp_path / "replies.jsonl"
    endpoint.answer = lambda number, body: {**endpoint.chat("good"), "seconds": 30}
    for connects, lost in ((True, 3), (False, 0)):
        if not connects:
            monkeypatch.setattr("aiohttp.TCPConnector._create_connection", hang)
        path.unlink(missing_ok=True)
        log = ReplayLog(path)
        client = endpoint_client.EndpointClient(
            endpoint_client.Address(model(endpoint), SECRET),
            log=log,
            purse=Purse(None, None),
            limit=ConcurrencyLimit(None),
            streak=endpoint_client.Streak(),
        )

        async def leave(client: Any = client) -> None:
            await asyncio.wait_for(client.answer_all(iter(rows(3)), print), 0.5)

        with pytest.raises(TimeoutError):
            asyncio.run(leave())
        log.close()
        assert len(path.read_bytes().splitlines()) == lost


def test_a_fault_before_a_request_left_is_not_charged() -> None:
    address = OpenAIModel(name="m", base_url="http://127.0.0.1:1/v1")
    for error in (TimeoutError(), aiohttp.ServerDisconnectedError()):
        for sent in (True, False):
            assert fault_of_connection(error, model=address, sent=sent).lost == sent


def test_a_reader_that_leaves_cancels_what_is_in_flight(endpoint: Any) -> None:
    endpoint.answer = lambda number, body: {
        **endpoint.chat("good"),
        "seconds": 0 if number == 0 else 30,
    }
    replies = iter(backend(endpoint).generate(rows(20)))
    assert next(replies).text == "good"
    # Were it to wait for the replies, its thread would still be there when the test ends.
    replies.close()  # type: ignore[attr-defined]


def test_a_resumed_run_pays_for_nothing_twice(endpoint: Any, tmp_path: Path) -> None:
    path = tmp_path / "replies.jsonl"
    endpoint.answer = lambda number, body: {
        **endpoint.chat(f"to: {prompt_of(body)}"),
        "seconds": 0 if number < 30 else 30,
    }
    replies = iter(backend(endpoint, replay=path).generate(rows(50)))
    first = [next(replies) for _ in range(20)]
    replies.close()  # type: ignore[attr-defined]
    paid = {json.loads(line)["key"] for line in path.read_bytes().splitlines() if b"text" in line}
    assert len(paid) >= len(first) == 20
    sent = len(endpoint.bodies)
    endpoint.answer = lambda number, body: endpoint.chat(f"to: {prompt_of(body)}")
    found = answers(backend(endpoint, replay=path), rows(50))
    assert [reply.text for reply in found] == [f"to: Write number {row}." for row in range(50)]
    assert len(endpoint.bodies) - sent == 50 - len(paid)
    again = len(endpoint.bodies)
    assert answers(backend(endpoint, replay=path), rows(50)) == found
    assert len(endpoint.bodies) == again
    assert SECRET not in path.read_text()
    assert "Authorization" not in path.read_text()


def test_a_log_that_was_deleted_is_not_replayed(endpoint: Any, tmp_path: Path) -> None:
    path = tmp_path / "replies.jsonl"
    source = backend(endpoint, replay=path)
    answers(source, rows(3))
    path.unlink()
    answers(source, rows(3))
    assert len(endpoint.bodies) == 6
    assert read_usage(path) == (Usage(21, 15), Usage())


PRICE = Price(prompt=0, completion=100_000)  # ten cents a token written


def test_the_money_is_never_exceeded_and_the_rest_is_said(endpoint: Any, tmp_path: Path) -> None:
    path = tmp_path / "replies.jsonl"
    options: Any = {"replay": path, "usd": 10.0, "price": PRICE}
    found = answers(backend(endpoint, **options), rows(60))
    sent = [reply for reply in found if reply.error is None]
    unsent = [reply for reply in found if reply.error is not None]
    assert {reply.error for reply in unsent} == {UNSENT}
    # A row costs half a dollar and may cost one: the last half dollar is not enough.
    assert len(sent) == len(endpoint.bodies) == 19
    assert read_usage(path)[0].usd(PRICE) == pytest.approx(9.5)
    again = answers(backend(endpoint, **options), rows(60))
    assert sum(reply.error is None for reply in again) == len(endpoint.bodies) == 19


def test_a_request_without_an_answer_counts_at_its_most(endpoint: Any, tmp_path: Path) -> None:
    path = tmp_path / "replies.jsonl"
    endpoint.answer = lambda number, body: {"cut": "before"}
    source = backend(endpoint, replay=path, usd=2.5, price=PRICE)
    (reply,) = answers(source, rows(1))
    assert reply.error == UNSENT
    assert len(endpoint.bodies) == 2
    assert read_usage(path)[1].usd(PRICE) == pytest.approx(2.0)
    endpoint.answer = lambda number, body: {"status": 500}
    (reply,) = answers(backend(endpoint, usd=2.5, price=PRICE), rows(1))
    assert reply.error == "the endpoint answered 500"


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("http://127.0.0.1:8000/v1", True),
        ("http://localhost/v1", True),
        ("http://[::1]:80/v1", True),
        ("https://api.example.com/v1", False),
        ("http://127.0.0.1.example.com/v1", False),
        ("http://10.0.0.1/v1", False),
    ],
)
def test_only_loopback_needs_no_key(url: str, own: bool) -> None:
    assert is_loopback(url) == own
    if own:
        EndpointBackend(OpenAIModel(name="m", base_url=url), environment={})
        return
    with pytest.raises(InputError) as caught:
        EndpointBackend(OpenAIModel(name="m", base_url=url), environment={"OPENAI_API_KEY": " "})
    assert caught.value.code == "CS-M007"
    assert "OPENAI_API_KEY" in caught.value.message


def test_without_a_key_no_header_is_sent(endpoint: Any) -> None:
    answers(EndpointBackend(model(endpoint), environment={}), rows(1))
    assert "Authorization" not in endpoint.headers[0]


def test_what_is_known_without_asking(endpoint: Any) -> None:
    source = backend(endpoint, context_length=4096)
    assert source.info.reference == f"m@{endpoint.url[7:-3]}"
    assert source.info.context_length == 4096
    assert source.determinism.promise == "none"
    assert source.compute.device.startswith("endpoint 127.0.0.1:")
    assert source.format_prompt("a {b}") == "a {b}"
    assert source.count_tokens(["", "abcd", "abcde", "éé"]) == [0, 1, 2, 1]
    assert source.num_parameters == 0
    assert endpoint.bodies == []


def test_a_strategy_that_the_api_lacks_ends_the_run(endpoint: Any) -> None:
    from schemas.strategies import Typical

    with pytest.raises(InputError) as caught:
        list(backend(endpoint).generate(rows(2, strategy=Typical())))
    assert caught.value.code == "CS-M006"
    assert answers(backend(endpoint), rows(2, strategy=Greedy()))
