"""Loading an agency's file: what becomes of each row."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from brands.agencies import find_agency
from brands.coalition import Coalition
from brands.naming.check_digits import CheckScheme
from brands.naming.numbers import NumberFormat
from brands.publishing import NewBrand, create_brand
from brands.valuations import rates_of
from brands.verification import RowStatus
from gateway.commands.keys import KEEPER
from gateway.files import agency_import
from gateway.files.agency_import import Import
from gateway.files.bookings_file import read_batch
from gateway.files.import_rows import Fate, Report
from tests.brands.booked import LAST_WEEK, confirmed, points, scene
from tests.brands.stage import OPERATOR
from tests.gateway.importing import HEADER, bookings, fates, load, opened, row

__all__ = ["opened"]


async def test_rows_are_verified_and_attached(opened: Coalition, tmp_path: Path) -> None:
    """What matches is attached; lines of one booking become one; the rest is told by line."""
    it = await scene(opened)
    text = HEADER + "".join(
        (
            row(it),
            row(it, flight=118),
            row(it, surname="BYRON"),
            row(it, "EF34GH", carrier="", program="hotel", number=it.ada.named["HOTEL"].number),
            row(it, carrier="ZZ"),
            row(it, date="tomorrow"),
            row(it, origin=""),
            row(it, locator=""),
        )
    )
    reports = await load(opened, tmp_path, text)
    assert [each.line for each in reports] == list(range(2, 10))
    assert [(each.status, each.fate, each.why) for each in reports] == [
        (RowStatus.MATCH, Fate.ATTACHED, ""),
        (RowStatus.MATCH, Fate.ATTACHED, ""),
        (RowStatus.NO_MATCH, Fate.NOT_ATTACHED, ""),
        (RowStatus.MATCH, Fate.ATTACHED, ""),
        (None, Fate.BAD, "no brand of the coalition is called ZZ"),
        (None, Fate.BAD, '"tomorrow" is not a date like 2026-12-31'),
        (None, Fate.BAD, "the flight has no origin"),
        (RowStatus.MATCH, Fate.VERIFIED, "no booking to attach it to"),
    ]
    number = it.ada.named["AERO"].number
    assert reports[0].understood == f"AE {number} LOVELACE/BEA MS AB12CD AE117 {LAST_WEEK} LIS"
    _, booking = await bookings(opened, it.sky)
    assert [each.facts.identity.split("/")[2] for each in booking.segments] == ["117", "118"]
    assert all(each.is_linked for each in booking.segments)


async def test_verifying_only(opened: Coalition, tmp_path: Path) -> None:
    """Nothing is attached where only verifying was asked for."""
    it = await scene(opened)
    text = HEADER + row(it) + row(it, surname="BYRON")
    reports = await load(opened, tmp_path, text, verify_only=True)
    assert fates(reports) == [Fate.VERIFIED, Fate.NOT_ATTACHED]
    assert await bookings(opened, it.sky) == ()


async def test_many_batches(opened: Coalition, tmp_path: Path) -> None:
    """A file of more than a hundred rows is told in its order."""
    it = await scene(opened)
    text = HEADER + "".join(row(it, f"LOC{n}", n) for n in range(1, 251))
    reports = await load(opened, tmp_path, text)
    assert [each.line for each in reports] == list(range(2, 252))
    assert set(fates(reports)) == {Fate.ATTACHED}


async def test_stays_and_remarks(opened: Coalition, tmp_path: Path) -> None:
    """A stay is attached like a flight; a remark names no booking, and is verified."""
    it = await scene(opened)
    number = it.ada.named["HOTEL"].number
    text = (
        "program,number,surname,record_locator,property,chain,check_in,check_out\n"
        f"HOTEL,{number},Lovelace,AB12CD,Lisbon 1,HOTEL,{LAST_WEEK},{LAST_WEEK.replace(day=28)}\n"
    )
    assert fates(await load(opened, tmp_path, text)) == [Fate.ATTACHED]
    remark = f"SSR FQTV AE HK1 AE{it.ada.named['AERO'].number}/GOLD-1LOVELACE/BEA MS\n"
    assert fates(await load(opened, tmp_path, remark)) == [Fate.VERIFIED]


async def test_a_codeshare_is_one_flight(opened: Coalition, tmp_path: Path) -> None:
    """With the operating carrier and its number, a flight is credited once under whatever name."""
    it = await scene(opened)
    sold = {"flight_carrier": "GR", "flight": "6135"}
    shared = row(it, **sold, operating_carrier="AE", operating_flight="AE0117")
    await load(opened, tmp_path, HEADER + shared + row(it, "EF34GH"))
    for booking in await bookings(opened, it.sky):
        await confirmed(opened, it.brand("AERO"), *booking.segments)
    assert await points(opened, it) == 500


async def test_one_bookings_names_spelt_differently(opened: Coalition, tmp_path: Path) -> None:
    """Rows of one booking wait for each other, however its passenger is spelt."""
    it = await scene(opened)
    names = ["LOVELACE", "Lovelace", "lovelace", "LoveLace", "loveLACE", "LOvelace"]
    text = HEADER + "".join(row(it, flight=n, surname=name) for n, name in enumerate(names, 1))
    assert fates(await load(opened, tmp_path, text)) == [Fate.ATTACHED] * len(names)


async def test_what_is_out_of_form_is_not_looked_up(
    opened: Coalition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that could not be attached is told before any budget is spent on it; where it is only
    to be verified, it is verified."""
    it = await scene(opened)
    text = HEADER + "".join(
        (
            row(it, flight="0"),
            row(it, date="2031-01-01"),
            row(it, locator="A"),
            row(it, **{"class": "Y1"}),
            row(it, date=""),
            row(it, operating_flight="117"),
        )
    )
    verified = fates(await load(opened, tmp_path, text, verify_only=True))
    assert verified == [Fate.BAD, Fate.VERIFIED, *[Fate.BAD] * 2, Fate.VERIFIED, Fate.BAD]

    async def verify(*_: Any) -> Any:
        raise AssertionError

    monkeypatch.setattr(agency_import, "verify", verify)
    reports = await load(opened, tmp_path, text)
    assert fates(reports) == [Fate.BAD] * 6
    assert all(each.why and each.status is None for each in reports)
    monkeypatch.undo()
    assert fates(await load(opened, tmp_path, HEADER + row(it, "AB-12"))) == [Fate.ATTACHED]


