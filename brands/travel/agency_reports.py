"""What became of an agency's bookings and claims in a period: the basis of its commission.

Counted are flights and stays by the day on which they count, that of departure or of check-out, as
it is told at the airport or the property; each once, under what it is now and the brand whose
number it has now. Claims are counted by the day on which they were made, in the time zone of the
program's brand. There are no points in it: those are the members'.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from brands.agencies import Agency, agencies_by_id, find_agency
from brands.callers import Caller
from brands.clock import Micros, now, to_micros
from brands.coalition import Coalition
from brands.database import as_uuid
from brands.errors import AgencyNotFound, InvalidInput
from brands.itineraries import EARLIEST, FURTHEST
from brands.registry import Brand
from brands.travel.bookings import SegmentStatus
from brands.travel.claims import ClaimStatus

MAX_DAYS = 366


@dataclass(frozen=True, slots=True)
class ReportLine:
    """An agency's business with one brand: how many flights, stays and claims are of each status
    now."""

    brand_id: UUID
    flights: Mapping[SegmentStatus, int]
    stays: Mapping[SegmentStatus, int]
    claims: Mapping[ClaimStatus, int]


@dataclass(frozen=True, slots=True)
class AgencyReport:
    """The lines of a period, both days included, by brand in the order of their codes. Brands with
    which there was no business have none."""

    agency: Agency
    first_day: date
    last_day: date
    lines: tuple[ReportLine, ...]


async def report_of(
    coalition: Coalition, caller: Caller, code: str | None, first_day: date, last_day: date
) -> AgencyReport:
    """The report of the agency with this code; of that which asks, if none is given. For agencies
    of themselves, and for operators. Three statements.

    Raises `AgencyNotFound`, `InvalidInput`.
    """
    agency = await _agency(coalition, caller, code)
    if agency is None:
        raise AgencyNotFound(path="agency", name=(code or "")[:64])
    _require_period(first_day, last_day)
    travelled = await _travelled(coalition, agency.id, first_day, last_day)
    claimed = await _claimed(coalition, agency.id, first_day, last_day)
    lines = [
        ReportLine(
            brand.id,
            {each: travelled[brand.id, False, each] for each in SegmentStatus},
            {each: travelled[brand.id, True, each] for each in SegmentStatus},
            {each: claimed[brand.id, each] for each in ClaimStatus},
        )
        for brand in sorted(coalition.registry.snapshot.brands, key=lambda brand: brand.code)
    ]
    busy = (each for each in lines if _any(each.flights) or _any(each.stays) or _any(each.claims))
    return AgencyReport(agency, first_day, last_day, tuple(busy))


async def _agency(coalition: Coalition, caller: Caller, code: str | None) -> Agency | None:
    if code is not None:
        return await find_agency(coalition, caller, code)
    if caller.agency_id is None:
        return None
    return (await agencies_by_id(coalition, caller, [caller.agency_id])).get(caller.agency_id)


def _require_period(first_day: date, last_day: date) -> None:
    """Raises `InvalidInput`."""
    furthest = now().date() + FURTHEST
    for path, day in (("from", first_day), ("to", last_day)):
        if not EARLIEST <= day <= furthest:
            reason = f"Days of travel are from {EARLIEST} to {furthest}."
            raise InvalidInput(path=path, reason=reason)
    if not timedelta() <= last_day - first_day < timedelta(days=MAX_DAYS):
        raise InvalidInput(path="to", reason=f"A period has 1 to {MAX_DAYS} days.")


def _any(counts: Mapping[Any, int]) -> bool:
    return any(counts.values())


async def _travelled(
    coalition: Coalition, agency_id: UUID, first_day: date, last_day: date
) -> Counter[tuple[UUID, bool, SegmentStatus]]:
    """How many flights and stays there are, by brand, whether it is a stay, and status."""
    rows = await coalition.database.fetch(
        "SELECT brand_id, status, is_stay, count(*) AS n FROM booking_states"
        " WHERE agency_id = $1 AND travelled_on >= $2 AND travelled_on <= $3"
        " GROUP BY brand_id, status, is_stay",
        *(agency_id, first_day.isoformat(), last_day.isoformat()),
    )
    return Counter(
        {
            (as_uuid(row["brand_id"]), bool(row["is_stay"]), SegmentStatus(row["status"])): row["n"]
            for row in rows
        }
    )


async def _claimed(
    coalition: Coalition, agency_id: UUID, first_day: date, last_day: date
) -> Counter[tuple[UUID, ClaimStatus]]:
    """How many claims there are, by brand and status."""
    by_zone: dict[str, list[Brand]] = {}
    for brand in coalition.registry.snapshot.brands:
        by_zone.setdefault(brand.time_zone, []).append(brand)
    if not by_zone:
        return Counter()
    begins = [_begins(first_day, zone) for zone in by_zone]
    ends = [_begins(last_day + timedelta(days=1), zone) for zone in by_zone]
    values: list[Any] = [agency_id, min(begins), max(ends)]
    branches = []
    for brands, begin, end in zip(by_zone.values(), begins, ends, strict=True):
        places = [f"${len(values) + more}" for more in (1, 2, 3)]
        branches.append(
            f"(brand_id = ANY({places[0]}::uuid[])"
            f" AND created_at >= {places[1]} AND created_at < {places[2]})"
        )
        values += [[brand.id for brand in brands], begin, end]
    rows = await coalition.database.fetch(
        "SELECT brand_id, status, count(*) AS n FROM credit_claim_lists"
        " WHERE owner_id = $1 AND created_at >= $2 AND created_at < $3"
        f" AND ({' OR '.join(branches)}) GROUP BY brand_id, status",
        *values,
    )
    return Counter(
        {(as_uuid(row["brand_id"]), ClaimStatus(row["status"])): row["n"] for row in rows}
    )


def _begins(day: date, time_zone: str) -> Micros:
    """When a day begins in a time zone."""
    return to_micros(datetime.combine(day, time(), ZoneInfo(time_zone)).astimezone(UTC))
