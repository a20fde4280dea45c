"""Loading a file of loyalty numbers and bookings as a travel agency: verified a hundred at a time,
and attached, with what became of each row.

The work is done as the agency itself would do it through the API, by the same services: it learns
no more, and what does not match counts against its budget. Every booking has an idempotency key
made of its row, so a file that is loaded again, after an interruption too, changes nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from enum import StrEnum
from hashlib import blake2b
from itertools import islice

import orjson

from brands.agencies import Agency
from brands.bounds import MAX_LIST
from brands.callers import Caller, CallerKind
from brands.clock import now
from brands.coalition import Coalition
from brands.errors import DomainError, LookupsThrottled
from brands.itineraries import Flight, Stay
from brands.registry import Brand, Snapshot
from brands.rejections import BookingChanged
from brands.travel.attaching import attach
from brands.travel.attachments import Attachment
from brands.travel.bookings import Passenger
from brands.verification import NumberAndName, RowStatus, verify
from gateway.files.bookings_file import Row
from gateway.trade.loyalty_elements import BadElement, LoyaltyElement, Segment

BATCH = MAX_LIST
"""Rows verified at a time."""

PATIENCE = 600
"""Seconds for which an import waits, at most and in all, until lookups are answered again."""

ATTEMPTS = 3
"""How often a row is attached while somebody else changes its booking."""


class Fate(StrEnum):
    """What became of a row beyond its verification."""

    ATTACHED = "attached"
    ALREADY_THERE = "already there"
    VERIFIED = "verified"
    """There was nothing to attach, or it was not asked for."""

    NOT_ATTACHED = "not attached"
    """The number is not the traveller's, as far as can be told."""

    REFUSED = "refused"
    BAD = "bad"


_GOOD = (Fate.ATTACHED, Fate.ALREADY_THERE, Fate.VERIFIED)
_WRONG = (RowStatus.NO_MATCH, RowStatus.MALFORMED)


