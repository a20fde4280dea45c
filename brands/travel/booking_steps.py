"""What happens to a segment of a booking: a row for each step, and a token that each step spends.

The token is of the state that is left. So of two that would leave one state at the same moment, one
does, and the other is told that the booking was changed.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import blake2b
from typing import Any
from uuid import UUID

from brands.callers import Caller
from brands.clock import Micros, to_micros
from brands.coalition import Coalition
from brands.database import as_uuid
from brands.ids import book_of, home_book
from brands.itineraries import facts_to_text
from brands.ledger.commands import (
    Claim,
    Command,
    Outcome,
    Record,
    RecordKind,
    Shortfall,
    Token,
)
from brands.rejections import AlreadyReversed, InsufficientPoints, Rejection, TokenSpent
from brands.travel.bookings import Segment, SegmentStatus
from brands.travel.flown import TOKEN as FLOWN_TOKEN
from brands.travel.rejections import BookingChanged, FlightAlreadyCredited, PointsSpent

BOOKING_RECORD = RecordKind(
    "bookings",
    (
        *(("book", "smallint"), ("id", "uuid"), ("agency_id", "uuid")),
        *(("record_locator", "text"), ("name", "text"), ("created_at", "bigint")),
    ),
)
PASSENGER_RECORD = RecordKind(
    "booking_passengers",
    (("book", "smallint"), ("booking_id", "uuid"), ("surname", "text"), ("given_name", "text")),
)
BRAND_RECORD = RecordKind(
    "booking_brands",
    (("book", "smallint"), ("booking_id", "uuid"), ("brand_id", "uuid"), ("created_at", "bigint")),
)
SEGMENT_RECORD = RecordKind(
    "booking_segments",
    (
        *(("book", "smallint"), ("id", "uuid"), ("booking_id", "uuid"), ("identity", "text")),
        ("created_at", "bigint"),
    ),
)
_STEP_RECORD = RecordKind(
    "booking_steps",
    (
        *(("book", "smallint"), ("segment_id", "uuid"), ("step", "bigint"), ("booking_id", "uuid")),
        *(("status", "text"), ("brand_id", "uuid"), ("number", "text"), ("membership_id", "uuid")),
        *(("supplier_id", "uuid"), ("facts", "text"), ("travelled_on", "text")),
        *(("points", "bigint"), ("reason", "text"), ("transaction_id", "uuid")),
        *(("client", "text"), ("recorded_at", "bigint")),
    ),
)
_LINK_RECORD = RecordKind(
    "booking_links",
    (
        *(("book", "smallint"), ("membership_id", "uuid"), ("home", "smallint")),
        *(("booking_id", "uuid"), ("segment_id", "uuid"), ("step", "bigint")),
        ("created_at", "bigint"),
    ),
)


MEETINGS = 12
"""How often a request may meet others in one booking before it is told so."""


def token_of(segment: Segment) -> Token:
    """What the next step of a segment spends."""
    return Token(book_of(segment.id), f"segment:{segment.id}/{segment.step}")


def step_records(
    segment: Segment, client: str, at: Micros, booked_at: datetime | None = None
) -> list[Record]:
    """The rows of a segment's last step; `booked_at` where it is linked to another membership than
    before, or to one for the first time."""
    values: tuple[Any, ...] = (
        *(book_of(segment.id), segment.id, segment.step, segment.booking_id),
        *(segment.status.value, segment.brand_id, segment.number, segment.membership_id),
        *(segment.supplier_id, facts_to_text(segment.facts)),
        *(segment.facts.travelled_on.isoformat(), segment.points, segment.reason),
        *(segment.transaction_id, client, at),
    )
    records = [Record(_STEP_RECORD, values)]
    member = segment.membership_id
    if booked_at is not None and member is not None:
        booking = (book_of(segment.booking_id), segment.booking_id)
        link = (segment.id, segment.step, to_micros(booked_at))
        records.append(Record(_LINK_RECORD, (book_of(member), member, *booking, *link)))
    return records


def stepped(segment: Segment, status: SegmentStatus, **more: Any) -> Segment:
    """A segment one step further."""
    return replace(segment, step=segment.step + 1, status=status, **more)


def part_of(claim: Claim, what: str, subject: UUID) -> Claim:
    """The claim of a part of what a client has asked for with one key: on a key of its own, made of
    the client's."""
    digest = blake2b(claim.key.encode(), digest_size=16).hexdigest()
    return claim._replace(key=f"{what}:{subject}:{digest}")


