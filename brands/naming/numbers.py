"""Loyalty numbers: what a brand's numbers look like, and making new ones.

Coalition numbers are random, not counted: nobody can walk through them, and enrolling never queues
for a counter that the whole coalition shares. A number that happens to be taken is drawn again.
A brand's own generated numbers are counted as well, so that they are short and distinct; but what
is shown is a permutation of the counter under a key of the brand's own. Whoever has one of them
knows none of the others: next to it there is, most likely, nobody's.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from secrets import randbelow

import orjson

from brands.errors import InvalidInput
from brands.naming.check_digits import (
    CheckScheme,
    check_length,
    has_only_digits,
    luhn_digit,
    passes,
    with_check,
)
from brands.naming.permutations import permuted

MAX_NUMBER = 64
"""The longest loyalty number, in characters."""

COALITION_DIGITS = 10
"""Nine random digits, the first of them not 0, and a check digit."""

GENERATED_DIGITS = 11
"""The digits of a generated brand number whose format gives no length: ten and a check digit. Of
ten thousand numbers of a brand with a million members, one is somebody's."""

_SPARSE = 8
"""With fewer digits beside it the brand's code takes up room that the numbers need."""

_BY_DEFAULT = CheckScheme.LUHN
_MAX_PATTERN = 100
_MAX_FLEXIBLE = 3
_NUMBER = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z ./_-]{0,62}[0-9A-Za-z])?", re.ASCII)
_PIECE = re.compile(
    r"(?:\[(?:[0-9A-Za-z ./_]|[0-9]-[0-9]|[A-Z]-[A-Z]|[a-z]-[a-z])+-?\]|\\[d.]|[0-9A-Za-z /_-])"
    r"(?P<repeat>\{\d{1,2}\}|\{\d{1,2},\d{0,2}\}|[*+?])?",
    re.ASCII,
)


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
        """Whether a number has this form: letters and digits at least, 64 characters at most.

        A pattern speaks of the whole number. The `*` that MOD 37-2 may end in stands for a letter
        there, so that `[0-9A-Z]+` has room for it.
        """
        shown = number
        if self.check is CheckScheme.ISO7064_MOD37_2 and number.endswith("*"):
            shown = number[:-1] + "Z"
        return (
            _NUMBER.fullmatch(shown) is not None
            and (self.length is None or len(number) == self.length)
            and (self.pattern is None or _compiled(self.pattern).fullmatch(shown) is not None)
            and passes(self.check, number)
        )


def format_to_text(number_format: NumberFormat) -> str:
    """A format as it is stored."""
    return orjson.dumps(number_format).decode()


def format_from_text(text: str) -> NumberFormat:
    """The format that `format_to_text` wrote."""
    fields = orjson.loads(text)
    return NumberFormat(fields["pattern"], fields["length"], CheckScheme(fields["check"]))


def coalition_number() -> str:
    """A random coalition number, good but perhaps taken: nine digits and their check digit."""
    lowest = 10 ** (COALITION_DIGITS - 2)
    payload = str(lowest + randbelow(9 * lowest))
    return payload + luhn_digit(payload)


def generated_number(code: str, number_format: NumberFormat, count: int, key: bytes) -> str | None:
    """A brand's number made from a counter: its code, a number that the key makes of the counter,
    and the format's check digit, or a Luhn digit where the format has none.

    Without the code where the format has no room for it; None where no such number fits it, and
    where its scheme is unknown: such a brand gives its numbers itself. No two counters make the
    same number.
    """
    if number_format.check is CheckScheme.UNKNOWN:
        return None
    prefixes = (code, "") if _digits_beside(code, number_format) >= _SPARSE else ("", code)
    for prefix in prefixes:
        for number in _made(prefix, number_format, count, key):
            if number.isalnum() and number_format.accepts(number):
                return number
    return None


def _made(prefix: str, number_format: NumberFormat, count: int, key: bytes) -> list[str]:
    """Numbers made from a counter, the first that fits to be taken. Where the check may be a
    letter, a digit chosen freely follows the counter, so that one of them ends as the format
    wants it; it always does, so that no two counters make the same number."""
    scheme = _scheme_of(number_format)
    digits = max(_digits_beside(prefix, number_format), len(str(count)))
    shown = f"{prefix}{permuted(count, 10**digits, key):0{digits}d}"
    free = [""] if has_only_digits(scheme) else "0123456789"
    return [with_check(scheme, f"{shown}{digit}") for digit in free]


def _digits_beside(prefix: str, number_format: NumberFormat) -> int:
    """How many digits of the counter there is room for."""
    scheme = _scheme_of(number_format)
    taken = len(prefix) + check_length(scheme) + (0 if has_only_digits(scheme) else 1)
    length = number_format.length or len(prefix) + GENERATED_DIGITS
    return max(length - taken, 0)


def _scheme_of(number_format: NumberFormat) -> CheckScheme:
    return number_format.check if number_format.check is not CheckScheme.NONE else _BY_DEFAULT


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
