"""The core: points that leave one member and arrive at another's, in two transactions."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brands.clock import NEVER, from_micros
from brands.ledger.chart import COALITION, AccountKind
from brands.ledger.commands import Command, Post, Shortfall
from brands.rejections import (
    AlreadyReversed,
    AmountTooLarge,
    InsufficientPoints,
    MembershipClosed,
    NotReversible,
    ReversalExceedsOriginal,
    TokenSpent,
    TransferNotCancellable,
    TransferNotCompleted,
)
from tests.brands.ledger.asking import (
    accrual,
    arrival_of,
    call_off,
    delayed,
    gift,
    hold,
    limit,
    redemption,
    reverse,
    take_back,
)
from tests.brands.ledger.world import World

SOON, LATER = 2_000_000, 3_000_000


@pytest.fixture(params=[1, 2])
def world(request: pytest.FixtureRequest) -> World:
    """One book in memory, or two with a member in each: the first has 1,000 points in two lots."""
    made = World(request.param)
    brand, account = made.brands[0], made.members[0][0]
    made.well(accrual(brand, account, 400, expires=LATER))
    made.well(accrual(brand, account, 600))
    return made


def present(world: World, points: int = 1_000, **more: Any) -> Post:
    """Points of the first brand, from the first member to the second, at the second brand."""
    (source, destination, _), (sender, recipient) = world.brands, world.members
    return gift(source, sender[0], destination, recipient[1], points, **more)


def sent(world: World, points: int = 1_000, *, arrives_at: int = 0) -> tuple[Post, Post]:
    """The same, under way for a while."""
    (source, destination, _), (sender, recipient) = world.brands, world.members
    return delayed(source, sender[0], destination, recipient[1], points, arrives_at=arrives_at)


def balances(world: World) -> dict[UUID, int]:
    """Every balance in the books."""
    return {id: account.balance for id, account in world.state.accounts.items()}


def carried(world: World, kind: AccountKind) -> int:
    """What is between the members, over all books."""
    return sum(world.balance(COALITION, kind, book) for book in range(world.count))


def kinds(world: World) -> list[str]:
    """The kinds of what was posted since the member's points were earned."""
    return [row[2] for row in world.transactions.values()][2:]


def test_a_gift_is_two_transactions_with_the_money_between_them(world: World) -> None:
    """1,000 points leave and 640 arrive, each book whole; what one lacks of money another has."""
    source, destination, _ = world.brands
    margin = world.balance(COALITION, AccountKind.MARGIN)
    given = present(world)
    world.well(given)
    assert given.arrival is not None
    assert kinds(world) == ["TRANSFER_OUT", "TRANSFER_IN"]
    assert world.transactions[given.arrival.id][-1] == 640
    assert (world.account(0, 0).balance, world.account(1, 1).balance) == (0, 640)
    assert world.balance(source.id, AccountKind.POOL) == 0
    last = world.count - 1
    assert world.balance(destination.id, AccountKind.POOL, last) == 640 * destination.value
    clearing = world.balance(COALITION, AccountKind.CLEARING)
    assert clearing == (0 if world.count == 1 else 640 * destination.value)
    left = 1_000 * source.value - 640 * destination.value
    assert world.balance(COALITION, AccountKind.MARGIN) - margin == left


def test_a_gift_within_a_brand_moves_its_points_and_their_value(world: World) -> None:
    """Of one brand as many arrive as leave, and nobody gains or loses money."""
    brand, (sender, recipient) = world.brands[0], world.members
    before = world.settlements()
    world.well(gift(brand, sender[0], brand, recipient[0], 250))
    assert (world.account(0, 0).balance, world.account(1, 0).balance) == (750, 250)
    assert world.settlements() == before
    pools = [world.balance(brand.id, AccountKind.POOL, book) for book in range(world.count)]
    assert sum(pools) == 1_000 * brand.value


