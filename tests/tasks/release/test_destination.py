from pathlib import Path

import pytest

from schemas.errors import InputError
from tasks.release.destination import Repository, Store, parse_destination


@pytest.mark.parametrize(
    ("text", "revision", "wanted"),
    [
        ("org/name", None, Repository("org/name")),
        ("org/name", "dev", Repository("org/name", "dev")),
        ("hf://datasets/org/na-me.v2", None, Repository("org/na-me.v2")),
        ("hf://datasets/org/name@dev", None, Repository("org/name", "dev")),
        ("hf://datasets/org/name@dev", "dev", Repository("org/name", "dev")),
        ("memory://a/b/", None, Store("memory://a/b")),
        ("file:///a/b", None, Store("file:///a/b")),
        ("/a/b", None, Store("file:///a/b")),
        ("./a b", None, Store(f"file://{Path.cwd()}/a b")),
        ("~/a", None, Store(f"file://{Path.home()}/a")),
    ],
)
def test_destinations(text: str, revision: str | None, wanted: Repository | Store) -> None:
    assert parse_destination(text, revision=revision) == wanted


@pytest.mark.parametrize(
    ("text", "revision"),
    [
        ("name", None),
        ("a/b/c", None),
        ("../", "dev"),
        ("org/name@a b", None),
        ("-x/name", None),
        ("", None),
        ("hf://models/org/name", None),
        ("hf://datasets/org/name/data", None),
        ("hf://datasets/org/name@dev", "main"),
        ("s4://bucket/x", None),
        ("memory://a", "dev"),
        ("memory://[a", None),
    ],
)
def test_what_is_no_destination(text: str, revision: str | None) -> None:
    with pytest.raises(InputError) as caught:
        parse_destination(text, revision=revision)
    assert (caught.value.code, caught.value.exit_code) == ("CS-U003", 2)
    assert caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "s3://key:hunter22@bucket/x",
        "ftp://hunter22@host/x",
        "memory://a?token=hunter22",
        "memory://a/b#hunter22",
    ],
)
def test_a_secret_in_a_destination_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_destination(text)
    error = caught.value
    assert error.code == "CS-U003"
    assert "hunter22" not in f"{error.message}{error.place}{error.hint}"
