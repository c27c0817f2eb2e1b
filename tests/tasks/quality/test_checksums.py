import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.quality.checksums import iban_length, is_card_number, is_iban, luhn_valid

DIGITS = st.text(alphabet=string.digits, min_size=1, max_size=20)


def luhn_by_definition(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits), start=1):
        value = int(digit)
        if place % 2 == 0:
            value = sum(int(part) for part in str(2 * value))
        total += value
    return total % 10 == 0


def remainder_by_definition(account: str) -> int:
    """Modulo 97 digit by digit, with letters spelt out."""
    letters = {letter: str(10 + place) for place, letter in enumerate(string.ascii_uppercase)}
    remainder = 0
    for digit in "".join(letters.get(char, char) for char in account[4:] + account[:4]):
        remainder = (remainder * 10 + int(digit)) % 97
    return remainder


def made_iban(country: str, account: str) -> str:
    check = 98 - remainder_by_definition(f"{country}00{account}")
    return f"{country}{check:02d}{account}"


@settings(deadline=None)
@given(digits=DIGITS)
def test_luhn_is_its_definition(digits: str) -> None:
    assert luhn_valid(digits) == luhn_by_definition(digits)
    assert sum(luhn_valid(digits + check) for check in string.digits) == 1


@settings(deadline=None)
@given(digits=DIGITS, data=st.data())
def test_luhn_catches_every_wrong_digit(digits: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(digits) - 1))
    other = data.draw(st.sampled_from(sorted(set(string.digits) - {digits[place]})))
    changed = digits[:place] + other + digits[place + 1 :]
    assert not (luhn_valid(digits) and luhn_valid(changed))


@pytest.mark.parametrize(
    "digits",
    ["4111111111111111", "378282246310005", "5555555555554444", "2223003122003222",
     "30569309025904", "6011111111111117", "3530111333300000", "6759649826438453"],
)  # fmt: skip
def test_cards_of_every_issuer(digits: str) -> None:
    assert is_card_number(digits)
    assert not is_card_number(digits[:-1] + str((int(digits[-1]) + 1) % 10))


@pytest.mark.parametrize(
    "digits", ["0", "0000000000000000", "999999999999999", "42", "41111111111"]
)
def test_a_good_check_digit_alone_is_no_card(digits: str) -> None:
    luckier = digits[:-1] + next(d for d in string.digits if luhn_valid(digits[:-1] + d))
    assert not is_card_number(luckier)
    assert not is_card_number("")


@settings(deadline=None)
@given(account=st.text(alphabet=string.digits, min_size=18, max_size=18), data=st.data())
def test_an_iban_is_one_modulo_97_and_no_character_may_change(
    account: str, data: st.DataObject
) -> None:
    iban = made_iban("DE", account)
    assert is_iban(iban)
    place = data.draw(st.integers(2, len(iban) - 1))
    other = data.draw(st.sampled_from(sorted(set(string.digits) - {iban[place]})))
    changed = iban[:place] + other + iban[place + 1 :]
    assert is_iban(changed) == (remainder_by_definition(changed) == 1)
    assert not is_iban(changed)


@pytest.mark.parametrize(
    ("country", "account"),
    [("GB", "ABCD12345698765432"), ("NL", "ABCD0123456789"), ("FR", "1234567890ABC4567890112"),
     ("NO", "12345678901"), ("MT", "ABCD12345ABCDEFGHIJKLMN1234"),
     ("SC", "ABCD12345678901234567890USD"),
     ("AT", "1234567890123456"), ("IT", "X0542811101000000123456"), ("CH", "00762ABC123456789")],
)  # fmt: skip
def test_made_up_accounts_have_their_countrys_structure(country: str, account: str) -> None:
    iban = made_iban(country, account)
    assert is_iban(iban)
    assert iban_length(country) == len(iban)
    shorter = made_iban(country, account[:-1])
    assert remainder_by_definition(shorter) == 1
    assert not is_iban(shorter)


def test_letters_stand_only_where_the_country_has_them() -> None:
    assert not is_iban(made_iban("DE", "A" + "1" * 17))
    assert not is_iban(made_iban("ZZ", "1" * 16))
    assert not is_iban("")
    assert iban_length("ZZ") is None


def test_no_account_is_longer_than_the_standard_allows() -> None:
    countries = [a + b for a in string.ascii_uppercase for b in string.ascii_uppercase]
    lengths = {country: size for country in countries if (size := iban_length(country))}
    assert len(lengths) > 80
    # Norway's is the shortest, Russia's the longest, and 34 characters are allowed.
    assert (lengths["NO"], min(lengths.values())) == (15, 15)
    assert (lengths["RU"], max(lengths.values())) == (33, 33)
