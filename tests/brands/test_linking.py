"""Journeys that were linked to nobody when they were booked or claimed, and are somebody's by the
time a brand says that they were made."""

from typing import Any

import pytest

from brands.coalition import Coalition
from brands.enrolment import Enrolment, enroll
from brands.ledger.audit import audit
from brands.members import Profile
from brands.memberships import close_membership
from brands.travel import booking_parts, crediting
from brands.travel.booking_pages import BookingWindow, bookings_of_membership
from brands.travel.bookings import Passenger, Segment, SegmentStatus
from brands.travel.claim_lists import ClaimsOf, page_of_claims
from brands.travel.claims import ClaimStatus, claims_by_id
from brands.travel.crediting import NOT_A_MEMBER, Confirmation, confirm
from brands.travel.deciding import Decision, Verdict, decide
from brands.travel.rejections import ClaimNotLinked, FlightAlreadyCredited
from brands.travel.taking_back import void as void_claim
from brands.travel.voiding import VoidReason, void
from tests.brands.booked import (
    Scene,
    after,
    booked,
    confirmed,
    errors,
    flight,
    pending,
    points,
    scene,
    statuses,
    stay,
)
from tests.brands.booked import whole as whole_booking
from tests.brands.claimed import approve, claimed, reject, whole
from tests.brands.stage import OPERATOR, balance, everything, key, require_sound
from tests.brands.suspending import suspend, take_back
from tests.brands.test_attaching_again import shut
from tests.brands.watched import watched

CREDITED, NOT_CREDITED = SegmentStatus.CREDITED, SegmentStatus.NOT_CREDITED
NEW: dict[str, Any] = {"number": "N77-1", "passenger": Passenger("BYRON", "AUGUSTA MRS")}
"""Who is no member yet."""


async def remembered(coalition: Coalition) -> list[Any]:
    """What the guard knows of who has tried what."""
    return [
        [dict(row) for row in await coalition.database.fetch(f"SELECT * FROM {table} ORDER BY key")]
        for table in ("lookup_meters", "lookups_seen")
    ]


async def joined(coalition: Coalition, number: str = "N77-1") -> Any:
    """Augusta Byron's new membership of AERO."""
    her = Enrolment(None, Profile("Augusta", "Byron"), (("AERO", number),), key())
    return (await enroll(coalition, OPERATOR, her)).memberships[0].id


async def unlinked(coalition: Coalition, it: Scene, *facts: Any, **more: Any) -> list[Segment]:
    """Segments that were booked while Ada's number was shut: nobody's."""
    booking = await booked(coalition, it, *facts, **more)
    assert {each.membership_id for each in booking.segments} == {None}
    return list(booking.segments)


async def test_what_was_booked_while_the_number_was_shut(coalition: Coalition) -> None:
    """What was attached while others had the number shut is credited to its member when it is
    confirmed, though it is shut still; nobody is charged, she sees it as what is hers, and it can
    be taken back."""
    it = await scene(coalition)
    await shut(coalition, it)
    segments = await unlinked(coalition, it, flight(1), flight(2))
    assert await pending(coalition, it) == 0
    knew = await remembered(coalition)
    done = await confirmed(coalition, it.brand("AERO"), *segments)
    assert errors(done) == [None, None]
    assert await remembered(coalition) == knew
    assert [(s.status, s.membership_id) for s in after(done)] == [(CREDITED, it.ada.at["AERO"])] * 2
    assert await points(coalition, it) == 1_000
    hers = await bookings_of_membership(
        coalition, it.ada.caller, it.ada.at["AERO"], BookingWindow(10)
    )
    assert [len(each.segments) for each in hers.bookings] == [2]
    await void(coalition, OPERATOR, [segments[0].id], VoidReason.MISTAKE, key())
    assert await points(coalition, it) == 500
    await require_sound(coalition)


async def test_another_supplier_looks_nobody_up(coalition: Coalition) -> None:
    """What is linked to nobody stays nobody's where a supplier confirms or approves it whose
    members these are not: it could try names by journeys that nobody has made."""
    it = await scene(coalition)
    await shut(coalition, it)
    (segment,) = await unlinked(coalition, it, stay(2, chain="HOTEL"))
    done = await confirmed(coalition, it.brand("HOTEL"), segment)
    assert [(each.status, each.is_linked) for each in after(done)] == [(NOT_CREDITED, None)]
    made = await claimed(coalition, it, stay(5, chain="HOTEL", place="PORTO 1"))
    with pytest.raises(ClaimNotLinked):
        await approve(coalition, it.brand("HOTEL"), made)
    assert await points(coalition, it) == 0
    await require_sound(coalition)


