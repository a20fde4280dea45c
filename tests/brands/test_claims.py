"""Claims for missing credit: who may claim, when, how often, and what is found out by it."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from brands.alarms import release_number
from brands.callers import Caller, CallerKind
from brands.clock import now
from brands.coalition import Coalition
from brands.errors import (
    BrandNotFound,
    ClaimNotFound,
    IdempotencyKeyReused,
    InvalidInput,
    LookupsThrottled,
    MembershipNotFound,
    NotPermitted,
)
from brands.ids import book_of, new_id
from brands.travel.bookings import Passenger
from brands.travel.claim_lists import ClaimsOf, duplicates_of, page_of_claims
from brands.travel.claiming import claim
from brands.travel.claims import (
    ClaimStatus,
    Evidence,
    EvidenceKind,
    claim_by_id,
    claims_by_id,
)
from brands.travel.deciding import Decision, Verdict, decide
from brands.travel.programs import publish_terms
from brands.travel.pursuing import withdraw
from brands.travel.rejections import (
    AlreadyCredited,
    ClaimNotLinked,
    ClaimTooEarly,
    ClaimWindowClosed,
    DuplicateClaim,
    FlightAlreadyCredited,
)
from tests.brands.booked import (
    AERO_TERMS,
    LAST_WEEK,
    TOMORROW,
    booked,
    confirmed,
    flight,
    points,
    scene,
    stay,
)
from tests.brands.claimed import PASS, approve, claimed, new_claim, reject, whole
from tests.brands.stage import (
    OPERATOR,
    enrol,
    everything,
    key,
)
from tests.brands.test_attaching_again import shut

PII = Caller(CallerKind.OPERATOR, "privacy", frozenset({"pii"}))


async def test_a_stay_is_claimed_by_the_member_herself(coalition: Coalition) -> None:
    """A member claims without saying her name, for her own number alone."""
    it = await scene(coalition)
    made = await claimed(coalition, it, stay(3), it.ada.caller, brand="HOTEL", traveller=None)
    assert (made.member_id, made.agency_id, made.is_linked) == (it.ada.id, None, True)
    await approve(coalition, it.brand("HOTEL"), made)
    assert await points(coalition, it, "HOTEL") == 900
    bob = await enrol(coalition, "HOTEL", surname="Boole")
    with pytest.raises(MembershipNotFound):
        await claimed(coalition, it, stay(2), bob.caller, brand="HOTEL")


@pytest.mark.parametrize("who", ["AERO", "OPERATOR"])
async def test_who_may_not_claim(coalition: Coalition, who: str) -> None:
    """A brand has no need to claim, nor has the operator: nothing is written."""
    it = await scene(coalition)
    before = await everything(coalition)
    with pytest.raises(NotPermitted):
        await claimed(coalition, it, who=OPERATOR if who == "OPERATOR" else it.brand(who))
    assert await everything(coalition) == before


async def test_an_agency_learns_nothing_of_a_number(coalition: Coalition) -> None:
    """A claim for a wrong name, and for a number that nobody has, are answered like one for the
    right ones, by as many statements; the brand sees which is which, and can but reject."""
    it = await scene(coalition)
    right = await claim(coalition, it.sky, new_claim(it))
    wrong = await claim(coalition, it.sky, new_claim(it, flight(2), traveller=Passenger("BYRON")))
    nobody = await claim(coalition, it.sky, new_claim(it, flight(3), number="99999999"))
    seen = [each.claim for each in (right, wrong, nobody)]
    assert {(c.status, c.is_linked, c.membership_id, c.supplier_id) for c in seen} == {
        (ClaimStatus.OPEN, None, None, it.brands["AERO"].id)
    }
    told = await claims_by_id(coalition, it.brand("AERO"), [each.id for each in seen])
    assert [told[each.id].is_linked for each in seen] == [True, False, False]
    before = await everything(coalition)
    for each in seen[1:]:
        with pytest.raises(ClaimNotLinked):
            await approve(coalition, it.brand("AERO"), each)
    assert await everything(coalition) == before
    done = await reject(coalition, it.brand("AERO"), seen[1])
    assert done.claim.status is ClaimStatus.REJECTED


async def test_the_work_is_the_same(coalition: Coalition, statements: list[str]) -> None:
    """What is read does not tell a number that matches from one that does not."""
    it = await scene(coalition)
    await claimed(coalition, it)  # whatever is read once
    work = []
    for number, who in enumerate(("LOVELACE", "BYRON"), 10):
        statements.clear()
        await claim(coalition, it.sky, new_claim(it, flight(number), traveller=Passenger(who)))
        work.append([each.split(" WHERE")[0] for each in statements if "lookup" not in each])
    assert work[0] == work[1]


async def test_claims_are_charged_for_wrong_names(coalition: Coalition) -> None:
    """Names that are tried by claims use up the budget of lookups, and then nothing is claimed."""
    it = await scene(coalition)

    async def guess() -> None:
        for attempt in range(1, 60):
            await claimed(coalition, it, number=f"NOBODY{attempt}")

    with pytest.raises(LookupsThrottled) as throttled:
        await guess()
    assert throttled.value.path == "loyalty.number"


async def test_nobody_is_shut_out_by_others(coalition: Coalition) -> None:
    """While a number is shut because of what others have tried, it is claimed for without its
    member, answered like any other; what was withdrawn and claimed again later is hers."""
    it = await scene(coalition)
    await shut(coalition, it)
    made = await claim(coalition, it.sky, new_claim(it))
    assert (made.claim.status, made.claim.is_linked) == (ClaimStatus.OPEN, None)
    assert (await whole(coalition, made.claim)).is_linked is False
    await release_number(coalition, OPERATOR, "AERO", it.ada.named["AERO"].number)
    await withdraw(coalition, it.sky, made.claim.id, key())
    assert (await claimed(coalition, it)).is_linked


async def test_claims_are_made_within_the_window(coalition: Coalition) -> None:
    """Not before the journey, not after the window has closed; the refusal says when."""
    it = await scene(coalition)
    with pytest.raises(ClaimTooEarly):
        await claimed(coalition, it, flight(departs_on=TOMORROW))
    half_a_year = now().date() - timedelta(days=170)
    await claimed(coalition, it, flight(departs_on=half_a_year))
    late = now().date() - timedelta(days=186)
    with pytest.raises(ClaimWindowClosed) as closed:
        await claimed(coalition, it, flight(departs_on=late))
    assert closed.value.closed_at < now()
    longer = replace(AERO_TERMS, claim_window_months=12)
    await publish_terms(coalition, OPERATOR, "AERO", longer, None)
    await claimed(coalition, it, flight(departs_on=late))


async def test_a_claim_is_made_once(coalition: Coalition) -> None:
    """The same claim under another key is refused with the claim that there is; an agency learns
    nothing of another's, and a member of all that are linked to her."""
    it = await scene(coalition)
    first = await claimed(coalition, it)
    with pytest.raises(DuplicateClaim) as met:
        await claimed(coalition, it, number=f" {it.ada.named['AERO'].number} ")
    assert met.value.claim_id == first.id
    with pytest.raises(DuplicateClaim) as met:
        await claimed(coalition, it, who=it.ada.caller)
    assert met.value.claim_id == first.id
    other = await claimed(coalition, it, who=it.sea)
    seen = (await duplicates_of(coalition, it.brand("AERO"), [other.id]))[other.id]
    assert [each.id for each in seen] == [first.id]
    assert await duplicates_of(coalition, it.sea, [other.id]) == {}


