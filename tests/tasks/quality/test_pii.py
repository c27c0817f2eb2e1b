import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.quality import pii
from tasks.quality.checksums import is_card_number
from tasks.quality.pii import Kind, find_personal_data, mask_end, mask_text

FOUND = [
    ("mail jo.doe+x@mail.acme-shop.co.uk, please", Kind.EMAIL, "jo.doe+x@mail.acme-shop.co.uk"),
    ("<jo@acme.de>", Kind.EMAIL, "jo@acme.de"),
    ("我的邮箱jo@acme.cn。", Kind.EMAIL, "jo@acme.cn"),
    ("to (DE12 5001 0517 0648 4898 90).", Kind.IBAN, "DE12 5001 0517 0648 4898 90"),
    ("iban de12500105170648489890 ok", Kind.IBAN, "de12500105170648489890"),
    ("AT02 2050 3021 0102 3600 from me", Kind.IBAN, "AT02 2050 3021 0102 3600"),
    ("card 4539 5787 6362 1486 was", Kind.CARD, "4539 5787 6362 1486"),
    ("card 4539-5787-6362-1486.", Kind.CARD, "4539-5787-6362-1486"),
    ("1234 4539578763621486", Kind.CARD, "4539578763621486"),
    ("1234 4539 5787 6362 1486", Kind.CARD, "4539 5787 6362 1486"),
    ("amex 3714 496353 98432 no, 3782 822463 10013", Kind.CARD, "3782 822463 10013"),
    ("from 81.2.69.142.", Kind.IP, "81.2.69.142"),
    ("host 2a00:1450:4001:81b::200e is", Kind.IP, "2a00:1450:4001:81b::200e"),
    ("get https://jo:pass@acme.de/x", Kind.URL_CREDENTIALS, "https://jo:pass@acme.de"),
    ("ring +49 30 901820 now", Kind.PHONE, "+49 30 901820"),
    ("ring \uff0b49 30 901820 now", Kind.PHONE, "\uff0b49 30 901820"),
    ("ring (650) 253-0000 now", Kind.PHONE, "(650) 253-0000"),
]
RESERVED = [
    ("jo@example.org", Kind.EMAIL),
    ("jo@shop.test", Kind.EMAIL),
    ("git@github.com", Kind.EMAIL),
    ("https://jo:pw@localhost:80", Kind.URL_CREDENTIALS),
    ("4242 4242 4242 4242", Kind.CARD),
    ("192.168.0.1", Kind.IP),
    ("198.51.100.7", Kind.IP),
    ("127.0.0.1", Kind.IP),
    ("2001:db8::1", Kind.IP),
    ("fe80::1", Kind.IP),
    ("(202) 555-0123", Kind.PHONE),
    ("+44 20 7946 0958", Kind.PHONE),
]
NOTHING = [
    "", "a@b", "@home", "jo@acme", "jo@.com", "4539 5787 6362 1487", "4539 57876362 1486",
    "14539578763621486", "4539578763621486x", "0.4539578763621486", "DE13 5001 0517 0648 4898 90",
    "DE12 5001 0517 0648 4898 900", "XX12 5001 0517 0648 4898 90", "256.1.1.1", "1.2.3",
    "1.2.3.4.5", "01.2.3.4", "std::bad", "at 10:20:30", "00:1b:44:11:3a:b7",
    "on 2024-01-02 at 10:20", "call 911", "order 1234567", "https://acme.de/a@b",
    "1:2:3:4:5:6:7:8:9",
]  # fmt: skip


@pytest.mark.parametrize(("text", "kind", "value"), FOUND)
def test_values_are_found_where_they_stand(text: str, kind: Kind, value: str) -> None:
    (hit,) = find_personal_data(["", text], region="US")
    assert (hit.text, hit.kind, text[hit.start : hit.end]) == (1, kind, value)
    assert not hit.reserved


@pytest.mark.parametrize(("text", "kind"), RESERVED)
def test_what_is_set_aside_belongs_to_nobody(text: str, kind: Kind) -> None:
    (hit,) = find_personal_data([text], region="US")
    assert hit.kind is kind
    assert hit.reserved


