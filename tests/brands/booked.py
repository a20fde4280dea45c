"""A booking's scene, for tests: two agencies, brands that fly and house, and Ada, who travels."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from brands.agencies import NewAgency, create_agency
from brands.callers import Caller, CallerKind
from brands.clock import now
from brands.coalition import Coalition
from brands.itineraries import Flight, Stay
from brands.ledger.commands import Shortfall
from brands.program_terms import ChartRow, ProgramTerms
from brands.registry import Brand
from brands.rejections import Rejection
from brands.travel.attaching import attach
from brands.travel.attachments import Attachment
from brands.travel.booking_parts import Done
from brands.travel.bookings import Booking, Passenger, Segment, SegmentStatus, all_bookings
from brands.travel.crediting import Confirmation, confirm
from brands.travel.pending import pending_points
from brands.travel.programs import publish_terms
from tests.brands.stage import OPERATOR, Person, acting_for, balance, enrol, key, open_brands

LAST_WEEK = now().date() - timedelta(days=7)

AERO_TERMS = ProgramTerms(
    carriers=("AE",),
    pending_shown=True,
    chart=(
        ChartRow(per_segment=0, booking_classes=("N",), reason="A ticket for staff."),
        ChartRow(per_segment=1_000, booking_classes=("J", "C")),
        ChartRow(per_segment=500, carrier="AE"),
        ChartRow(per_segment=250, carrier="GR"),
        ChartRow(per_night=100),
    ),
)
HOTEL_TERMS = ProgramTerms(carriers=("HOTEL",), chart=(ChartRow(per_night=300),))
GROCER_TERMS = ProgramTerms(carriers=("GR",))


@dataclass(frozen=True)
class Scene:
    """AERO flies as AE, GROCER as GR, HOTEL is a chain. Ada is a member of AERO and HOTEL."""

    brands: dict[str, Brand]
    ada: Person
    sky: Caller
    sea: Caller

    def brand(self, code: str) -> Caller:
        """A brand as a caller."""
        return acting_for(self.brands[code])


async def agency(coalition: Coalition, code: str) -> Caller:
    """An agency, as a caller."""
    made = await create_agency(coalition, OPERATOR, NewAgency(code, code.title()))
    return Caller(CallerKind.AGENCY, client=f"agency-{code}", agency_id=made.id)


async def scene(coalition: Coalition, clawback: Shortfall = Shortfall.REJECT) -> Scene:
    """The scene, set."""
    brands = await open_brands(coalition, clawback)
    for code, terms in (("AERO", AERO_TERMS), ("HOTEL", HOTEL_TERMS), ("GROCER", GROCER_TERMS)):
        await publish_terms(coalition, OPERATOR, code, terms, None)
    ada = await enrol(coalition, "AERO", "HOTEL", surname="Lovelace")
    sky, sea = await agency(coalition, "SKY"), await agency(coalition, "SEA")
    return Scene(brands, ada, sky, sea)


def flight(number: int | str = 117, **more: Any) -> Flight:
    """A flight of AERO's, a week ago."""
    said: dict[str, Any] = {"carrier": "AE", "origin": "LIS", "departs_on": LAST_WEEK} | more
    return Flight(number=str(number), **said)


def stay(nights: int = 2, **more: Any) -> Stay:
    """A stay that began a week ago."""
    said: dict[str, Any] = {"place": "LISBON 1", "check_in": LAST_WEEK} | more
    return Stay(check_out=said["check_in"] + timedelta(days=nights), **said)


def attachment(it: Scene, *facts: Flight | Stay, **more: Any) -> Attachment:
    """Ada's number at AERO for what is travelled, unless something else is said."""
    brand = more.pop("brand", "AERO")
    named = it.ada.named.get(brand)
    said: dict[str, Any] = {
        "record_locator": "AB12CD",
        "passenger": Passenger("LOVELACE", "BEA MS"),
        "number": named.number if named else "NOBODY1",
        "idempotency_key": key(),
    }
    said["flights"] = tuple(each for each in facts if isinstance(each, Flight))
    said["stays"] = tuple(each for each in facts if isinstance(each, Stay))
    return Attachment(brand=brand, **(said | more))


async def booked(
    coalition: Coalition, it: Scene, *facts: Flight | Stay, who: Caller | None = None, **more: Any
) -> Booking:
    """What is attached, whole."""
    made = await attach(coalition, who or it.sky, attachment(it, *(facts or (flight(),)), **more))
    return await whole(coalition, made.booking.id)


async def whole(coalition: Coalition, booking: UUID) -> Booking:
    """A booking as it stands, whole."""
    return (await all_bookings(coalition, [booking]))[booking]


async def statuses(coalition: Coalition, booking: Booking) -> list[SegmentStatus]:
    """What became of its segments."""
    return [each.status for each in (await whole(coalition, booking.id)).segments]


async def confirmed(
    coalition: Coalition, who: Caller, *segments: Segment, points: int | None = None
) -> Done:
    """The segments, confirmed."""
    asked = [Confirmation(each.id, points) for each in segments]
    return await confirm(coalition, who, asked, key())


def after(done: Done) -> list[Segment]:
    """The segments as they stand after what was done."""
    return [each.segment for each in done.results if each.segment is not None]


async def points(coalition: Coalition, it: Scene, brand: str = "AERO") -> int:
    """What Ada has at a brand."""
    return await balance(coalition, it.ada.at[brand])


async def pending(coalition: Coalition, it: Scene, brand: str = "AERO") -> int:
    """What is pending for Ada at a brand."""
    account = it.ada.at[brand]
    return (await pending_points(coalition, OPERATOR, [account]))[account]


def errors(done: Done) -> list[Any]:
    """Why each segment was refused, as if for the first time, or None."""
    found = [each.error for each in done.results]
    return [
        replace(each, replayed=False) if isinstance(each, Rejection) else each for each in found
    ]


TOMORROW: date = now().date() + timedelta(days=2)
