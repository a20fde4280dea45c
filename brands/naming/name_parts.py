"""The parts of a person's name as booking systems write them: titles, suffixes, particles."""

from typing import TypeAlias

from brands.naming.name_spellings import Words

Generation: TypeAlias = str | None
"""What tells a father from a son, where a name says it."""

_TITLES = frozenset({
    "mr", "mrs", "ms", "miss", "mstr", "master", "mx", "dr", "prof", "sir", "dame", "lord",
    "lady", "rev", "fr", "frau", "herr", "hr", "mme", "mlle", "mons", "sra", "srta", "sig",
    "dott", "ing", "dipl", "mag", "don", "dona", "shri", "smt", "hon", "capt", "adt", "chd",
    "inf", "ins",
})  # fmt: skip
"""Forms of address, degrees, and the passenger types of booking systems."""

_NAMES_TOO = frozenset({
    "miss", "master", "sir", "dame", "lord", "lady", "mons", "sig", "ing", "mag", "don", "dona",
    "shri", "hon", "unknown",
})  # fmt: skip
"""Those that some people are called by, and the word for who has no name."""

_GLUED_TITLES = ("mstr", "miss", "prof", "mrs", "chd", "inf", "mr", "ms", "dr")
"""Those that are written without a space: `SMITH/JOHNMR`."""

_GENERATIONS = {
    "jr": "2", "jnr": "2", "junior": "2", "ii": "2", "2nd": "2",
    "sr": "1", "snr": "1", "senior": "1", "iii": "3", "3rd": "3", "iv": "4", "4th": "4",
}  # fmt: skip
"""Junior and II may be the same person."""

_PARTICLES = frozenset({
    "van", "von", "vom", "vd", "der", "den", "de", "des", "del", "della", "delle", "dei", "di",
    "da", "do", "dos", "das", "du", "la", "las", "le", "les", "lo", "los", "el", "al", "ul", "as",
    "ash", "zu", "zum", "zur", "ter", "ten", "te", "tot", "op", "in", "t", "s", "y", "e", "i",
    "af", "av", "bin", "binti", "bint", "ibn", "ben", "bar", "abu", "ait",
    "عبد",
})  # fmt: skip
"""Words between names that one system writes and another leaves out, or files elsewhere. In Arabic
Abd, servant, is one: half of the names begin so, and ABD alone would be nearly each of them."""

_LONG_FORMS = {"st": "saint", "ste": "sainte", "mc": "mac"}

_NO_NAME = frozenset({"fnu", "lnu", "nfn", "nln", "xxx"})
"""What is written where a system insists on a name and there is none."""


def surname_of(words: Words) -> tuple[Words, Generation]:
    """A surname without titles and suffix. If nothing would be left, they are the name."""
    while len(words) > 1 and words[0].plain in _TITLES:
        words = words[1:]
    while len(words) > 1 and words[-1].plain in _TITLES:
        words = words[:-1]
    return _without_suffix(words)


def given_name_of(words: Words) -> tuple[Words, Generation]:
    """A given name without titles and suffix: of `MR` alone, or `FNU`, nothing is left, of
    `DON` that."""
    bare = tuple(word for word in words if word.plain not in _TITLES)
    if not bare:
        return tuple(word for word in words if word.plain in _NAMES_TOO), None
    if bare[0].plain in _NO_NAME:
        return (), None
    return _without_suffix(bare)


def may_be_titles(words: Words) -> bool:
    """Whether a given name says perhaps nothing: it is titles that are names as well."""
    return all(word.plain in _NAMES_TOO for word in words)


def without_glued_title(words: Words, *, leaving: int = 2) -> Words:
    """A given name without the title that may be glued to its end, if one may: so many letters must
    be left."""
    if not words:
        return words
    last = words[-1]
    for title in _GLUED_TITLES:
        if last.plain.endswith(title) and len(last.plain) - len(title) >= leaving:
            return (*words[:-1], last.without_end(len(title)))
    return words


def trailing_particles(words: Words) -> int:
    """How many particles end a given name: `BERG/JAN VAN DER` has two. A name stays in front."""
    count = 0
    while count < len(words) - 1 and words[-1 - count].plain in _PARTICLES:
        count += 1
    return count


def proper_names(words: Words) -> tuple[str, ...]:
    """A surname's words in Latin letters and long forms, its particles left out. If there are only
    particles, they are the name."""
    proper = [word for word in words if word.plain not in _PARTICLES] or words
    return tuple(_long(word.latin[0]) for word in proper)


def _without_suffix(words: Words) -> tuple[Words, Generation]:
    if len(words) > 1 and words[-1].plain in _GENERATIONS:
        return words[:-1], _GENERATIONS[words[-1].plain]
    return words, None


def _long(word: str) -> str:
    if word.startswith("mc") and len(word) > 2:
        return "mac" + word[2:]
    return _LONG_FORMS.get(word, word)
