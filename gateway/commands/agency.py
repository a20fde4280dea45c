"""`coalition agency`: loading an agency's files, printing its bookings, and its report."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

import typer

from brands.agencies import Agency, AgencyStatus, find_agency
from brands.bounds import MAX_LIST
from brands.coalition import Coalition
from brands.errors import AgencyNotFound, LookupsThrottled
from brands.naming.names import folded
from brands.travel.agency_reports import report_of
from brands.travel.booking_pages import BookingFilter, BookingWindow, bookings_of_agency
from brands.travel.bookings import Booking
from gateway import console
from gateway.commands.keys import KEEPER
from gateway.commands.told_rows import ToldRows, printable, progress, write_csv
from gateway.files.agency_import import Import, TooManyMisses
from gateway.files.bookings_csv import BatchRefused
from gateway.files.bookings_file import Row, read_batch
from gateway.files.import_rows import Report
from gateway.running import Failure, opened, run, told
from gateway.settings import read_settings
from gateway.signals import TERMINATED, Terminated, terminable
from gateway.trade.booking_forms import Form, elements_of_booking, printed
from gateway.trade.loyalty_elements import BadElement, LoyaltyElement

agency = typer.Typer(help="Travel agencies.", no_args_is_help=True, rich_markup_mode=None)

OUTPUT_CLOSED = 141
"""The exit status of what nobody reads any more, as shells have it."""

_COUNTED = ("brand", "of", "became", "count")


@agency.callback()
def _group() -> None:
    """Travel agencies."""


@agency.command(name="import")
def import_file(
    file: Annotated[
        Path,
        typer.Argument(help="CSV, NDC, OpenTravel, or one remark a line; - is standard input."),
    ],
    code: Annotated[str, typer.Option("--agency", help="The code of the agency.")],
    verify_only: Annotated[
        bool, typer.Option("--verify-only", help="Verify the numbers, and attach nothing.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Attach again what was loaded before and has changed.")
    ] = False,
    on: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            metavar="YYYY-MM-DD",
            help="The day from which on the flights of remarks are, which name no year; today.",
        ),
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Report as CSV.")] = False,
) -> None:
    """Verify the loyalty numbers of a file, and attach them to its bookings, as an agency would.

    \b
    docs/agency-files.md tells the forms. Of every row it is said what became of it:
      attached        its booking has the number now
      already there   it was loaded before: a file can be loaded again, and nothing is done twice
      loaded before   it was, but the booking has changed since; nothing is done without --again
      verified        there was no booking to attach the number to, or only verifying was asked for
      not attached    the number is not the traveller's, as far as can be told; or what it was to
                      be attached to was left out, or the airline has cancelled the remark
      refused         the booking, or the agency's budget of lookups, did not allow it, or the
                      brand is suspended
      bad             the row cannot be read, or says too little

    The exit status is 1 if anything was none of the first two and not verified, or if a name is
    only nearly the member's (REVIEW). Interrupted (130) or terminated (143), start it again.
    """
    rows = read_batch(file, on=on.date() if on else date.today(), note=_note)  # noqa: DTZ011 - ours
    told = ToldRows(as_csv=as_csv)
    status = run(_import(rows, file, code, told, verify_only=verify_only, again=again))
    if status or not told.is_good:
        raise typer.Exit(status or 1)


async def _import(
    rows: Iterator[Row], file: Path, code: str, told: ToldRows, *, verify_only: bool, again: bool
) -> int:
    """Loads the rows. Returns the exit status, if the way in which it ended makes one."""
    try:
        first = next(rows, None)
    except BatchRefused as refused:
        raise Failure(printable(f"{file}: {refused}; nothing was loaded")) from None
    if first is None:
        raise Failure(f"{file}: there is no loyalty number in it; nothing was loaded")
    ended = 0
    async with opened(read_settings()) as coalition:
        agency = await _active(coalition, code)
        work = Import(coalition, agency, verify_only=verify_only, again=again, waits=_tell_of_wait)
        with progress(f"Loading {file.name}") as advance:

            def settled(reports: Sequence[Report]) -> None:
                told.rows(reports)
                advance(len(reports))

            try:
                async with terminable():
                    await work.load(chain((first,), rows), settled)
            except TooManyMisses as stopped:
                why = f"{stopped} Start again then; what was loaded is found again."
                raise Failure(why) from None
            except BatchRefused as refused:
                raise Failure(printable(f"{file}: {refused}")) from None
            except console.OutputLost as lost:
                if lost.is_closed:
                    return OUTPUT_CLOSED
                raise Failure(str(lost)) from None
            except Terminated:
                ended = TERMINATED
            finally:
                console.note(told.summary())
    if ended:
        console.fail("terminated")
    return ended


def _tell_of_wait(throttled: LookupsThrottled) -> None:
    console.note(
        f"waiting {throttled.retry_after_seconds} s, until {throttled.retry_at:%H:%M:%S} UTC:"
        " too many lookups of the agency did not match"
    )


async def _active(coalition: Coalition, code: str) -> Agency:
    found = await _agency(coalition, code)
    if found.status is not AgencyStatus.ACTIVE:
        raise Failure(f"the agency {code} is suspended")
    return found


async def _agency(coalition: Coalition, code: str) -> Agency:
    found = await find_agency(coalition, KEEPER, code)
    if found is None:
        raise AgencyNotFound(name=code)
    return found


def _note(text: str) -> None:
    console.note(printable(text))


@agency.command(name="print")
def print_booking(
    locator: Annotated[str, typer.Argument(help="The record locator of the booking.")],
    code: Annotated[str, typer.Option("--agency", help="The code of the agency.")],
    form: Annotated[Form, typer.Option("--as", help="In which form.")],
    surname: Annotated[str | None, typer.Option(help="Of this passenger only.")] = None,
    brand: Annotated[str | None, typer.Option(help="The number at this brand only.")] = None,
    stays: Annotated[bool, typer.Option("--stays", help="The stays, and no flights.")] = False,
) -> None:
    """Print the loyalty numbers of a booking in a form of the trade, for the agency's own system.

    A remark for each number and airline, or one message; where a booking has several numbers, say
    of which. What a form has no place for is said on standard error.
    """
    if stays and form is Form.REMARK:
        console.fail(f"nothing of {locator} can be said as remark: it has no place for a stay")
        raise typer.Exit(1)
    elements = [
        replace(element, segments=()) if stays else element
        for element in run(_booked(locator, code))
        if surname is None or folded(element.surname) == folded(surname)
        if brand is None or element.program == brand
        if element.stays or not stays
    ]
    try:
        _print_elements(elements, locator, form)
    except Failure as failure:
        console.fail(told(failure))
        raise typer.Exit(1) from None


async def _booked(locator: str, code: str) -> Sequence[LoyaltyElement]:
    """What an agency has booked under a record locator."""
    async with opened(read_settings()) as coalition:
        agency = await _agency(coalition, code)
        window, only = BookingWindow(MAX_LIST), BookingFilter(locator)
        found = await bookings_of_agency(coalition, KEEPER, agency.id, window, only)
        return [each for booking in found.bookings for each in _elements(coalition, booking)]


def _print_elements(elements: Sequence[LoyaltyElement], locator: str, form: Form) -> None:
    if not elements:
        raise Failure(f"there is no such number under {locator}")
    if form is not Form.REMARK and len(elements) > 1:
        who = ", ".join(f"{each.surname} at {each.program}" for each in elements)
        raise Failure(f"a message is of one number: say --surname and --brand of {who}")
    texts = [printed(element, form) for element in elements]
    for element, each in zip(elements, texts, strict=True):
        typer.echo(each.text, nl=False)
        for unsaid in each.unsaid:
            _note(f"{element.surname} at {element.program}, not said: {unsaid}")
    if not any(each.text for each in texts):
        raise Failure(f"nothing of {locator} can be said as {form.value}")


def _elements(coalition: Coalition, booking: Booking) -> Sequence[LoyaltyElement]:
    try:
        return list(elements_of_booking(coalition.registry.snapshot, booking))
    except BadElement as bad:
        _note(f"a booking is left out: {bad}")
        return ()


@agency.command(name="report")
def report(
    code: Annotated[str, typer.Option("--agency", help="The code of the agency.")],
    first_day: Annotated[
        datetime,
        typer.Option("--from", formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help="The first day."),
    ],
    last_day: Annotated[
        datetime,
        typer.Option("--to", formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help="The last day."),
    ],
    as_csv: Annotated[bool, typer.Option("--csv", help="As CSV.")] = False,
) -> None:
    """Say what became of an agency's bookings and claims in a period, by brand.

    Flights and stays are counted by the day of departure or check-out, claims by the day on which
    they were made; each once, as it stands now.
    """
    counts = run(_report(code, first_day.date(), last_day.date()))
    rows = [(*named, str(n)) for *named, n in counts if n or as_csv]
    if as_csv:
        write_csv((_COUNTED, *rows))
    else:
        console.table(_COUNTED, rows)


async def _report(
    code: str, first_day: date, last_day: date
) -> Sequence[tuple[str, str, str, int]]:
    async with opened(read_settings()) as coalition:
        found = await report_of(coalition, KEEPER, code, first_day, last_day)
        codes = {brand.id: brand.code for brand in coalition.registry.snapshot.brands}
    return [
        (codes[line.brand_id], what, became, n)
        for line in found.lines
        for what, counts in (
            ("flights", line.flights),
            ("stays", line.stays),
            ("claims", line.claims),
        )
        for became, n in _counts(counts)
    ]


def _counts(counts: Mapping[Any, int]) -> Iterator[tuple[str, int]]:
    """How many there are in all, and of each status."""
    yield "all", sum(counts.values())
    for status, n in counts.items():
        yield status.value.lower().replace("_", " "), n