@pytest.mark.parametrize("text", NOTHING)
def test_what_looks_like_one_is_none(text: str) -> None:
    assert find_personal_data([text], region="US") == []


def test_a_national_number_needs_its_country() -> None:
    text = "ring 030 901820 or +49 30 901821"
    assert [hit.start for hit in find_personal_data([text])] == [19]
    assert [hit.start for hit in find_personal_data([text], region="DE")] == [5, 19]


def test_of_two_that_overlap_the_more_certain_wins() -> None:
    text = "https://jo:jo@acme.de DE12500105170648489890"
    hits = find_personal_data([text], region="US")
    assert [hit.kind for hit in hits] == [Kind.URL_CREDENTIALS, Kind.IBAN]


@settings(deadline=None)
@given(prefix=st.text(string.digits, min_size=15, max_size=15), data=st.data())
def test_a_card_with_one_digit_changed_is_no_card(prefix: str, data: st.DataObject) -> None:
    base = "4" + prefix[1:]
    digits = next(base + check for check in string.digits if is_card_number(base + check))
    assert [hit.kind for hit in find_personal_data([digits])] == [Kind.CARD]
    place = data.draw(st.integers(1, 15))
    other = data.draw(st.sampled_from(sorted(set(string.digits) - {digits[place]})))
    assert find_personal_data([digits[:place] + other + digits[place + 1 :]]) == []


MIXED = st.lists(
    st.sampled_from([text for text, *_ in FOUND] + [text for text, _ in RESERVED] + NOTHING)
    | st.text(max_size=12)
    | st.text(alphabet="019+-. @:/aDE٣", max_size=30),
    max_size=4,
).map("".join)


@settings(deadline=None, max_examples=150)
@given(texts=st.lists(MIXED, max_size=3), region=st.sampled_from(["DE", None]))
def test_the_first_pass_over_the_column_loses_nothing(texts: list[str], region: str | None) -> None:
    expected = [
        hit
        for place, text in enumerate(texts)
        for hit in pii._find_in(place, text, list(Kind), region)
    ]
    found = find_personal_data(texts, region=region)
    assert found == expected
    for hit in found:
        value = texts[hit.text][hit.start : hit.end]
        assert len(hit.masked) == len(value) > 0
        assert re.fullmatch(r"(?s).{0,2}\*{3,}.{0,2}", hit.masked)
        assert value.startswith(hit.masked.split("*")[0])


def test_a_masked_text_keeps_its_length_and_nothing_else_of_its_values() -> None:
    text = "jo.doe@acme.de, 81.2.69.142 or +49 30 901820."
    masked = mask_text(text, find_personal_data([text]))
    assert masked == "jo**********de, 81*******42 or +4*********20."
    assert mask_text(text, []) == text


@pytest.mark.parametrize(
    "hostile",
    ["1" * 100_000, "a@a." * 25_000, "a." * 50_000 + "@", "+" * 100_000, "DE12 " * 20_000,
     ":" * 100_000, "1." * 50_000, "http://" * 14_000, "4539 " * 20_000, "\ud800@\udfff" * 9],
    ids=lambda text: text[:5].encode("ascii", "replace").decode(),
)  # fmt: skip
def test_hostile_texts_end(hostile: str) -> None:
    assert find_personal_data([hostile, "jo@acme.de"])[-1].text == 1


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("write to jo.doe@acm", "write to jo******cm"),
        ("pay 4539 5787 63", "pay 45********63"),
        ("ring +49 30 9018", "ring +4*******18"),
        ("see https://jo:gehei", "see ht************ei"),
        ("from 81.2.69.1", "from 8*******1"),
        ("in 2019 she", "in 2019 she"),
        ("in 2019", "in 2019"),
        ("", ""),
        ("a@ and no more", "a@ and no more"),
    ],
)
def test_a_cut_text_ends_without_half_a_value(text: str, masked: str) -> None:
    assert mask_end(text) == masked


@given(st.text(alphabet=string.digits + "@:/. x\n\ud800", max_size=150))
@settings(max_examples=100, deadline=None)
def test_the_end_of_a_cut_text_keeps_its_length(text: str) -> None:
    masked = mask_end(text)
    assert len(masked) == len(text)
    assert all(new in (old, "*") for old, new in zip(text, masked, strict=True))