async def test_what_was_booked_during_a_suspension(coalition: Coalition) -> None:
    """What was attached while the program was suspended is credited to its member when it is
    confirmed after that."""
    it = await scene(coalition)
    await suspend(coalition)
    segments = await unlinked(coalition, it, flight(1))
    await take_back(coalition)
    assert errors(await confirmed(coalition, it.brand("AERO"), *segments)) == [None]
    assert await points(coalition, it) == 500
    await require_sound(coalition)


async def test_who_became_a_member_before_the_flight(coalition: Coalition) -> None:
    """Who enrolled between booking and confirmation is credited, her number written as she may
    write it; so is she whose name was put right."""
    it = await scene(coalition)
    new = await booked(coalition, it, flight(1), **(NEW | {"number": "n77 1"}))
    misspelt: dict[str, Any] = {
        "passenger": Passenger("KING", "BEA MS"),
        "record_locator": "ZZ99ZZ",
    }
    married = await booked(coalition, it, flight(1), **misspelt)
    account = await joined(coalition, "N771")
    await coalition.database.fetch(
        "UPDATE profiles SET family_name = 'King' WHERE member_id = $1", it.ada.id
    )
    done = await confirmed(coalition, it.brand("AERO"), *new.segments, *married.segments)
    assert [s.status for s in after(done)] == [CREDITED] * 2
    assert (await balance(coalition, account), await points(coalition, it)) == (500, 500)
    await require_sound(coalition)


@pytest.mark.parametrize(
    "who",
    [
        Passenger("BYRON", "BEA MS"),
        Passenger("LOVELACE", "CHARLES MR"),
        Passenger("LOVELACE KING", "BEA MS"),
        Passenger("BEA", "LOVELACE"),
    ],
    ids=["another surname", "another given name", "one name more", "the names swapped"],
)
async def test_what_is_nobodys_stays_so(coalition: Coalition, who: Passenger) -> None:
    """Only a match is a match: another name, and one that a human would have to look at, are
    nobody's when the flight is confirmed or the claim decided, as they were before."""
    it = await scene(coalition)
    booking = await booked(coalition, it, flight(1), passenger=who)
    done = await confirmed(coalition, it.brand("AERO"), *booking.segments)
    assert [(s.status, s.reason) for s in after(done)] == [(NOT_CREDITED, NOT_A_MEMBER)]
    made = await claimed(coalition, it, flight(2), traveller=who)
    with pytest.raises(ClaimNotLinked):
        await approve(coalition, it.brand("AERO"), made)
    assert await points(coalition, it) == 0
    assert (await whole(coalition, made)).is_linked is False


async def test_a_membership_that_is_closed_by_then(coalition: Coalition) -> None:
    """What was linked to nobody, and is of a membership that is closed when it is confirmed or
    decided on, is nobody's."""
    it = await scene(coalition)
    await shut(coalition, it)
    segments = await unlinked(coalition, it, flight(1))
    made = await claimed(coalition, it, flight(2))
    await close_membership(coalition, OPERATOR, it.ada.at["AERO"])
    done = await confirmed(coalition, it.brand("AERO"), *segments)
    assert [(s.status, s.reason) for s in after(done)] == [(NOT_CREDITED, NOT_A_MEMBER)]
    with pytest.raises(ClaimNotLinked):
        await approve(coalition, it.brand("AERO"), made)


async def test_what_was_erased_is_nobodys(coalition: Coalition) -> None:
    """Without the name of who has travelled nothing is looked up, and nothing credited."""
    it = await scene(coalition)
    await shut(coalition, it)
    segments = await unlinked(coalition, it, flight(1))
    made = await claimed(coalition, it, flight(2))
    for table in ("booking_passengers", "credit_claim_travellers"):
        await coalition.database.fetch(f"DELETE FROM {table}")
    done = await confirmed(coalition, OPERATOR, *segments)
    assert [s.status for s in after(done)] == [NOT_CREDITED]
    with pytest.raises(ClaimNotLinked):
        await approve(coalition, OPERATOR, made)


