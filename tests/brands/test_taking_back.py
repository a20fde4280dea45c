"""Taking back what a claim for missing credit has credited."""

from uuid import UUID

import pytest

from brands.adjustments import adjust
from brands.coalition import Coalition
from brands.errors import NotPermitted
from brands.ledger.commands import Shortfall
from brands.publishing import BrandChanges, update_brand
from brands.rejections import Rejection
from brands.transactions import reverse
from brands.travel.bookings import SegmentStatus
from brands.travel.claims import ClaimStatus
from brands.travel.pursuing import appeal
from brands.travel.rejections import ClaimNotCredited, PointsSpent
from brands.travel.taking_back import void
from brands.travel.voiding import VoidReason
from brands.travel.voiding import void as void_booking
from tests.brands.booked import (
    Scene,
    booked,
    flight,
    points,
    scene,
    statuses,
)
from tests.brands.claimed import approve, claimed, reject, whole
from tests.brands.stage import (
    OPERATOR,
    all_money,
    changed,
    everything,
    key,
    require_sound,
)


@pytest.mark.parametrize("with_booking", [True, False])
async def test_voiding_a_claim(coalition: Coalition, *, with_booking: bool) -> None:
    """What was approved by mistake is taken back to the last unit, and the booking's segment with
    it; the same key does so once."""
    it = await scene(coalition)
    before = await all_money(coalition)
    booking = await booked(coalition, it) if with_booking else None
    made = await claimed(coalition, it)
    await approve(coalition, it.brand("AERO"), made)
    for who in (it.sky, it.ada.caller):
        with pytest.raises(NotPermitted):
            await void(coalition, who, made.id, "A mistake.", key())
    same = key()
    done = await void(coalition, it.brand("AERO"), made.id, "A mistake.", same)
    assert (done.claim.status, done.replayed) == (ClaimStatus.VOIDED, False)
    again = await void(coalition, it.brand("AERO"), made.id, "A mistake.", same)
    assert (again.claim.status, again.replayed) == (ClaimStatus.VOIDED, True)
    assert await points(coalition, it) == 0
    assert changed(before, await all_money(coalition)) == {}
    if booking is not None:
        assert await statuses(coalition, booking) == [SegmentStatus.VOIDED]
    assert (await claimed(coalition, it)).status is ClaimStatus.OPEN
    await require_sound(coalition)


async def test_voiding_the_booking_takes_the_claim_back(coalition: Coalition) -> None:
    """What a claim has credited by way of a booking goes with the booking, and can be claimed and
    credited anew."""
    it = await scene(coalition)
    booking = await booked(coalition, it)
    made = await claimed(coalition, it, who=it.ada.caller)
    await approve(coalition, it.brand("AERO"), made)
    await void_booking(coalition, it.brand("AERO"), booking.id, VoidReason.REFUND, key())
    assert await points(coalition, it) == 0
    assert (await whole(coalition, made)).status is ClaimStatus.VOIDED
    with pytest.raises(ClaimNotCredited):
        await void(coalition, it.brand("AERO"), made.id, "A mistake.", key())
    again = await claimed(coalition, it, who=it.ada.caller)
    await approve(coalition, it.brand("AERO"), again, 70)
    assert await points(coalition, it) == 70
    await require_sound(coalition)


@pytest.mark.parametrize("clawback", list(Shortfall))
async def test_voiding_when_the_points_are_spent(coalition: Coalition, clawback: Shortfall) -> None:
    """The clawback of the program's brand decides: refused, taken below zero, or let go."""
    it = await scene(coalition, clawback)
    made = await claimed(coalition, it)
    await approve(coalition, it.brand("AERO"), made)
    account = it.ada.at["AERO"]
    await adjust(coalition, OPERATOR, account, -500, "spent", None, None, key())
    same = key()
    for _ in range(2):
        if clawback is Shortfall.REJECT:
            with pytest.raises(PointsSpent):
                await void(coalition, it.brand("AERO"), made.id, "A mistake.", same)
        else:
            await void(coalition, it.brand("AERO"), made.id, "A mistake.", same)
    kept = clawback is Shortfall.REJECT
    status = (await whole(coalition, made)).status
    assert status is (ClaimStatus.APPROVED if kept else ClaimStatus.VOIDED)
    below = clawback is Shortfall.ALLOW_NEGATIVE
    assert await points(coalition, it) == (-500 if below else 0)
    await require_sound(coalition)


async def test_a_supplier_is_not_told_what_a_member_has(coalition: Coalition) -> None:
    """Where points are spent, the program's brand is told how many there are; a supplier is only
    told that they are spent, again and again."""
    it = await scene(coalition, Shortfall.REJECT)
    made = await claimed(coalition, it, flight(9, operating_carrier="GR", operating_number="9"))
    await approve(coalition, it.brand("GROCER"), made)
    await adjust(coalition, OPERATOR, it.ada.at["AERO"], -200, "spent", None, None, key())
    same = key()
    for replayed in (False, True):
        with pytest.raises(PointsSpent) as refused:
            await void(coalition, it.brand("GROCER"), made.id, "A mistake.", same)
        assert refused.value == PointsSpent(replayed=replayed)
    with pytest.raises(PointsSpent) as told:
        await void(coalition, it.brand("AERO"), made.id, "A mistake.", key())
    assert (told.value.available, told.value.required) == (50, 250)
    await require_sound(coalition)