async def test_stays_on_one_night_are_duplicates(coalition: Coalition) -> None:
    """Of claims for a number those that have a night in common are like each other, and no others,
    however near."""
    it = await scene(coalition)
    first = LAST_WEEK - timedelta(days=10)
    long = await claimed(coalition, it, stay(6, check_in=first), brand="HOTEL")
    short = [
        await claimed(
            coalition, it, stay(2, check_in=first + timedelta(days=days)), it.sea, brand="HOTEL"
        )
        for days in (-2, 2, 6)
    ]
    await claimed(coalition, it, stay(1, check_in=first, place="PORTO 1"), it.sea, brand="HOTEL")
    ids = [long.id, *(each.id for each in short)]
    found = await duplicates_of(coalition, it.brand("HOTEL"), ids)
    assert {id: [each.id for each in alike] for id, alike in found.items()} == {
        long.id: [short[1].id],
        short[1].id: [long.id],
    }


async def test_a_supplier_is_not_told_that_two_numbers_are_one_members(
    coalition: Coalition,
) -> None:
    """Of claims under numbers that are written differently, that they are the same member's is told
    to the program's brand; to a supplier those are duplicates that have the same number."""
    it = await scene(coalition)
    shared = flight(9, operating_carrier="GR", operating_number="9")
    first = await claimed(coalition, it, shared)
    written, other = f"AE{it.ada.named['AERO'].number}", new_id(book_of(first.id))
    await coalition.database.fetch(
        "INSERT INTO credit_claims (book, id, agency_id, brand_id, number, membership_id,"
        " supplier_id, facts, created_at) SELECT book, $1, $2, brand_id, $3, membership_id,"
        " supplier_id, facts, created_at FROM credit_claims WHERE id = $4",
        *(other, it.sea.agency_id, written, first.id),
    )
    await coalition.database.fetch(
        "INSERT INTO credit_claim_steps SELECT book, $1, step, status, points, reason,"
        " transaction_id, client, recorded_at FROM credit_claim_steps WHERE claim_id = $2",
        *(other, first.id),
    )
    same = await claimed(coalition, it, shared, it.sea)
    for who, found in (("AERO", [other, same.id]), ("GROCER", [same.id])):
        seen = await duplicates_of(coalition, it.brand(who), [first.id])
        assert {each.id for each in seen[first.id]} == set(found)


