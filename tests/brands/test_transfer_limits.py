"""Limits of transfers in the books: what uses them up, what gives them back, and who is told."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from brands.clock import now, now_micros
from brands.coalition import Coalition, open_coalition
from brands.moving import transferring
from brands.moving.limits import Usage, allowances_of
from brands.moving.periods import period_of
from brands.moving.quotes import preview, quote
from brands.moving.transferring import Made, cancel, create, reverse
from brands.rejections import TransferLimitReached
from brands.rules import Direction, Limit, Period, RuleTerms
from tests.brands.sending import HOUR, Scene, points, scene, sent
from tests.brands.stage import (
    OPERATOR,
    balances,
    everything,
    key,
    lay_down,
    require_sound,
)


def limited(*limits: Limit, seconds: int = 0) -> RuleTerms:
    """A rule with limits."""
    return RuleTerms(limits=limits, arrives_after_seconds=seconds)


def month_out(points: int | None = None, count: int | None = None) -> Limit:
    """A limit on what leaves in a month."""
    return Limit(Period.MONTH, Direction.OUT, points, count)


async def used(coalition: Coalition, it: Scene) -> list[tuple[int, int]]:
    """Points and transfers used of Ada's first limit at AERO, as she is told: none, or one."""
    account = it.ada.at["AERO"]
    found = await allowances_of(coalition, it.ada.caller, [account])
    return [
        (each.points.used if each.points else 0, each.count.used if each.count else 0)
        for each in found[account]
    ]


def end_of(period: Period) -> datetime:
    """When this month or year is over, for a brand that keeps UTC."""
    return period_of(period, now(), "UTC").ends


CASES: dict[str, tuple[Limit, TransferLimitReached]] = {
    "points out in a month": (
        month_out(points=250),
        TransferLimitReached(
            period="MONTH",
            direction="OUT",
            unit="POINTS",
            limit=250,
            used=200,
            remaining=50,
            resets_at=end_of(Period.MONTH),
        ),
    ),
    "transfers out in a year": (
        Limit(Period.YEAR, Direction.OUT, count=2),
        TransferLimitReached(
            period="YEAR",
            direction="OUT",
            unit="COUNT",
            limit=2,
            used=2,
            remaining=0,
            resets_at=end_of(Period.YEAR),
        ),
    ),
    "points in in a year": (
        Limit(Period.YEAR, Direction.IN, points=150),
        TransferLimitReached(
            period="YEAR",
            direction="IN",
            unit="POINTS",
            limit=150,
            used=128,
            remaining=22,
            resets_at=end_of(Period.YEAR),
        ),
    ),
    "transfers in in a month": (
        Limit(Period.MONTH, Direction.IN, count=2),
        TransferLimitReached(
            period="MONTH",
            direction="IN",
            unit="COUNT",
            limit=2,
            used=2,
            remaining=0,
            resets_at=end_of(Period.MONTH),
        ),
    ),
}


@pytest.mark.parametrize("name", CASES)
async def test_a_limit_is_told_with_its_figures(coalition: Coalition, name: str) -> None:
    """What goes beyond a limit is refused, in a preview and a quote as in a transfer, with what was
    used, what is left and until when; a quote made before does not help."""
    limit, expected = CASES[name]
    it = await scene(coalition)
    await lay_down(coalition, "AERO", "HOTEL", limited(limit))
    offer = await quote(coalition, it.ada.caller, it.conversion())
    for _ in range(2):
        await sent(coalition, it, it.conversion())
    before = await everything(coalition)
    for way in (preview, quote):
        with pytest.raises(TransferLimitReached) as told:
            await way(coalition, it.ada.caller, it.conversion())
        assert told.value == replace(expected, path="pointsOut")
    for order, path in ((it.conversion(), "pointsOut"), (offer.id, "quote")):
        with pytest.raises(TransferLimitReached) as refusal:
            await create(coalition, it.ada.caller, order, None, key())
        assert refusal.value == replace(expected, path=path)
    assert await everything(coalition) == before
    await require_sound(coalition)


async def test_a_limit_may_be_used_up_to_its_last_point(coalition: Coalition) -> None:
    """Exactly what is left may go, and not a point more; of several limits each holds."""
    it = await scene(coalition)
    yearly = Limit(Period.YEAR, Direction.OUT, points=260)
    await lay_down(coalition, "AERO", "HOTEL", limited(month_out(points=250, count=3), yearly))
    await sent(coalition, it, it.conversion(200))
    await sent(coalition, it, it.conversion(50))
    with pytest.raises(TransferLimitReached) as refusal:
        await sent(coalition, it, it.conversion(2))
    assert (refusal.value.period, refusal.value.remaining) == ("MONTH", 0)
    await lay_down(coalition, "AERO", "HOTEL", limited(month_out(points=300), yearly))
    with pytest.raises(TransferLimitReached) as refusal:
        await sent(coalition, it, it.conversion(11))
    assert (refusal.value.period, refusal.value.used, refusal.value.remaining) == ("YEAR", 250, 10)
    assert await used(coalition, it) == [(250, 0), (250, 0)]


