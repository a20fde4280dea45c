"""Whether a traveller's name is a member's, as a travel agency asks: yes, no, or let a human see.

Booking systems write names in capitals, without accents, with the title glued to the given name,
with or without particles and second surnames. What is the same name written so is `MATCH`. `REVIEW`
is what the same person might have written and another might be called: half of a double surname,
a particle left out, names in each other's place, a name of another script that is only nearly the
same. All else is `NO_MATCH`. A slip of the pen is, too: an answer "nearly" would tell somebody who
guesses how near she is.
"""

from dataclasses import dataclass
from enum import IntEnum
from itertools import product

from brands.naming.name_parts import (
    Generation,
    given_name_of,
    may_be_titles,
    proper_names,
    surname_of,
    trailing_particles,
    without_glued_title,
)
from brands.naming.name_readings import has_no_vowels
from brands.naming.name_spellings import (
    Word,
    Words,
    as_read,
    begins_as_read,
    joined,
    nearly_one,
    one_spelling,
    words_of,
)

MAX_COMPARED = 100
"""Longer names match nothing: the work has a bound, whatever is asked."""

_MORE_NAMES = 2
"""A member may have so many names more than the traveller, and no more."""

_NOBODY = "Nescio"
"""Compared where there is no name to compare, so that the work is done all the same."""


class NameMatch(IntEnum):
    """How well two names agree, the worst first."""

    NO_MATCH = 0
    REVIEW = 1
    MATCH = 2


_NO, _MAYBE, _YES = NameMatch


@dataclass(frozen=True, slots=True)
class _Reading:
    """One way to understand a person's names: her surname, and what her given name may be."""

    surname: Words
    given: frozenset[Words]
    generation: Generation


def match_names(
    surname: str, given_name: str | None, family_name: str | None, member_given_name: str | None
) -> NameMatch:
    """Compares a traveller's surname and given name with a member's, as her profile has them.

    The surname must match whole; the given name whole, word by word by their beginnings, or by its
    own. Initials that are written as one word are for a human to see.
    Without a given name to compare, the surname decides. A member without a family name never
    matches, nor does a name without a letter, or one of more than 100 characters.
    """
    bounded = [
        name if name is not None and len(name) <= MAX_COMPARED else stand_in
        for name, stand_in in (
            (surname, _NOBODY),
            (given_name, ""),
            (family_name, _NOBODY),
            (member_given_name, "" if family_name else _NOBODY),
        )
    ]
    traveller = _readings(bounded[0], bounded[1], may_be_glued=True)
    member = _readings(bounded[2], bounded[3], may_be_glued=False)
    verdict = max(_compared(a, b) for a, b in product(traveller, member))
    names = (surname, given_name, family_name, member_given_name)
    comparable = family_name is not None and all(len(name or "") <= MAX_COMPARED for name in names)
    return verdict if comparable else _NO


def _readings(surname: str, given_name: str, *, may_be_glued: bool) -> set[_Reading]:
    """A name as it stands; and with the particles that end the given name in front of the surname,
    where Dutch ones belong (`BERG/JAN VAN DER`)."""
    family, generation = surname_of(words_of(surname))
    written = words_of(given_name)
    given, generation_there = given_name_of(written)
    generation = generation or generation_there
    plain = _Reading(
        family,
        frozenset({written, given, without_glued_title(given) if may_be_glued else given}),
        generation,
    )
    moved = trailing_particles(given)
    if not (moved and family):
        return {plain}
    cut = len(given) - moved
    return {plain, _Reading((*given[cut:], *family), frozenset({given[:cut]}), generation)}


def _compared(traveller: _Reading, member: _Reading) -> NameMatch:
    given = max(_given_names(a, b) for a, b in product(traveller.given, member.given))
    verdict = min(_surnames(traveller.surname, member.surname), given)
    if len({traveller.generation, member.generation} - {None}) == 2:
        verdict = min(verdict, _MAYBE)
    return max(verdict, _swapped(traveller, member))


def _surnames(traveller: Words, member: Words) -> NameMatch:
    """The whole surname; or, for a human to see, some of the member's names, or all of hers with
    one more before or behind them: more of them would be a list of guesses."""
    whole = _whole(joined(traveller), joined(member))
    asked, known = proper_names(as_read(traveller, member)), proper_names(member)
    some = set(asked) <= set(known) and 0 <= len(known) - len(asked) <= _MORE_NAMES
    one_more = len(asked) == len(known) + 1 and known in (asked[1:], asked[:-1])
    shared = (some or one_more) and any(len(name) > 1 for name in {*asked} & {*known})
    one_but_for_particles = "".join(asked) == "".join(known) != ""
    return max(whole, _MAYBE if shared or one_but_for_particles else _NO)


def _whole(traveller: Word, member: Word) -> NameMatch:
    """Two names of another script are one only if they are written alike there: many share one
    transliteration."""
    if not (traveller.plain and member.plain):
        return _NO
    both_foreign = traveller.is_foreign and member.is_foreign
    alike = one_spelling(traveller, member)
    if traveller.plain == member.plain or (alike and not both_foreign):
        return _YES
    return _MAYBE if alike or nearly_one(traveller, member) else _NO


def _given_names(traveller: Words, member: Words) -> NameMatch:
    """By the beginning, of each word or of all; more names than the other has are no
    contradiction."""
    if not traveller:
        return _YES
    if not member:
        return _MAYBE
    written, known = joined(traveller), joined(member)
    if _begins(written, known):
        return _YES
    agree = [_agrees(a, b) for a, b in zip(traveller, member, strict=False)]
    if all(agree):
        return _YES
    few = as_read(traveller[: len(member) + _MORE_NAMES], member)
    doubtful = (
        agree[0]
        or _is_initials(written, member)
        or _agrees(without_glued_title(traveller, leaving=1)[0], member[0])
        or may_be_titles(traveller)
        or (len(known.plain) > 2 and _begins(known, written))
        or any(len(a.plain) > 2 and one_spelling(a, b) for a, b in product(few, member))
        or one_spelling(written, known)
        or nearly_one(traveller[0], member[0])
        or begins_as_read(traveller[0], known)
    )
    return _MAYBE if doubtful else _NO


def _agrees(a: Word, b: Word) -> bool:
    """Whether one word is the beginning of a member's, or an initial in her profile is its own."""
    return _begins(a, b) or (len(b.plain) == 1 and _begins(b, a))


def _begins(a: Word, b: Word) -> bool:
    if a.is_foreign and b.is_foreign:
        return b.plain.startswith(a.plain)
    return any(longer.startswith(x) for longer in b.spellings for x in a.spellings)


def _is_initials(written: Word, names: Words) -> bool:
    initials = [{spelling[0] for spelling in name.spellings} for name in names]
    letters = written.latin[0]
    return 1 < len(letters) <= len(initials) and all(
        letter in among for letter, among in zip(letters, initials, strict=False)
    )


def _swapped(traveller: _Reading, member: _Reading) -> NameMatch:
    """For a human to see: the surname is the member's given name, and the other way round. What is
    written without vowels can be no more than read so."""
    here = max(_whole(joined(traveller.surname), joined(given)) for given in member.given)
    there = max(_whole(joined(given), joined(member.surname)) for given in traveller.given)
    verdict = min(here, there)
    if verdict is _MAYBE and not has_no_vowels(joined(member.surname).plain):
        return _NO
    return min(verdict, _MAYBE)
