"""The core: what a posting does to points and to the money behind them."""

from dataclasses import replace

import pytest

from brands.clock import from_micros
from brands.ledger.chart import AccountKind
from brands.ledger.commands import Token
from brands.ledger.core import decide
from brands.money import MAX_POINTS
from brands.rejections import (
    AmountTooLarge,
    InsufficientPoints,
    MembershipClosed,
    QuoteExpired,
    TokenSpent,
)
from tests.brands.ledger.asking import (
    accrual,
    adjustment,
    capture,
    conversion,
    hold,
    redemption,
    refusal,
    revaluation,
)
from tests.brands.ledger.world import World


@pytest.fixture
def world() -> World:
    """Books in memory."""
    return World()


def test_an_accrual_is_paid_by_its_sponsor(world: World) -> None:
    """100 points at p=0.010, v=0.008: the sponsor owes 1.00, the pool has 0.80, the margin 0.20."""
    brand, _, sponsor = world.brands
    world.well(accrual(brand, world.members[0][0], 100, sponsor=sponsor))
    assert world.account(0, 0).balance == 100
    assert world.balance(brand.id, AccountKind.ISSUED) == -100
    assert world.balance(brand.id, AccountKind.POOL) == 800_000
    assert world.settlements() == [0, 0, -1_000_000, 200_000]


def test_a_redemption_pays_the_brand_that_redeems(world: World) -> None:
    """Points of one brand spent at another move their value from the pool to the redeemer."""
    brand, _, redeemer = world.brands
    world.well(accrual(brand, world.members[0][0], 100))
    world.well(redemption(brand, world.members[0][0], 40, at_brand=redeemer))
    assert world.account(0, 0).balance == 60
    assert world.balance(brand.id, AccountKind.REDEEMED) == 40
    assert world.balance(brand.id, AccountKind.POOL) == 480_000
    assert world.settlements() == [-1_000_000, 0, 320_000, 200_000]


def test_a_conversion_leaves_the_difference_as_margin(world: World) -> None:
    """1,000 points at o=0.008 arrive as 640 at i=0.0125, each pool moves at its own v."""
    source, destination, _ = world.brands
    here, there, _ = world.members[0]
    world.well(accrual(source, here, 1_000))
    margin = world.settlements()[3]
    world.well(conversion(source, here, destination, there, 1_000))
    assert (world.account(0, 0).balance, world.account(0, 1).balance) == (0, 640)
    assert world.balance(source.id, AccountKind.POOL) == 0
    assert world.balance(destination.id, AccountKind.POOL) == 640 * 12_000
    assert world.settlements()[3] - margin == 1_000 * 8_000 - 640 * 12_000


@pytest.mark.parametrize(
    ("points", "balance", "settlement"), [(70, 170, -1_560_000), (-70, 30, -440_000)]
)
def test_an_adjustment_is_the_brands_own(
    world: World, points: int, balance: int, settlement: int
) -> None:
    """An adjustment moves points between member and ADJUSTED, their value to or from the pool."""
    brand, account = world.brands[0], world.members[0][0]
    world.well(accrual(brand, account, 100))
    world.well(adjustment(brand, account, points))
    assert world.account(0, 0).balance == balance
    assert world.balance(brand.id, AccountKind.ADJUSTED) == -points
    assert world.settlements()[0] == settlement


def test_points_are_revalued_before_anything_else_is_posted(world: World) -> None:
    """A new value in force is first posted for the points out there, then the posting follows."""
    brand, account = world.brands[0], world.members[0][0]
    world.well(accrual(brand, account, 100))
    world.publish(0, 9_000)
    world.now += 5
    later = replace(brand, value=9_000)
    world.well(redemption(later, account, 10))
    kinds = [row[2] for row in world.transactions.values()]
    assert kinds == ["ACCRUAL", "REVALUATION", "REDEMPTION"]
    assert world.balance(brand.id, AccountKind.POOL) == 90 * 9_000
    assert world.settlements()[0] == -1_000_000 - 100_000 + 90_000


def test_a_revaluation_is_posted_once(world: World) -> None:
    """Asked twice, a pool is brought to the value in force once."""
    brand = world.brands[0]
    world.well(accrual(brand, world.members[0][0], 100))
    world.publish(0, 7_000)
    world.well(revaluation(brand, 0))
    world.well(revaluation(brand, 0))
    assert [row[2] for row in world.transactions.values()] == ["ACCRUAL", "REVALUATION"]
    assert world.balance(brand.id, AccountKind.POOL) == 700_000


def test_the_difference_between_then_and_now_is_the_brands(world: World) -> None:
    """A late accrual is sponsored at old rates, its pool is at today's, and B bears the rest."""
    brand, _, sponsor = world.brands
    world.publish(0, 9_500)
    world.well(accrual(brand, world.members[0][0], 100, sponsor=sponsor, event_at=5))
    assert world.balance(brand.id, AccountKind.POOL) == 950_000
    assert world.settlements() == [-150_000, 0, -1_000_000, 200_000]


