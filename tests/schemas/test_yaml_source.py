import contextlib
import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import yaml_source
from schemas.errors import InputError
from schemas.yaml_source import MAX_BYTES, MAX_DEPTH, dotted, parse_yaml, plain_scalar


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[(word, word) for word in ("yes", "no", "on", "off", "Yes", "NO", "y", "n")],
        *[("true", True), ("false", False), ("null", None), ("~", None), ("", None)],
        *[("2_000_000", 2_000_000), ("-3", -3), ("+3", 3), ("0", 0)],
        *[("1e-3", 0.001), ("1.5", 1.5), (".5", 0.5), ("2.", 2.0), ("1_000.5", 1000.5)],
        *[(".inf", float("inf")), ("-.INF", float("-inf")), ("0.5", 0.5), ("1E6", 1e6)],
        *[(word, word) for word in ("010", "-010", "0x1F", "0o17", "0b1", "1:30", "12:30:45")],
        *[(word, word) for word in ("2026-11-21", "2026-11-21T00:00:00Z", "1.2.3", "=", "e3")],
    ],
)
def test_plain_scalars_follow_yaml_1_2(text: str, value: object) -> None:
    found = plain_scalar(text)
    assert (found, type(found)) == (value, type(value))


def test_nan_is_a_number() -> None:
    assert plain_scalar(".nan") != plain_scalar(".nan")


def test_quoted_scalars_stay_text() -> None:
    source = parse_yaml("['1', \"true\", 'null', '']", name="x.yaml")
    assert source.data == ["1", "true", "null", ""]


def test_block_scalars_stay_text() -> None:
    assert parse_yaml("a: |\n  1\n", name="x.yaml").data == {"a": "1\n"}


def test_keys_are_their_source_text() -> None:
    assert parse_yaml("{1: a, true: b, 'x': c, no: d, 0x1: e}", name="x.yaml").data == {
        "1": "a",
        "true": "b",
        "x": "c",
        "no": "d",
        "0x1": "e",
    }


def test_every_place_is_known() -> None:
    source = parse_yaml("a:\n  b:\n    - 1\n    - c: 2\n", name="r.yaml")
    assert source.place_of(()) == "r.yaml:1"
    assert source.place_of(("a",)) == "r.yaml:1 a"
    assert source.place_of(("a", "b", 1, "c")) == "r.yaml:4 a.b[1].c"
    assert source.place_of(("a", "b", 1, "absent", "deeper")) == "r.yaml:4 a.b[1].absent.deeper"


def test_an_empty_text_is_none() -> None:
    assert parse_yaml("# nothing", name="r.yaml").data is None


def test_both_lines_of_a_duplicate_are_named() -> None:
    with pytest.raises(InputError, match=r"first at r\.yaml:1") as caught:
        parse_yaml("a: 1\nb: 2\na: 3\n", name="r.yaml")
    assert caught.value.place == "r.yaml:3"


def test_a_number_with_too_many_digits_is_refused() -> None:
    with pytest.raises(InputError, match="too many digits"):
        parse_yaml("9" * 5000, name="r.yaml")


def test_size_is_bounded() -> None:
    with pytest.raises(InputError, match="larger"):
        parse_yaml("a" * (MAX_BYTES + 1), name="r.yaml")


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 10_000])
def test_depth_is_bounded(depth: int) -> None:
    with pytest.raises(InputError, match=r"nested|not valid YAML"):
        parse_yaml("[" * (depth + 1), name="r.yaml")


def test_the_greatest_depth_is_allowed() -> None:
    parse_yaml("[" * MAX_DEPTH + "]" * MAX_DEPTH, name="r.yaml")


@pytest.mark.parametrize("loader", [yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)])
def test_the_plain_and_the_compiled_parser_agree(
    loader: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(yaml_source, "_LOADER", loader)
    assert parse_yaml("a: [1, {b: off}]\n", name="r.yaml").data == {"a": [1, {"b": "off"}]}
    with pytest.raises(InputError, match="a tab is used for indentation"):
        parse_yaml("a:\n\t- b\n", name="r.yaml")


def test_a_path_is_shown_harmless() -> None:
    assert dotted(("labels", "\x1b[31m", 2)) == "labels.\\x1b[31m[2]"


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=60))
def test_any_text_gives_a_value_or_an_input_error(text: str) -> None:
    with contextlib.suppress(InputError):
        assert parse_yaml(text, name="r.yaml").places[()].startswith("r.yaml")


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.text("abc yesno10:-#", max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("kl", max_size=3), inner),
    max_leaves=8,
)


@settings(deadline=None, max_examples=100)
@given(_VALUES)
def test_json_is_read_as_json(value: object) -> None:
    assert parse_yaml(json.dumps(value), name="r.yaml").data == value