async def test_what_it_costs(coalition: Coalition) -> None:
    """However many segments are linked to nobody, they are looked up by one statement; where all
    are linked, or confirmed already, by none."""
    it = await scene(coalition)
    linked = await booked(coalition, it, flight(1), flight(2), who=it.sea)
    await shut(coalition, it)
    named = [{"record_locator": f"LOC{n}"} for n in range(20)]
    loose = [(await unlinked(coalition, it, flight(10 + n), **named[n]))[0] for n in range(20)]
    for asked, statements in ((linked.segments, 0), (loose, 1), (loose, 0)):
        with watched() as sent:
            await confirmed(coalition, OPERATOR, *asked)
        assert sum("lookup_meters" in each.sql for each in sent) == statements
    assert await points(coalition, it) == 22 * 500


async def test_an_answer_stays_what_it_was(coalition: Coalition) -> None:
    """The same key answers the same, though the number is somebody's by then, or nobody's any
    more."""
    it = await scene(coalition)
    segments = (await booked(coalition, it, flight(1), flight(2), **NEW)).segments
    first, second = ([Confirmation(each.id)] for each in segments)
    before, then = key(), key()
    await confirm(coalition, OPERATOR, first, before)
    account = await joined(coalition)
    await confirm(coalition, OPERATOR, second, then)
    await close_membership(coalition, OPERATOR, account)
    for asked, named, status in ((first, before, NOT_CREDITED), (second, then, CREDITED)):
        again = await confirm(coalition, OPERATOR, asked, named)
        assert (again.replayed, errors(again)) == (True, [None])
        assert [s.status for s in after(again)] == [status]
    assert await balance(coalition, account) == 500


async def test_a_flight_is_credited_once_to_whom_it_is_found_to_be(coalition: Coalition) -> None:
    """What is linked to nobody is not credited to a member who has the flight already, by a
    booking that was hers or by one that is confirmed at the same time."""
    it = await scene(coalition)
    await confirmed(coalition, OPERATOR, *(await booked(coalition, it, flight(1))).segments)
    await shut(coalition, it)
    loose = [
        (await unlinked(coalition, it, flight(n), who=it.sea, record_locator=f"LOC{n}{place}"))[0]
        for n, place in ((1, 0), (2, 0), (2, 1))
    ]
    done = await confirmed(coalition, OPERATOR, *loose)
    assert errors(done) == [FlightAlreadyCredited(), None, FlightAlreadyCredited()]
    assert await points(coalition, it) == 1_000
    await require_sound(coalition)


async def test_what_earns_nothing_is_hers_all_the_same(coalition: Coalition) -> None:
    """A segment that earns nothing is linked to its member as well, so that a claim can credit
    it."""
    it = await scene(coalition)
    await shut(coalition, it)
    (segment,) = await unlinked(coalition, it, flight(1, booking_class="N"))
    (ended,) = after(await confirmed(coalition, it.brand("AERO"), segment))
    assert (ended.status, ended.membership_id) == (SegmentStatus.INELIGIBLE, it.ada.at["AERO"])
    made = await claimed(coalition, it, flight(1), it.ada.caller)
    await approve(coalition, it.brand("AERO"), made, 70)
    assert (await whole_booking(coalition, segment.booking_id)).segments[0].status is CREDITED
    assert await points(coalition, it) == 70
    await require_sound(coalition)


