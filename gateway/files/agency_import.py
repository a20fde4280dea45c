"""Loading a file of loyalty numbers and bookings as a travel agency: verified up to a hundred at a
time, and attached, with what became of each row.

The work is done as the agency itself would do it through the API, by the same services: it learns
no more, and what does not match counts against its budget. A request for more than what is left of
that is not answered at all, and shuts it; so an import begins with few rows, asks for more where
these match, and for fewer where they do not.

Every booking has an idempotency key made of what its row says, so a file that is loaded again,
after an interruption too, changes nothing: not even back what was changed since.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from itertools import islice, takewhile

from brands.agencies import Agency
from brands.bounds import MAX_LIST
from brands.callers import Caller, CallerKind
from brands.coalition import Coalition
from brands.errors import (
    DomainError,
    IdempotencyKeyReused,
    LedgerUnavailable,
    LookupsThrottled,
)
from brands.ids import home_book
from brands.travel.attaching import Attached, attach
from brands.travel.attachments import Attachment
from brands.travel.bookings import Booking, booking_of_name, name_of
from brands.travel.rejections import BookingChanged
from brands.verification import RowStatus, verify
from gateway.files.bookings_file import Row
from gateway.files.import_rows import Fate, Known, Report, read_row, refuse_suspended
from gateway.files.numbers_seen import NumbersSeen

BATCH = MAX_LIST
"""Rows verified at a time, at most."""

AT_FIRST = 10
"""Rows verified at first: half of what may be wrong before there are delays."""

GOOD_SHARE = 5
"""Of so many lookups one may be wrong, and an agency's budget does not shrink."""

PATIENCE = 600
"""Seconds for which an import waits, at most and in all, until lookups are answered again."""

ATTEMPTS = 3
"""How often a row is attached while somebody else changes its booking."""

_WRONG = (RowStatus.NO_MATCH, RowStatus.MALFORMED, RowStatus.FORMAT_UNKNOWN)
_MISSED = (RowStatus.NO_MATCH, RowStatus.REVIEW, RowStatus.FORMAT_UNKNOWN)
"""What counts against the budget."""

Told = Callable[[Sequence[Report]], None]
"""Told what became of rows."""


class TooManyMisses(Exception):
    """Too many rows did not match: the agency's lookups are not answered for a while."""


def agency_caller(agency: Agency) -> Caller:
    """The caller as whom an agency's files are loaded: the agency, in a namespace of its own, so
    that no client's idempotency keys meet an import's."""
    return Caller(CallerKind.AGENCY, f"import/{agency.code}", agency_id=agency.id)


