"""Check digits: the schemes that loyalty numbers use, each with its definition and its source.

A check digit says that a number was copied rightly; it says nothing about who has it. The schemes
over digits leave letters aside, so that `BA12345675` is checked as `12345675`; the schemes over
letters count them, capital or small. Spaces, hyphens and other signs never count.
"""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from itertools import cycle
from typing import TypeAlias

_DIGITS = "0123456789"
_LETTERS_TOO = _DIGITS + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NOT_A_DIGIT = re.compile(r"[^0-9]")
_NOT_COUNTED = re.compile(r"[^0-9A-Z]")

_Calculation: TypeAlias = Callable[[str], str]


class CheckScheme(StrEnum):
    """How the end of a number follows from what stands before it."""

    NONE = "NONE"
    """It does not: there is no check digit."""

    LUHN = "LUHN"
    """ISO/IEC 7812-1, annex B. Over digits: every second one from the right is doubled, and the
    digits of all products add up to a multiple of 10 with the check digit."""

    MOD_7 = "MOD_7"
    """The digits before it, as one number, divided by 7: the rest (IATA Resolution 600a for air
    waybills; airline tickets have the same). Blind to a digit that is wrong by 7."""

    MOD_9 = "MOD_9"
    """The digits before it, as one number, divided by 9: the rest (money orders of the United
    States Postal Service). Blind to 0 for 9 and to digits that changed places."""

    MOD_11 = "MOD_11"
    """Over digits, weighted 2, 3, ..., 10 from the right, and from 2 again in longer numbers: what
    brings the sum to a multiple of 11; X is ten (ISO 2108 before 2007, the ISBN-10)."""

    ISO7064_MOD11_2 = "ISO7064_MOD11_2"
    """ISO/IEC 7064, the pure system MOD 11-2, over digits; X is ten (ISNI, ORCID)."""

    ISO7064_MOD37_2 = "ISO7064_MOD37_2"
    """ISO/IEC 7064, the pure system MOD 37-2, over digits and letters; `*` is 36 (ISBT 128)."""

    ISO7064_MOD97_10 = "ISO7064_MOD97_10"
    """ISO/IEC 7064, the pure system MOD 97-10, two digits. Letters count as the IBAN has them
    (ISO 13616, and ISO 17442 for the LEI): A is 10, ..., Z is 35."""

    ISO7064_MOD11_10 = "ISO7064_MOD11_10"
    """ISO/IEC 7064, the hybrid system MOD 11,10, over digits."""

    ISO7064_MOD37_36 = "ISO7064_MOD37_36"
    """ISO/IEC 7064, the hybrid system MOD 37,36, over digits and letters (GRid)."""

    UNKNOWN = "UNKNOWN"
    """There may be one; how it is made is not known here. No number fails it."""


def with_check(scheme: CheckScheme, payload: str) -> str:
    """A payload with what its scheme appends to it; nothing for NONE and UNKNOWN."""
    calculation = _CALCULATIONS.get(scheme)
    return payload if calculation is None else payload + calculation(payload)


def passes(scheme: CheckScheme, number: str) -> bool:
    """Whether a number ends in what its scheme appends to what stands before it."""
    width = check_length(scheme)
    payload, check = number[: len(number) - width], number[len(number) - width :]
    if scheme in _IN_BOTH_CASES:
        check = check.upper()
    return number[:1] != "" and with_check(scheme, payload) == payload + check


def check_length(scheme: CheckScheme) -> int:
    """How many characters a scheme appends."""
    return 2 if scheme is CheckScheme.ISO7064_MOD97_10 else int(scheme in _CALCULATIONS)


def has_only_digits(scheme: CheckScheme) -> bool:
    """Whether what a scheme appends is always digits."""
    return scheme not in _IN_BOTH_CASES


def luhn_digit(payload: str) -> str:
    """The check digit of LUHN."""
    total = 0
    for place, digit in enumerate(reversed(_digits(payload))):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled // 10 + doubled % 10
    return str(-total % 10)


def _rest(modulus: int) -> _Calculation:
    return lambda payload: str(int(_digits(payload) or "0") % modulus)


def _mod_11(payload: str) -> str:
    weighted = zip(reversed(_digits(payload)), cycle(range(2, 11)), strict=False)
    return "0123456789X"[-sum(int(digit) * weight for digit, weight in weighted) % 11]


def _pure(alphabet: str, modulus: int, counted: Callable[[str], str]) -> _Calculation:
    """A pure system of radix 2: polynomial in 2, the check character included, is 1."""

    def check(payload: str) -> str:
        total = 0
        for character in counted(payload):
            total = (total + alphabet.index(character)) * 2 % modulus
        return alphabet[(1 - total) % modulus]

    return check


def _hybrid(alphabet: str, counted: Callable[[str], str]) -> _Calculation:
    """A hybrid system: each step adds modulo M, then doubles modulo M + 1; the end adds to 1."""

    def check(payload: str) -> str:
        modulus = len(alphabet)
        product = modulus
        for character in counted(payload):
            total = (product + alphabet.index(character)) % modulus or modulus
            product = total * 2 % (modulus + 1)
        return alphabet[(1 - product) % modulus]

    return check


def _mod_97_10(payload: str) -> str:
    digits = "".join(str(_LETTERS_TOO.index(character)) for character in _letters_too(payload))
    return f"{98 - int(digits + '00') % 97:02d}"


def _digits(text: str) -> str:
    return _NOT_A_DIGIT.sub("", text)


def _letters_too(text: str) -> str:
    return _NOT_COUNTED.sub("", text.upper())


_CALCULATIONS: Mapping[CheckScheme, _Calculation] = {
    CheckScheme.LUHN: luhn_digit,
    CheckScheme.MOD_7: _rest(7),
    CheckScheme.MOD_9: _rest(9),
    CheckScheme.MOD_11: _mod_11,
    CheckScheme.ISO7064_MOD11_2: _pure(_DIGITS + "X", 11, _digits),
    CheckScheme.ISO7064_MOD37_2: _pure(_LETTERS_TOO + "*", 37, _letters_too),
    CheckScheme.ISO7064_MOD97_10: _mod_97_10,
    CheckScheme.ISO7064_MOD11_10: _hybrid(_DIGITS, _digits),
    CheckScheme.ISO7064_MOD37_36: _hybrid(_LETTERS_TOO, _letters_too),
}

_IN_BOTH_CASES = {
    CheckScheme.MOD_11,
    CheckScheme.ISO7064_MOD11_2,
    CheckScheme.ISO7064_MOD37_2,
    CheckScheme.ISO7064_MOD37_36,
}
"""Those whose check character may be a letter."""
