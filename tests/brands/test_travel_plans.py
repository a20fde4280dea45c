"""How lists and sums over travel are found: by an index, however much there is beside them.

The plans are SQLite's, which are the same for a hundred rows as for a million: it takes no
statistics by itself. PostgreSQL does, and is measured by `tests.benchmarks.travel`.
"""

import re
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from brands.coalition import Coalition
from brands.tables.migrations.m0014_travel_indexes import FILL
from brands.travel.agency_reports import report_of
from brands.travel.booking_pages import (
    BookingPage,
    BookingWindow,
    bookings_of_agency,
    bookings_of_brand,
    bookings_of_membership,
)
from brands.travel.bookings import bookings_by_id
from brands.travel.claim_lists import ClaimsOf, duplicates_of, page_of_claims
from brands.travel.claim_segments import segments_shown
from brands.travel.claims import ClaimStatus, CreditClaim
from brands.travel.pending import pending_points
from brands.travel.pursuing import appeal, withdraw
from brands.travel.taking_back import void
from tests.brands.booked import LAST_WEEK, Scene, booked, confirmed, flight, scene, stay
from tests.brands.claimed import approve, claimed, reject
from tests.brands.stage import key
from tests.brands.watched import Sent, watched

Question = Callable[[Coalition, Scene], Awaitable[object]]

_SOURCES = re.compile(r"(?:CO-ROUTINE|MATERIALIZE) (\S+)")
_SCANNED = re.compile(r"SCAN (\S+)")
_UNREAD = {"json_each", "CONSTANT"}
"""What is scanned and is no table: the values given, and a row of none."""


async def whole_reads(coalition: Coalition, sent: list[Sent]) -> list[str]:
    """The steps of plans that read all of a table, or of a book."""
    found: list[str] = []
    for statement in sent:
        plan = await statement.plan(coalition.database)
        named = {name for line in plan for name in _SOURCES.findall(line)} | _UNREAD
        for line in plan:
            scanned = _SCANNED.match(line)
            if line.endswith("(book=?)") or (
                scanned and scanned[1] not in named and not scanned[1].startswith("(")
            ):
                found.append(f"{line} in {statement.sql}")
    return found


def _listed(whose: str, status: ClaimStatus | None) -> Question:
    async def ask(coalition: Coalition, it: Scene) -> object:
        of, who = {
            "agency": (ClaimsOf(agency_id=it.sky.agency_id), it.sky),
            "brand": (ClaimsOf(brand_id=it.brands["AERO"].id), it.brand("AERO")),
            "member": (ClaimsOf(membership_id=it.ada.at["AERO"]), it.ada.caller),
        }[whose]
        (first,) = await page_of_claims(coalition, who, of, 1, status=status)
        return await page_of_claims(coalition, who, of, 1, after=first.id, status=status)

    return ask


async def _bookings_of_agency(coalition: Coalition, it: Scene) -> BookingPage:
    assert it.sky.agency_id is not None
    return await bookings_of_agency(coalition, it.sky, it.sky.agency_id, BookingWindow(10))


async def _booking(coalition: Coalition, it: Scene) -> object:
    page = await _bookings_of_agency(coalition, it)
    return await bookings_by_id(coalition, it.sky, [each.id for each in page.bookings])


async def _duplicates(coalition: Coalition, it: Scene) -> object:
    brand = it.brand("AERO")
    page = await page_of_claims(coalition, brand, ClaimsOf(brand_id=brand.brand_id), 10)
    return await duplicates_of(coalition, brand, [each.id for each in page])


async def _segments(coalition: Coalition, it: Scene) -> object:
    brand = it.brand("AERO")
    page = await page_of_claims(coalition, brand, ClaimsOf(brand_id=brand.brand_id), 10)
    return await segments_shown(coalition, brand, page)


async def _claimed(coalition: Coalition, it: Scene) -> object:
    return await claimed(coalition, it, flight(9), it.ada.caller)