def test_a_gift_is_refused_as_a_whole(world: World) -> None:
    """Neither half is posted where the other cannot be, and a limit is not used up by it."""
    use = limit(world.members[0][0], 1_000, most=1_000)
    short = InsufficientPoints(available=1_000, required=1_001)
    assert world.refused(present(world, 1_001)) == short
    world.account(1, 1).closed = True
    closed = MembershipClosed(membership_id=world.members[1][1])
    assert world.refused(present(world, caps=(use,))) == closed
    world.account(1, 1).closed = False
    world.account(0, 0).closed = True
    closed = MembershipClosed(membership_id=world.members[0][0])
    assert world.refused(present(world, caps=(use,))) == closed
    world.account(0, 0).closed = False
    world.well(present(world, caps=(use,)))


def test_a_gift_that_does_not_fit_where_it_arrives_is_refused(world: World) -> None:
    """A pool that could not hold what arrives keeps the points with their sender."""
    destination, recipient = world.brands[1], world.members[1]
    world.well(accrual(destination, recipient[1], (2**63 - 1) // destination.price))
    assert world.refused(present(world)) == AmountTooLarge()
    assert world.account(0, 0).balance == 1_000


def test_points_that_keep_their_expiry_take_the_earliest(world: World) -> None:
    """What arrives expires with the first to expire of what left, else when it is told to."""
    brand, (sender, recipient) = world.brands[0], world.members
    kept = gift(brand, sender[0], brand, recipient[0], 500, keep_earliest=True, lots_expire_at=SOON)
    world.well(kept)
    assert [lot.expires_at for lot in world.account(1, 0).lots] == [LATER]
    world.well(gift(brand, sender[0], brand, recipient[0], 100, keep_earliest=True))
    world.well(gift(brand, sender[0], brand, recipient[0], 100, lots_expire_at=SOON))
    assert [lot.expires_at for lot in world.account(1, 0).lots] == [SOON, LATER, NEVER]


def test_points_that_were_set_aside_can_be_given(world: World) -> None:
    """A gift that captures a hold spends its lots, and passes on their expiry."""
    brand, (sender, recipient) = world.brands[0], world.members
    placed = hold(sender[0], 400)
    world.well(placed)
    captured = gift(
        brand, sender[0], brand, recipient[0], 400, captures=placed.id, keep_earliest=True
    )
    world.well(captured)
    assert [lot.expires_at for lot in world.account(1, 0).lots] == [LATER]
    assert world.lots(0, 0) == [(600, 0)]


def test_points_under_way_are_neither_here_nor_there(world: World) -> None:
    """Until they arrive what will stand behind them is in transit, and then it is not."""
    destination = world.brands[1]
    departure, arrival = sent(world, arrives_at=SOON)
    world.well(departure)
    assert (world.account(0, 0).balance, world.account(1, 1).balance) == (0, 0)
    assert carried(world, AccountKind.TRANSIT) == 640 * destination.value
    assert world.refused(arrival) == TransferNotCompleted(status="PENDING")
    world.now = SOON
    world.well(arrival)
    assert world.account(1, 1).balance == 640
    assert carried(world, AccountKind.TRANSIT) == 0
    assert world.transactions[arrival.id][5] == "coalition"
    assert world.refused(arrival) == TokenSpent(token=arrival_of(departure.id).name)


def test_a_value_that_changes_on_the_way_is_the_brands_affair(world: World) -> None:
    """Points arrive at the value of the day; what the transit does not carry the brand pays."""
    destination = world.brands[1]
    departure, arrival = sent(world)
    world.well(departure)
    world.publish(1, destination.value + 1_000)
    world.now += 1
    world.well(arrival)
    last = world.count - 1
    pool = world.balance(destination.id, AccountKind.POOL, last)
    assert pool == 640 * (destination.value + 1_000)
    assert world.balance(destination.id, AccountKind.SETTLEMENT, last) == -640 * 1_000
    assert carried(world, AccountKind.TRANSIT) == 0


def test_a_transfer_that_is_called_off_never_was(world: World) -> None:
    """Every balance, lot, limit and pool is as before, and the points do not arrive any more."""
    before, lots = balances(world), world.lots(0, 0)
    use = limit(world.members[1][1], 640, most=640, times=1)
    departure, arrival = sent(world)
    world.well(replace(departure, caps=(use,)))
    world.well(call_off(departure, deadline=world.now + 1))
    assert balances(world) == before
    assert world.lots(0, 0) == lots
    assert world.refused(arrival) == TokenSpent(token=arrival_of(departure.id).name)
    world.well(present(world, caps=(use,)))


def test_a_transfer_arrives_or_is_called_off_but_not_both(world: World) -> None:
    """Whichever comes second finds the token spent, in one batch as in two."""
    spent = TokenSpent(token="")
    for together in (False, True):
        for first in range(2):
            departure, arrival = sent(world, 50)
            world.well(departure)
            ways: list[Command] = [arrival, call_off(departure)]
            spent.token = arrival_of(departure.id).name
            if together:
                assert world.do(ways[first], ways[1 - first]) == [None, spent]
            else:
                world.well(ways[first])
                assert world.refused(ways[1 - first]) == spent
    assert carried(world, AccountKind.TRANSIT) == 0


@pytest.mark.parametrize(("deadline", "in_time"), [(1_000_001, True), (1_000_000, False)])
def test_a_transfer_is_called_off_before_it_is_due(
    world: World, deadline: int, in_time: bool
) -> None:
    """From the instant at which the points were to arrive it is too late, arrived or not."""
    departure, _ = sent(world)
    world.well(departure)
    command = call_off(departure, deadline=deadline)
    if in_time:
        world.well(command)
    else:
        refused = TransferNotCancellable(status="PENDING", arrives_at=from_micros(deadline))
        assert world.refused(command) == refused


def test_half_a_transfer_cannot_be_reversed(world: World) -> None:
    """Neither the points' leaving alone nor their arriving: they would be there twice, or lost."""
    given = present(world, 500)
    departure, arrival = sent(world, 500)
    world.do(given, departure, arrival)
    assert given.arrival is not None
    for half in (given, departure):
        assert world.refused(reverse(half.id)) == NotReversible(kind="TRANSFER_OUT")
    for half_id in (given.arrival.id, arrival.id):
        assert world.refused(reverse(half_id)) == NotReversible(kind="TRANSFER_IN")
    assert world.refused(take_back(replace(given, id=given.arrival.id, arrival=given.arrival)))


@pytest.mark.parametrize("is_delayed", [False, True])
def test_a_whole_reversal_restores_either_side(world: World, is_delayed: bool) -> None:
    """Every balance is what it was, every lot too, and nothing is left between the books."""
    before, lots = balances(world), world.lots(0, 0)
    departure, arrival = sent(world) if is_delayed else (present(world), None)
    world.do(departure, *([arrival] if arrival else []))
    world.well(take_back(departure, arrival=arrival))
    assert balances(world) == before
    assert (world.lots(0, 0), world.lots(1, 1)) == (lots, [])
    assert world.refused(take_back(departure, arrival=arrival)) == AlreadyReversed()
    assert kinds(world)[2:] == ["REVERSAL", "REVERSAL"]


def test_parts_of_a_transfer_never_exceed_it(world: World) -> None:
    """A part beyond what is left is refused, with what is left, counted in points that left."""
    given = present(world)
    world.well(given)
    world.well(take_back(given, 900))
    refused = ReversalExceedsOriginal(points=101, remaining=100)
    assert world.refused(take_back(given, 101)) == refused
    assert (world.account(0, 0).balance, world.account(1, 1).balance) == (900, 64)


def test_a_part_for_which_nothing_is_left_to_take_is_one_transaction(world: World) -> None:
    """Of few points that arrived for many, rounding takes the last early: the rest comes back
    by itself, and a limit's count only with the last of it."""
    source, destination, _ = world.brands
    world.brands = (source, replace(destination, into=800_000), world.brands[2])
    use = limit(world.members[1][1], 1, most=5, times=1)
    given = present(world, 100, caps=(use,))
    world.well(given)
    seen = []
    for points in (1, 50, 49):
        posted = len(world.transactions)
        world.well(take_back(given, points))
        used = world.account(1, 1).caps[use.name]
        seen.append((len(world.transactions) - posted, world.account(1, 1).balance, used))
    assert seen == [(2, 0, (0, 1)), (1, 0, (0, 1)), (1, 0, (0, 0))]
    assert world.account(0, 0).balance == 1_000


@pytest.mark.parametrize(
    ("shortfall", "left", "debt", "back"),
    [
        (Shortfall.UP_TO_BALANCE, 0, 0, 62),
        (Shortfall.ALLOW_NEGATIVE, -600, -600, 1_000),
    ],
)
def test_points_that_the_recipient_spent_follow_the_policy(
    world: World, shortfall: Shortfall, left: int, debt: int, back: int
) -> None:
    """Refused, taken back as far as her balance goes, or taken in full and the rest owed by her."""
    given = present(world)
    world.well(given)
    world.well(redemption(world.brands[1], world.members[1][1], 600))
    short = InsufficientPoints(available=40, required=640)
    assert world.refused(take_back(given)) == short
    world.well(take_back(given, shortfall=shortfall))
    account = world.account(1, 1)
    assert (account.balance, account.floor, world.account(0, 0).balance) == (left, debt, back)


def test_a_token_keeps_a_reversal_from_being_done_twice(world: World) -> None:
    """A reversal spends its tokens when it is accepted, and not when it is refused."""
    given, token = present(world), arrival_of(world.brands[0].id)
    world.well(given)
    world.refused(take_back(given, 2_000, tokens=(token,)))
    world.well(take_back(given, 10, tokens=(token,)))
    refused = TokenSpent(token=token.name)
    assert world.refused(take_back(given, 10, tokens=(token,))) == refused


@settings(deadline=None)
@given(
    count=st.integers(1, 2),
    is_delayed=st.booleans(),
    same_brand=st.booleans(),
    points=st.integers(20, 100),
    parts=st.lists(st.integers(1, 60), max_size=8),
    out=st.integers(400, 20_000),
    into=st.integers(400, 8_000),
)
def test_parts_add_up_to_the_whole_on_either_side(
    count: int,
    is_delayed: bool,
    same_brand: bool,
    points: int,
    parts: list[int],
    out: int,
    into: int,
) -> None:
    """However a transfer is taken back, in the end every balance, lot and limit is as before it,
    and on the way nothing is between the books, nor has the margin lost."""
    world = World(count)
    source, destination, other = world.brands
    source, destination = replace(source, out=out), replace(destination, into=into)
    world.brands = (source, source if same_brand else destination, other)
    world.well(accrual(source, world.members[0][0], 60, expires=SOON))
    world.well(accrual(source, world.members[0][0], 60))
    before, lots = balances(world), world.lots(0, 0)
    departure, arrival = sent(world, points) if is_delayed else (present(world, points), None)
    if same_brand:
        (sender, _, _), (recipient, _, _) = world.members
        departure, arrival = gift(source, sender, source, recipient, points), None
    uses = (limit(world.members[0][0], points), limit(world.members[1][1], 7))
    world.do(replace(departure, caps=uses), *([arrival] if arrival else []))
    for part in (*parts, None):
        world.do(take_back(departure, part, arrival=arrival))
        assert carried(world, AccountKind.TRANSIT) == 0
    assert world.refused(take_back(departure, arrival=arrival)) == AlreadyReversed()
    assert balances(world) == before
    assert (world.lots(0, 0), world.lots(1, 1), world.lots(1, 0)) == (lots, [], [])
    used = [account.caps.get(uses[0].name, (0, 0)) for account in world.state.accounts.values()]
    assert set(used) == {(0, 0)}