async def test_a_codeshare_is_one_flight(coalition: Coalition) -> None:
    """A flight that is claimed under one of its names is not claimed under another."""
    it = await scene(coalition)
    await claimed(coalition, it, flight(117, operating_carrier="GR", operating_number="9"))
    with pytest.raises(DuplicateClaim):
        await claimed(coalition, it, flight(9, carrier="GR"))


async def test_two_at_once(coalition_on_postgres: Coalition) -> None:
    """Of the same claim, sent many times at once under different keys, there is one."""
    coalition = coalition_on_postgres
    it = await scene(coalition)
    found = await asyncio.gather(
        *(claimed(coalition, it) for _ in range(6)), return_exceptions=True
    )
    made = [each for each in found if not isinstance(each, BaseException)]
    refused = [each for each in found if isinstance(each, DuplicateClaim)]
    assert (len(made), len(refused)) == (1, 5)
    assert {each.claim_id for each in refused} == {made[0].id}


async def test_what_is_credited_is_not_claimed(coalition: Coalition) -> None:
    """A member, and the agency whose booking it was, are told that a flight is credited; another
    agency's claim is taken, and cannot be approved."""
    it = await scene(coalition)
    booking = await booked(coalition, it)
    await confirmed(coalition, it.brand("AERO"), *booking.segments)
    for who in (it.sky, it.ada.caller):
        with pytest.raises(AlreadyCredited):
            await claimed(coalition, it, who=who)
    made = await claimed(coalition, it, who=it.sea)
    before = await everything(coalition)
    with pytest.raises(FlightAlreadyCredited):
        await approve(coalition, it.brand("AERO"), made)
    assert await everything(coalition) == before


async def test_what_was_rejected_is_not_claimed_again(coalition: Coalition) -> None:
    """By the same claimant under the same name; under the right name it is another claim, and so
    is another's."""
    it = await scene(coalition)
    made = await claimed(coalition, it, traveller=Passenger("BYRON"))
    await reject(coalition, it.brand("AERO"), made)
    with pytest.raises(DuplicateClaim):
        await claimed(coalition, it, traveller=Passenger("Byron"))
    second = await claimed(coalition, it)
    await reject(coalition, it.brand("AERO"), second)
    assert (await claimed(coalition, it, who=it.ada.caller)).is_linked


async def test_keys(coalition: Coalition) -> None:
    """A key that comes again is answered again, refusals in the same words; with another intent it
    is refused."""
    it = await scene(coalition)
    same = new_claim(it)
    first = await claim(coalition, it.sky, same)
    again = await claim(coalition, it.sky, same)
    assert (first.replayed, again.replayed) == (False, True)
    assert again.claim == first.claim
    with pytest.raises(IdempotencyKeyReused):
        await claim(coalition, it.sky, replace(same, evidence=(PASS, PASS)))
    late = new_claim(it, flight(departs_on=now().date() - timedelta(days=300)))
    for replayed in (False, True):
        with pytest.raises(ClaimWindowClosed) as refused:
            await claim(coalition, it.sky, late)
        assert refused.value.replayed is replayed
    decision = Decision(first.claim.id, Verdict.APPROVE, None, "Yes.", key())
    for replayed in (False, True):
        done = await decide(coalition, it.brand("AERO"), decision)
        assert (done.claim.status, done.replayed) == (ClaimStatus.APPROVED, replayed)
    assert await points(coalition, it) == 500


