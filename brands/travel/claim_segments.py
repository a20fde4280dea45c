"""The segments of a member's bookings that have the journey that is claimed.

Where there is such a segment, it is what an approved claim credits: by what was booked, and not by
what the claim says of it. One that another brand is to supply is not credited by the claim, which
that brand does not decide on; but what was booked holds all the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from brands.callers import Caller, CallerKind
from brands.coalition import Coalition
from brands.database import as_uuid
from brands.itineraries import Facts, Flight, Stay
from brands.program_terms import Programs
from brands.travel.bookings import Segment, SegmentStatus, whole_segments
from brands.travel.claims import CreditClaim
from brands.travel.flown import names_of

_CREDITABLE = (SegmentStatus.PENDING, SegmentStatus.INELIGIBLE, SegmentStatus.NOT_CREDITED)


async def segments_shown(
    coalition: Coalition, caller: Caller, claims: Sequence[CreditClaim]
) -> dict[CreditClaim, Segment]:
    """The segments that approvals would credit, or have credited, as the claims stand. For the
    program's brand and the operator: to others it would tell whose the numbers are. Three
    statements, however many claims there are."""
    if caller.kind not in (CallerKind.BRAND, CallerKind.OPERATOR):
        return {}
    told = [each for each in claims if caller.acts_for_brand(each.brand_id)]
    linked = await _linked(coalition, told)
    programs = coalition.registry.snapshot.programs
    shown = {each: _shown(programs, each, linked.get(each.id, ())) for each in told}
    return {claim: segment for claim, segment in shown.items() if segment is not None}


async def booked_journey(coalition: Coalition, claim: CreditClaim) -> Segment | None:
    """The segment, whole, that has the journey and can be credited yet, if there is one: rather one
    that the claim's supplier is to supply."""
    linked = await _linked(coalition, [claim])
    return _booked(coalition.registry.snapshot.programs, claim, linked.get(claim.id, ()))


async def segment_credited(coalition: Coalition, claim: CreditClaim) -> Segment | None:
    """The segment, whole, that the claim has credited, if it has one."""
    return _credited(claim, (await _linked(coalition, [claim])).get(claim.id, ()))


def facts_to_credit(claim: CreditClaim, booked: Segment | None) -> Facts:
    """What is credited: the claim's journey, as the booking has it if there is one. Who operates a
    flight, and under which number, is the claim's to say where only it does; so is the chain."""
    said = claim.facts
    known = said if booked is None else booked.facts
    if isinstance(known, Stay) and isinstance(said, Stay):
        return replace(known, chain=known.chain or said.chain)
    if not (isinstance(known, Flight) and isinstance(said, Flight)):
        return known
    operator, number = known.operating_carrier, known.operating_number
    if operator in (None, said.operating_carrier):
        operator, number = said.operating_carrier, number or said.operating_number
    return replace(known, operating_carrier=operator, operating_number=number)


def claimed_as(claim: CreditClaim, credited: Facts) -> Facts:
    """The journey under the name that the claim gives it, operated as it is credited: it is not
    credited once more by that name."""
    said = claim.facts
    if not (isinstance(said, Flight) and isinstance(credited, Flight)):
        return credited
    return replace(
        said,
        operating_carrier=credited.operating_carrier,
        operating_number=credited.operating_number,
    )


def disputed_operator(programs: Programs, claim: CreditClaim, booked: Segment | None) -> str | None:
    """The carrier that operates a flight, as the booking has it, where the claim has the flight
    operated under another number."""
    said, known = claim.facts, None if booked is None else booked.facts
    if not (isinstance(known, Flight) and isinstance(said, Flight)):
        return None
    if None in (known.operating_number, said.operating_number):
        return None
    names = set(names_of(programs, known.as_operated))
    return known.flown_by if names.isdisjoint(names_of(programs, said.as_operated)) else None


def _shown(programs: Programs, claim: CreditClaim, linked: Iterable[Segment]) -> Segment | None:
    if claim.transaction_id is not None:
        return _credited(claim, linked)
    booked = _booked(programs, claim, linked) if claim.is_undecided else None
    return booked if booked is not None and booked.supplier_id == claim.supplier_id else None


def _credited(claim: CreditClaim, linked: Iterable[Segment]) -> Segment | None:
    known = (each for each in linked if each.transaction_id is not None)
    return next((each for each in known if each.transaction_id == claim.transaction_id), None)


def _booked(programs: Programs, claim: CreditClaim, linked: Iterable[Segment]) -> Segment | None:
    found = [
        each
        for each in linked
        if each.status in _CREDITABLE and _is_claimed(programs, each.facts, claim.facts)
    ]
    return min(found, key=lambda each: each.supplier_id != claim.supplier_id, default=None)


def _is_claimed(programs: Programs, booked: Facts, claimed: Facts) -> bool:
    """Whether what is booked is what is claimed: a flight under any of its names, and of a stay
    neither more nights nor fewer."""
    names, said = set(names_of(programs, booked)), set(names_of(programs, claimed))
    return names == said if isinstance(booked, Stay) else not names.isdisjoint(said)


async def _linked(
    coalition: Coalition, claims: Sequence[CreditClaim]
) -> Mapping[UUID, list[Segment]]:
    """By claim, the segments that are linked to its membership and count on its day, the oldest
    first."""
    linked = [each for each in claims if each.membership_id is not None]
    if not linked:
        return {}
    rows = await coalition.database.fetch(
        "SELECT t.segment_id FROM booking_steps t"
        " WHERE t.membership_id = ANY($1::uuid[]) AND t.travelled_on = ANY($2::text[])"
        " AND NOT EXISTS (SELECT 1 FROM booking_steps n"
        " WHERE n.book = t.book AND n.segment_id = t.segment_id AND n.step = t.step + 1)",
        list({each.membership_id for each in linked}),
        list({each.facts.travelled_on.isoformat() for each in linked}),
    )
    found = await whole_segments(coalition, sorted(as_uuid(row["segment_id"]) for row in rows))
    by_day: dict[tuple[UUID | None, object], list[Segment]] = {}
    for each in found:
        by_day.setdefault((each.membership_id, each.facts.travelled_on), []).append(each)
    return {
        each.id: by_day.get((each.membership_id, each.facts.travelled_on), []) for each in linked
    }
