"""Loading a file of loyalty numbers and bookings as a travel agency: verified a hundred at a time,
and attached, with what became of each row.

The work is done as the agency itself would do it through the API, by the same services: it learns
no more, and what does not match counts against its budget. Every booking has an idempotency key
made of its row, so a file that is loaded again, after an interruption too, changes nothing: not
even back what was changed since.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from itertools import islice

from brands.agencies import Agency
from brands.bounds import MAX_LIST
from brands.callers import Caller, CallerKind
from brands.coalition import Coalition
from brands.errors import DomainError, LedgerUnavailable, LookupsThrottled
from brands.rejections import BookingChanged
from brands.travel.attaching import Attached, attach
from brands.travel.attachments import Attachment
from brands.verification import RowStatus, verify
from gateway.files.bookings_file import Row
from gateway.files.import_rows import Fate, Known, Report, read_row
from gateway.files.numbers_seen import NumbersSeen

BATCH = MAX_LIST
"""Rows verified at a time."""

PATIENCE = 600
"""Seconds for which an import waits, at most and in all, until lookups are answered again."""

ATTEMPTS = 3
"""How often a row is attached while somebody else changes its booking."""

_WRONG = (RowStatus.NO_MATCH, RowStatus.MALFORMED, RowStatus.FORMAT_UNKNOWN)


class TooManyMisses(Exception):
    """Too many rows did not match: the agency's lookups are not answered for a while."""


def agency_caller(agency: Agency) -> Caller:
    """The caller as whom an agency's files are loaded: the agency, in a namespace of its own, so
    that no client's idempotency keys meet an import's."""
    return Caller(CallerKind.AGENCY, f"import/{agency.code}", agency_id=agency.id)


class Import:
    """One file on its way, as an agency. `again` attaches what was loaded before and has changed
    since; `sleep` waits for so many seconds."""

    def __init__(
        self,
        coalition: Coalition,
        agency: Agency,
        *,
        verify_only: bool = False,
        again: bool = False,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._coalition = coalition
        self._caller = agency_caller(agency)
        self._verify_only = verify_only
        self._again = again
        self._sleep = sleep
        self._waited = 0
        self._waits = 0
        self._waiting = asyncio.Lock()
        self._seen = NumbersSeen()

    async def load(self, rows: Iterable[Row], told: Callable[[Sequence[Report]], None]) -> None:
        """Verifies and attaches all rows; `told` is told of them in their order, up to a hundred
        at a time.

        Raises `TooManyMisses`, `LedgerUnavailable`; what was attached by then stays attached, and
        is told. What is not told may have been attached all the same: it is found the next time.
        """
        waiting = iter(rows)
        try:
            while batch := list(islice(waiting, BATCH)):
                await self._load(batch, told)
        finally:
            self._seen.close()

    async def _load(self, batch: Sequence[Row], told: Callable[[Sequence[Report]], None]) -> None:
        snapshot = self._coalition.registry.snapshot
        rows = [read_row(snapshot, row, verify_only=self._verify_only) for row in batch]
        try:
            known = [row for row in rows if isinstance(row, Known)]
            await self._verify(known)
            await self._settle(known)
        finally:
            made = [row.report if isinstance(row, Known) else row for row in rows]
            told([report for report in made if report is not None])

    async def _verify(self, rows: Sequence[Known]) -> None:
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
            return
        place = _place_of(refused)
        if place is not None:
            rows[place].told(Fate.REFUSED, refused.message)
            parts = [[*rows[:place], *rows[place + 1 :]]]
        else:
            await self._wait(refused, self._waits)
            half = (len(rows) + 1) // 2
            parts = [list(rows[:half]), list(rows[half:])]
        for part in parts:
            await self._verify(part)

    async def _settle(self, rows: Sequence[Known]) -> None:
        """Fills in what became of the rows: one booking's one after the other, those of others
        beside them. If one cannot go on, none does."""
        bookings: dict[str | None, list[Known]] = {}
        for row in rows:
            if row.status is not None:
                bookings.setdefault(row.element.record_locator, []).append(row)
        try:
            async with asyncio.TaskGroup() as group:
                for of_one in bookings.values():
                    group.create_task(self._settle_booking(of_one))
        except ExceptionGroup as several:
            raise several.exceptions[0] from None

    async def _settle_booking(self, rows: Sequence[Known]) -> None:
        for row in rows:
            if row.status in _WRONG:
                row.told(Fate.NOT_ATTACHED)
            elif self._verify_only:
                row.told(Fate.VERIFIED)
            elif row.attachment is None:
                what = "no booking" if row.element.record_locator is None else "no flight or stay"
                row.told(Fate.VERIFIED, f"{what} to attach it to")
            else:
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
            try:
                made = await self._answered(named)
            except BookingChanged:  # by somebody else, and that refusal is for good
                changes += 1
                if changes == ATTEMPTS:
                    raise
            else:
                if not made.replayed:
                    return Fate.ATTACHED
                if row.is_in(made.booking):
                    return Fate.ALREADY_THERE
                if not self._again:
                    return Fate.LOADED_BEFORE
            key += 1

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
            await self._sleep(throttled.retry_after_seconds)
            self._waits += 1


def _place_of(throttled: LookupsThrottled) -> int | None:
    """The row whose number is not answered for, if it is one row's."""
    path = (throttled.path or "").split(".")
    return int(path[1]) if len(path) == 3 and path[1].isdecimal() else None
