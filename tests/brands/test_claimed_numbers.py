"""The number that a claim is for: that it can be one, and that not too many claims wait for it."""

from datetime import timedelta

import pytest

from brands.coalition import Coalition
from brands.errors import InvalidInput, TooManyClaims
from brands.travel import claimed_before
from brands.travel.pursuing import appeal, withdraw
from tests.brands.booked import flight, scene
from tests.brands.claimed import claimed, reject
from tests.brands.stage import key
from tests.brands.watched import watched


@pytest.mark.parametrize("number", ["-", "LOVELACE?"])
async def test_what_is_no_number(coalition: Coalition, number: str) -> None:
    """What no number of the brand looks like is refused to an agency, however often, and nothing is
    looked up or kept of it."""
    it = await scene(coalition)
    with watched() as sent:
        for _ in range(30):
            with pytest.raises(InvalidInput) as met:
                await claimed(coalition, it, number=number)
            assert met.value.path == "loyalty.number"
    assert sent == []


async def test_so_many_wait_for_an_answer(
    coalition: Coalition, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a claimant's claims for a number so many wait for an answer, appeals included; what is
    answered makes room, what is withdrawn does so after a month, and nobody takes another's."""
    monkeypatch.setattr(claimed_before, "MAX_WAITING", 2)
    it = await scene(coalition)
    first, second = [await claimed(coalition, it, flight(number)) for number in (1, 2)]
    with pytest.raises(TooManyClaims) as met:
        await claimed(coalition, it, flight(3))
    assert met.value.limit == 2
    await claimed(coalition, it, flight(1), it.sea)
    await claimed(coalition, it, flight(4), it.ada.caller)
    await claimed(coalition, it, brand="HOTEL")
    await reject(coalition, it.brand("AERO"), first)
    third = await claimed(coalition, it, flight(3))
    await withdraw(coalition, it.sky, third.id, key())
    await appeal(coalition, it.sky, first.id, "She did fly.", key())
    with pytest.raises(TooManyClaims):
        await claimed(coalition, it, flight(5))
    await reject(coalition, it.brand("AERO"), first)
    await withdraw(coalition, it.sky, second.id, key())
    with pytest.raises(TooManyClaims):
        await claimed(coalition, it, flight(5))
    monkeypatch.setattr(claimed_before, "WITHDRAWN_FOR", timedelta())
    await claimed(coalition, it, flight(5))


async def test_a_claim_that_is_told_again(
    coalition: Coalition, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A claim that was taken is told again, however many wait by then."""
    monkeypatch.setattr(claimed_before, "MAX_WAITING", 1)
    it = await scene(coalition)
    again = key()
    first = await claimed(coalition, it, idempotency_key=again)
    assert (await claimed(coalition, it, idempotency_key=again)).id == first.id
