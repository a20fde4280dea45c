"""The core: which lots a debit uses up, what has expired, and how a debt is paid."""

import pytest

from brands.clock import NEVER
from brands.ledger.chart import COALITION, AccountKind
from brands.ledger.commands import Shortfall
from brands.ledger.core import decide
from brands.ledger.lots import LotsNotLoaded
from brands.rejections import InsufficientPoints
from tests.brands.ledger.asking import accrual, end_hold, expiry, hold, redemption, reverse
from tests.brands.ledger.world import World

SOON, LATER = 2_000_000, 3_000_000


@pytest.fixture
def world() -> World:
    """Books in memory."""
    return World()


@pytest.mark.parametrize(
    ("earned_lots", "spent", "left"),
    [
        # (points, expires, earned) of each credit, in the order of their posting
        ([(10, NEVER, 1), (10, SOON, 2)], 4, [(6, 0), (10, 0)]),
        ([(10, SOON, 2), (7, SOON, 1)], 8, [(9, 0)]),
        ([(10, LATER, 1), (7, SOON, 9), (5, NEVER, 0)], 18, [(4, 0)]),
        ([(10, SOON, 1), (10, SOON, 1)], 15, [(5, 0)]),
        ([(10, SOON, 1), (10, NEVER, 1)], 20, []),
    ],
)
def test_the_earliest_expiry_goes_first_then_the_oldest(
    world: World, earned_lots: list[tuple[int, int, int]], spent: int, left: list[tuple[int, int]]
) -> None:
    """A debit uses up lots by their expiry, and those that expire together by age."""
    brand, account = world.brands[0], world.members[0][0]
    for points, expires, earned in earned_lots:
        world.well(accrual(brand, account, points, expires=expires, earned_at=earned))
    world.well(redemption(brand, account, spent))
    assert world.lots(0, 0) == left


def test_expired_points_cannot_be_spent(world: World) -> None:
    """From the instant of its expiry a lot pays for nothing, though it is still in the balance."""
    brand, account = world.brands[0], world.members[0][0]
    world.well(accrual(brand, account, 10, expires=SOON))
    world.well(accrual(brand, account, 5))
    world.now = SOON - 1
    world.well(redemption(brand, account, 1))
    world.now = SOON
    assert world.account(0, 0).balance == 14
    refused = InsufficientPoints(available=5, required=6)
    assert world.refused(redemption(brand, account, 6)) == refused
    assert world.refused(hold(account, 6)) == refused
    world.well(redemption(brand, account, 5))


def test_expiry_takes_what_is_left_and_pays_the_beneficiary(world: World) -> None:
    """Expired points go to EXPIRED, their value from the pool to breakage, and only once."""
    brand, account = world.brands[0], world.members[0][0]
    world.well(accrual(brand, account, 10, expires=SOON))
    world.well(accrual(brand, account, 5))
    world.well(redemption(brand, account, 3))
    world.well(expiry(brand, account))
    assert world.account(0, 0).balance == 12
    world.now = SOON
    world.well(expiry(brand, account))
    world.well(expiry(brand, account))
    assert world.account(0, 0).balance == 5
    assert world.balance(brand.id, AccountKind.EXPIRED) == 7
    assert world.balance(COALITION, AccountKind.BREAKAGE) == 7 * brand.value
    assert [row[2] for row in world.transactions.values()].count("EXPIRY") == 1


def test_held_points_do_not_expire_while_held(world: World) -> None:
    """Expiry leaves what a hold has reserved; once released it is taken."""
    brand, account = world.brands[0], world.members[0][0]
    world.well(accrual(brand, account, 10, expires=SOON))
    world.well(placed := hold(account, 4))
    world.now = SOON
    world.well(expiry(brand, account))
    assert world.lots(0, 0) == [(4, 4)]
    world.well(end_hold(placed))
    assert world.refused(redemption(brand, account, 4)).available == 0
    world.well(expiry(brand, account))
    assert world.account(0, 0).balance == 0


def in_debt(world: World) -> None:
    """Leaves the first member 30 points short: 50 earned, 30 spent, the 50 taken back."""
    brand, account = world.brands[0], world.members[0][0]
    earned = world.well(accrual(brand, account, 50))
    world.well(redemption(brand, account, 30))
    world.well(reverse(earned, shortfall=Shortfall.ALLOW_NEGATIVE))


