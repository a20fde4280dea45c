"""The core: holds reserve lots, and end exactly once."""

import pytest

from brands.ledger.commands import Command
from brands.rejections import CaptureExceedsHold, HoldNotPending, InsufficientPoints
from tests.brands.ledger.asking import accrual, capture, end_hold, hold, redemption, reverse
from tests.brands.ledger.world import World

SOON, LATER = 2_000_000, 3_000_000


@pytest.fixture
def world() -> World:
    """Books in memory, in which the first member has 60 points in three lots."""
    made = World()
    brand, account = made.brands[0], made.members[0][0]
    for points, expires in ((30, LATER), (20, SOON + 1), (10, SOON)):
        made.well(accrual(brand, account, points, expires=expires))
    return made


def test_a_hold_reserves_and_posts_nothing(world: World) -> None:
    """Held points stay in the balance and cannot be spent or held again."""
    brand, account = world.brands[0], world.members[0][0]
    posted = len(world.transactions)
    world.well(hold(account, 25))
    assert len(world.transactions) == posted
    assert (world.account(0, 0).balance, world.account(0, 0).held) == (60, 25)
    assert world.lots(0, 0) == [(10, 10), (20, 15), (30, 0)]
    refused = InsufficientPoints(available=35, required=36)
    assert world.refused(redemption(brand, account, 36)) == refused
    assert world.refused(hold(account, 36)) == refused
    world.well(redemption(brand, account, 35))
    assert world.lots(0, 0) == [(10, 10), (15, 15)]


@pytest.mark.parametrize(
    ("captured", "left"),
    [
        (25, [(15 - 10, 0), (30, 0)]),
        (12, [(18, 0), (30, 0)]),
        (10, [(20, 0), (30, 0)]),
        (3, [(7, 0), (20, 0), (30, 0)]),
    ],
)
@pytest.mark.parametrize("reloaded", [False, True])
def test_a_capture_spends_held_lots_in_order_and_frees_the_rest(
    world: World, captured: int, left: list[tuple[int, int]], reloaded: bool
) -> None:
    """Whole or in part, in whatever order the hold's lots come from the database."""
    brand, account = world.brands[0], world.members[0][0]
    world.well(placed := hold(account, 25))
    if reloaded:
        world.state.holds[placed.id].lots.reverse()
    world.well(capture(brand, placed, captured))
    assert world.lots(0, 0) == left
    assert world.account(0, 0).held == 0
    assert world.account(0, 0).balance == 60 - captured
    held = world.state.holds[placed.id]
    assert (held.status, held.captured) == ("CAPTURED", captured)


def test_more_than_was_held_cannot_be_captured(world: World) -> None:
    """A capture beyond the hold is refused though the balance would suffice."""
    brand, account = world.brands[0], world.members[0][0]
    world.well(placed := hold(account, 25))
    assert world.refused(capture(brand, placed, 26)) == CaptureExceedsHold(points=26, held=25)
    world.well(capture(brand, placed, 25))


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("second", ["capture", "void", "expire"])
@pytest.mark.parametrize(
    ("first", "status"), [("capture", "CAPTURED"), ("void", "VOIDED"), ("expire", "EXPIRED")]
)
def test_a_hold_ends_once(
    world: World, first: str, status: str, second: str, together: bool
) -> None:
    """Whatever ended a hold first, nothing ends it again, in one batch as in two."""
    brand, account = world.brands[0], world.members[0][0]
    world.well(placed := hold(account, 25, expires=world.now if "expire" in first else LATER))
    ways: dict[str, Command] = {
        "capture": capture(brand, placed),
        "void": end_hold(placed),
        "expire": end_hold(placed, expiry=True),
    }
    again: dict[str, Command] = {
        "capture": capture(brand, placed),
        "void": end_hold(placed),
        "expire": end_hold(placed, expiry=True),
    }
    refused = HoldNotPending(status=status)
    if together:
        assert world.do(ways[first], again[second]) == [None, refused]
    else:
        world.well(ways[first])
        assert world.refused(again[second]) == refused
    assert world.account(0, 0).held == 0


def test_a_hold_does_not_expire_early_and_is_not_captured_late(world: World) -> None:
    """At its expiry, and not before, a hold can no longer be captured and may be expired."""
    brand, account = world.brands[0], world.members[0][0]
    world.well(placed := hold(account, 25, expires=world.now + 10))
    assert isinstance(world.refused(end_hold(placed, expiry=True)), HoldNotPending)
    world.now += 10
    assert world.refused(capture(brand, placed)) == HoldNotPending(status="EXPIRED")
    world.well(end_hold(placed, expiry=True))
    assert world.lots(0, 0) == [(10, 0), (20, 0), (30, 0)]


def test_a_hold_can_be_placed_captured_and_reversed_in_one_batch(world: World) -> None:
    """Commands of one batch build on each other; the very lots come back in the end."""
    brand, account = world.brands[0], world.members[0][0]
    placed = hold(account, 25)
    taken = capture(brand, placed, 15)
    assert world.do(placed, taken) == [None, None]
    world.well(reverse(taken.id))
    assert world.lots(0, 0) == [(10, 0), (20, 0), (30, 0)]


def test_a_capture_is_paid_though_its_lots_have_expired(world: World) -> None:
    """Points set aside in time can be captured after the day on which they would have expired."""
    brand, account = world.brands[0], world.members[0][0]
    world.well(placed := hold(account, 25))
    world.now = SOON + 5
    world.well(capture(brand, placed))
    assert world.lots(0, 0) == [(5, 0), (30, 0)]