class Import:
    """One file on its way, as an agency. `again` attaches what was loaded before and has changed
    since; `waits` is told before lookups have to be waited for, and `sleep` waits so many
    seconds."""

    def __init__(
        self,
        coalition: Coalition,
        agency: Agency,
        *,
        verify_only: bool = False,
        again: bool = False,
        waits: Callable[[LookupsThrottled], None] = lambda _: None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._coalition = coalition
        self._agency = agency
        self._caller = agency_caller(agency)
        self._verify_only = verify_only
        self._again = again
        self._told_to_wait = waits
        self._sleep = sleep
        self._at_once = AT_FIRST
        self._under_way = _UnderWay((), lambda _: None)
        self._waited = 0
        self._waits = 0
        self._waiting = asyncio.Lock()
        self._seen = NumbersSeen()

    async def load(self, rows: Iterable[Row], told: Told) -> None:
        """Verifies and attaches all rows; `told` is told of them in their order, some at a time,
        and before a wait of all that are settled. What it raises ends the import.

        Raises `TooManyMisses`, `LedgerUnavailable`; what was attached by then stays attached, and
        is told. What is not told may have been attached all the same: it is found the next time.
        """
        waiting = iter(rows)
        try:
            while batch := list(islice(waiting, BATCH)):
                await self._load(batch, told)
        finally:
            self._seen.close()

    async def _load(self, batch: Sequence[Row], told: Told) -> None:
        snapshot = await self._coalition.registry.refresh()  # a file takes long to load
        rows = [read_row(snapshot, row, verify_only=self._verify_only) for row in batch]
        self._under_way = _UnderWay(rows, told)
        waiting = [row for row in rows if isinstance(row, Known)]
        try:
            while waiting:
                part = waiting[: self._at_once]
                if await self._verify(part):
                    del waiting[: len(part)]
                    await self._settle([row for row in part if row.report is None])
                    self._under_way.tell()
        finally:
            self._under_way.tell_all()

    async def _verify(self, rows: Sequence[Known]) -> bool:
        """Fills in the status of each row. Whether it was answered; if not, it was waited for, and
        fewer are to be asked for."""
        snapshot = await self._coalition.registry.refresh()  # it may have been waited for
        asked = [row for row in rows if row.report is None and not refuse_suspended(snapshot, row)]
        if not asked:
            return True
        waits = self._waits
        try:
            named = [row.number_and_name for row in asked]
            found = await verify(self._coalition, self._caller, named)
        except LookupsThrottled as throttled:
            place = _place_of(throttled)
            if place is not None:
                asked[place].told(Fate.REFUSED, throttled.message)
            else:
                self._at_once = (len(asked) + 1) // 2
                await self._wait(throttled, waits)
            return False
        snapshot = self._coalition.registry.snapshot
        for row, status in zip(asked, found, strict=True):
            row.status = status
            if status in _WRONG:
                refuse_suspended(snapshot, row)
        missed = sum(status in _MISSED for status in found)
        is_good = missed * GOOD_SHARE <= len(asked)
        self._at_once = min(2 * self._at_once, BATCH) if is_good else (self._at_once + 1) // 2
        return True

    async def _settle(self, rows: Sequence[Known]) -> None:
        """Fills in what became of the rows: one booking's one after the other, those of others
        beside them. If one cannot go on, none does."""
        bookings: dict[str | None, list[Known]] = {}
        for row in rows:
            self._tell_what_is_not_attached(row)
            if row.report is None:
                bookings.setdefault(row.element.record_locator, []).append(row)
        try:
            async with asyncio.TaskGroup() as group:
                for of_one in bookings.values():
                    group.create_task(self._settle_booking(of_one))
        except ExceptionGroup as several:
            raise several.exceptions[0] from None

    def _tell_what_is_not_attached(self, row: Known) -> None:
        if row.status in _WRONG:
            row.told(Fate.NOT_ATTACHED)
        elif self._verify_only:
            row.told(Fate.VERIFIED)
        elif row.attachment is None:
            what = "no booking" if row.element.record_locator is None else "no flight or stay"
            fate = Fate.NOT_ATTACHED if row.has_lost else Fate.VERIFIED
            row.told(fate, f"{what} to attach it to")

    async def _settle_booking(self, rows: Sequence[Known]) -> None:
        for row in rows:
            assert row.attachment is not None, "the others are told"
            await self._attach(row, row.attachment)

    async def _attach(self, row: Known, asked: Attachment) -> None:
        given = replace(asked, number=row.number)
        other = self._seen.other(given)
        if other is not None:
            row.told(Fate.REFUSED, f"another number has its flight or stay: see line {other}")
            return
        try:
            fate = await self._attached(row, asked)
        except LedgerUnavailable:
            raise
        except DomainError as error:
            row.told(Fate.REFUSED, error.message)
            return
        self._seen.add(given, row.line)
        if fate is Fate.LOADED_BEFORE:
            row.told(fate, "the booking has changed since; --again attaches it again")
        else:
            row.told(fate)

    async def _attached(self, row: Known, given: Attachment) -> Fate:
        """Attaches it under the first of its keys that is free, as far as that is asked for. Raises
        what refuses it."""
        key, changes = 1, 0
        while True:
            named = replace(given, idempotency_key=f"{given.idempotency_key}/{key}")
            key += 1
            try:
                made = await self._answered(named)
            except BookingChanged:  # by somebody else, and that refusal is for good
                changes += 1
                if changes == ATTEMPTS:
                    raise
                continue
            except IdempotencyKeyReused:  # for the same, with its name or number written otherwise
                booking = await self._booking(given)
            else:
                if not made.replayed:
                    return Fate.ATTACHED
                booking = made.booking
            if booking is not None and row.is_in(booking):
                return Fate.ALREADY_THERE
            if not self._again:
                return Fate.LOADED_BEFORE

    async def _booking(self, given: Attachment) -> Booking | None:
        coalition = self._coalition
        name = name_of(coalition, self._agency.id, given.record_locator, given.passenger)
        return await booking_of_name(coalition, home_book(name, coalition.books), name)

    async def _answered(self, given: Attachment) -> Attached:
        """What is answered, however long that takes."""
        while True:
            waits = self._waits
            try:
                return await attach(self._coalition, self._caller, given)
            except LookupsThrottled as throttled:
                await self._wait(throttled, waits)

    async def _wait(self, throttled: LookupsThrottled, waits: int) -> None:
        """Waits until lookups are answered again, unless that was waited for since it was asked:
        `waits` is how often had been waited then. Raises `TooManyMisses`."""
        async with self._waiting:
            if waits != self._waits:
                return
            self._waited += throttled.retry_after_seconds
            if self._waited > PATIENCE:
                raise TooManyMisses(throttled.message)
            self._under_way.tell_all()
            self._told_to_wait(throttled)
            await self._sleep(throttled.retry_after_seconds)
            self._waits += 1


class _UnderWay:
    """Rows of which it is not told yet what became of them."""

    def __init__(self, rows: Iterable[Known | Report], told: Told) -> None:
        self._rows = list(rows)
        self._told = told

    def tell(self) -> None:
        """Tells of those that are settled, up to the first that is not."""
        settled = list(takewhile(_report_of, self._rows))
        self._tell(settled)

    def tell_all(self) -> None:
        """Tells of all that are settled."""
        self._tell([row for row in self._rows if _report_of(row)])

    def _tell(self, settled: Sequence[Known | Report]) -> None:
        reports = [report for row in settled if (report := _report_of(row))]
        gone = set(map(id, settled))
        self._rows = [row for row in self._rows if id(row) not in gone]
        if reports:
            self._told(reports)


def _report_of(row: Known | Report) -> Report | None:
    return row.report if isinstance(row, Known) else row


def _place_of(throttled: LookupsThrottled) -> int | None:
    """The row whose number is not answered for, if it is one row's."""
    path = (throttled.path or "").split(".")
    return int(path[1]) if len(path) == 3 and path[1].isdecimal() else None
