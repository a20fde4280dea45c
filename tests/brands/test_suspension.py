"""A suspended brand: nothing begins there, and what has begun goes on."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TypeAlias
from uuid import UUID

import pytest

from brands.accruals import Accrual, accrue, accrue_many
from brands.adjustments import adjust
from brands.callers import Caller
from brands.clock import now
from brands.coalition import Coalition, open_coalition
from brands.enrolment import Enrolment, enroll
from brands.holds import HoldStatus, capture, place, void
from brands.ledger.commands import Outcome
from brands.members import MemberBy
from brands.memberships import close_membership, open_membership
from brands.money import MICRO
from brands.moving.arriving import complete_transfers
from brands.moving.pooling import invite
from brands.moving.quotes import preview, quote
from brands.moving.routes import TransferRequest
from brands.moving.transferring import cancel, create, reverse
from brands.moving.transfers import TransferStatus
from brands.publishing import publish
from brands.purchases import Fate, Purchase, identify, load
from brands.rejections import (
    BrandSuspended,
    InsufficientPoints,
    PointsInBelowMinimum,
    QuoteUsed,
    Rejection,
)
from brands.rules import RuleTerms
from brands.transactions import reverse as reverse_transaction
from brands.upkeep import expire_lots
from brands.valuations import rates_of
from tests.brands.sending import HOUR, Scene, read, scene, sent, sent_an_hour_ago, slow_scene
from tests.brands.stage import (
    OPERATOR,
    balance,
    enrol,
    everything,
    give,
    give_until,
    key,
    lay_down,
    money,
    require_sound,
)
from tests.brands.suspending import suspend, take_back

DAY = timedelta(days=1)

Asked: TypeAlias = Callable[[Coalition, Scene, str], Awaitable[object]]
"""Something that begins at AERO, with an idempotency key where it takes one."""


def earning(it: Scene, key: str) -> Accrual:
    """Ten points for Ada at AERO."""
    return Accrual(it.ada.at["AERO"], it.brands["AERO"].id, 10, None, None, None, key)


def _inward(it: Scene) -> TransferRequest:
    return TransferRequest(it.ada.at["HOTEL"], it.ada.at["AERO"], points_out=10)


def _transfer(request: Callable[[Scene], TransferRequest], who: str = "ada") -> Asked:
    return lambda coalition, it, key: create(coalition, _caller(it, who), request(it), None, key)


def _caller(it: Scene, who: str) -> Caller:
    return it.ada.caller if who == "ada" else OPERATOR


async def _buy(coalition: Coalition, it: Scene, key: str) -> object:
    bought = [Purchase(None, it.ada.named["AERO"].number, now() - DAY, 7 * MICRO, key)]
    buyers = await identify(coalition, OPERATOR, "AERO", bought)
    return await load(coalition, OPERATOR, "AERO", bought, buyers)


BEGINNINGS: dict[str, tuple[Asked, str | None]] = {
    "an accrual": (
        lambda coalition, it, key: accrue(coalition, OPERATOR, earning(it, key)),
        "membership",
    ),
    "a hold": (
        lambda coalition, it, key: place(coalition, OPERATOR, it.ada.at["AERO"], 10, DAY, key),
        "membership",
    ),
    "purchases": (_buy, None),
    "a conversion away": (_transfer(lambda it: it.conversion(10)), "source"),
    "a conversion away, by the operator": (_transfer(lambda it: it.conversion(10), ""), "source"),
    "a conversion to it": (_transfer(_inward), "destination"),
    "a gift within it": (_transfer(lambda it: it.gift(10)), "source"),
    "a gift away": (_transfer(lambda it: it.gift(10, "HOTEL")), "source"),
    "a gift to it": (
        _transfer(
            lambda it: TransferRequest(
                it.ada.at["HOTEL"], None, points_out=10, recipient=it.bea.named["AERO"]
            )
        ),
        "recipient.brand",
    ),
    "a preview": (
        lambda coalition, it, _: preview(coalition, it.ada.caller, it.conversion(10)),
        "source",
    ),
    "a quote": (
        lambda coalition, it, _: quote(coalition, it.ada.caller, _inward(it)),
        "destination",
    ),
    "an enrolment": (
        lambda coalition, _, key: enroll(
            coalition, OPERATOR, Enrolment(None, None, (("HOTEL", None), ("AERO", None)), key)
        ),
        "memberships.1.brand",
    ),
    "an invitation": (
        lambda coalition, it, _: invite(coalition, it.ada.caller, it.bea.named["AERO"]),
        "recipient.brand",
    ),
}


@pytest.mark.parametrize("name", list(BEGINNINGS))
async def test_nothing_begins_at_a_suspended_brand(coalition: Coalition, name: str) -> None:
    """Whoever asks for it is told which brand is suspended, and by which field, and nothing has
    changed; asked anew after the suspension, it is done."""
    asked, path = BEGINNINGS[name]
    it = await _with_points_at_both(coalition)
    await suspend(coalition)
    before = await _all(coalition)
    with pytest.raises(BrandSuspended) as refused:
        await asked(coalition, it, key())
    assert (refused.value.brand, refused.value.path) == ("AERO", path)
    assert await _all(coalition) == before
    await take_back(coalition)
    await asked(coalition, it, key())
    await require_sound(coalition)


async def _with_points_at_both(coalition: Coalition) -> Scene:
    it = await scene(coalition)
    await give(coalition, it.ada, "HOTEL", 1_000)
    return it


async def _all(coalition: Coalition) -> Sequence[object]:
    found: list[object] = [await everything(coalition)]
    for table in ("members", "memberships", "households", "lookups_seen"):
        rows = await coalition.database.fetch(f"SELECT count(*) AS n FROM {table}")
        found.append((table, rows[0]["n"]))
    return found


async def test_nobody_becomes_a_member(coalition: Coalition) -> None:
    """No membership is opened at a suspended brand, whose ever; at others, all goes on."""
    it = await scene(coalition)
    eve = await enrol(coalition, "HOTEL")
    await suspend(coalition)
    with pytest.raises(BrandSuspended) as refused:
        await open_membership(coalition, OPERATOR, MemberBy(id=eve.id), "AERO")
    assert (refused.value.brand, refused.value.path) == ("AERO", "brand")
    await open_membership(coalition, OPERATOR, MemberBy(id=eve.id), "GROCER")
    await take_back(coalition)
    assert (await open_membership(coalition, OPERATOR, MemberBy(id=eve.id), "AERO")).posted == 0
    assert it.ada.id != eve.id


async def test_other_brands_go_on(coalition: Coalition) -> None:
    """What has nothing to do with the suspended brand is done, side by side with what is not."""
    it = await scene(coalition)
    await suspend(coalition)
    hotel = Accrual(it.ada.at["HOTEL"], it.brands["HOTEL"].id, 30, None, None, None, key())
    refused, done = await accrue_many(coalition, OPERATOR, [earning(it, key()), hotel])
    assert isinstance(refused, BrandSuspended)
    assert isinstance(done, Outcome)
    assert done.rejection is None
    given = TransferRequest(
        it.ada.at["HOTEL"], None, points_out=10, recipient=it.bea.named["HOTEL"]
    )
    await create(coalition, it.ada.caller, given, None, key())
    assert await balance(coalition, it.bea.at["HOTEL"]) == 10
    await require_sound(coalition)


async def test_a_quote_is_not_executed(coalition: Coalition) -> None:
    """A quote that was locked before the suspension, from the brand or to it, is refused for good
    to its key; it is not used by that, and can be executed under another afterwards."""
    it = await _with_points_at_both(coalition)
    for request in (it.conversion(10), _inward(it)):
        offer, refused_key = await quote(coalition, it.ada.caller, request), key()
        await suspend(coalition)
        for replayed in (False, True):
            with pytest.raises(BrandSuspended) as refused:
                await create(coalition, it.ada.caller, offer.id, None, refused_key)
            assert (refused.value.path, refused.value.replayed) == ("quote", replayed)
        await take_back(coalition)
        with pytest.raises(BrandSuspended):
            await create(coalition, it.ada.caller, offer.id, None, refused_key)
        made = await create(coalition, it.ada.caller, offer.id, None, key())
        assert made.transfer.status is TransferStatus.COMPLETED


async def test_a_key_is_answered_as_it_was(coalition: Coalition) -> None:
    """What was done before the suspension is answered again during it, and what was refused during
    it is refused again afterwards."""
    it = await scene(coalition)
    offer = await quote(coalition, it.ada.caller, it.conversion(10))
    keys = [key() for _ in range(5)]

    async def ask() -> list[bool]:
        earned = await accrue(coalition, OPERATOR, earning(it, keys[0]))
        held = await place(coalition, OPERATOR, it.ada.at["AERO"], 10, DAY, keys[1])
        made = await create(coalition, it.ada.caller, it.gift(10), None, keys[2])
        executed = await create(coalition, it.ada.caller, offer.id, None, keys[3])
        newcomer = Enrolment(None, None, (("AERO", None),), keys[4])
        enrolled = await enroll(coalition, OPERATOR, newcomer)
        return [each.replayed for each in (earned, held, made, executed, enrolled)]

    assert await ask() == [False] * 5
    await suspend(coalition)
    before = await _all(coalition)
    assert await ask() == [True] * 5
    assert await _all(coalition) == before
    late = key()
    with pytest.raises(BrandSuspended):
        await accrue(coalition, OPERATOR, earning(it, late))
    await take_back(coalition)
    with pytest.raises(BrandSuspended) as refused:
        await accrue(coalition, OPERATOR, earning(it, late))
    assert refused.value.replayed


async def test_a_refused_key_is_refused_as_it_was(coalition: Coalition) -> None:
    """What was refused before the suspension is refused in the same words during it: a quote that
    was used or came to less than was asked for, and what there are not points enough for."""
    it = await scene(coalition)
    offer, unused = [await quote(coalition, it.ada.caller, it.conversion(10)) for _ in range(2)]
    await create(coalition, it.ada.caller, offer.id, None, key())
    keys = [key() for _ in range(4)]

    async def ask() -> list[Rejection]:
        asked = (
            create(coalition, it.ada.caller, offer.id, None, keys[0]),
            create(coalition, it.ada.caller, unused.id, 10_000, keys[1]),
            create(coalition, it.ada.caller, it.gift(5_000), None, keys[2]),
            place(coalition, OPERATOR, it.ada.at["AERO"], 5_000, DAY, keys[3]),
        )
        found = []
        for each in asked:
            with pytest.raises(Rejection) as refused:
                await each
            found.append(refused.value)
        return found

    first = await ask()
    kinds = [QuoteUsed, PointsInBelowMinimum, InsufficientPoints, InsufficientPoints]
    assert [type(each) for each in first] == kinds
    await suspend(coalition)
    assert await ask() == [replace(each, replayed=True) for each in first]


async def test_a_suspension_is_heard_of_elsewhere(coalition: Coalition, url: str) -> None:
    """Purchases are loaded by a process that is told of nothing: none of a brand's that has been
    suspended since, though their buyers were identified before."""
    it = await scene(coalition)
    bought = [Purchase(None, it.ada.named["AERO"].number, now() - DAY, 7 * MICRO, "R-1")]
    elsewhere = await open_coalition(url)
    try:
        buyers = await identify(elsewhere, OPERATOR, "AERO", bought)
        await suspend(coalition)
        with pytest.raises(BrandSuspended):
            await load(elsewhere, OPERATOR, "AERO", bought, buyers)
        with pytest.raises(BrandSuspended):
            await identify(elsewhere, OPERATOR, "AERO", bought)
        await take_back(coalition)
        assert await load(elsewhere, OPERATOR, "AERO", bought, buyers) == [Fate.LOADED]
    finally:
        await elsewhere.close()


async def test_a_refused_purchase_can_be_loaded_later(coalition: Coalition) -> None:
    """Purchases are known by their reference: a suspension must not stick to one."""
    it = await scene(coalition)
    await suspend(coalition)
    with pytest.raises(BrandSuspended):
        await _buy(coalition, it, "R-1")
    await take_back(coalition)
    assert await _buy(coalition, it, "R-1") == [Fate.LOADED]


async def test_holds_end(coalition: Coalition) -> None:
    """A hold that was placed before the suspension is captured or voided during it."""
    it = await scene(coalition)
    account = it.ada.at["AERO"]
    one, other = [
        (await place(coalition, OPERATOR, account, 10, DAY, key())).hold for _ in range(2)
    ]
    await suspend(coalition)
    captured = (await capture(coalition, OPERATOR, one.id, None, key())).hold
    voided = (await void(coalition, OPERATOR, other.id, key())).hold
    assert (captured.status, voided.status) == (HoldStatus.CAPTURED, HoldStatus.VOIDED)
    assert await balance(coalition, account) == 990
    await require_sound(coalition)


async def test_what_is_under_way_arrives_or_is_called_off(coalition: Coalition) -> None:
    """Points that had left a brand, or were on their way to it, arrive; transfers are cancelled and
    reversed as ever."""
    it = await slow_scene(coalition)
    await lay_down(coalition, "HOTEL", "AERO", RuleTerms(arrives_after_seconds=HOUR))
    await give(coalition, it.ada, "HOTEL", 1_000)
    away, back = (
        await sent_an_hour_ago(coalition, it),
        await sent_an_hour_ago(coalition, it, _inward(it)),
    )
    called_off, gift = await sent(coalition, it), await sent(coalition, it, it.gift(40))
    await suspend(coalition)
    assert await complete_transfers(coalition) == 2
    await cancel(coalition, it.ada.caller, called_off.id, key())
    await reverse(coalition, OPERATOR, gift.id, None, "a mistake", key())
    assert [(await read(coalition, each)).status for each in (away, back, called_off, gift)] == [
        TransferStatus.COMPLETED,
        TransferStatus.COMPLETED,
        TransferStatus.CANCELLED,
        TransferStatus.REVERSED,
    ]
    assert await balance(coalition, it.bea.at["AERO"]) == 0
    await require_sound(coalition)


async def test_the_books_are_kept(coalition: Coalition) -> None:
    """Accruals are reversed, the operator adjusts, lots expire, points get another value, and
    memberships are closed, while the brand is suspended."""
    it = await scene(coalition)
    account: UUID = it.ada.at["AERO"]
    earned = await give(coalition, it.ada, "AERO", 70)
    await give_until(coalition, it.ada, "AERO", 5, now() - DAY)
    await suspend(coalition)
    await reverse_transaction(coalition, OPERATOR, earned, None, "a return", key())
    await adjust(coalition, OPERATOR, account, -100, "wound down", None, None, key())
    assert await expire_lots(coalition) == 1
    assert await balance(coalition, account) == 900
    await publish(coalition, OPERATOR, "AERO", rates_of(Decimal("0.008"), Decimal("0.012")), None)
    assert (await money(coalition, it.ada, "AERO"))["AERO.POOL"] == 900 * 8_000
    await close_membership(coalition, OPERATOR, account)
    await require_sound(coalition)
