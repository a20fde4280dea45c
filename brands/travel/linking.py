"""Finding whose a journey is, once a brand says that it was made.

When it was booked or claimed, its number may have been shut, or the program suspended, or its
traveller not a member yet, or called otherwise. So what is linked to nobody is looked up once more
where the program's own brand is to credit it, or an operator: without the guard, for they know
their members. Another supplier could guess by journeys of which it says that they were made.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from brands.callers import Caller
from brands.coalition import Coalition
from brands.parties import Party
from brands.travel.bookings import Booking, Passenger, Segment, SegmentStatus
from brands.travel.claims import CreditClaim
from brands.verification import NumberAndName, unguarded_lookup


@dataclass(frozen=True, slots=True)
class _Unlinked:
    """A journey that is linked to nobody, with a number and who has travelled."""

    id: UUID
    brand_id: UUID
    number: str
    traveller: Passenger


async def owners_of_segments(
    coalition: Coalition,
    caller: Caller,
    bookings: Mapping[UUID, Booking],
    segments: Sequence[Segment],
) -> dict[UUID, Party]:
    """By id, whose the segments of these bookings are that wait for their confirmation and are
    linked to nobody: those that are somebody's. One statement, none if there are no such."""
    waiting = [
        each
        for each in segments
        if each.status is SegmentStatus.PENDING
        and each.membership_id is None
        and caller.acts_for_brand(each.brand_id)
    ]
    named = [(each, bookings[each.booking_id].passenger) for each in waiting]
    return await _owners(
        coalition,
        [
            _Unlinked(each.id, each.brand_id, each.number, who)
            for each, who in named
            if who is not None  # erased
        ],
    )


async def owner_of_claim(coalition: Coalition, caller: Caller, claim: CreditClaim) -> Party | None:
    """Whose a claim is that is linked to nobody, if it is somebody's. One statement."""
    if claim.traveller is None or not caller.acts_for_brand(claim.brand_id):
        return None
    asked = _Unlinked(claim.id, claim.brand_id, claim.number, claim.traveller)
    return (await _owners(coalition, [asked])).get(claim.id)


async def _owners(coalition: Coalition, unlinked: Sequence[_Unlinked]) -> dict[UUID, Party]:
    snapshot = coalition.registry.snapshot
    rows = [
        NumberAndName(
            snapshot.brand_by_id(each.brand_id).code,
            each.number,
            each.traveller.surname,
            each.traveller.given_name,
        )
        for each in unlinked
    ]
    found = await unguarded_lookup(coalition, rows)
    named = zip(unlinked, found, strict=True)
    return {each.id: party for each, party in named if party is not None}