async def test_what_matches_nearly_or_cannot_be_told(opened: Coalition, tmp_path: Path) -> None:
    """A name that is nearly right is attached and linked to nobody, which is not good; a number of
    a form that is not known is attached only if it matches."""
    it = await scene(opened)
    text = HEADER + row(it, surname="LOVELACE LOPEZ")
    (report,) = await load(opened, tmp_path, text)
    said = (report.status, report.fate, report.why, report.is_good)
    assert said == (
        RowStatus.REVIEW,
        Fate.ATTACHED,
        "linked to nobody: put the name right",
        False,
    )
    (report,) = await load(opened, tmp_path, text, verify_only=True)
    assert (report.fate, report.why, report.is_good) == (Fate.VERIFIED, "put the name right", False)
    rates = rates_of(*map(Decimal, ("0.01", "0.01", "0.01", "0.01")))
    unknown = NumberFormat(check=CheckScheme.UNKNOWN)
    new = NewBrand("ODD", "Odd", "points", "UTC", rates, number_format=unknown)
    await create_brand(opened, OPERATOR, new)
    text = HEADER + row(it, carrier="", program="ODD", number="NOSUCH1")
    for verify_only in (True, False):
        (report,) = await load(opened, tmp_path, text, verify_only=verify_only)
        assert (report.status, report.fate) == (RowStatus.FORMAT_UNKNOWN, Fate.NOT_ATTACHED)
    assert not report.is_good


