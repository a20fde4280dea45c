"""What the audit finds of claims: what no service would write is told by the law that it breaks."""

from dataclasses import replace
from typing import Any

import pytest

from brands.coalition import Coalition
from brands.ids import book_of, new_id
from brands.ledger.audit import audit
from brands.travel.claims import CreditClaim
from tests.brands.booked import booked, confirmed, flight, scene
from tests.brands.claimed import approve, claimed, reject, whole
from tests.brands.stage import require_sound

DECIDED = "a claim is decided once"
CLAIMED = "a journey is credited by a claim just as long as the claim is approved"
BOOKED = "a journey is credited by a segment just as long as that is credited"
EITHER = "what is credited is credited by a segment or by a claim"
BOTH = "a segment that a claim has credited is credited as long as the claim is approved"
GAP = "what became of a claim is known from its beginning, without a gap"


KNOWN = (DECIDED, CLAIMED, BOOKED, EITHER, BOTH, GAP)


async def _step(coalition: Coalition, one: CreditClaim, step: int, status: str) -> None:
    """A step that no service would write."""
    credits_ = status in ("APPROVED", "VOIDED")
    reason = None if status in ("OPEN", "APPEALED", "WITHDRAWN") else "So it is."
    values: tuple[Any, ...] = (500, one.transaction_id) if credits_ else (None, None)
    await coalition.database.fetch(
        "INSERT INTO credit_claim_steps (book, claim_id, step, status, points, transaction_id,"
        " reason, client, recorded_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 'x', 9)",
        *(book_of(one.id), one.id, step, status, *values, reason),
    )


async def _broken(coalition: Coalition) -> list[str]:
    """How the laws begin that the audit finds broken, each once."""
    laws = dict.fromkeys(finding.law for finding in await audit(coalition.database))
    return [next((each for each in KNOWN if law.startswith(each)), law) for law in laws]


@pytest.mark.parametrize(
    ("step", "status", "laws"),
    [
        (2, "REJECTED", [DECIDED, CLAIMED]),
        (2, "WITHDRAWN", [DECIDED, CLAIMED]),
        (2, "APPROVED", [DECIDED]),
        (2, "APPEALED", [DECIDED, CLAIMED]),
        (2, "VOIDED", [CLAIMED]),
        (3, "APPROVED", [GAP, DECIDED]),
    ],
)
async def test_a_step_that_does_not_follow(
    coalition: Coalition, step: int, status: str, laws: list[str]
) -> None:
    """What is approved is followed by nothing but its being taken back, and is credited as long as
    nothing follows."""
    it = await scene(coalition)
    made = await claimed(coalition, it)
    await approve(coalition, it.brand("AERO"), made)
    await require_sound(coalition)
    await _step(coalition, await whole(coalition, made), step, status)
    assert await _broken(coalition) == laws


@pytest.mark.parametrize("status", ["REJECTED", "WITHDRAWN", "OPEN", "VOIDED"])
async def test_what_was_rejected(coalition: Coalition, status: str) -> None:
    """It is followed by nothing but an appeal."""
    it = await scene(coalition)
    made = await claimed(coalition, it)
    other = await claimed(coalition, it, flight(2))
    await approve(coalition, it.brand("AERO"), other)
    await reject(coalition, it.brand("AERO"), made)
    rejected = replace(
        await whole(coalition, made), transaction_id=(await whole(coalition, other)).transaction_id
    )
    await _step(coalition, rejected, 2, status)
    assert await _broken(coalition) == [DECIDED]


async def test_what_is_flown_is_credited_by_something(coalition: Coalition) -> None:
    """A journey that counts as credited is a segment's that is, or a claim's."""
    it = await scene(coalition)
    booking = await booked(coalition, it)
    pending = booking.segments[0].id
    for subject, laws in ((pending, [BOOKED]), (new_id(0), [BOOKED, EITHER])):
        await coalition.database.fetch(
            "INSERT INTO flown (book, member_id, flight, turn, undone, subject_id, recorded_at)"
            " VALUES ($1, $2, $3, 0, 0, $4, 9)",
            *(book_of(it.ada.id), it.ada.id, f"flight/{subject}", subject),
        )
        assert await _broken(coalition) == laws


async def test_what_is_credited_is_flown(coalition: Coalition) -> None:
    """A segment that is credited, by its own or by a claim, keeps its journey from being credited
    once more."""
    it = await scene(coalition)
    booking = await booked(coalition, it, flight(1), flight(2))
    await confirmed(coalition, it.brand("AERO"), booking.segments[0])
    made = await claimed(coalition, it, flight(2), it.ada.caller)
    await approve(coalition, it.brand("AERO"), made)
    await require_sound(coalition)
    for subject, laws in ((booking.segments[0].id, [BOOKED]), (made.id, [CLAIMED, BOOKED])):
        await coalition.database.fetch(
            "INSERT INTO flown (book, member_id, flight, turn, undone, subject_id, recorded_at)"
            " SELECT book, member_id, flight, turn, 1, subject_id, 9 FROM flown"
            " WHERE subject_id = $1",
            subject,
        )
        assert await _broken(coalition) == laws
    await _step(coalition, await whole(coalition, made), 2, "VOIDED")
    assert await _broken(coalition) == [BOOKED, BOTH]
