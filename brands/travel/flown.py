"""Each flight and stay is credited to a member once, whatever bookings or claims name it.

A credit spends a token for every name that the flight is known by, and for every night of a stay;
taking it back opens the next turn, whose tokens are others. So a journey that was voided and made
after all is credited again, once.

A flight is known by its carriers as they were written and, where a carrier is a brand's, by the
brand as well: all that the trade calls that brand is one. What one carrier sells and another's
operates has a number at each, and both must be known before it is credited.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from brands.clock import Micros, now
from brands.coalition import Coalition
from brands.database import as_uuid
from brands.ids import book_of
from brands.itineraries import Facts, Flight
from brands.ledger.commands import Record, RecordKind, Token
from brands.program_terms import Programs, supplier_of
from brands.travel.journey_days import midnight

FLOWN_RECORD = RecordKind(
    "flown",
    (
        *(("book", "smallint"), ("member_id", "uuid"), ("flight", "text"), ("turn", "bigint")),
        *(("undone", "smallint"), ("subject_id", "uuid"), ("recorded_at", "bigint")),
    ),
)

TOKEN = "flown:"
"""What the names of these tokens begin with."""


@dataclass(frozen=True, slots=True)
class Turns:
    """By the names of a journey: how often it was credited to a member, and how often undone."""

    member_id: UUID
    counts: dict[str, tuple[int, int]]

    @property
    def is_credited(self) -> bool:
        """Whether it is credited now, under any of its names."""
        return any(credited > undone for credited, undone in self.counts.values())

    def tokens(self) -> tuple[Token, ...]:
        """What a credit of it spends."""
        book = book_of(self.member_id)
        return tuple(
            Token(book, f"{TOKEN}{self.member_id}/{flight}/{undone}")
            for flight, (_, undone) in self.counts.items()
        )

    def credited(self, subject: UUID, at: Micros) -> tuple[Record, ...]:
        """The rows that a credit of it leaves; `subject` is what is credited."""
        return tuple(
            _record(self.member_id, flight, undone, 0, subject, at)
            for flight, (_, undone) in self.counts.items()
        )


@dataclass(frozen=True, slots=True)
class Credit:
    """What a segment or a claim has credited to a member, and is credited still: the names of the
    journey, each with its turn."""

    member_id: UUID
    turns: tuple[tuple[str, int], ...]

    def undone(self, subject: UUID, at: Micros) -> tuple[Record, ...]:
        """The rows that taking it back leaves; `subject` is what is taken back."""
        return tuple(_record(self.member_id, *turn, 1, subject, at) for turn in self.turns)


def _record(
    member_id: UUID, flight: str, turn: int, undone: int, subject: UUID, at: Micros
) -> Record:
    book = book_of(member_id)
    return Record(FLOWN_RECORD, (book, member_id, flight, turn, undone, subject, at))


async def turns_of(coalition: Coalition, journeys: Sequence[tuple[UUID, Facts]]) -> list[Turns]:
    """How often each journey was credited to its member, in order. One statement, at most."""
    if not journeys:
        return []
    programs = coalition.registry.snapshot.programs
    named = [(member, names_of(programs, facts)) for member, facts in journeys]
    rows = await coalition.database.fetch(
        "SELECT member_id, flight, undone, count(*) AS n FROM flown"
        " WHERE book = ANY($1::smallint[]) AND member_id = ANY($2::uuid[])"
        " AND flight = ANY($3::text[]) GROUP BY member_id, flight, undone",
        list({book_of(member) for member, _ in named}),
        list({member for member, _ in named}),
        list({flight for _, names in named for flight in names}),
    )
    counted = {(str(row["member_id"]), row["flight"], row["undone"]): row["n"] for row in rows}
    return [
        Turns(
            member,
            {
                flight: (
                    counted.get((str(member), flight, 0), 0),
                    counted.get((str(member), flight, 1), 0),
                )
                for flight in names
            },
        )
        for member, names in named
    ]


async def credits_by(coalition: Coalition, subjects: Sequence[UUID]) -> dict[UUID, Credit]:
    """What each subject has credited, of those that have. One statement, at most."""
    if not subjects:
        return {}
    rows = await coalition.database.fetch(
        "SELECT f.subject_id, f.member_id, f.flight, f.turn FROM flown f"
        " WHERE f.subject_id = ANY($1::uuid[]) AND f.undone = 0 AND NOT EXISTS ("
        "SELECT 1 FROM flown u WHERE u.book = f.book AND u.member_id = f.member_id"
        " AND u.flight = f.flight AND u.turn = f.turn AND u.undone = 1) ORDER BY f.flight",
        list(subjects),
    )
    found: dict[UUID, Credit] = {}
    for row in rows:
        subject = as_uuid(row["subject_id"])
        before = found.get(subject, Credit(as_uuid(row["member_id"]), ()))
        turn = (row["flight"], row["turn"])
        found[subject] = Credit(before.member_id, (*before.turns, turn))
    return found


def names_of(programs: Programs, facts: Facts) -> tuple[str, ...]:
    """The names by which a journey is credited once."""
    if not isinstance(facts, Flight):
        return facts.identities
    carriers = facts.designations
    if facts.operating_number is None and _is_of_one_brand(programs, facts):
        carriers = (*carriers, (facts.flown_by, facts.number))
    brands = ((_brand(programs, carrier, facts), n) for carrier, n in carriers)
    known = (
        *(facts.known_as(*each) for each in carriers),
        *(facts.known_as(str(brand), n) for brand, n in brands if brand is not None),
    )
    return tuple(dict.fromkeys(known))


def unknown_operator(programs: Programs, facts: Facts) -> str | None:
    """The carrier that operates a flight under a number of its own, where that is not known: then
    the flight cannot be told from the same one, booked under that number. Names of one brand
    number its flights alike."""
    if not isinstance(facts, Flight) or facts.operating_number is not None:
        return None
    return None if _is_of_one_brand(programs, facts) else facts.flown_by


def operated_by_another(programs: Programs, supplier: UUID, facts: Facts) -> str | None:
    """The carrier that operates a flight, where that is a brand of the coalition and not its
    supplier."""
    if not isinstance(facts, Flight):
        return None
    brand = _brand(programs, facts.flown_by, facts)
    return None if brand in (None, supplier) else facts.flown_by


def _is_of_one_brand(programs: Programs, flight: Flight) -> bool:
    """Whether who sells a flight and who operates it are the same."""
    if flight.flown_by == flight.carrier:
        return True
    seller = _brand(programs, flight.carrier, flight)
    return seller is not None and seller == _brand(programs, flight.flown_by, flight)


def _brand(programs: Programs, carrier: str, flight: Flight) -> UUID | None:
    """Whose carrier it was on the day, or, where it was nobody's then, is now."""
    return programs.named(carrier, midnight(flight)) or programs.named(carrier, now())


def supplier_then(programs: Programs, program: UUID, facts: Facts) -> UUID:
    """The brand that has supplied a journey, and so pays for its points: as `supplier_of` finds it,
    by whose carrier or chain it was on the day of travel."""
    at = midnight(facts)
    known = any(programs.named(each, at) is not None for each in facts.sellers)
    return supplier_of(programs, program, facts, at if known else now())
