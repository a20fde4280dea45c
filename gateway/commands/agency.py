"""`coalition agency`: loading an agency's files, and its report."""

import asyncio
import csv
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from brands.agencies import Agency, AgencyStatus, find_agency
from brands.coalition import Coalition
from brands.errors import AgencyNotFound
from brands.travel.agency_reports import report_of
from gateway import console
from gateway.commands.keys import KEEPER
from gateway.files.agency_import import Import, Report, TooManyMisses
from gateway.files.bookings_file import BatchRefused, Row, read_batch
from gateway.running import Failure, opened, run
from gateway.settings import read_settings

agency = typer.Typer(help="Travel agencies.", no_args_is_help=True, rich_markup_mode=None)

_COLUMNS = ("line", "row", "number", "result", "why")
_COUNTED = ("brand", "of", "became", "count")


@agency.callback()
def _group() -> None:
    """Travel agencies."""


@agency.command(name="import")
def import_file(
    file: Annotated[Path, typer.Argument(help="CSV, NDC, OpenTravel, or one remark a line.")],
    code: Annotated[str, typer.Option("--agency", help="The code of the agency.")],
    verify_only: Annotated[
        bool, typer.Option("--verify-only", help="Verify the numbers, and attach nothing.")
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
    docs/agencies.md tells the forms. Of every row it is said what became of it:
      attached        its booking has the number now
      already there   it was loaded before: a file can be loaded again, and nothing is done twice
      verified        there was no booking to attach the number to, or only verifying was asked for
      not attached    the number is not the traveller's, as far as can be told
      refused         the booking, or the agency's budget of lookups, did not allow it
      bad             the row cannot be read, or says too little

    The exit status is 1 if anything was not attached, refused or bad. Interrupted, start it again.
    """
    reports = run(_import(file, code, verify_only=verify_only, on=on and on.date(), as_csv=as_csv))
    if not all(each.is_good for each in reports):
        raise typer.Exit(1)


async def _import(
    file: Path, code: str, *, verify_only: bool, on: date | None, as_csv: bool
) -> Sequence[Report]:
    rows = await asyncio.to_thread(_read, file, on or date.today())  # noqa: DTZ011  # here
    reports: list[Report] = []
    async with opened(read_settings()) as coalition:
        work = Import(coalition, await _active(coalition, code), verify_only=verify_only)
        with console.progress(f"Loading {file.name}", len(rows), unit="rows") as advance:

            def told(report: Report) -> None:
                reports.append(report)
                advance(1)

            try:
                await work.load(rows, told)
            except TooManyMisses as stopped:
                _show(reports, as_csv=as_csv)
                left = f"{len(rows) - len(reports):,} rows were not looked up"
                raise Failure(f"{stopped} {left}; start again then.") from None
    _show(reports, as_csv=as_csv)
    counts = Counter(each.fate for each in reports)
    told_of = ", ".join(f"{n:,} {fate.value}" for fate, n in counts.items()) or "nothing in it"
    console.note(f"{len(reports):,} rows: {told_of}.")
    return reports


def _read(file: Path, on: date) -> list[Row]:
    try:
        return list(read_batch(file, on=on))
    except BatchRefused as refused:
        raise Failure(f"{file}: {refused}; nothing was loaded") from None


async def _active(coalition: Coalition, code: str) -> Agency:
    found = await find_agency(coalition, KEEPER, code)
    if found is None:
        raise AgencyNotFound(name=code)
    if found.status is not AgencyStatus.ACTIVE:
        raise Failure(f"the agency {code} is suspended")
    return found


def _show(reports: Sequence[Report], *, as_csv: bool) -> None:
    rows = [
        (str(each.line), each.understood, each.status or "", each.fate.value, each.why)
        for each in reports
    ]
    _print(_COLUMNS, rows, as_csv=as_csv)


def _print(columns: Sequence[str], rows: Sequence[Sequence[str]], *, as_csv: bool) -> None:
    if as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerows((columns, *rows))
    else:
        console.table(columns, rows)


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
    _print(_COUNTED, rows, as_csv=as_csv)


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