async def test_programs_by_what_the_trade_calls_them(opened: Coalition, tmp_path: Path) -> None:
    """A carrier's code may stand in the program's place, in small letters too."""
    it = await scene(opened)
    text = HEADER + row(it, carrier="", program="ae") + row(it, "X1", carrier="ZZ", program="AE")
    assert fates(await load(opened, tmp_path, text)) == [Fate.ATTACHED] * 2


async def test_remarks_are_read_by_the_form_of_their_numbers(
    opened: Coalition, tmp_path: Path
) -> None:
    """What stands in a remark for a number is read as one that its brand may have made; nothing is
    looked up for that."""
    it = await scene(opened)
    number = it.ada.named["AERO"].number
    assert number.startswith("AERO")
    for account in (f"AE{number}", number, f"AE {number}"):
        remark = f"SSR FQTV AE HK1 {account}-1LOVELACE/BEA MS\n"
        (report,) = await load(opened, tmp_path, remark)
        assert (report.status, report.understood) == (
            RowStatus.MATCH,
            f"AE {number} LOVELACE/BEA MS",
        )
    remark = f"SSR FQTV GR HK1 {number}-1LOVELACE/BEA MS\n"
    (report,) = await load(opened, tmp_path, remark)
    assert report.status is RowStatus.MATCH


async def test_what_was_left_out_is_not_attached(opened: Coalition, tmp_path: Path) -> None:
    """A number of which all that it was to be attached to is left out is not attached, which is not
    good; and a remark that the airline has cancelled is not looked up."""
    it = await scene(opened)
    number = it.ada.named["AERO"].number
    text = (
        f'<OTA_AirBookRQ><FlightSegment FlightNumber="OPEN"><MarketingAirline Code="AE"/>'
        "</FlightSegment><AirTraveler><PersonName><Surname>Lovelace</Surname></PersonName>"
        f'<CustLoyalty ProgramID="AERO" MembershipID="{number}"/></AirTraveler>'
        '<BookingReferenceID ID="AB12CD"/></OTA_AirBookRQ>'
    )
    (report,) = await load(opened, tmp_path, text)
    assert (report.status, report.fate) == (RowStatus.MATCH, Fate.NOT_ATTACHED)
    assert report.why.startswith("no flight or stay to attach it to; flight AEOPEN is left out")
    (report,) = await load(opened, tmp_path, text, verify_only=True)
    assert report.fate is Fate.VERIFIED
    remark = f"SSR FQTV AE HX1 AE{number}-1LOVELACE/BEA MS\n"
    (report,) = await load(opened, tmp_path, remark)
    said = report.status, report.fate, report.why, report.is_good
    why = "cancelled or refused by the airline (HX)"
    assert said == (None, Fate.NOT_ATTACHED, why, False)


async def test_a_remark_of_a_booking_is_attached(opened: Coalition, tmp_path: Path) -> None:
    """A remark with a flight is attached in a booking that has its passenger and its locator."""
    it = await scene(opened)
    day = f"{LAST_WEEK:%d%b}".upper()
    text = (
        "ABC123\n1.LOVELACE/BEA MS\n"
        f"SSR FQTV AE HK1 LISLHR 0117 Y{day} AE{it.ada.named['AERO'].number}/P1\n"
    )
    file = tmp_path / "pnr"
    file.write_text(text)
    found = await find_agency(opened, KEEPER, "SKY")
    assert found is not None
    reports: list[Report] = []
    rows = read_batch(file, on=LAST_WEEK, note=lambda _: None)
    await Import(opened, found).load(rows, reports.extend)
    assert fates(reports) == [Fate.ATTACHED]
    (booking,) = await bookings(opened, it.sky)
    assert [each.facts.begins_on for each in booking.segments] == [LAST_WEEK]
