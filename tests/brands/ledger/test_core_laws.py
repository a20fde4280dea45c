"""The core: whatever is asked of it, in whatever order, the laws of the books hold."""

from dataclasses import dataclass
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from brands.clock import NEVER
from brands.ledger.commands import Command, PlaceHold, Shortfall
from tests.brands.ledger.asking import (
    accrual,
    adjustment,
    capture,
    conversion,
    end_hold,
    expiry,
    hold,
    redemption,
    reverse,
)
from tests.brands.ledger.world import World


@dataclass(frozen=True)
class Step:
    """One thing asked: of whom, for how much, and a choice among what there is."""

    ask: str
    member: int
    brand: int
    points: int
    choice: int


def posting(world: World, step: Step) -> Command:
    """Points earned, spent, adjusted, or converted to the next brand."""
    brand, account = world.brands[step.brand], world.members[step.member][step.brand]
    other = (step.brand + 1) % 3
    if step.ask == "earn":
        return accrual(brand, account, step.points, expires=world.now + step.choice * 5)
    if step.ask == "earn for ever":
        return accrual(brand, account, step.points, event_at=step.choice, expires=NEVER)
    if step.ask == "spend":
        return redemption(brand, account, step.points)
    if step.ask == "adjust":
        return adjustment(brand, account, step.points if step.choice % 2 else -step.points)
    target = world.members[step.member][other]
    return conversion(brand, account, world.brands[other], target, step.points)


def holding(world: World, step: Step, placed: list[PlaceHold]) -> Command:
    """A hold placed, captured, voided or expired."""
    if step.ask == "hold" or not placed:
        account = world.members[step.member][step.brand]
        placed.append(hold(account, step.points, expires=world.now + step.choice * 5))
        return placed[-1]
    held = placed[step.choice % len(placed)]
    if held.id not in world.state.holds:
        return expiry(world.brands[step.brand], world.members[step.member][step.brand])
    brand = next(b for b in world.brands if b.id == world.state.accounts[held.account].unit)
    if step.ask == "capture":
        return capture(brand, held, min(step.points, held.points))
    return end_hold(held, expiry=step.ask == "expire hold")


def correcting(world: World, step: Step, known: list[UUID]) -> Command:
    """A reversal of something posted in an earlier batch."""
    policy = list(Shortfall)[step.choice % 3]
    part = None if step.points % 2 else step.points
    return reverse(known[step.choice % len(known)], part, policy)


POSTING = ("earn", "earn for ever", "spend", "adjust", "convert")
HOLDING = ("hold", "capture", "void", "expire hold")

STEPS = st.builds(
    Step,
    ask=st.sampled_from(
        [*POSTING, *HOLDING, "reverse", "reverse", "expire lots", "publish", "wait"]
    ),
    member=st.integers(0, 1),
    brand=st.integers(0, 2),
    points=st.integers(1, 120),
    choice=st.integers(0, 40),
)


def command(world: World, step: Step, placed: list[PlaceHold], known: list[UUID]) -> Command | None:
    """The command of a step, or None where it is none."""
    if step.ask in POSTING:
        return posting(world, step)
    if step.ask in HOLDING:
        return holding(world, step, placed)
    if step.ask == "expire lots":
        return expiry(world.brands[step.brand], world.members[step.member][step.brand])
    return correcting(world, step, known) if step.ask == "reverse" and known else None


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(STEPS, min_size=1, max_size=4), max_size=25))
def test_the_laws_hold_whatever_is_asked(batches: list[list[Step]]) -> None:
    """After every batch: balanced entries, whole pools, lots that sum to balances, honest holds."""
    world = World()
    placed: list[PlaceHold] = []
    for steps in batches:
        known = list(world.transactions)
        for step in steps:
            if step.ask == "publish":
                world.publish(step.brand, 1_000 + step.points * 100)
            world.now += step.choice if step.ask == "wait" else 1
        asked = [command(world, step, placed, known) for step in steps]
        world.do(*(each for each in asked if each is not None))
