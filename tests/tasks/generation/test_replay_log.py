import errno
import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import CorpusmithError
from schemas.models import Price
from tasks.generation.endpoint_reply import Reply
from tasks.generation.replay_log import ReplayLog, Usage, keep_replies, read_usage, take_over

KEYS = [f"{number:032x}" for number in range(20)]


def reply(number: int, text: str = "a text") -> Reply:
    return Reply(text, number, 2 * number, -0.5, "eos")


def test_what_was_written_is_found_by_a_later_process(tmp_path: Path) -> None:
    path = tmp_path / "replies.jsonl"
    with ReplayLog(path) as log:
        for number, key in enumerate(KEYS):
            log.write(key, reply(number, f"text {number}\n\u2028\x00é"))
            assert log.find(key) == reply(number, f"text {number}\n\u2028\x00é")
        log.write_lost("ff" * 16, Usage(100, 200))
    with ReplayLog(path) as later:
        assert [later.find(key) for key in KEYS] == [
            reply(number, f"text {number}\n\u2028\x00é") for number in range(20)
        ]
        assert later.find("ff" * 16) is None
        assert later.find("ee" * 16) is None
        assert later.usage == Usage(190 + 100, 380 + 200)
        assert read_usage(path) == (Usage(190, 380), Usage(100, 200))
        later.write("ee" * 16, reply(1))
    assert read_usage(path) == (Usage(191, 382), Usage(100, 200))
    assert path.stat().st_mode & 0o077 == 0


@settings(deadline=None, max_examples=60)
@given(cut=st.integers(0, 600), texts=st.lists(st.text(max_size=40), min_size=1, max_size=4))
def test_a_torn_last_line_is_dropped_and_the_next_is_whole(
    cut: int, texts: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("log") / "replies.jsonl"
    ends = []
    with ReplayLog(path) as log:
        for key, text in zip(KEYS, texts, strict=False):
            log.write(key, reply(1, text))
            ends.append(path.stat().st_size)
    os.truncate(path, min(cut, ends[-1]))
    whole = sum(end <= cut for end in ends)
    with ReplayLog(path) as log:
        found = [log.find(key) for key in KEYS[: len(texts)]]
        assert found[:whole] == [reply(1, text) for text in texts[:whole]]
        assert found[whole:] == [None] * (len(texts) - whole)
        log.write("ff" * 16, reply(3, "next"))
    with ReplayLog(path) as log:
        assert log.find("ff" * 16) == reply(3, "next")
        assert log.usage == Usage(whole + 3, 2 * whole + 6)


def test_lines_that_nobody_wrote_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "replies.jsonl"
    with ReplayLog(path) as log:
        log.write(KEYS[0], reply(1))
    with path.open("ab") as file:
        file.write(b'\n[]\n{"key": "zz", "reply": null}\n{"key": "00"}\nnot json\n')
    with ReplayLog(path) as log:
        log.write(KEYS[1], reply(2, "after"))
        assert (log.find(KEYS[0]), log.find(KEYS[1])) == (reply(1), reply(2, "after"))


def test_a_reply_is_on_the_disk_before_the_log_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "replies.jsonl"
    with ReplayLog(path) as log:
        log.write(KEYS[0], reply(1))
        assert json.loads(path.read_bytes())["key"] == KEYS[0]


def test_without_a_file_nothing_is_kept_but_the_sum() -> None:
    with ReplayLog(None) as log:
        log.write(KEYS[0], reply(2))
        assert log.find(KEYS[0]) is None
        assert log.usage == Usage(2, 4)
        assert log.is_current


def test_a_file_that_was_replaced_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "replies.jsonl"
    with ReplayLog(path) as log:
        assert log.is_current
        path.unlink()
        assert not log.is_current
        path.write_bytes(b"")
        assert not log.is_current


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(CorpusmithError) as caught:
        ReplayLog(tmp_path / "nowhere" / "replies.jsonl")
    assert caught.value.code == "CS-O001"


def test_tokens_have_a_price() -> None:
    assert Usage(1_000_000, 2_000_000).usd(Price(prompt=0.5, completion=2)) == 4.5
    assert Usage(5, 5).usd(None) is None
    assert read_usage(Path("/nowhere")) == (Usage(), Usage())


def test_half_a_line_does_not_spoil_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "replies.jsonl"
    write = os.write

    def fill_the_disk(file: int, line: bytes) -> int:
        if len(line) < 30:
            raise OSError(errno.ENOSPC, "full")
        return write(file, line[:-20])

    with ReplayLog(path) as log:
        log.write(KEYS[0], reply(1))
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", fill_the_disk)
            with pytest.raises(CorpusmithError) as caught:
                log.write(KEYS[1], reply(2))
        assert caught.value.code == "CS-O004"
        log.write(KEYS[2], reply(3))
        assert log.find(KEYS[2]) == reply(3)
    with ReplayLog(path) as log:
        assert [log.find(key) for key in KEYS[:3]] == [reply(1), None, reply(3)]


def test_replies_of_a_failed_run_are_found_by_the_next_and_cost_it_nothing(tmp_path: Path) -> None:
    kept, first, second = (tmp_path / name for name in ("kept", "first", "second"))
    keep_replies(first, kept)
    assert not kept.exists()
    take_over(kept, second)
    assert not second.exists()
    for path, number in ((first, 0), (second, 1)):
        with ReplayLog(path) as log:
            log.write(KEYS[number], reply(number + 1))
            log.write_lost(KEYS[9], Usage(100, 100))
        keep_replies(path, kept)
    later = tmp_path / "later"
    take_over(kept, later)
    assert not kept.exists()
    assert later.stat().st_mode & 0o077 == 0
    assert read_usage(later) == (Usage(), Usage())
    with ReplayLog(later) as log:
        assert log.usage == Usage()
        assert [log.find(key) for key in KEYS[:3]] == [reply(1), reply(2), None]
        log.write(KEYS[2], reply(3))
    keep_replies(later, kept)
    own = tmp_path / "own"
    own.touch()
    take_over(kept, own)
    assert (own.stat().st_size, kept.is_file()) == (0, True)
    last = tmp_path / "last"
    take_over(kept, last)
    with ReplayLog(last) as log:
        assert [log.find(key) for key in KEYS[:3]] == [reply(1), reply(2), reply(3)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["last", "own", "second"]
