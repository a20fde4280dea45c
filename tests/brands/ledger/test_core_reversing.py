"""The core: reversals mirror what was posted, whole or in parts that add up exactly."""

from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from brands.ledger.chart import COALITION, AccountKind
from brands.ledger.commands import Post, Shortfall
from brands.rejections import (
    AlreadyReversed,
    InsufficientPoints,
    NotReversible,
    ReversalExceedsOriginal,
)
from tests.brands.ledger.asking import (
    accrual,
    adjustment,
    conversion,
    hold,
    redemption,
    reverse,
)
from tests.brands.ledger.world import World

SOON, LATER = 2_000_000, 3_000_000


@pytest.fixture
def world() -> World:
    """Books in memory."""
    return World()


def balances(world: World) -> list[int]:
    """Every balance in the books."""
    return [account.balance for account in world.state.accounts.values()]


def postings(world: World) -> list[Post]:
    """One posting of each kind, which the first member can make."""
    (source, destination, sponsor), (here, there, _) = world.brands, world.members[0]
    return [
        accrual(source, here, 100, sponsor=sponsor),
        redemption(source, here, 100, at_brand=sponsor),
        adjustment(source, here, 77),
        adjustment(source, here, -77),
        conversion(source, here, destination, there, 100),
    ]


@pytest.mark.parametrize("kind", range(5))
def test_a_whole_reversal_undoes_every_entry(world: World, kind: int) -> None:
    """After a posting and its reversal every balance is what it was, and every lot too."""
    world.well(accrual(world.brands[0], world.members[0][0], 150, expires=SOON))
    world.well(accrual(world.brands[0], world.members[0][0], 50))
    before, lots = balances(world), world.lots(0, 0)
    world.well(reverse(world.well(postings(world)[kind])))
    assert balances(world) == before
    assert world.lots(0, 0) == lots


@pytest.mark.parametrize("kind", range(5))
def test_a_reversal_is_at_the_original_rates(world: World, kind: int) -> None:
    """Undone after the value has changed, a posting leaves the difference with the brand alone."""
    world.well(accrual(world.brands[0], world.members[0][0], 200))
    others = world.settlements()[1:]
    posted = world.well(postings(world)[kind])
    world.publish(0, 9_999)
    world.now += 1
    world.well(reverse(posted))
    assert world.settlements()[1:] == others
    assert world.balance(world.brands[0].id, AccountKind.POOL) == 200 * 9_999


def test_a_reversal_restores_the_very_lots(world: World) -> None:
    """Points come back with the expiry they had, last used first when only some come back."""
    brand, account = world.brands[0], world.members[0][0]
    for points, expires in ((10, SOON), (20, LATER), (30, 2**62)):
        world.well(accrual(brand, account, points, expires=expires))
    spent = world.well(redemption(brand, account, 45))
    assert world.lots(0, 0) == [(15, 0)]
    world.well(reverse(spent, 20))
    assert world.lots(0, 0) == [(5, 0), (30, 0)]
    world.well(reverse(spent, 20))
    assert world.lots(0, 0) == [(5, 0), (20, 0), (30, 0)]
    world.well(reverse(spent))
    assert world.lots(0, 0) == [(10, 0), (20, 0), (30, 0)]


def test_points_given_back_too_late_are_expired_points(world: World) -> None:
    """A refund after the lot's expiry restores the lot, and the lot is no longer worth a thing."""
    brand, account = world.brands[0], world.members[0][0]
    world.well(accrual(brand, account, 10, expires=SOON))
    spent = world.well(redemption(brand, account, 10))
    world.now = SOON
    world.well(reverse(spent))
    assert world.account(0, 0).balance == 10
    assert world.refused(redemption(brand, account, 1)).available == 0


def test_a_clawback_takes_its_own_lot_first(world: World) -> None:
    """Taking an accrual back uses up the lot that it made, not the one that expires first."""
    brand, account = world.brands[0], world.members[0][0]
    world.well(accrual(brand, account, 10, expires=SOON))
    earned = world.well(accrual(brand, account, 10, expires=LATER))
    world.well(reverse(earned, 4))
    assert world.lots(0, 0) == [(10, 0), (6, 0)]


def test_nothing_is_reversed_twice(world: World) -> None:
    """A second whole reversal is refused, within one batch as between batches."""
    brand, account = world.brands[0], world.members[0][0]
    earned = world.well(accrual(brand, account, 10))
    assert world.do(reverse(earned), reverse(earned)) == [None, AlreadyReversed()]
    assert world.refused(reverse(earned)) == AlreadyReversed()


def test_parts_never_exceed_the_whole(world: World) -> None:
    """A part beyond what is left is refused, with what is left."""
    brand, account = world.brands[0], world.members[0][0]
    earned = world.well(accrual(brand, account, 10))
    world.well(reverse(earned, 7))
    refused = ReversalExceedsOriginal(points=4, remaining=3)
    assert world.refused(reverse(earned, 4)) == refused
    world.well(reverse(earned))
    assert world.refused(reverse(earned, 1)) == AlreadyReversed()


def test_a_reversal_or_a_revaluation_is_final(world: World) -> None:
    """What corrects is not itself corrected."""
    brand, account = world.brands[0], world.members[0][0]
    earned = world.well(accrual(brand, account, 10))
    back = world.well(reverse(earned, 5))
    assert world.refused(reverse(back)) == NotReversible(kind="REVERSAL")
    world.publish(0, 9_000)
    world.well(accrual(brand, account, 1))
    revalued = next(id for id, row in world.transactions.items() if row[2] == "REVALUATION")
    assert world.refused(reverse(revalued)) == NotReversible(kind="REVALUATION")


