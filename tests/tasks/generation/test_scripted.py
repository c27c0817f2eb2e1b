import hashlib
import json
from collections import Counter

import pytest

from schemas.errors import InputError
from schemas.recipe import ScriptedModel
from schemas.strategies import Greedy, Length
from tasks.generation.backends import inspect_model, open_backend
from tasks.generation.protocol import Request
from tasks.generation.scripted import ScriptedBackend, ScriptedReply


def request_of(row, label="a", **strategy):
    return Request(row, 0, row * 31 + 5, label, "prompt", Greedy(**strategy))


def answers(backend, requests):
    return [(c.text, c.finish_reason, c.num_tokens, c.error) for c in backend.generate(requests)]


def write_script(folder, *lines):
    path = folder / "script.jsonl"
    path.write_text(
        "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    )
    return ScriptedModel(name="script.jsonl")


def test_replies_are_drawn_among_the_lines_of_the_label(tmp_path):
    model = write_script(
        tmp_path,
        *[{"text": f"a {n}", "label": "a"} for n in range(4)],
        "",
        *[{"text": f"b {n}", "label": "b"} for n in range(4)],
    )
    backend = open_backend(model, folder=tmp_path)
    drawn = Counter(text for text, *_ in answers(backend, [request_of(n) for n in range(400)]))
    assert set(drawn) == {"a 0", "a 1", "a 2", "a 3"}
    assert min(drawn.values()) > 60
    assert (
        backend.info.weights_sha256
        == hashlib.sha256((tmp_path / "script.jsonl").read_bytes()).hexdigest()
    )
    assert backend.info.id == "script"
    assert backend.determinism.promise == "exact"


def test_a_draw_depends_on_the_seed_alone(tmp_path):
    model = write_script(tmp_path, *[{"text": str(n), "label": "a"} for n in range(50)])
    requests = [request_of(n) for n in range(30)]
    forward = answers(open_backend(model, folder=tmp_path), requests)
    backward = answers(open_backend(model, folder=tmp_path), requests[::-1])
    assert forward == backward[::-1]


def test_faults_can_be_rehearsed():
    replies = [
        ScriptedReply(error="boom", label="a"),
        ScriptedReply(label="b"),
        ScriptedReply(text="cut here", label="c", finish_reason="length"),
        ScriptedReply(text="slow", label="d", sleep_seconds=0.001),
        ScriptedReply(text="else"),
    ]
    backend = ScriptedBackend.from_replies(replies)
    assert answers(backend, [request_of(n, label) for n, label in enumerate("abcde")]) == [
        ("", "error", 0, "boom"),
        ("", "eos", 0, None),
        ("cut here", "length", 2, None),
        ("slow", "eos", 1, None),
        ("else", "eos", 1, None),
    ]


def test_a_label_without_a_reply_fails_its_row_alone():
    backend = ScriptedBackend.from_replies([ScriptedReply(text="x", label="a")])
    (reply,) = backend.generate([request_of(1, "b")])
    assert (reply.finish_reason, reply.error) == ("error", "the script has no reply for 'b'")


def test_length_and_stop_strings_bind_a_script_too():
    backend = ScriptedBackend(lambda _request: ScriptedReply(text="one two three four"))
    requests = [request_of(0, length=Length(max=3)), request_of(1, stop=("two", "three"))]
    assert answers(backend, requests) == [
        ("one two three", "length", 3, None),
        ("one ", "stop", 4, None),
    ]


def test_prompts_are_counted_in_words(tmp_path):
    model = inspect_model(write_script(tmp_path, {"text": "x"}), folder=tmp_path)
    assert model.format_prompt("as it is") == "as it is"
    assert model.count_tokens(["as it is", ""]) == [3, 0]


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        (['{"text": "x"}', '{"text": '], ":2"),
        (['{"text": 3}'], ":1"),
        (['{"txt": "x"}'], ":1"),
        (["[]"], ":1"),
        (['{"text": "x", "sleep_seconds": -1}'], ":1"),
        (["[" * 100_000], ":1"),
        (['{"text": "x"}', '"\udcff"'], ":2"),
        (["", "  "], "script.jsonl"),
    ],
)
def test_a_wrong_line_is_named(tmp_path, lines, place):
    (tmp_path / "script.jsonl").write_bytes("\n".join(lines).encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError) as caught:
        open_backend(ScriptedModel(name="script.jsonl"), folder=tmp_path)
    assert caught.value.code == "CS-M003"
    assert caught.value.place.endswith(place)


@pytest.mark.parametrize("name", ["none.jsonl", "."])
def test_a_script_that_cannot_be_read_is_refused(tmp_path, name):
    with pytest.raises(InputError) as caught:
        open_backend(ScriptedModel(name=name), folder=tmp_path)
    assert caught.value.code == "CS-M001"


def test_a_script_runs_without_torch(tmp_path):
    backend = open_backend(write_script(tmp_path, {"text": "x"}), folder=tmp_path)
    assert (backend.compute.device, backend.compute.num_threads) == ("cpu", None)
