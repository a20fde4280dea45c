"""How a name of a script without vowels may be read: Arabic, Hebrew and Syriac letters.

These scripts write consonants and long vowels. A transliteration letter by letter makes `mhmd` of
محمد, and `ly` of علي; what is spelled in Latin letters depends on the country and the clerk. So a
spelling is walked along the letters of the name: each letter may be read in some ways, and after
it a short vowel may stand that is not written. Long vowels are written and must be read, and
nothing else may be left over: by its consonants alone ALI would be LEE, ELLA and LULU.
"""

# ruff: noqa: RUF001, RUF003  # these letters are the subject
import re

_ONE_LETTER = str.maketrans({
    **dict(zip("ךםןףץ", "כמנפצ", strict=True)), "ײ": "יי", "װ": "וו", "ױ": "וי",
    **dict(zip("ܐܒܓܕܗܘܙܚܛܝܟܠܡܢܣܥܦܨܩܪܫܬ", "אבגדהוזחטיכלמנסעפצקרשת", strict=True)),
    **dict(zip("ٱکڪیۍہۃٹڈڑڵێۆۋە", "اككييهةتدرليووع", strict=True)),
})  # fmt: skip
"""Letters that are read as others: final ones, Syriac ones by the Hebrew of the same name, and what
Persian, Urdu and Kurdish write for Arabic ones."""

_ARTICLE = re.compile("^ال(?=..)|(?<=عبد)ال|(?<=ابو)ال|ال(?=دين$|له$)")
"""The article, where it is one: in front, and in the middle of Abd al-, Abu al-, ad-Din, Allah."""

_FINAL_A = re.compile("(?<=..[^ی])ی$")
"""Persian writes Musa and Mustafa with the letter for i. Ali is too short to be told from Ala."""

_IN_FRONT = "ٱ"
"""Stands for the article: the letter that the Quran has for its alef, which is not always heard."""

_READINGS = {letter: tuple(ways.split(" ")) for letter, ways in {
    # What carries a vowel, and has none of its own. ("": nothing is read)
    "ع": " a e i o u", "ء": "", "א": " a e i o u", "ע": " a e i o u",
    # al- or el-; ul- after a case that only Abdul shows; without l before a letter that takes it up
    _IN_FRONT: " l al el il ol ul",
    # Long vowels, and consonants that are vowels too: Walid is Oualid in French, Yusuf Jusuf
    "ا": "a e", "ى": "a i y", "ة": "a e h t", "ے": "e i y",
    "و": "w v u o ou", "ו": "w v u o ou", "ي": "y i e j", "י": "y i e j",
    # Arabic. French has c for s before e and i, Turkish for j, ends in t and p, and has v for w;
    # Egypt g for j; Iran and Pakistan z for d and dh, gh for q
    "ب": "b p", "ت": "t", "ث": "th t s", "ج": "j g dj c", "ح": "h", "خ": "kh h ch k", "د": "d dh t",
    "ذ": "dh d z th", "ر": "r", "ز": "z", "س": "s c", "ش": "sh s ch sch", "ص": "s c", "ض": "d dh z",
    "ط": "t", "ظ": "z dh d th", "غ": "gh g q", "ف": "f ph", "ق": "q k g gh c", "ك": "k c",
    "ل": "l", "م": "m", "ن": "n", "ه": "h",
    # Persian, Urdu, Kurdish: ھ is a breath, ں a nasal vowel
    "پ": "p", "چ": "ch c", "ژ": "zh j z", "گ": "g", "ڤ": "v", "ھ": " h", "ں": " n",
    # Hebrew. b and v, k and kh, p and f, s and sh are one letter; a mark for j and ch is dropped;
    # German names have w for v, z for ts, s for z
    "ב": "b v w", "ג": "g j", "ד": "d", "ה": "h", "ז": "z s j", "ח": "h ch kh", "ט": "t",
    "כ": "k c ch kh", "ל": "l", "מ": "m", "נ": "n", "ס": "s c", "פ": "p f ph",
    "צ": "tz ts z s c ch", "ק": "k c q", "ר": "r", "ש": "sh s sch", "ת": "t th",
}.items()}  # fmt: skip
"""The ways to read a letter."""

_LAST = {
    "ه": ("h", "a", "e", "o", "ou"), "ה": ("h", "a", "e", "o"),  # Fatemeh, Abdou, Moshe, Shlomo
    "ي": ("y", "i"), "י": ("y", "i"), "ا": ("a",),  # long, and heard: ALE is not Ali
    "و": ("w", "v", "u", "o", "ou", ""),  # Amr is written with one that is not read
}  # fmt: skip
"""How the last letter of a name is read, if otherwise."""

_LETTERS = frozenset(_READINGS) | set(map(chr, _ONE_LETTER))

_CARRIERS = frozenset("اعאע" + _IN_FRONT)
"""A name that begins with one of these begins with a vowel: LEE is not Ali."""

_SHORT = ("", "a", "e", "i", "o", "u", "ou")
_VOWELS = frozenset("aeiou")

_SPELLED = ("tch", "ch"), ("ck", "k"), ("ee", "i")
_DOUBLED = re.compile(r"(.)\1+")


def has_no_vowels(name: str) -> bool:
    """Whether a folded name is written in such a script, all of it."""
    return name != "" and _LETTERS.issuperset(name)


def may_be_read(name: str, spelling: str, *, begun: bool = False) -> bool:
    """Whether a name without vowels may be read as it is spelled in small Latin letters; if
    `begun`, whether its beginning may. The article may be left out, and an e at the end is mute.
    """
    for written, plain in _SPELLED:
        spelling = spelling.replace(written, plain)
    spelling = _DOUBLED.sub(r"\1", spelling)
    letters = _ARTICLE.sub(_IN_FRONT, _FINAL_A.sub("ى", name).translate(_ONE_LETTER))
    return _walked(letters, spelling, begun) or (
        letters.startswith(_IN_FRONT) and _walked(letters[1:], spelling, begun)
    )


def _walked(letters: str, spelling: str, begun: bool) -> bool:
    """Holds all places of the spelling that can be reached, not the ways there: the work is
    bounded by the product of the lengths."""
    if letters[0] in _CARRIERS and spelling[:1] not in _VOWELS:
        return False
    if letters[0] == "ا":
        letters = "ع" + letters[1:]  # in front it is no long a: Osama, Ibrahim
    places, end = {0}, len(spelling)
    for before, letter, after in zip(("", *letters), letters, (*letters[1:], ""), strict=False):
        ways = _READINGS[letter] if after else _LAST.get(letter, _READINGS[letter])
        if letter == before:
            ways = ("", *ways)  # Abdulla
        places = _onward(places, ways, spelling)
        if after:
            places = _onward(places, _SHORT, spelling)
        if not places:
            return False
        if begun and end in places:
            return True
    return end in places or (spelling.endswith("e") and end - 1 in places)


def _onward(places: set[int], ways: tuple[str, ...], spelling: str) -> set[int]:
    return {at + len(way) for at in places for way in ways if spelling.startswith(way, at)}
