"""Names of people, compared as people write them.

The same name is written in many ways: in capitals, without its accents, with a space for a hyphen.
`same_surname` sees through these, and through nothing else: it never guesses and never matches a
part of a name. What may be said of two names beyond that is in `brands.naming.name_matching`.
"""

import unicodedata

_LETTERS_WITHOUT_DECOMPOSITION = str.maketrans(
    {
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "ħ": "h",
        "\u0131": "i",  # dotless
        "ł": "l",
        "ŧ": "t",
        "þ": "th",
        "\u0640": "",  # tatweel: a letter to Unicode, it makes an Arabic word wider
    }
)
"""Latin letters whose mark is part of them in Unicode, as keyboards without them write them."""

_FIRST_MODIFIER, _LAST_MODIFIER = "\u02b0", "\u02ff"
"""Spacing modifier letters: to Unicode letters, in names they are apostrophes (Hawaiian okina)."""

_VOWELS_AND_VOICING = {0, 7, 8, 9}
"""Combining classes of marks that spell (Devanagari vowels, the voicing of kana), where those of
accents only adorn: without them different names would be equal."""

_INVISIBLE = {"\u034f", *map(chr, range(0xFE00, 0xFE10))}
"""Marks of these classes that nobody sees: the grapheme joiner and the variation selectors."""


def same_surname(a: str, b: str) -> bool:
    """Whether two surnames are one name, written differently.

    Case, diacritics, hyphens, apostrophes and spaces do not matter (after Unicode's caseless
    matching, UAX #15 and section 3.13); every letter and digit does. A name without any never
    matches, not even itself.
    """
    first, second = folded(a), folded(b)
    return first == second and first != ""


def folded(name: str) -> str:
    """A name's letters and digits, and the marks that spell, without case and accents."""
    plain = unicodedata.normalize("NFKD", name).casefold().translate(_LETTERS_WITHOUT_DECOMPOSITION)
    return "".join(filter(counts, unicodedata.normalize("NFKD", plain)))


def counts(character: str) -> bool:
    """Whether a character is a letter or digit of a name, or a mark that spells."""
    if unicodedata.category(character) in ("Mn", "Mc"):
        spells = unicodedata.combining(character) in _VOWELS_AND_VOICING
        return spells and character not in _INVISIBLE
    return character.isalnum() and not _FIRST_MODIFIER <= character <= _LAST_MODIFIER
