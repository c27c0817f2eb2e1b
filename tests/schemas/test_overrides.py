from typing import Any

import pytest

from schemas.errors import InputError
from schemas.overrides import apply_overrides
from schemas.yaml_source import Source, parse_yaml

TEXT = """
rows: 5
labels: {a: says a, b: {description: says b, share: 2}}
attributes: {tone: [warm, cold]}
strategies: [{kind: greedy}, {kind: nucleus, top_p: 0.9}]
noise: null
"""


def changed(*items: str) -> Any:
    return apply_overrides(parse_yaml(TEXT, name="r.yaml"), items)[0].data


def test_a_value_is_yaml() -> None:
    assert changed("rows=2_000")["rows"] == 2000
    assert changed("rows=off")["rows"] == "off"
    assert changed("splits={train: 1}")["splits"] == {"train": 1}
    assert changed("rows=")["rows"] is None


def test_only_the_first_equals_sign_divides() -> None:
    assert changed("labels.a=x=y")["labels"]["a"] == "x=y"


def test_lists_are_indexed() -> None:
    assert changed("strategies.1.top_p=0.5")["strategies"][1] == {"kind": "nucleus", "top_p": 0.5}
    assert changed("strategies.0={kind: top_k}")["strategies"][0] == {"kind": "top_k"}


def test_missing_mappings_are_made() -> None:
    data = changed("model.batch_size=4", "noise.share=0.5")
    assert data["model"] == {"batch_size": 4}
    assert data["noise"] == {"share": 0.5}


def test_short_forms_become_long() -> None:
    data = changed("labels.a.share=3", "attributes.tone.weights=[1, 2]")
    assert data["labels"]["a"] == {"description": "says a", "share": 3}
    assert data["attributes"]["tone"] == {"values": ["warm", "cold"], "weights": [1, 2]}


def test_a_short_attribute_can_be_indexed() -> None:
    assert changed("attributes.tone.1=hot")["attributes"]["tone"] == ["warm", "hot"]


def test_later_items_win() -> None:
    assert changed("rows=1", "rows=2")["rows"] == 2


def test_the_source_is_not_changed() -> None:
    source = parse_yaml(TEXT, name="r.yaml")
    apply_overrides(source, ["strategies.1.top_p=0.5", "labels.a.share=2"])
    assert source == parse_yaml(TEXT, name="r.yaml")


def test_places_name_the_item() -> None:
    source, keys = apply_overrides(
        parse_yaml(TEXT, name="r.yaml"), ["strategies=[{kind: greedy}]", "rows=3"]
    )
    assert source.place_of(("strategies", 0, "kind")) == "--set strategies=[{kind: greedy}]"
    assert source.place_of(("rows",)) == "--set rows=3"
    assert source.place_of(("labels", "a")) == "r.yaml:3 labels.a"
    assert keys == {("strategies",), ("rows",)}


def test_an_option_that_is_not_unicode_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        apply_overrides(Source({}, {}), ["rows=\udcff"])
    assert caught.value.code == "CS-I001"
    assert caught.value.place.isprintable()
