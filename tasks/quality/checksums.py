"""Numbers that carry a check: payment cards and bank accounts."""

import re
from functools import cache

# Least and greatest prefix and the lengths that an issuer gives, by issuer identification number.
_ISSUERS = (
    ("4", "4", (13, 16, 19)),  # Visa
    ("51", "55", (16,)),  # Mastercard
    ("2221", "2720", (16,)),  # Mastercard
    ("34", "34", (15,)),  # American Express
    ("37", "37", (15,)),  # American Express
    ("300", "305", (14,)),  # Diners Club
    ("36", "36", (14,)),  # Diners Club
    ("38", "39", (14,)),  # Diners Club
    ("6011", "6011", (16, 17, 18, 19)),  # Discover
    ("644", "659", (16, 17, 18, 19)),  # Discover
    ("3528", "3589", (16, 17, 18, 19)),  # JCB
    ("62", "62", (16, 17, 18, 19)),  # UnionPay
    ("5018", "5018", tuple(range(12, 20))),  # Maestro
    ("5020", "5020", tuple(range(12, 20))),  # Maestro
    ("5038", "5038", tuple(range(12, 20))),  # Maestro
    ("5893", "5893", tuple(range(12, 20))),  # Maestro
    ("6304", "6304", tuple(range(12, 20))),  # Maestro
    ("6759", "6763", tuple(range(12, 20))),  # Maestro
)

# Account part by country: n digits, a capital letters, c either; the numbers are lengths.
_REGISTRY = """
AD8n12c AE19n AL8n16c AT16n AZ4a20c BA16n BE12n BG4a6n8c BH4a14c BI23n BR23n1a1c BY4c4n16c
CH5n12c CR18n CY8n16c CZ20n DE18n DJ23n DK14n DO4c20n EE16n EG25n ES20n FI14n FK2a12n FO14n
FR10n11c2n GB4a14n GE2a16n GI4a15c GL14n GR7n16c GT24c HN4a20n HR17n HU24n IE4a14n IL19n
IQ4a15n IS22n IT1a10n12c JO4a4n18c KW4a22c KZ3n13c LB4n20c LC4a24c LI5n12c LT16n LU3n13c
LV4a13c LY21n MC10n11c2n MD20c ME18n MK3n10c2n MN16n MR23n MT4a5n18c MU4a19n3a NI4a20n NL4a10n
NO11n OM3n16c PK4a16c PL24n PS4a21c PT21n QA4a21c RO4a16c RS18n RU14n15c SA2n18c SC4a20n3a
SD14n SE20n SI15n SK20n SM1a10n12c SO19n ST21n SV4a20n TL19n TN20n TR6n16c UA6n19c VA18n
VG4a16n XK16n YE4a4n18c
"""
_ACCOUNTS = {entry[:2]: entry[2:] for entry in _REGISTRY.split()}
_CLASS = {"n": "[0-9]", "a": "[A-Z]", "c": "[A-Z0-9]"}
_FIELD = re.compile(r"(\d+)([nac])")


def luhn_valid(digits: str) -> bool:
    """Tell whether the last of some digits is the check digit of those before it.

    From the right, every second digit is doubled and its two digits added; the sum is a multiple
    of 10. Any one wrong digit breaks it, and so does every swap of neighbours but 09 and 90.

    Args:
        digits: ASCII digits, at least one.

    References:
        ISO/IEC 7812-1:2017, annex B. https://www.iso.org/standard/70484.html
    """
    doubled = (int(digit) * 2 for digit in digits[-2::-2])
    return (sum(map(int, digits[::-2])) + sum(d - 9 * (d > 9) for d in doubled)) % 10 == 0


def is_card_number(digits: str) -> bool:
    """Tell whether digits are a payment card's: prefix and length of an issuer, check digit.

    Of random numbers of such a prefix and length one in ten passes.

    Args:
        digits: ASCII digits.
    """
    issued = any(
        len(digits) in lengths and low <= digits[: len(low)] <= high
        for low, high, lengths in _ISSUERS
    )
    return issued and luhn_valid(digits)


def iban_length(country: str) -> int | None:
    """Return the characters of a country's IBANs; None for a country that issues none."""
    fields = _ACCOUNTS.get(country)
    return None if fields is None else 4 + sum(int(size) for size, _ in _FIELD.findall(fields))


def is_iban(account: str) -> bool:
    """Tell whether a string is an IBAN: country, its structure, and two check digits.

    The check: with the first four characters moved to the end and letters read as numbers (A is
    10, Z is 35), the whole is 1 modulo 97. Any one wrong character breaks it.

    Args:
        account: Capital letters and digits, without spaces.

    References:
        ISO 13616-1:2020 and the IBAN registry.
        https://www.swift.com/standards/data-standards/iban-international-bank-account-number
    """
    structure = _structure(account[:2])
    if structure is None or not structure.fullmatch(account):
        return False
    return int("".join(str(int(char, 36)) for char in account[4:] + account[:4])) % 97 == 1


@cache
def _structure(country: str) -> re.Pattern[str] | None:
    fields = _ACCOUNTS.get(country)
    if fields is None:
        return None
    account = "".join(f"{_CLASS[kind]}{{{size}}}" for size, kind in _FIELD.findall(fields))
    return re.compile(rf"{country}[0-9]{{2}}{account}")