async def _attached(coalition: Coalition, it: Scene) -> object:
    return await booked(coalition, it, flight(9), record_locator="LATER")


async def _confirmed(coalition: Coalition, it: Scene) -> object:
    booking = await booked(coalition, it, flight(9), record_locator="LATER")
    return await confirmed(coalition, it.brand("AERO"), *booking.segments)


async def _taken_back(coalition: Coalition, it: Scene) -> object:
    made = await claimed(coalition, it, flight(9))
    await approve(coalition, it.brand("AERO"), made)
    return await void(coalition, it.brand("AERO"), made.id, "A mistake.", key())


async def _report(coalition: Coalition, it: Scene) -> object:
    return await report_of(coalition, it.sky, None, LAST_WEEK, LAST_WEEK)


async def _bookings_of_brand(coalition: Coalition, it: Scene) -> object:
    aero = it.brands["AERO"].id
    return await bookings_of_brand(coalition, it.brand("AERO"), aero, BookingWindow(10))


async def _bookings_of_member(coalition: Coalition, it: Scene) -> object:
    account = it.ada.at["AERO"]
    return await bookings_of_membership(coalition, it.ada.caller, account, BookingWindow(10))


async def _pending(coalition: Coalition, it: Scene) -> object:
    return await pending_points(coalition, it.ada.caller, [it.ada.at["AERO"]])


QUESTIONS: dict[str, Question] = {
    "a report": _report,
    "claims of an agency": _listed("agency", None),
    "claims of an agency by status": _listed("agency", ClaimStatus.REJECTED),
    "claims of a brand": _listed("brand", None),
    "claims of a brand by status": _listed("brand", ClaimStatus.REJECTED),
    "claims of a member": _listed("member", None),
    "duplicates": _duplicates,
    "segments of claims": _segments,
    "a claim": _claimed,
    "bookings of an agency": _bookings_of_agency,
    "bookings of a brand": _bookings_of_brand,
    "bookings of a member": _bookings_of_member,
    "bookings by id": _booking,
    "pending points": _pending,
    "an attachment": _attached,
    "a confirmation": _confirmed,
    "a claim that is approved and taken back": _taken_back,
}


async def busy(coalition: Coalition) -> Scene:
    """A scene in which there is something of everything."""
    it = await scene(coalition)
    booking = await booked(coalition, it, flight(1), flight(2), stay(2))
    await confirmed(coalition, it.brand("AERO"), booking.segments[0])
    aero = it.brand("AERO")
    made = [await claimed(coalition, it, flight(number)) for number in range(11, 19)]
    for each in made[:2]:
        await approve(coalition, aero, each)
    await void(coalition, aero, made[0].id, "A mistake.", key())
    for each in made[2:5]:
        await reject(coalition, aero, each)
    await appeal(coalition, it.sky, made[4].id, "She did fly.", key())
    await withdraw(coalition, it.sky, made[5].id, key())
    await claimed(coalition, it, flight(18), it.sea)
    await claimed(coalition, it, flight(19, operating_carrier="GR"), it.ada.caller)
    return it


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("asked", QUESTIONS.values(), ids=QUESTIONS.keys())
async def test_nothing_reads_a_whole_book(coalition: Coalition, asked: Question) -> None:
    """Whatever is asked, rows are found by an index that tells more than their book."""
    it = await busy(coalition)
    with watched() as sent:
        await asked(coalition, it)
    assert sent
    assert await whole_reads(coalition, sent) == []


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("asked", "step"),
    [
        (
            "a report",
            (
                "SEARCH booking_states USING COVERING INDEX booking_states_travelled"
                " (agency_id=? AND travelled_on>? AND travelled_on<?)"
            ),
        ),
        (
            "a report",
            (
                "SEARCH credit_claim_lists USING COVERING INDEX credit_claim_lists_made"
                " (owner_id=? AND created_at>? AND created_at<?)"
            ),
        ),
        (
            "claims of a brand",
            (
                "SEARCH credit_claim_lists USING COVERING INDEX credit_claim_lists_all"
                " (owner_id=? AND claim_id<?)"
            ),
        ),
        (
            "claims of a brand by status",
            (
                "SEARCH credit_claim_lists USING COVERING INDEX credit_claim_lists_status"
                " (owner_id=? AND status=? AND claim_id<?)"
            ),
        ),
        (
            "duplicates",
            (
                "SEARCH o USING INDEX credit_claims_journey"
                " (brand_id=? AND number=? AND travelled_on>?)"
            ),
        ),
        (
            "duplicates",
            (
                "SEARCH o USING INDEX credit_claims_member_journey"
                " (membership_id=? AND travelled_on>?)"
            ),
        ),
        (
            "segments of claims",
            "SEARCH t USING INDEX booking_steps_linked (membership_id=? AND travelled_on=?)",
        ),
        (
            "a claim",
            (
                "SEARCH credit_claims USING INDEX credit_claims_journey"
                " (brand_id=? AND number=? AND travelled_on>?)"
            ),
        ),
    ],
)
async def test_what_is_asked_for_is_all_that_is_read(
    coalition: Coalition, asked: str, step: str
) -> None:
    """A report reads its agency's days, a page of claims its place in its list, and what is like a
    journey the days of that; the index has the order, so that nothing is sorted to find a page."""
    it = await busy(coalition)
    with watched() as sent:
        await QUESTIONS[asked](coalition, it)
    plans = [await statement.plan(coalition.database) for statement in sent]
    (found,) = [plan for plan in plans if step in plan]
    assert "USE TEMP B-TREE FOR ORDER BY" not in found