async def test_voiding_what_was_reversed_by_hand(coalition: Coalition) -> None:
    """Where the operator has reversed the transaction, nothing is left to be taken back, and the
    claim ends all the same."""
    it = await scene(coalition)
    made = await claimed(coalition, it)
    done = await approve(coalition, it.brand("AERO"), made)
    assert done.claim.transaction_id is not None
    await reverse(coalition, OPERATOR, done.claim.transaction_id, None, "By hand.", key())
    same = key()
    for replayed in (False, True):
        ended = await void(coalition, it.brand("AERO"), made.id, "A mistake.", same)
        assert (ended.claim.status, ended.replayed) == (ClaimStatus.VOIDED, replayed)
    assert await points(coalition, it) == 0


async def test_why_it_was_taken_back(coalition: Coalition) -> None:
    """A claim that is taken back says why and since when, and not why it was approved; who voids
    the booking that it has credited says it with that."""
    it = await scene(coalition)
    made = await claimed(coalition, it, flight(1))
    await approve(coalition, it.brand("AERO"), made)
    approved = await whole(coalition, made)
    await void(coalition, it.brand("AERO"), made.id, "A mistake.", key())
    now = await whole(coalition, made)
    assert (now.status, now.reason, now.points) == (ClaimStatus.VOIDED, "A mistake.", 500)
    assert now.changed_at > approved.changed_at
    assert (now.is_appealed, now.transaction_id) == (False, approved.transaction_id)
    booking = await booked(coalition, it, flight(2))
    made = await claimed(coalition, it, flight(2))
    await reject(coalition, it.brand("AERO"), made)
    await appeal(coalition, it.sky, made.id, "She did fly.", key())
    await approve(coalition, it.brand("AERO"), made)
    await void_booking(coalition, it.brand("AERO"), booking.id, VoidReason.REFUND, key())
    now = await whole(coalition, made)
    assert (now.status, now.reason, now.is_appealed) == (ClaimStatus.VOIDED, "REFUND", True)
    await require_sound(coalition)


async def spent(coalition: Coalition, clawback: Shortfall) -> tuple[Scene, UUID]:
    """A claim whose points are spent, at a brand with a clawback."""
    it = await scene(coalition, clawback)
    await booked(coalition, it)
    made = await claimed(coalition, it)
    await approve(coalition, it.brand("AERO"), made)
    await adjust(coalition, OPERATOR, it.ada.at["AERO"], -500, "spent", None, None, key())
    return it, made.id


@pytest.mark.parametrize("first", [Shortfall.REJECT, Shortfall.UP_TO_BALANCE])
async def test_an_answer_stands_whatever_the_clawback_is_since(
    coalition: Coalition, first: Shortfall
) -> None:
    """Who asks again with the same key is answered as the first time, though the brand has another
    clawback by then; with a new key the new one holds."""
    _, made = await spent(coalition, first)
    let_go = first is Shortfall.UP_TO_BALANCE
    other = Shortfall.REJECT if let_go else Shortfall.UP_TO_BALANCE
    same = key()

    async def asked(named: str) -> str:
        try:
            done = await void(coalition, OPERATOR, made, "A mistake.", named)
        except Rejection as refused:
            return f"{type(refused).__name__} {refused.replayed}"
        return f"{done.claim.status} {done.replayed}"

    expected = "VOIDED" if let_go else "PointsSpent"
    assert await asked(same) == f"{expected} False"
    await update_brand(coalition, OPERATOR, "AERO", BrandChanges(clawback=other))
    before = await everything(coalition)
    for _ in range(2):
        assert await asked(same) == f"{expected} True"
    assert await everything(coalition) == before
    assert await asked(key()) == ("ClaimNotCredited False" if let_go else "VOIDED False")
    assert await asked(same) == f"{expected} True"
    await require_sound(coalition)


@pytest.mark.parametrize("meanwhile", ["nothing", "earned", "REJECT", "voided"])
@pytest.mark.parametrize("first", [Shortfall.REJECT, Shortfall.UP_TO_BALANCE])
async def test_who_was_cut_off_is_refused_when_she_asks_again(
    coalition: Coalition, monkeypatch: pytest.MonkeyPatch, meanwhile: str, first: Shortfall
) -> None:
    """Between the two writes that points which are spent take, nothing is lost: asked again, it is
    refused for good, whatever the clawback is and whatever she has by then; with a new key that is
    what counts, and a claim is never taken back twice."""
    it, made = await spent(coalition, first)
    same = key()

    def cut(*_: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as patched:
        patched.setattr("brands.travel.taking_back._TakingBack._instead", cut)
        with pytest.raises(ConnectionError):
            await void(coalition, OPERATOR, made, "A mistake.", same)
    now = Shortfall.REJECT if meanwhile == "REJECT" else Shortfall.UP_TO_BALANCE
    await update_brand(coalition, OPERATOR, "AERO", BrandChanges(clawback=now))
    if meanwhile == "earned":
        await adjust(coalition, OPERATOR, it.ada.at["AERO"], 900, "earned", None, None, key())
    if meanwhile == "voided":
        await void(coalition, it.brand("AERO"), made, "Another.", key())
    for _ in range(2):
        with pytest.raises(ClaimNotCredited if meanwhile == "voided" else PointsSpent):
            await void(coalition, OPERATOR, made, "A mistake.", same)
    if meanwhile in ("nothing", "earned"):
        await void(coalition, OPERATOR, made, "A mistake.", key())
        assert await points(coalition, it) == (400 if meanwhile == "earned" else 0)
    await require_sound(coalition)