def test_a_valuation_to_come_changes_nothing_yet(world: World) -> None:
    """Until it takes effect a published value touches no pool."""
    brand = world.brands[0]
    world.rates[brand.id].append((world.now + 1, 9_000))
    world.well(accrual(brand, world.members[0][0], 100))
    assert world.balance(brand.id, AccountKind.POOL) == 800_000


def test_a_token_is_spent_once(world: World) -> None:
    """A second posting with the same token is refused, within one batch as between batches."""
    brand, account = world.brands[0], world.members[0][0]
    first, second, third = (accrual(brand, account, 5, tokens=(Token(0, "q"),)) for _ in range(3))
    assert world.do(first, second) == [None, TokenSpent(token="q")]
    assert world.refused(third) == TokenSpent(token="q")


def test_a_refused_posting_spends_no_token(world: World) -> None:
    """What is refused leaves its token for another."""
    brand, account = world.brands[0], world.members[0][0]
    world.refused(redemption(brand, account, 5, tokens=(Token(0, "q"),)))
    world.well(accrual(brand, account, 5, tokens=(Token(0, "q"),)))


@pytest.mark.parametrize(("deadline", "in_time"), [(1_000_001, True), (1_000_000, False)])
def test_a_deadline_is_the_first_instant_too_late(
    world: World, deadline: int, in_time: bool
) -> None:
    """A posting is refused when it is recorded at its deadline or later."""
    command = accrual(world.brands[0], world.members[0][0], 5, deadline=deadline)
    if in_time:
        world.well(command)
    else:
        assert world.refused(command) == QuoteExpired(expired_at=from_micros(deadline))


def test_a_closed_account_takes_part_in_nothing(world: World) -> None:
    """Neither credit nor debit nor hold, nor the far side of a capture, on a closed membership."""
    brand, other, _ = world.brands
    here, there, _ = world.members[0]
    world.well(accrual(brand, here, 100))
    world.well(placed := hold(here, 50))
    captured = replace(conversion(brand, here, other, there, 50), captures=placed.id)
    world.account(0, 1).closed = True
    closed = MembershipClosed(membership_id=there)
    assert world.refused(accrual(other, there, 5)) == closed
    assert world.refused(redemption(other, there, 5)) == closed
    assert world.refused(hold(there, 5)) == closed
    assert world.refused(conversion(brand, here, other, there, 10)) == closed
    assert world.refused(captured) == closed
    world.well(capture(brand, placed))


def test_points_that_are_not_there_cannot_be_spent(world: World) -> None:
    """One point too many is refused, with both figures."""
    brand, account = world.brands[0], world.members[0][0]
    world.well(accrual(brand, account, 99))
    refused = world.refused(redemption(brand, account, 100))
    assert refused == InsufficientPoints(available=99, required=100)


@pytest.mark.parametrize("times", [1, 2])
def test_no_figure_outgrows_the_database(world: World, times: int) -> None:
    """Postings whose money does not fit a 64-bit integer are refused; the rest go on in peace."""
    brand, account = world.brands[0], world.members[0][0]
    most = (2**63 - 1) // brand.price // times
    for _ in range(times):
        world.well(accrual(brand, account, most))
    assert world.refused(accrual(brand, account, most)) == AmountTooLarge()
    assert world.refused(accrual(brand, account, MAX_POINTS)) == AmountTooLarge()
    world.well(redemption(brand, account, most))


def test_no_entry_outgrows_the_database(world: World) -> None:
    """An amount beyond 64 bits is refused even where the balance after it would fit."""
    brand, redeemer, _ = world.brands
    account = world.members[0][0]
    world.well(accrual(brand, account, (2**63 - 1) // brand.price))
    world.well(redemption(brand, account, (2**63 - 1) // brand.price, at_brand=redeemer))
    points = (2**63 - 1) // brand.value
    assert world.settlements()[1] - points * brand.price > -(2**63)
    assert world.refused(accrual(brand, account, points, sponsor=redeemer)) == AmountTooLarge()


def test_a_refusal_stands_for_itself(world: World) -> None:
    """What a service refuses is refused in its words, and posts nothing."""
    rejection = InsufficientPoints(available=1, required=2)
    assert world.refused(refusal(0, rejection)) is rejection


def test_each_command_sees_what_the_one_before_it_left(world: World) -> None:
    """In one batch, of two debits that the balance suffices for once, the first wins."""
    brand, account = world.brands[0], world.members[0][0]
    verdicts = world.do(
        accrual(brand, account, 100),
        redemption(brand, account, 80),
        redemption(brand, account, 80),
        redemption(brand, account, 20),
    )
    assert verdicts == [None, None, InsufficientPoints(available=20, required=80), None]


def test_an_empty_batch_changes_nothing(world: World) -> None:
    """No commands, no verdicts, no changes."""
    verdicts, changes = decide(world.state, [], world.now, lambda _: world.brands[0].id)
    assert verdicts == []
    assert changes.transactions == []