def test_a_debt_is_paid_by_the_next_credits(world: World) -> None:
    """A clawback into debt lowers the floor by it; later credits pay it before all else."""
    brand, account = world.brands[0], world.members[0][0]
    in_debt(world)
    assert (world.account(0, 0).balance, world.account(0, 0).floor) == (-30, -30)
    assert world.refused(redemption(brand, account, 1)).available == 0
    world.well(accrual(brand, account, 20))
    assert (world.account(0, 0).balance, world.account(0, 0).floor) == (-10, -10)
    world.well(accrual(brand, account, 25))
    assert (world.account(0, 0).balance, world.account(0, 0).floor) == (15, 0)
    assert world.refused(redemption(brand, account, 16)).available == 15
    world.well(redemption(brand, account, 15))


def test_a_debt_in_one_batch_is_paid_in_the_same(world: World) -> None:
    """Order counts within a batch: a credit after a clawback pays the debt, a debit sees it."""
    brand, account = world.brands[0], world.members[0][0]
    earned = world.well(accrual(brand, account, 50))
    verdicts = world.do(
        redemption(brand, account, 30),
        reverse(earned, shortfall=Shortfall.ALLOW_NEGATIVE),
        accrual(brand, account, 40),
        redemption(brand, account, 11),
        redemption(brand, account, 10),
    )
    assert verdicts == [None, None, None, InsufficientPoints(available=10, required=11), None]


def test_an_expired_lot_under_a_debt_does_not_collapse_the_balance(world: World) -> None:
    """A lot that a hold kept from a clawback and that then expires takes its own points only."""
    brand, account = world.brands[0], world.members[0][0]
    earned = world.well(accrual(brand, account, 50))
    world.well(accrual(brand, account, 10, expires=SOON))
    world.well(placed := hold(account, 10))
    world.well(redemption(brand, account, 30))
    world.well(reverse(earned, shortfall=Shortfall.ALLOW_NEGATIVE))
    assert (world.account(0, 0).balance, world.account(0, 0).floor) == (-20, -30)
    world.now = SOON
    world.well(end_hold(placed))
    world.well(expiry(brand, account))
    assert (world.account(0, 0).balance, world.account(0, 0).floor) == (-30, -30)
    world.well(accrual(brand, account, 40))
    assert world.account(0, 0).balance == 10


def test_a_clawback_takes_no_more_than_it_claims(world: World) -> None:
    """Points that have expired pay a clawback too, but only as far as it goes."""
    brand, account = world.brands[0], world.members[0][0]
    world.well(accrual(brand, account, 100, expires=SOON))
    earned = world.well(accrual(brand, account, 20))
    world.well(accrual(brand, account, 5, expires=LATER))
    world.now = SOON - 1
    world.well(redemption(brand, account, 20))
    world.now = SOON
    world.well(redemption(brand, account, 20))
    world.well(reverse(earned, shortfall=Shortfall.ALLOW_NEGATIVE))
    assert (world.account(0, 0).balance, world.account(0, 0).floor) == (65, 0)


@pytest.mark.parametrize("expires", [SOON, LATER, NEVER])
def test_a_debit_beyond_the_lots_at_hand_asks_for_the_rest(world: World, expires: int) -> None:
    """While older lots are not loaded, a credit of the same batch is not spent before them."""
    brand, account = world.brands[0], world.members[0][0]
    for _ in range(3):
        world.well(accrual(brand, account, 10, expires=LATER))
    loaded = world.account(0, 0)
    loaded.lots = loaded.lots[:1]
    loaded.all_lots = False
    commands = [
        redemption(brand, account, 10),
        accrual(brand, account, 10, expires=expires),
        redemption(brand, account, 10),
    ]
    with pytest.raises(LotsNotLoaded):
        decide(world.state, commands, world.now, lambda _: brand.id)


def test_a_refusal_is_not_pronounced_on_half_the_lots(world: World) -> None:
    """What is available is only said once every lot is loaded."""
    brand, account = world.brands[0], world.members[0][0]
    for _ in range(3):
        world.well(accrual(brand, account, 10))
    loaded = world.account(0, 0)
    loaded.lots = loaded.lots[:1]
    loaded.all_lots = False
    with pytest.raises(LotsNotLoaded):
        decide(world.state, [redemption(brand, account, 31)], world.now, lambda _: brand.id)
