"""Loyalty numbers: their check digit, what a brand's numbers look like, and making new ones.

Coalition numbers are random, not counted: nobody can walk through them, and enrolling never queues
for a counter that the whole coalition shares. A number that happens to be taken is drawn again.
A brand's own generated numbers are counted, because they only have to be short and distinct.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from secrets import randbelow

import orjson

from brands.errors import InvalidInput

MAX_NUMBER = 64
"""The longest loyalty number, in characters."""

COALITION_DIGITS = 10
"""Nine random digits, the first of them not 0, and a check digit."""

GENERATED_DIGITS = 9
"""The digits of a generated brand number whose format gives no length: eight and a check digit."""

_MAX_PATTERN = 100
_MAX_FLEXIBLE = 3
_NUMBER = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z ./_-]{0,62}[0-9A-Za-z])?", re.ASCII)
_DIGIT = re.compile(r"[0-9]")
_PIECE = re.compile(
    r"(?:\[(?:[0-9A-Za-z ./_]|[0-9]-[0-9]|[A-Z]-[A-Z]|[a-z]-[a-z])+-?\]|\\[d.]|[0-9A-Za-z /_-])"
    r"(?P<repeat>\{\d{1,2}\}|\{\d{1,2},\d{0,2}\}|[*+?])?",
    re.ASCII,
)


class CheckScheme(StrEnum):
    """How a number's last digit follows from the others."""

    NONE = "NONE"
    LUHN = "LUHN"
    """ISO/IEC 7812-1, annex B, over the digits of the number; its letters do not count."""


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """What a brand's numbers look like. `length` counts characters; None leaves it open.

    `pattern` is a regular expression for the whole number, of a kind that always matches quickly:
    characters and classes such as `[A-Z]` or `\\d`, each repeated by `?`, `*`, `+` or `{2,5}`, at
    most three of them by a range; no groups. Raises `InvalidInput` for any other.
    """

    pattern: str | None = None
    length: int | None = None
    check: CheckScheme = CheckScheme.NONE

    def __post_init__(self) -> None:
        if self.length is not None and not 1 <= self.length <= MAX_NUMBER:
            raise InvalidInput(
                path="numberFormat.length", reason=f"A length is between 1 and {MAX_NUMBER}."
            )
        if self.pattern is not None and not _is_plain(self.pattern):
            raise InvalidInput(
                path="numberFormat.pattern",
                reason="A pattern is a sequence of characters and classes, with repetitions.",
            )

    def accepts(self, number: str) -> bool:
        """Whether a number has this form: letters and digits at least, 64 characters at most."""
        return (
            _NUMBER.fullmatch(number) is not None
            and (self.length is None or len(number) == self.length)
            and (self.pattern is None or _compiled(self.pattern).fullmatch(number) is not None)
            and (self.check is CheckScheme.NONE or passes_luhn(number))
        )


def format_to_text(number_format: NumberFormat) -> str:
    """A format as it is stored."""
    return orjson.dumps(number_format).decode()


def format_from_text(text: str) -> NumberFormat:
    """The format that `format_to_text` wrote."""
    fields = orjson.loads(text)
    return NumberFormat(fields["pattern"], fields["length"], CheckScheme(fields["check"]))


def luhn_digit(payload: str) -> str:
    """The check digit to append to a text, of which only the digits count."""
    total = 0
    for place, digit in enumerate(reversed(_DIGIT.findall(payload))):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled // 10 + doubled % 10
    return str(-total % 10)


def passes_luhn(number: str) -> bool:
    """Whether a number ends in the check digit of what stands before it."""
    return _DIGIT.fullmatch(number[-1:]) is not None and luhn_digit(number[:-1]) == number[-1]


def coalition_number() -> str:
    """A random coalition number, good but perhaps taken: nine digits and their check digit."""
    lowest = 10 ** (COALITION_DIGITS - 2)
    payload = str(lowest + randbelow(9 * lowest))
    return payload + luhn_digit(payload)


def generated_number(code: str, number_format: NumberFormat, count: int) -> str | None:
    """A brand's number made from a counter: its code, the counter, and a Luhn digit.

    Without the code where the format has no room for letters; None where no such number fits it.
    """
    for prefix in (code, ""):
        digits = (number_format.length or len(prefix) + GENERATED_DIGITS) - len(prefix)
        payload = f"{prefix}{count:0{max(digits - 1, 0)}d}"
        number = payload + luhn_digit(payload)
        if number_format.accepts(number):
            return number
    return None


def _is_plain(pattern: str) -> bool:
    flexible = position = 0
    if not 0 < len(pattern) <= _MAX_PATTERN:
        return False
    while position < len(pattern):
        piece = _PIECE.match(pattern, position)
        if piece is None:
            return False
        repeat = piece["repeat"] or ""
        flexible += repeat in {"*", "+", "?"} or "," in repeat
        position = piece.end()
    return flexible <= _MAX_FLEXIBLE and _compiles(pattern)


def _compiles(pattern: str) -> bool:
    try:
        _compiled(pattern)
    except re.error:
        return False
    return True


@lru_cache(maxsize=1_024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)