class TooManyMisses(Exception):
    """Too many rows did not match: the agency's lookups are not answered for a while."""


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a row: what was understood of it, and what was said."""

    line: int
    understood: str
    status: RowStatus | None
    fate: Fate
    why: str = ""

    @property
    def is_good(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.fate in _GOOD


@dataclass(slots=True)
class _Known:
    """A row of which the brand is known, and what became of it so far."""

    line: int
    element: LoyaltyElement
    brand: Brand
    status: RowStatus | None = None
    report: Report | None = None

    @property
    def booking(self) -> tuple[str | None, str, str | None]:
        """What tells its booking from others."""
        return self.element.record_locator, self.element.surname, self.element.given_name

    @property
    def number_and_name(self) -> NumberAndName:
        """As it is verified."""
        element = self.element
        return NumberAndName(self.brand.code, element.number, element.surname, element.given_name)

    def told(self, fate: Fate, why: str = "") -> Report:
        """What is to be said of it."""
        return Report(self.line, understood(self.element), self.status, fate, why)

    def attachment(self) -> Attachment | None:
        """As it is attached; None if there is no booking. Raises `BadElement`."""
        element = self.element
        if element.record_locator is None or not (element.segments or element.stays):
            return None
        said = orjson.dumps([self.brand.code, asdict(element)], default=str)
        return Attachment(
            record_locator=element.record_locator,
            passenger=Passenger(element.surname, element.given_name),
            brand=self.brand.code,
            number=element.number,
            flights=tuple(map(_flight, element.segments)),
            stays=tuple(
                Stay(each.property, each.check_in, each.check_out, each.chain, each.rate_code)
                for each in element.stays
            ),
            idempotency_key=blake2b(said, digest_size=16).hexdigest(),
        )


def agency_caller(agency: Agency) -> Caller:
    """The caller as whom an agency's files are loaded: the agency, in a namespace of its own, so
    that no client's idempotency keys meet an import's."""
    return Caller(CallerKind.AGENCY, f"import/{agency.code}", agency_id=agency.id)


class Import:
    """One file on its way, as an agency. `sleep` waits for so many seconds."""

    def __init__(
        self,
        coalition: Coalition,
        agency: Agency,
        *,
        verify_only: bool,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._coalition = coalition
        self._caller = agency_caller(agency)
        self._verify_only = verify_only
        self._sleep = sleep
        self._waited = 0

    async def load(self, rows: Iterable[Row], told: Callable[[Report], None]) -> None:
        """Verifies and attaches all rows; `told` is told of each, in order.

        Raises `TooManyMisses`, `LedgerUnavailable`; what was attached by then stays attached.
        """
        waiting = iter(rows)
        while batch := list(islice(waiting, BATCH)):
            for report in await self._load(batch):
                told(report)

    async def _load(self, batch: Sequence[Row]) -> list[Report]:
        snapshot = self._coalition.registry.snapshot
        rows = [_read(snapshot, row) for row in batch]
        known = [row for row in rows if isinstance(row, _Known)]
        await self._verify(known)
        bookings: dict[tuple[str | None, str, str | None], list[_Known]] = {}
        for row in known:
            bookings.setdefault(row.booking, []).append(row)
        # One booking's rows one after the other; those of others beside them.
        await asyncio.gather(*map(self._settle, bookings.values()))
        made = [row.report if isinstance(row, _Known) else row for row in rows]
        return [report for report in made if report is not None]

    async def _verify(self, rows: Sequence[_Known]) -> None:
        """Fills in the status of each row. What is refused as a whole is asked in halves."""
        if not rows:
            return
        asked = [row.number_and_name for row in rows]
        try:
            found = await verify(self._coalition, self._caller, asked)
        except LookupsThrottled as throttled:
            refused = throttled
        else:
            for row, status in zip(rows, found, strict=True):
                row.status = status
                row.report = row.told(Fate.VERIFIED)
            return
        place = _place_of(refused)
        if place is not None:
            rows[place].report = rows[place].told(Fate.REFUSED, refused.message)
            parts = [[*rows[:place], *rows[place + 1 :]]]
        else:
            await self._wait(refused)
            half = (len(rows) + 1) // 2
            parts = [list(rows[:half]), list(rows[half:])]
        for part in parts:
            await self._verify(part)

    async def _settle(self, rows: Sequence[_Known]) -> None:
        for row in rows:
            if row.status is not None:
                await self._attach(row)

    async def _attach(self, row: _Known) -> None:
        """Fills in what became of a row that was verified."""
        if row.status in _WRONG:
            row.report = row.told(Fate.NOT_ATTACHED)
            return
        if self._verify_only:
            return
        try:
            given = row.attachment()
        except BadElement as bad:
            row.report = row.told(Fate.BAD, str(bad))
            return
        if given is None:
            row.report = row.told(Fate.VERIFIED, "no booking to attach it to")
            return
        try:
            replayed = await self._attached(given)
        except DomainError as error:
            row.report = row.told(Fate.REFUSED, error.message)
        else:
            row.report = row.told(Fate.ALREADY_THERE if replayed else Fate.ATTACHED)

    async def _attached(self, given: Attachment) -> bool:
        """Whether it was there already. Raises what refuses it."""
        attempt = 1
        while True:
            key = f"{given.idempotency_key}/{attempt}"
            try:
                made = await attach(
                    self._coalition, self._caller, replace(given, idempotency_key=key)
                )
            except LookupsThrottled as throttled:
                await self._wait(throttled)
            except BookingChanged:  # by somebody else, and that refusal is for good
                if attempt == ATTEMPTS:
                    raise
                attempt += 1
            else:
                return made.replayed

    async def _wait(self, throttled: LookupsThrottled) -> None:
        """Waits until lookups are answered again. Raises `TooManyMisses`."""
        self._waited += throttled.retry_after_seconds
        if self._waited > PATIENCE:
            raise TooManyMisses(throttled.message)
        await self._sleep(throttled.retry_after_seconds)


def brand_of(snapshot: Snapshot, element: LoyaltyElement) -> Brand | None:
    """The brand whose program an element names: by the program's code or name, or as the trade
    calls the carrier."""
    if element.program is not None:
        named = element.program.casefold()
        for brand in snapshot.brands:
            if named in (brand.code.casefold(), brand.name.casefold()):
                return brand
    if element.carrier is not None:
        found = snapshot.programs.named(element.carrier, now())
        if found is not None:
            return snapshot.brand_by_id(found)
        return next((each for each in snapshot.brands if each.code == element.carrier), None)
    return None


def _read(snapshot: Snapshot, row: Row) -> "Report | _Known":
    if isinstance(row.content, BadElement):
        return Report(row.line, "", None, Fate.BAD, str(row.content))
    brand = brand_of(snapshot, row.content)
    if brand is None:
        called = row.content.program or row.content.carrier
        why = f"no brand of the coalition is called {called}"
        return Report(row.line, understood(row.content), None, Fate.BAD, why)
    return _Known(row.line, row.content, brand)


def understood(element: LoyaltyElement) -> str:
    """What was read, on one line."""
    name = f"{element.surname}/{element.given_name}" if element.given_name else element.surname
    said = [element.program or element.carrier, element.number, name, element.record_locator]
    for flight in element.segments:
        said += [f"{flight.carrier}{flight.flight or ''}", _day(flight.departs), flight.origin]
    for stay in element.stays:
        said += [stay.property, f"{stay.check_in}..{stay.check_out}"]
    return " ".join(each for each in said if each)


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _flight(segment: Segment) -> Flight:
    """Raises `BadElement`."""
    number, origin, departs = segment.flight, segment.origin, segment.departs
    if number is None or origin is None or departs is None:
        what = "number" if number is None else "origin" if origin is None else "date"
        raise BadElement(f"the flight has no {what}")
    return Flight(
        carrier=segment.carrier,
        number=number,
        origin=origin,
        departs_on=departs,
        destination=segment.destination,
        operating_carrier=segment.operating_carrier,
        booking_class=segment.booking_class,
        fare_basis=segment.fare_basis,
    )


def _place_of(throttled: LookupsThrottled) -> int | None:
    """The row whose number is not answered for, if it is one row's."""
    path = (throttled.path or "").split(".")
    return int(path[1]) if len(path) == 3 and path[1].isdecimal() else None
