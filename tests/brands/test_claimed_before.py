"""What stands in the way of a claim: that the journey is claimed, or credited, already."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from brands.callers import Caller
from brands.coalition import Coalition
from brands.itineraries import Flight, Stay
from brands.travel import claimed_before, claiming
from brands.travel.bookings import Passenger
from brands.travel.claiming import Claimed, claim
from brands.travel.claims import CreditClaim, whole_claim
from brands.travel.deciding import Decision, Verdict, decide
from brands.travel.pursuing import appeal, withdraw
from brands.travel.rejections import AlreadyCredited, ClaimChanged, DuplicateClaim
from tests.brands.booked import LAST_WEEK, Scene, agency, booked, confirmed, flight, scene, stay
from tests.brands.claimed import claimed, new_claim, reject, whole
from tests.brands.stage import OPERATOR, key, require_sound


async def finally_rejected(
    coalition: Coalition, it: Scene, who: Caller, name: Passenger | None
) -> CreditClaim:
    """A claim that was rejected, and again on appeal."""
    made = await claimed(coalition, it, who=who, traveller=name)
    await reject(coalition, OPERATOR, made)
    await appeal(coalition, who, made.id, "She did fly.", key())
    await reject(coalition, OPERATOR, made)
    return made


async def test_names_are_not_tried_out(coalition: Coalition) -> None:
    """An agency has a journey rejected under two names at most, whether they are the traveller's or
    not; another agency's claims do not count."""
    it = await scene(coalition)
    for surname in ("LOVELACE", "BYRON"):
        told = await agency(coalition, f"TRY{surname}")
        names = [Passenger(surname, name) for name in ("BEA MS", "B", "BEATE", None)]
        await finally_rejected(coalition, it, told, names[0])
        second = await finally_rejected(coalition, it, told, names[1])
        for name in names[2:]:
            with pytest.raises(DuplicateClaim) as refused:
                await claimed(coalition, it, who=told, traveller=name)
            assert refused.value.claim_id == second.id


async def test_a_member_has_one_name(coalition: Coalition) -> None:
    """What she has claimed and what was rejected is not claimed again by her, whatever name she
    gives."""
    it = await scene(coalition)
    made = await finally_rejected(coalition, it, it.ada.caller, None)
    for name in (None, Passenger("A", "X"), Passenger("C")):
        with pytest.raises(DuplicateClaim) as refused:
            await claimed(coalition, it, who=it.ada.caller, traveller=name)
        assert refused.value.claim_id == made.id


@pytest.mark.parametrize(
    ("there", "asked", "brand"),
    [
        (flight(2, operating_carrier="GR", operating_number="9"), flight(9, carrier="GR"), "AERO"),
        (stay(5), stay(2, check_in=LAST_WEEK + timedelta(days=1)), "HOTEL"),
        (stay(2), stay(5, check_in=LAST_WEEK - timedelta(days=4)), "HOTEL"),
    ],
)
async def test_an_agency_is_told_of_its_own_bookings(
    coalition: Coalition, there: Flight | Stay, asked: Flight | Stay, brand: str
) -> None:
    """By whichever name, and by any of its nights; of another agency's it is told nothing."""
    it = await scene(coalition)
    booking = await booked(coalition, it, there, brand=brand)
    await confirmed(coalition, OPERATOR, *booking.segments)
    with pytest.raises(AlreadyCredited):
        await claimed(coalition, it, asked, brand=brand)
    assert (await claimed(coalition, it, asked, it.sea, brand=brand)).is_undecided


async def test_nights_that_are_not_credited(coalition: Coalition) -> None:
    """A stay that ends where a credited one begins, or begins where it ends, is another one."""
    it = await scene(coalition)
    booking = await booked(coalition, it, stay(2), brand="HOTEL")
    await confirmed(coalition, OPERATOR, *booking.segments)
    for first in (LAST_WEEK - timedelta(days=2), LAST_WEEK + timedelta(days=2)):
        made = await claimed(coalition, it, stay(2, check_in=first), brand="HOTEL")
        assert made.is_undecided


async def test_who_was_beaten_is_told_so_again(
    coalition: Coalition, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A claim that met the same one under another key is refused with that one; asked again it is
    too, though that one was withdrawn meanwhile."""
    it = await scene(coalition)
    same = new_claim(it)
    earlier = claimed_before.earlier_claims
    first: list[CreditClaim] = []

    async def slow(*given: object) -> list[CreditClaim]:
        found = await earlier(*given)  # type: ignore[arg-type]
        monkeypatch.setattr(claiming, "earlier_claims", earlier)
        first.append(await claimed(coalition, it))
        return found

    monkeypatch.setattr(claiming, "earlier_claims", slow)
    for replayed in (False, True, True):
        with pytest.raises(DuplicateClaim) as refused:
            await claim(coalition, it.sky, same)
        assert refused.value == DuplicateClaim(claim_id=first[0].id, replayed=replayed)
        if not replayed:
            await withdraw(coalition, it.sky, first[0].id, key())
    await require_sound(coalition)


@pytest.mark.parametrize("what", ["decide", "appeal", "withdraw"])
async def test_who_came_late_is_told_so_again(
    coalition: Coalition, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Who read a claim before another has changed it changes nothing, and is told the same
    whenever she asks again."""
    it = await scene(coalition)
    made, same = await claimed(coalition, it), key()
    if what == "appeal":
        await reject(coalition, OPERATOR, made)
    room = "deciding" if what == "decide" else "pursuing"
    read, met = whole_claim, False

    async def slow(*given: object) -> CreditClaim:
        nonlocal met
        found = await read(*given)  # type: ignore[arg-type]
        if not met:
            met = True
            if what == "appeal":
                await appeal(coalition, it.sky, made.id, "She flew.", key())
            else:
                await reject(coalition, OPERATOR, made)
        return found

    monkeypatch.setattr(f"brands.travel.{room}.whole_claim", slow)
    asked: dict[str, Callable[[], Awaitable[Claimed]]] = {
        "decide": lambda: decide(
            coalition, OPERATOR, Decision(made.id, Verdict.APPROVE, None, "Yes.", same)
        ),
        "appeal": lambda: appeal(coalition, it.sky, made.id, "She did fly.", same),
        "withdraw": lambda: withdraw(coalition, it.sky, made.id, same),
    }
    for replayed in (False, True):
        with pytest.raises(ClaimChanged) as refused:
            await asked[what]()
        assert refused.value == ClaimChanged(replayed=replayed)
    assert (await whole(coalition, made)).points is None
    await require_sound(coalition)
