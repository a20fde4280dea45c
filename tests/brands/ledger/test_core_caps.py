"""The core: limits are used with what is posted, and given back with what is taken back."""

from dataclasses import replace

import pytest

from brands.clock import from_micros
from brands.ledger.commands import Cap
from brands.rejections import InsufficientPoints, TransferLimitReached
from tests.brands.ledger.asking import accrual, gift, limit, redemption, reverse, take_back
from tests.brands.ledger.world import World


@pytest.fixture
def world() -> World:
    """Two books in memory; the first member has 1,000 points."""
    made = World(2)
    made.well(accrual(made.brands[0], made.members[0][0], 1_000))
    return made


def spend(world: World, points: int, *caps: Cap) -> object:
    """Points spent under some limits; the verdict."""
    return world.do(redemption(world.brands[0], world.members[0][0], points, caps=caps))[0]


def test_points_are_counted_up_to_the_limit(world: World) -> None:
    """What would exceed a limit is refused with all its figures; what just fits is not."""
    account = world.members[0][0]
    assert spend(world, 60, limit(account, 60, most=100)) is None
    over = limit(account, 41, most=100)
    assert spend(world, 41, over) == TransferLimitReached(
        period="month",
        direction="OUT",
        unit="POINTS",
        limit=100,
        used=60,
        remaining=40,
        resets_at=from_micros(over.resets_at),
    )
    assert spend(world, 40, limit(account, 40, most=100)) is None
    refused = spend(world, 1, limit(account, 1, most=50))
    assert isinstance(refused, TransferLimitReached)
    assert (refused.used, refused.remaining) == (100, 0)


def test_times_are_counted_up_to_the_limit(world: World) -> None:
    """Twice and no more, within one batch as between batches."""
    brand, account = world.brands[0], world.members[0][0]
    use = limit(account, 5, times=2)
    verdicts = world.do(*(redemption(brand, account, 5, caps=(use,)) for _ in range(3)))
    assert verdicts[:2] == [None, None]
    for refused in (verdicts[2], spend(world, 5, use)):
        assert isinstance(refused, TransferLimitReached)
        assert (refused.unit, refused.limit, refused.used) == ("COUNT", 2, 2)


def test_a_refused_posting_uses_no_limit(world: World) -> None:
    """What is refused by one limit, or for want of points, leaves all of them for another."""
    here, there = world.members[0][0], world.members[1][0]
    wide, narrow = limit(here, 5, times=1), limit(there, 5, most=4)
    assert isinstance(spend(world, 5, wide, narrow), TransferLimitReached)
    poor = spend(world, 1_001, limit(here, 5, times=1))
    assert poor == InsufficientPoints(available=1_000, required=1_001)
    assert spend(world, 5, wide) is None


def test_limits_are_told_apart_by_account_and_name(world: World) -> None:
    """Another period, another direction or another member counts for itself."""
    here, there = world.members[0][0], world.members[1][0]
    for use in (
        limit(here, 5, times=1),
        limit(here, 5, times=1, name="OUT/2026-12"),
        limit(there, 5, times=1),
    ):
        assert spend(world, 5, use) is None
        assert isinstance(spend(world, 5, use), TransferLimitReached)


def test_no_limit_is_exceeded_by_what_is_only_counted(world: World) -> None:
    """Without a maximum everything fits, and is counted all the same."""
    account = world.members[0][0]
    assert [spend(world, 100, limit(account, 100)) for _ in range(3)] == [None] * 3
    assert world.account(0, 0).caps == {"OUT/2026-11": (300, 3)}


def test_what_is_taken_back_is_given_back(world: World) -> None:
    """Points come back in step with each part, the count with the last of them: on either side,
    and in either side's points."""
    source, destination, _ = world.brands
    here, there = world.members[0][0], world.members[1][1]
    uses = (limit(here, 1_000, most=1_000, times=1), limit(there, 640, most=640, times=1))
    given = gift(source, here, destination, there, 1_000, caps=uses)
    world.well(given)
    seen = []
    for points in (1, 499, 500):
        world.well(take_back(given, points))
        seen.append((*world.account(0, 0).caps.values(), *world.account(1, 1).caps.values()))
    assert seen == [((999, 1), (639, 1)), ((500, 1), (320, 1)), ((0, 0), (0, 0))]
    world.well(gift(source, here, destination, there, 1_000, caps=uses))


def test_room_made_by_a_reversal_is_used_in_the_same_batch(world: World) -> None:
    """In one batch a limit sees what the commands before have used and given back."""
    brand, account = world.brands[0], world.members[0][0]
    use = limit(account, 10, times=1)
    first = redemption(brand, account, 10, caps=(use,))
    world.well(first)
    verdicts = world.do(
        redemption(brand, account, 10, caps=(use,)),
        reverse(first.id),
        redemption(brand, account, 10, caps=(use,)),
        redemption(brand, account, 10, caps=(replace(use, max_count=2),)),
    )
    assert [verdict is None for verdict in verdicts] == [False, True, True, True]