async def test_what_is_called_off_or_taken_back_has_used_nothing(coalition: Coalition) -> None:
    """A cancelled transfer and one wholly reversed give back points and count; a part gives back
    its points, and the count with the last of it."""
    it = await scene(coalition)
    terms = limited(month_out(points=100, count=1), seconds=HOUR)
    await lay_down(coalition, "AERO", "HOTEL", terms)
    pending = await sent(coalition, it, it.conversion())
    assert await used(coalition, it) == [(100, 1)]
    await cancel(coalition, it.ada.caller, pending.id, key())
    assert await used(coalition, it) == [(0, 0)]
    await lay_down(coalition, "AERO", "HOTEL", limited(month_out(points=100, count=1)))
    for request in (it.conversion(), it.gift(to="HOTEL")):
        made = await sent(coalition, it, request)
        for part, left in ((30, (70, 1)), (69, (1, 1)), (None, (0, 0))):
            await reverse(coalition, OPERATOR, made.id, part, "oops", key())
            assert await used(coalition, it) == [left]
    await sent(coalition, it, it.conversion())
    await require_sound(coalition)


async def test_a_refused_transfer_uses_nothing(coalition: Coalition) -> None:
    """What was refused for want of points has used nothing of a limit; nor has a quote, nor the
    same key again."""
    it = await scene(coalition)
    await lay_down(coalition, "AERO", "HOTEL", limited(month_out(points=5_000, count=2)))
    with pytest.raises(Exception, match="points are needed"):
        await sent(coalition, it, it.conversion(1_001))
    await quote(coalition, it.ada.caller, it.conversion())
    assert await used(coalition, it) == [(0, 0)]
    once = key()
    for _ in range(3):
        await create(coalition, it.ada.caller, it.conversion(), None, once)
    assert await used(coalition, it) == [(100, 1)]


async def test_two_a_month_are_two_of_ten_at_once(url: str, coalition: Coalition) -> None:
    """Of ten simultaneous transfers under a limit of two, through two gateways, two are made and
    eight are told of the limit."""
    it = await scene(coalition)
    await lay_down(coalition, "AERO", "HOTEL", limited(month_out(count=2)))
    other = await open_coalition(url)
    try:
        answers = await asyncio.gather(
            *(
                create(through, it.ada.caller, request, None, key())
                for through in (coalition, other)
                for request in [it.conversion()] * 3 + [it.gift(to="HOTEL")] * 2
            ),
            return_exceptions=True,
        )
    finally:
        await other.close()
    assert len([each for each in answers if isinstance(each, Made)]) == 2
    refused = [each for each in answers if isinstance(each, TransferLimitReached)]
    assert [(each.used, each.remaining) for each in refused] == [(2, 0)] * 8
    assert (await balances(coalition, [it.ada.at["AERO"]])) == [800]
    await require_sound(coalition)


async def test_another_month_counts_anew(
    coalition: Coalition, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was transferred in an earlier month uses nothing of this one's limit, but of the
    year's if it was this year."""
    it = await scene(coalition)
    yearly = Limit(Period.YEAR, Direction.OUT, count=2)
    await lay_down(coalition, "AERO", "HOTEL", limited(month_out(count=1), yearly))
    offers = [await quote(coalition, it.ada.caller, it.conversion()) for _ in range(2)]
    this = period_of(Period.MONTH, now(), "UTC")
    for before, offer in zip((timedelta(days=1), timedelta(days=366)), offers, strict=True):
        then = this.begins - before
        back = now_micros() - int((now() - then).total_seconds()) * 1_000_000
        with monkeypatch.context() as patched:
            patched.setattr(transferring, "now_micros", lambda back=back: back)
            await create(coalition, it.ada.caller, offer.id, None, key())
    in_year = 1 if (this.begins - timedelta(days=1)).year == this.begins.year else 0
    assert await used(coalition, it) == [(0, 0), (0, in_year)]
    await sent(coalition, it, it.conversion())
    with pytest.raises(TransferLimitReached):
        await sent(coalition, it, it.conversion())


async def test_who_is_told_of_an_allowance(coalition: Coalition) -> None:
    """What a gift uses of the recipient's limit she is told, and the giver is not."""
    it = await scene(coalition)
    yearly = Limit(Period.YEAR, Direction.IN, points=1_000)
    await lay_down(coalition, "AERO", "AERO", limited(month_out(points=500), yearly))
    await sent(coalition, it, it.gift())
    hers, theirs = it.ada.at["AERO"], it.bea.at["AERO"]
    for caller, seen in ((it.ada.caller, hers), (it.bea.caller, theirs)):
        found = await allowances_of(coalition, caller, [hers, theirs])
        assert [id for id, each in found.items() if each] == [seen]
    found = await allowances_of(coalition, OPERATOR, [hers, theirs])
    assert [each.points for each in found[hers]] == [Usage(500, 100), Usage(1_000, 0)]
    assert [each.points for each in found[theirs]] == [Usage(500, 0), Usage(1_000, 100)]
    assert await points(coalition, it, "AERO") == [900, 100]