async def test_a_membership_that_is_closed_meanwhile(
    coalition: Coalition, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the membership that was found is closed before the books are written, the segment is
    nobody's; so it is where the request was cut off just then and comes again."""
    it = await scene(coalition)
    await shut(coalition, it)
    loose = await unlinked(coalition, it, flight(1))
    found, settle = crediting._parties, booking_parts._settled

    async def closed(*given: Any) -> Any:
        parties = await found(*given)
        await close_membership(coalition, OPERATOR, it.ada.at["AERO"])
        return parties

    async def cut_off(*_: Any) -> Any:
        raise TimeoutError

    asked, named = [Confirmation(each.id) for each in loose], key()
    monkeypatch.setattr(crediting, "_parties", closed)
    monkeypatch.setattr(booking_parts, "_settled", cut_off)
    with pytest.raises(TimeoutError):
        await confirm(coalition, OPERATOR, asked, named)
    monkeypatch.setattr(crediting, "_parties", found)
    monkeypatch.setattr(booking_parts, "_settled", settle)
    for _ in range(2):
        done = await confirm(coalition, OPERATOR, asked, named)
        assert errors(done) == [None]
        assert [(s.status, s.reason) for s in after(done)] == [(NOT_CREDITED, NOT_A_MEMBER)]
    assert await points(coalition, it) == 0
    await require_sound(coalition)


async def test_what_was_claimed_while_the_number_was_shut(coalition: Coalition) -> None:
    """A claim that was made while others had the number shut is its member's when it is approved:
    she sees it, the brand sees that it is linked, the agency sees nothing of that; and it can be
    taken back."""
    it = await scene(coalition)
    await shut(coalition, it)
    made = await claimed(coalition, it)
    assert made.membership_id is None
    hers = ClaimsOf(membership_id=it.ada.at["AERO"])
    assert await page_of_claims(coalition, it.ada.caller, hers, 10) == []
    knew = await remembered(coalition)
    await approve(coalition, it.brand("AERO"), made)
    assert await remembered(coalition) == knew
    assert await points(coalition, it) == 500
    (listed,) = await page_of_claims(
        coalition, it.ada.caller, hers, 10, status=ClaimStatus.APPROVED
    )
    assert (listed.id, listed.membership_id) == (made.id, it.ada.at["AERO"])
    seen = await claims_by_id(coalition, it.brand("AERO"), [made.id])
    told = await claims_by_id(coalition, it.sky, [made.id])
    assert (seen[made.id].is_linked, told[made.id].is_linked) == (True, None)
    await require_sound(coalition)
    await void_claim(coalition, OPERATOR, made.id, "A mistake.", key())
    assert await points(coalition, it) == 0
    now = await whole(coalition, made)
    assert (now.status, now.membership_id) == (ClaimStatus.VOIDED, it.ada.at["AERO"])
    await require_sound(coalition)


async def test_a_list_that_lacks_what_was_found(coalition: Coalition) -> None:
    """The audit finds a claim that is missing among those of the member whose it turned out to
    be."""
    it = await scene(coalition)
    await shut(coalition, it)
    await approve(coalition, OPERATOR, await claimed(coalition, it))
    await coalition.database.fetch(
        "DELETE FROM credit_claim_lists WHERE owner_id = $1", it.ada.at["AERO"]
    )
    found = await audit(coalition.database)
    assert [each.law for each in found] == ["claims are found by what their last steps say"]


async def test_a_claim_that_is_found_credits_what_was_booked(coalition: Coalition) -> None:
    """A claim that turns out to be a member's credits the segment of her booking, and not a journey
    that she has credited already."""
    it = await scene(coalition)
    booking = await booked(coalition, it, flight(1), flight(2))
    await shut(coalition, it)
    one, other = [await claimed(coalition, it, flight(n), it.sea) for n in (1, 2)]
    await approve(coalition, it.brand("AERO"), one)
    await confirmed(coalition, it.brand("AERO"), booking.segments[1])
    with pytest.raises(FlightAlreadyCredited):
        await approve(coalition, it.brand("AERO"), other)
    assert await statuses(coalition, booking) == [CREDITED] * 2
    assert (await whole(coalition, other)).membership_id is None
    assert await points(coalition, it) == 1_000
    await require_sound(coalition)


async def test_a_decision_stays_what_it_was(coalition: Coalition) -> None:
    """What could not be approved is refused again under the same key, though the traveller has
    become a member; under a new one it is approved, and answered so after she has left, while who
    rejects looks nobody up."""
    it = await scene(coalition)
    who = {"number": "N77-1", "traveller": NEW["passenger"]}
    made, other = [await claimed(coalition, it, flight(n), **who) for n in (1, 2)]
    decision = Decision(made.id, Verdict.APPROVE, None, "Yes.", key())
    with pytest.raises(ClaimNotLinked):
        await decide(coalition, it.brand("AERO"), decision)
    account, before = await joined(coalition), await everything(coalition)
    with pytest.raises(ClaimNotLinked) as refused:
        await decide(coalition, it.brand("AERO"), decision)
    assert refused.value == ClaimNotLinked(replayed=True)
    assert await everything(coalition) == before
    with watched() as sent:
        await reject(coalition, it.brand("AERO"), other)
    assert not [each for each in sent if "lookup_meters" in each.sql]
    said = Decision(made.id, Verdict.APPROVE, None, "Yes.", key())
    await decide(coalition, it.brand("AERO"), said)
    await close_membership(coalition, OPERATOR, account)
    again = await decide(coalition, it.brand("AERO"), said)
    assert (again.replayed, again.claim.status) == (True, ClaimStatus.APPROVED)
    assert await balance(coalition, account) == 500
    await require_sound(coalition)
