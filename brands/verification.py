"""Whether a loyalty number and a name belong together, and nothing more than that.

What a travel agency may learn of a member: the status of a row. An unknown number, another name and
a closed membership are one answer, at the same price; a suspended brand the same one, for nothing.
All lookups by number and name that others make for a traveller go through `guarded_lookup`, and so
by one budget.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from brands.bounds import MAX_LIST, MAX_NAME, is_storable
from brands.callers import Caller, CallerKind
from brands.coalition import Coalition
from brands.errors import InvalidInput, NotPermitted
from brands.guarding.guard import Answer
from brands.guarding.lookup_marks import Question
from brands.naming.name_matching import NameMatch, match_names
from brands.naming.names import folded
from brands.naming.number_reading import NumberVerdict, Reading, judge
from brands.parties import Party
from brands.registry import Brand, BrandStatus


class RowStatus(StrEnum):
    """What is told of a number and a name."""

    MATCH = "MATCH"
    REVIEW = "REVIEW"
    NO_MATCH = "NO_MATCH"
    MALFORMED = "MALFORMED"
    FORMAT_UNKNOWN = "FORMAT_UNKNOWN"


@dataclass(frozen=True, slots=True)
class NumberAndName:
    """A traveller as an agency knows her: a brand's code, a number there, and her name."""

    brand: str
    number: str
    surname: str = field(repr=False)  # personal data, for no log
    given_name: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Lookup:
    """What is told of a row; and, for the service that asked alone, whose the number is: None
    unless the status is `MATCH`."""

    status: RowStatus
    party: Party | None


async def verify(
    coalition: Coalition, caller: Caller, rows: Sequence[NumberAndName]
) -> list[RowStatus]:
    """The status of each of 1 to 100 rows, in their order. For agencies and the operator, and for a
    brand of its own numbers.

    Two statements. Raises `NotPermitted`, `InvalidInput`, `BrandNotFound`, `LookupsThrottled`.
    """
    if caller.kind is CallerKind.MEMBER:
        raise NotPermitted
    if not 1 <= len(rows) <= MAX_LIST:
        raise InvalidInput(path="rows", reason=f"There are 1 to {MAX_LIST} rows.")
    if caller.kind is CallerKind.BRAND:
        brands = _brands(coalition, rows, "rows")
        if any(brand.id != caller.brand_id for brand in brands):
            raise NotPermitted
    return [each.status for each in await guarded_lookup(coalition, caller, rows)]


async def guarded_lookup(
    coalition: Coalition, caller: Caller, rows: Sequence[NumberAndName], *, path: str = "rows"
) -> list[Lookup]:
    """What each row leads to, in the order of the rows. Whoever asks must let her client learn no
    more of it than the status.

    A row that no number and no name can be made of is `MALFORMED`; it is not looked up, and costs
    nothing. Where a brand's format is unknown, whatever does not match is `FORMAT_UNKNOWN`: were
    it told apart, it would say whether there is such a number. Two statements at most, one where
    nothing is new. Raises `BrandNotFound`, and `LookupsThrottled`: with a `path` if it is a number
    that is shut, for what others have tried as well, and without if the caller has to wait.
    """
    brands = _brands(coalition, rows, path)
    readings, questions = _asked(rows, brands, path)
    guard = coalition.guard
    asked = list(questions.values())
    if may_read_names(caller, brands):
        answers = await guard.ask_freely(asked, match_names)
    else:
        answers = await guard.ask(caller, asked, match_names)
    answered = dict(zip(questions, answers, strict=True))
    return [_told(reading, answered.get(place)) for place, reading in enumerate(readings)]


async def unguarded_lookup(
    coalition: Coalition, rows: Sequence[NumberAndName]
) -> list[Party | None]:
    """Whose each number is, if the name is hers, in the order of the rows and by the same reading:
    for a service that asks of what nobody can guess by.

    Nothing is counted, and nothing in the way. At a suspended brand all are nobody's. One
    statement; none where there is nothing to look up. Raises `BrandNotFound`.
    """
    _, questions = _asked(rows, _brands(coalition, rows, "rows"), "rows")
    asked = {place: each for place, each in questions.items() if not each.suspended}
    if not asked:
        return [None] * len(rows)
    answers = await coalition.guard.ask_freely(list(asked.values()), match_names)
    answered = dict(zip(asked, answers, strict=True))
    parties = (answered.get(place, _NO_ANSWER) for place in range(len(rows)))
    return [each.party if each.verdict is NameMatch.MATCH else None for each in parties]


def may_read_names(caller: Caller, brands: Sequence[Brand]) -> bool:
    """Whether the caller has no need to guess: a brand of its own members, and scope `pii`."""
    if caller.kind is CallerKind.BRAND:
        return all(brand.id == caller.brand_id for brand in brands)
    return caller.is_operator and "pii" in caller.scopes


def _brands(coalition: Coalition, rows: Sequence[NumberAndName], path: str) -> list[Brand]:
    snapshot = coalition.registry.snapshot
    return [
        snapshot.brand(row.brand, path=f"{path}.{place}.brand") for place, row in enumerate(rows)
    ]


def _asked(
    rows: Sequence[NumberAndName], brands: Sequence[Brand], path: str
) -> tuple[list[Reading], dict[int, Question]]:
    """How the numbers are read; and by place what there is to look up."""
    readings = [_read(row, brand) for row, brand in zip(rows, brands, strict=True)]
    return readings, {
        place: _question(row, brand, reading, f"{path}.{place}.number")
        for place, (row, brand, reading) in enumerate(zip(rows, brands, readings, strict=True))
        if reading.spellings
    }


def _read(row: NumberAndName, brand: Brand) -> Reading:
    """The number by its brand's format; malformed where there is no name to go with it."""
    names = (row.surname, row.given_name or "")
    if any(len(name) > MAX_NAME or not is_storable(name) for name in names):
        return _MALFORMED
    if not folded(row.surname) or not is_storable(row.number):
        return _MALFORMED
    return judge(row.number, brand.number_format)


_MALFORMED = Reading(NumberVerdict.MALFORMED, ())
_NO_ANSWER = Answer(NameMatch.NO_MATCH, None)


def _question(row: NumberAndName, brand: Brand, reading: Reading, path: str) -> Question:
    return Question(
        brand_id=brand.id,
        numbers=reading.spellings,
        written=row.number,
        surname=row.surname,
        given_name=row.given_name,
        path=path,
        suspended=brand.status is not BrandStatus.ACTIVE,
    )


def _told(reading: Reading, answer: Answer | None) -> Lookup:
    if answer is not None and answer.verdict is NameMatch.MATCH:
        return Lookup(RowStatus.MATCH, answer.party)
    if answer is not None and answer.verdict is NameMatch.REVIEW:
        return Lookup(RowStatus.REVIEW, None)
    if reading.verdict is NumberVerdict.FORMAT_UNKNOWN:
        return Lookup(RowStatus.FORMAT_UNKNOWN, None)
    return Lookup(RowStatus.MALFORMED if answer is None else RowStatus.NO_MATCH, None)