async def test_who_sees_what_of_a_claim(coalition: Coalition) -> None:
    """An agency sees what it said and what was decided, never points; a brand what concerns it, and
    as a supplier not whose the number is; the member hers; an operator without the scope `pii` no
    names and no evidence."""
    it = await scene(coalition)
    shared = flight(117, operating_carrier="GR", operating_number="9")
    made = await claimed(coalition, it, shared)
    await approve(coalition, it.brand("GROCER"), made)
    full = await whole(coalition, made)
    for who in (it.brand("AERO"), it.ada.caller, PII):
        assert await claim_by_id(coalition, who, made.id) == full
    supplied = replace(full, membership_id=None, is_linked=None)
    assert await claim_by_id(coalition, it.brand("GROCER"), made.id) == supplied
    own = await claim_by_id(coalition, it.sky, made.id)
    assert own == replace(
        full, membership_id=None, is_linked=None, points=None, transaction_id=None
    )
    bare = await claim_by_id(coalition, OPERATOR, made.id)
    assert (bare.traveller, bare.evidence, bare.appeal) == (None, (), None)
    bob = await enrol(coalition, "AERO", surname="Boole")
    for who in (it.brand("HOTEL"), it.sea, bob.caller):
        with pytest.raises(ClaimNotFound):
            await claim_by_id(coalition, who, made.id)


async def test_pages(coalition: Coalition) -> None:
    """Claims are listed with the latest first, by status where one is asked for, to those who may
    see whose they are."""
    it = await scene(coalition)
    made = [await claimed(coalition, it, flight(number)) for number in range(1, 6)]
    await reject(coalition, it.brand("AERO"), made[2])
    ids = [each.id for each in reversed(made)]

    async def listed(who: Caller, whose: ClaimsOf, **more: Any) -> list[Any]:
        return [c.id for c in await page_of_claims(coalition, who, whose, 3, **more)]

    of_agency = ClaimsOf(agency_id=it.sky.agency_id)
    of_brand = ClaimsOf(brand_id=it.brands["AERO"].id)
    of_member = ClaimsOf(membership_id=it.ada.at["AERO"])
    for who, whose in (
        (it.sky, of_agency),
        (it.brand("AERO"), of_brand),
        (it.ada.caller, of_member),
        (it.brand("AERO"), of_member),
        (OPERATOR, of_agency),
    ):
        assert await listed(who, whose) == ids[:3]
        assert await listed(who, whose, after=ids[2]) == ids[3:]
        assert await listed(who, whose, status=ClaimStatus.REJECTED) == [made[2].id]
    for who, whose in (
        (it.sea, of_agency),
        (it.brand("HOTEL"), of_brand),
        (it.sky, of_member),
        (it.ada.caller, of_brand),
    ):
        assert await listed(who, whose) == []


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"evidence": ()}, "evidence"),
        ({"evidence": (PASS,) * 11}, "evidence"),
        ({"evidence": (Evidence(EvidenceKind.OTHER, "x" * 501),)}, "evidence.0.value"),
        ({"evidence": (Evidence(EvidenceKind.OTHER, " "),)}, "evidence.0.value"),
        ({"traveller": None}, "traveller"),
        ({"traveller": Passenger(" ")}, "traveller.surname"),
        ({"traveller": Passenger("x", "y" * 201)}, "traveller.givenName"),
        ({"number": "x" * 65}, "loyalty.number"),
        ({"facts": flight(carrier="?")}, "flight.carrier"),
        ({"facts": stay(0)}, "stay.checkOut"),
    ],
)
async def test_what_has_not_the_form(
    coalition: Coalition, change: dict[str, Any], path: str
) -> None:
    """What is wrong with a claim is told by its field, and its key is good for another try."""
    it = await scene(coalition)
    same = new_claim(it)
    with pytest.raises(InvalidInput) as wrong:
        await claim(coalition, it.sky, replace(same, **change))
    assert wrong.value.path == path
    assert not (await claim(coalition, it.sky, same)).replayed


async def test_brands_that_there_are_not(coalition: Coalition) -> None:
    """A claim names a brand of the coalition."""
    it = await scene(coalition)
    with pytest.raises(BrandNotFound) as missing:
        await claim(coalition, it.sky, replace(new_claim(it), brand="NOWHERE"))
    assert missing.value.path == "loyalty.brand"