@pytest.mark.parametrize(
    ("shortfall", "balance", "floor", "taken"),
    [
        (Shortfall.REJECT, 20, 0, None),
        (Shortfall.UP_TO_BALANCE, 0, 0, 20),
        (Shortfall.ALLOW_NEGATIVE, -30, -30, 50),
    ],
)
def test_a_clawback_of_spent_points_follows_the_policy(
    world: World, shortfall: Shortfall, balance: int, floor: int, taken: int | None
) -> None:
    """Refused, taken as far as the balance goes, or taken in full and the rest owed."""
    brand, account = world.brands[0], world.members[0][0]
    earned = world.well(accrual(brand, account, 50))
    world.well(redemption(brand, account, 30))
    back = reverse(earned, shortfall=shortfall)
    if taken is None:
        assert world.refused(back) == InsufficientPoints(available=20, required=50)
    else:
        assert world.transactions[world.well(back)][-1] == taken
    assert (world.account(0, 0).balance, world.account(0, 0).floor) == (balance, floor)


def test_a_clawback_up_to_an_empty_balance_is_refused(world: World) -> None:
    """Where nothing is left nothing is posted; what is earned later can still be taken back."""
    brand, account = world.brands[0], world.members[0][0]
    earned = world.well(accrual(brand, account, 50))
    world.well(redemption(brand, account, 50))
    back = reverse(earned, shortfall=Shortfall.UP_TO_BALANCE)
    assert world.refused(back) == InsufficientPoints(available=0, required=50)
    world.well(accrual(brand, account, 15))
    world.well(reverse(earned, shortfall=Shortfall.UP_TO_BALANCE))
    assert world.account(0, 0).balance == 0
    assert world.state.originals[earned].reversed == 15


def test_a_clawback_leaves_held_points_alone(world: World) -> None:
    """What a hold has reserved pays no clawback; the debt stands beside it."""
    brand, account = world.brands[0], world.members[0][0]
    earned = world.well(accrual(brand, account, 50))
    world.well(hold(account, 20))
    assert world.refused(reverse(earned)).available == 30
    world.well(reverse(earned, shortfall=Shortfall.ALLOW_NEGATIVE))
    figures = world.account(0, 0)
    assert (figures.balance, figures.held, figures.floor) == (0, 20, -20)


def test_a_conversion_comes_back_in_proportion_rounded_up(world: World) -> None:
    """Of 10 points that became 8, taking 1 back costs 1, taking 5 costs 4, the last costs none."""
    source, destination, _ = world.brands
    here, there, _ = world.members[0]
    world.well(accrual(source, here, 10))
    converted = world.well(
        conversion(replace(source, out=8_000), here, replace(destination, into=10_000), there, 10)
    )
    seen = []
    for points in (1, 5, 3, 1):
        world.well(reverse(converted, points))
        seen.append((world.account(0, 0).balance, world.account(0, 1).balance))
    assert seen == [(1, 7), (6, 3), (9, 0), (10, 0)]


def test_a_conversion_whose_points_are_spent_follows_the_policy(world: World) -> None:
    """What had arrived and is gone keeps a conversion from being undone; as far as the balance
    goes some of it is, and all of it where a debt is allowed."""
    source, destination, _ = world.brands
    here, there, _ = world.members[0]
    world.well(accrual(source, here, 1_000))
    converted = world.well(conversion(source, here, destination, there, 1_000))
    world.well(redemption(destination, there, 600))
    short = InsufficientPoints(available=40, required=640)
    assert world.refused(reverse(converted)) == short
    some = reverse(converted, shortfall=Shortfall.UP_TO_BALANCE)
    assert world.transactions[world.well(some)][-1] == 62  # of which 63 would cost 41
    assert (world.account(0, 0).balance, world.account(0, 1).balance) == (62, 0)
    none_left = reverse(converted, shortfall=Shortfall.UP_TO_BALANCE)
    assert world.refused(none_left) == InsufficientPoints(available=0, required=600)
    world.well(reverse(converted, shortfall=Shortfall.ALLOW_NEGATIVE))
    assert (world.account(0, 0).balance, world.account(0, 1).balance) == (1_000, -600)


RATE = st.sampled_from([1, 2, 3, 4_500, 6_100, 8_000, 12_500]) | st.integers(1, 20_000)


@settings(deadline=None)
@example(kind=4, parts=[33], value=8_000, other=12_500, spread=0)
@given(
    kind=st.integers(0, 4),
    parts=st.lists(st.integers(1, 60), max_size=8),
    value=RATE,
    other=RATE,
    spread=st.integers(0, 500),
)
def test_parts_add_up_to_the_whole_exactly(
    kind: int, parts: list[int], value: int, other: int, spread: int
) -> None:
    """However a reversal is cut up, in the end every balance is what it was before the posting,
    and at no time has the coalition's margin lost by it."""
    world = World()
    source, destination, sponsor = world.brands
    world.brands = (
        replace(source, value=value, out=value, price=value + spread),
        replace(destination, value=other, price=other, into=other + spread * (spread % 2)),
        sponsor,
    )
    world.publish(0, value)
    world.publish(1, other)
    world.well(accrual(world.brands[0], world.members[0][0], 200))
    world.well(accrual(world.brands[1], world.members[0][1], 1))
    before, margin = balances(world), world.balance(COALITION, AccountKind.MARGIN)
    posted = world.well(postings(world)[kind])
    for part in parts:
        world.do(reverse(posted, part))
        assert world.balance(COALITION, AccountKind.MARGIN) >= margin
    world.do(reverse(posted))
    assert world.refused(reverse(posted)) == AlreadyReversed()
    assert balances(world) == before
