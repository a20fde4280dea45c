"""Each flight and stay is credited to a member once, whatever bookings or claims name it.

A credit spends a token for every name that the flight is known by, and for every night of a stay;
taking it back opens the next turn, whose tokens are others. So a journey that was voided and made
after all is credited again, once.

A flight is known by its carriers as they were written and, where a carrier is a brand's, by the
brand as well: all that the trade calls that brand is one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from uuid import UUID

from brands.clock import Micros, now
from brands.coalition import Coalition
from brands.ids import book_of
from brands.itineraries import Facts, Flight
from brands.ledger.commands import Record, RecordKind, Token
from brands.program_terms import Programs

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
            self._record(flight, undone, 0, subject, at)
            for flight, (_, undone) in self.counts.items()
        )

    def undone(self, subject: UUID, at: Micros) -> tuple[Record, ...]:
        """The rows that taking a credit back leaves."""
        return tuple(
            self._record(flight, undone, 1, subject, at)
            for flight, (credited, undone) in self.counts.items()
            if credited > undone
        )

    def _record(self, flight: str, turn: int, undone: int, subject: UUID, at: Micros) -> Record:
        book = book_of(self.member_id)
        return Record(FLOWN_RECORD, (book, self.member_id, flight, turn, undone, subject, at))


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
        list({book_of(member) for member, _ in journeys}),
        list({member for member, _ in journeys}),
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


def names_of(programs: Programs, facts: Facts) -> tuple[str, ...]:
    """The names by which a journey is credited once."""
    if not isinstance(facts, Flight):
        return facts.identities
    carriers = ((_brand(programs, carrier, facts), n) for carrier, n in facts.designations)
    known = (facts.known_as(str(brand), n) for brand, n in carriers if brand is not None)
    return tuple(dict.fromkeys((*facts.identities, *known)))


def _brand(programs: Programs, carrier: str, flight: Flight) -> UUID | None:
    """Whose carrier it was on the day, or, where it was nobody's then, is now."""
    day = datetime.combine(flight.departs_on, time(tzinfo=UTC))
    return programs.named(carrier, day) or programs.named(carrier, now())