async def test_duplicates_of_many_take_no_more_statements(coalition: Coalition) -> None:
    """Duplicates are found in three statements, of one claim as of a page of them."""
    it = await busy(coalition)
    brand = it.brand("AERO")
    page = await page_of_claims(coalition, brand, ClaimsOf(brand_id=brand.brand_id), 100)
    shared = [each for each in page if "/18/" in each.facts.identity]
    assert len(shared) == 2
    found: dict[UUID, list[CreditClaim]] = {}
    for asked in (shared[:1], page):
        with watched() as sent:
            found = await duplicates_of(coalition, brand, [each.id for each in asked])
        assert len(sent) == 3
        assert [each.id for each in found[shared[0].id]] == [shared[1].id]
    assert sum(map(len, found.values())) == 2


async def test_the_lists_of_claims_are_whole(coalition: Coalition) -> None:
    """Every claim is in the lists of all whom it concerns, as its last step has it; and they are
    the same when they are made of claims that were there before."""
    it = await busy(coalition)
    kept = await _kept(coalition)
    steps = await coalition.database.fetch(
        "SELECT claim_id, status FROM credit_claim_steps ORDER BY step"
    )
    last = {str(row["claim_id"]): row["status"] for row in steps}
    assert {(claim, status) for claim, _, status, *_ in kept} == set(last.items())
    assert {status for _, _, status, *_ in kept} == {each.value for each in ClaimStatus}
    of_both = await coalition.database.fetch(
        "SELECT count(*) AS n FROM credit_claims WHERE brand_id <> supplier_id"
    )
    assert of_both[0]["n"] == 1
    grocer = it.brands["GROCER"].id
    assert [owner for _, owner, *_ in kept].count(str(grocer)) == 1
    await coalition.database.fetch("DELETE FROM credit_claim_lists")
    await coalition.database.fetch(FILL)
    assert await _kept(coalition) == kept


async def _kept(coalition: Coalition) -> set[tuple[str, ...]]:
    columns = ("claim_id", "owner_id", "status", "brand_id", "created_at")
    rows = await coalition.database.fetch("SELECT * FROM credit_claim_lists")
    return {tuple(str(row[column]) for column in columns) for row in rows}
