"""Loyalty numbers as people write them: with spaces, hyphens, and small letters for capitals.

A number is judged by its brand's format in every spelling that the writer may have meant, and not
changed beyond that: no character is guessed, added or corrected.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from brands.naming.check_digits import CheckScheme
from brands.naming.numbers import MAX_NUMBER, NumberFormat

_HYPHENS = re.compile(r"[\u2010-\u2015\u2212]")
_SEPARATORS = re.compile(r"[\s-]+")
_MAX_WRITTEN = 2 * MAX_NUMBER
"""Longer than any number with a separator after each character."""


class NumberVerdict(StrEnum):
    """What can be said of a number by its form alone."""

    WELL_FORMED = "WELL_FORMED"
    MALFORMED = "MALFORMED"
    FORMAT_UNKNOWN = "FORMAT_UNKNOWN"


@dataclass(frozen=True, slots=True)
class Reading:
    """A number as it was read. `spellings` are all that the format accepts, the likeliest first:
    none if it is malformed, and none beyond any number's length and letters."""

    verdict: NumberVerdict
    spellings: tuple[str, ...]

    @property
    def number(self) -> str | None:
        """The normal form: what the brand would have written. None if there is none."""
        return self.spellings[0] if self.spellings else None


def judge(written: str, number_format: NumberFormat) -> Reading:
    """Reads a number by its brand's format.

    Tried, in this order: as it is written, in capitals, without spaces and hyphens, and both; wide
    characters and dashes are first made plain ones (Unicode NFKC). Which spelling a brand with
    an open format has stored cannot be told from here: whoever looks a number up tries them all.

    Where the check scheme is UNKNOWN the answer is `FORMAT_UNKNOWN`, whatever was written.
    """
    spellings = tuple(filter(number_format.accepts, _spellings(written)))
    if number_format.check is CheckScheme.UNKNOWN:
        return Reading(NumberVerdict.FORMAT_UNKNOWN, spellings)
    verdict = NumberVerdict.WELL_FORMED if spellings else NumberVerdict.MALFORMED
    return Reading(verdict, spellings)


def bare(written: str) -> str:
    """A number in capitals, without spaces and hyphens, at most 64 characters of it: the same for
    all spellings of one number. For counting how often a number is asked for, well formed or not.
    """
    return _SEPARATORS.sub("", _plain(written)).upper()[:MAX_NUMBER]


def _spellings(written: str) -> list[str]:
    plain = _plain(written)
    joined = _SEPARATORS.sub("", plain)
    return list(dict.fromkeys((plain, plain.upper(), joined, joined.upper())))


def _plain(written: str) -> str:
    normal = unicodedata.normalize("NFKC", written[:_MAX_WRITTEN])
    return _HYPHENS.sub("-", normal).strip() if len(written) <= _MAX_WRITTEN else ""
