"""Withdrawing claims for missing credit, and appealing against a refusal."""

from dataclasses import replace

import pytest

from brands.coalition import Coalition
from brands.errors import ClaimNotFound, NotPermitted
from brands.travel.bookings import Passenger
from brands.travel.claims import ClaimStatus
from brands.travel.pursuing import appeal, withdraw
from brands.travel.rejections import AppealNotPossible, ClaimDecided, WithdrawalNotPossible
from tests.brands.booked import (
    points,
    scene,
)
from tests.brands.claimed import approve, claimed, reject
from tests.brands.stage import (
    everything,
    key,
    require_sound,
)


async def test_one_appeal(coalition: Coalition) -> None:
    """Who has claimed appeals once against a rejection; what is decided then is final."""
    it = await scene(coalition)
    made = await claimed(coalition, it)
    with pytest.raises(AppealNotPossible):
        await appeal(coalition, it.sky, made.id, "Too early.", key())
    await reject(coalition, it.brand("AERO"), made)
    with pytest.raises(ClaimDecided):
        await approve(coalition, it.brand("AERO"), made)
    with pytest.raises(NotPermitted):
        await appeal(coalition, it.ada.caller, made.id, "I did fly.", key())
    with pytest.raises(ClaimNotFound):
        await appeal(coalition, it.sea, made.id, "He did fly.", key())
    same = key()
    done = await appeal(coalition, it.sky, made.id, "She did fly.", same)
    assert (done.claim.status, done.claim.appeal) == (ClaimStatus.APPEALED, "She did fly.")
    again = await appeal(coalition, it.sky, made.id, "She did fly.", same)
    assert again == replace(done, replayed=True)
    await reject(coalition, it.brand("AERO"), made)
    with pytest.raises(AppealNotPossible):
        await appeal(coalition, it.sky, made.id, "Once more.", key())
    with pytest.raises(ClaimDecided):
        await approve(coalition, it.brand("AERO"), made)
    assert await points(coalition, it) == 0


async def test_an_appeal_can_be_approved(coalition: Coalition) -> None:
    """On appeal the brand can approve; then the points are there."""
    it = await scene(coalition)
    made = await claimed(coalition, it)
    await reject(coalition, it.brand("AERO"), made)
    await appeal(coalition, it.sky, made.id, "She did fly.", key())
    done = await approve(coalition, it.brand("AERO"), made, 123)
    assert (done.claim.status, done.claim.is_appealed) == (ClaimStatus.APPROVED, True)
    assert await points(coalition, it) == 123


async def test_an_open_claim_is_withdrawn(coalition: Coalition) -> None:
    """By who has claimed, once; then it is decided on no more, and the journey can be claimed again
    under the right name."""
    it = await scene(coalition)
    made = await claimed(coalition, it, traveller=Passenger("LOVELACY"))
    for who, refused in ((it.ada.caller, ClaimNotFound), (it.brand("AERO"), NotPermitted)):
        with pytest.raises(refused):
            await withdraw(coalition, who, made.id, key())
    same = key()
    for replayed in (False, True):
        done = await withdraw(coalition, it.sky, made.id, same)
        assert (done.claim.status, done.replayed) == (ClaimStatus.WITHDRAWN, replayed)
    with pytest.raises(ClaimDecided):
        await approve(coalition, it.brand("AERO"), made)
    with pytest.raises(AppealNotPossible):
        await appeal(coalition, it.sky, made.id, "She did fly.", key())
    again = await claimed(coalition, it)
    assert again.is_linked
    await approve(coalition, it.brand("AERO"), again)
    assert await points(coalition, it) == 500
    await require_sound(coalition)


async def test_what_is_decided_is_not_withdrawn(coalition: Coalition) -> None:
    """Nor what is appealed against: nothing is changed by the attempt, which sticks to its key."""
    it = await scene(coalition)
    made, same = await claimed(coalition, it), key()
    await reject(coalition, it.brand("AERO"), made)
    before = await everything(coalition)
    for replayed in (False, True):
        with pytest.raises(WithdrawalNotPossible) as refused:
            await withdraw(coalition, it.sky, made.id, same)
        assert refused.value == WithdrawalNotPossible(status="REJECTED", replayed=replayed)
    assert await everything(coalition) == before
    await appeal(coalition, it.sky, made.id, "She did fly.", key())
    with pytest.raises(WithdrawalNotPossible):
        await withdraw(coalition, it.sky, made.id, key())
