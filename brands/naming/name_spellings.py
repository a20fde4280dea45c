"""A name in Latin letters: how passports and booking systems spell what is written otherwise.

Booking systems have the capitals A to Z and nothing else. Scripts are transliterated by anyascii;
where a standard for passports spells one letter by two, both spellings are the name's own.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import TypeAlias

from anyascii import anyascii

from brands.naming.name_readings import has_no_vowels, may_be_read
from brands.naming.names import counts, folded

_PASSPORT = str.maketrans({
    "ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa",
    "ё": "e", "й": "i", "ю": "iu", "я": "ia", "ъ": "ie", "\u0445": "kh", "ц": "ts", "є": "ie",
    "ї": "i",
})  # fmt: skip
"""ICAO Doc 9303, part 3, section 6: letters that become two, and where Cyrillic differs."""

_GREEK_OU = re.compile("\u03bf[υύ]")
"""ELOT 743 has `ou`, where the letters one by one would give `oy`."""

_BETWEEN_WORDS = re.compile(r"[\s\u2010-\u2015\u2212_/,;()-]+")
_NOT_LATIN = re.compile(r"[^0-9a-z]")
_DOUBLED = re.compile(r"(.)\1+")
_DIGRAPHS = re.compile("([aou])e|aa")
_VOWELS = re.compile("[aeiou]")

_SOUNDS = [
    (re.compile(pattern), plain)
    for pattern, plain in (
        ("tsch|tch", "ch"), ("sch|sh", "s"), ("kh|ch|gh", "h"), ("ph", "f"), ("th", "t"),
        ("zh|dj", "z"), ("ts|tz", "z"), ("ck|q|c|g", "k"), ("x", "ks"), ("w", "v"), ("ou|oy", "u"),
        ("[yj]", "i"), ("d", "t"), ("b", "p"),
    )
]  # fmt: skip
"""The ways to transliterate one sound, made one. Only for telling what may be one name."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a name: folded, in its own script, and three ways to write it in small Latin
    letters: by its letters without their accents, with them, and as passports have it."""

    plain: str
    latin: tuple[str, str, str]

    @property
    def spellings(self) -> frozenset[str]:
        """The different ones of the three, of those that have a letter or digit."""
        return frozenset(filter(None, self.latin))

    @property
    def is_foreign(self) -> bool:
        """Whether it has letters that booking systems do not have."""
        return not self.plain.isascii()

    def without_end(self, length: int) -> "Word":
        """The word without so many letters at its end, none of which may be foreign."""
        bare, accented, passport = self.latin
        cut = -length
        return Word(self.plain[:cut], (bare[:cut], accented[:cut], passport[:cut]))


Words: TypeAlias = tuple[Word, ...]


def words_of(name: str) -> Words:
    """The words of a name. Apostrophes and points do not end a word, spaces and hyphens do; what
    has no letter and no digit is no word."""
    parts = _BETWEEN_WORDS.split(unicodedata.normalize("NFKC", name).casefold())
    return tuple(word for word in map(_word, parts) if word.plain)


def joined(words: Words) -> Word:
    """Words without what is between them, which does not matter."""
    bare, accented, passport = ("".join(word.latin[way] for word in words) for way in range(3))
    return Word("".join(word.plain for word in words), (bare, accented, passport))


def in_capitals(name: str) -> str:
    """A name as booking systems and passports have it: the capitals A to Z, and spaces."""
    return " ".join(filter(None, (word.latin[2] for word in words_of(name)))).upper()


def one_spelling(a: Word, b: Word) -> bool:
    """Whether a spelling of one is a spelling of the other: `Müller`, `MULLER` and `MUELLER`."""
    return not a.spellings.isdisjoint(b.spellings)


def nearly_one(written: Word, known: Word) -> bool:
    """Whether two words may be one name, of which a booking system has lost or changed letters.

    Of two in Latin letters, those that differ as `MULLER` and `MUELLER` do; if the one that is
    known is in another script, those that sound alike, because transliterations differ; or if that
    script has no vowels, those that it may be read as. What is written in another script is only
    what it is: its consonants would stand for many names.
    """
    if written.is_foreign:
        return False
    if has_no_vowels(known.plain):
        return may_be_read(known.plain, written.plain)
    if known.is_foreign:
        return any(_sound_alike(x, y) for x in written.spellings for y in known.spellings)
    return _without_digraphs(written.plain) == _without_digraphs(known.plain) != ""


def begins_as_read(written: Word, known: Word) -> bool:
    """Whether a word may be the beginning of a name in a script without vowels: A of علي."""
    return has_no_vowels(known.plain) and may_be_read(known.plain, written.plain, begun=True)


def as_read(written: Words, known: Words) -> Words:
    """The words that are written; for each that a word of a name in a script without vowels may be
    read as, that word."""
    if not (known and has_no_vowels(known[0].plain)):
        return written
    return tuple(next((word for word in known if nearly_one(each, word)), each) for each in written)


def _word(part: str) -> Word:
    plain = folded(part)
    composed = "".join(filter(counts, unicodedata.normalize("NFC", part)))
    passport = folded(_GREEK_OU.sub("ou", composed).translate(_PASSPORT))
    return Word(plain, (_latin(plain), _latin(composed), _latin(passport)))


def _latin(text: str) -> str:
    return _NOT_LATIN.sub("", anyascii(text).lower())


def _without_digraphs(spelling: str) -> str:
    return _DIGRAPHS.sub(lambda found: found.group(1) or "a", spelling)


def _sound_alike(a: str, b: str) -> bool:
    """Whether the sounds differ by one at most, or the consonants, two at least, are the same."""
    first, second = _sounds(a), _sounds(b)
    near = min(len(first), len(second)) >= 4 and _one_apart(first, second)
    bones = _DOUBLED.sub(r"\1", _VOWELS.sub("", first))
    same_bones = len(bones) >= 2 and bones == _DOUBLED.sub(r"\1", _VOWELS.sub("", second))
    return near or same_bones or first == second != ""


def _sounds(spelling: str) -> str:
    for pattern, plain in _SOUNDS:
        spelling = pattern.sub(plain, spelling)
    return _DOUBLED.sub(r"\1", spelling)


def _one_apart(a: str, b: str) -> bool:
    """Whether one letter put in, left out or exchanged, at most, makes one text the other."""
    short, long = sorted((a, b), key=len)
    if len(long) - len(short) > 1:
        return False
    same = next((i for i, letter in enumerate(short) if letter != long[i]), len(short))
    return short[same + (len(short) == len(long)) :] == long[same + 1 :]
