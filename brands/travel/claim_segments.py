"""The segments of a member's bookings that have the journey that is claimed.

Where there is such a segment, it is what an approved claim credits: by what was booked, and not by
what the claim says of it.
"""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from brands.callers import Caller, CallerKind
from brands.coalition import Coalition
from brands.database import as_uuid
from brands.ids import book_of
from brands.itineraries import Facts, Flight, Stay
from brands.travel.bookings import Segment, SegmentStatus, whole_segments
from brands.travel.claims import CreditClaim

_CREDITABLE = (SegmentStatus.PENDING, SegmentStatus.INELIGIBLE, SegmentStatus.NOT_CREDITED)


async def segment_shown(coalition: Coalition, caller: Caller, claim: CreditClaim) -> Segment | None:
    """The segment that an approval would credit, or has credited, as the claim stands. For the
    program's brand and the operator: to others it would tell whose the number is."""
    if caller.kind not in (CallerKind.BRAND, CallerKind.OPERATOR):
        return None
    if not caller.acts_for_brand(claim.brand_id):
        return None
    if claim.transaction_id is not None:
        return await segment_credited(coalition, claim)
    return await segment_to_credit(coalition, claim) if claim.is_undecided else None


async def segment_to_credit(coalition: Coalition, claim: CreditClaim) -> Segment | None:
    """The segment, whole, that is credited if the claim is approved, if there is one."""
    for each in await _linked(coalition, claim.membership_id):
        if (
            each.status in _CREDITABLE
            and each.supplier_id == claim.supplier_id
            and _is_claimed(each.facts, claim.facts)
        ):
            return each
    return None


async def segment_credited(coalition: Coalition, claim: CreditClaim) -> Segment | None:
    """The segment, whole, that the claim has credited, if it has one."""
    for each in await _linked(coalition, claim.membership_id):
        if each.transaction_id is not None and each.transaction_id == claim.transaction_id:
            return each
    return None


def facts_to_credit(claim: CreditClaim, segment: Segment | None) -> Facts:
    """What is credited: the claim's journey, as the booking has it if there is one; who operates a
    flight is the claim's to say where only it does."""
    claimed = claim.facts
    booked = claimed if segment is None else segment.facts
    if isinstance(booked, Flight) and isinstance(claimed, Flight):
        operator = booked.operating_carrier or claimed.operating_carrier
        return replace(booked, operating_carrier=operator)
    return booked


def _is_claimed(booked: Facts, claimed: Facts) -> bool:
    """Whether what is booked is what is claimed, and not more nights or fewer. What is known by
    fewer names than the claim could be credited once more."""
    names, known = set(booked.identities), set(claimed.identities)
    return names == known if isinstance(booked, Stay) else names >= known


async def _linked(coalition: Coalition, membership: UUID | None) -> Sequence[Segment]:
    """The segments of bookings that are linked to a membership, the oldest first."""
    if membership is None:
        return []
    rows = await coalition.database.fetch(
        "SELECT DISTINCT segment_id FROM booking_links WHERE book = $1 AND membership_id = $2",
        *(book_of(membership), membership),
    )
    found = await whole_segments(coalition, sorted(as_uuid(row["segment_id"]) for row in rows))
    return [each for each in found if each.membership_id == membership]