async def answered_before(coalition: Coalition, claims: Sequence[Claim]) -> set[str]:
    """The keys, of these claims of one client, that the books have answered to already: for those
    nothing need be looked up. One statement, at most."""
    if not claims:
        return set()
    homes = {home_book(f"{each.client}/{each.key}", coalition.books) for each in claims}
    rows = await coalition.database.fetch(
        "SELECT key FROM idempotency_keys"
        " WHERE book = ANY($1::smallint[]) AND client = $2 AND key = ANY($3::text[])",
        *(list(homes), claims[0].client, [each.key for each in claims]),
    )
    return {row["key"] for row in rows}


async def first_asked(coalition: Coalition, claim: Claim) -> Micros | None:
    """When the books first answered to a claim, if they have."""
    rows = await coalition.database.fetch(
        "SELECT recorded_at FROM idempotency_keys WHERE book = $1 AND client = $2 AND key = $3",
        *(home_book(f"{claim.client}/{claim.key}", coalition.books), claim.client, claim.key),
    )
    return rows[0]["recorded_at"] if rows else None


async def subject_of(coalition: Coalition, note: UUID) -> UUID:
    """What a note is about."""
    (row,) = await coalition.database.fetch(
        "SELECT subject FROM notes WHERE book = $1 AND id = $2", book_of(note), note
    )
    return as_uuid(row["subject"])


async def settled(
    coalition: Coalition,
    claim: Claim,
    what: str,
    subject: UUID,
    command: Callable[[Claim], Awaitable[Command]],
) -> Outcome:
    """What the books answer to a command that is made of a booking as it is.

    Where another request was first to change the booking, the command is made anew, and goes under
    a key of its own: a client that says two things of one booking at once need not say one again.
    Raises refusals in words of bookings; `BookingChanged` after a few meetings only.
    """
    part = claim
    for meeting in range(1, MEETINGS):
        outcome = await coalition.ledger.submit(await command(part))
        if not isinstance(outcome.rejection, TokenSpent):
            return accepted(outcome)
        part = part_of(claim, f"{what}-{meeting}", subject)
    return accepted(await coalition.ledger.submit(await command(part)))


def accepted(outcome: Outcome) -> Outcome:
    """What was accepted; a refusal is raised in words of bookings."""
    if isinstance(outcome.rejection, TokenSpent):
        raise said(outcome.rejection.token, outcome.replayed)
    return outcome.accepted()


def said(token: str, replayed: bool) -> Rejection:
    """What it means that a token is spent."""
    met = FlightAlreadyCredited if token.startswith(FLOWN_TOKEN) else BookingChanged
    return met(replayed=replayed)


def nothing_left(rejection: Rejection, clawback: Shortfall) -> bool:
    """Whether the points are gone already, in a way that is as good as taken back.

    That there are too few says so only of now: who was refused before, and is so again, may have
    been refused under another clawback, and there may be points since.
    """
    return isinstance(rejection, AlreadyReversed) or (
        clawback is Shortfall.UP_TO_BALANCE
        and isinstance(rejection, InsufficientPoints)
        and not rejection.replayed
    )


def points_spent(caller: Caller, brand_id: UUID, refused: InsufficientPoints) -> PointsSpent:
    """Why points of a brand's cannot be taken back. What a member has is told to nobody else."""
    if not caller.acts_for_brand(brand_id):
        return PointsSpent(replayed=refused.replayed)
    return PointsSpent(
        available=refused.available, required=refused.required, replayed=refused.replayed
    )
