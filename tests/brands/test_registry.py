"""The registry: which valuation is in force, and when its snapshot is read again."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from brands.clock import now
from brands.coalition import Coalition, open_coalition
from brands.errors import BrandNotFound
from brands.moving.rulebook import NewRule, publish_rule, publish_rules
from brands.naming.numbers import NumberFormat
from brands.registry import Brand, BrandStatus, Snapshot
from brands.rules import NO_RULE, Pair, Ratio, RuleTerms, TransferRule
from brands.valuations import Rates, Valuation
from tests.brands.cast import OPERATOR, aero, bean

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR, TICK = timedelta(hours=1), timedelta(microseconds=1)
A, B = UUID(int=1), UUID(int=2)


def brand(id: UUID, code: str) -> Brand:
    """A brand of that code."""
    return Brand(id, code, code, code, "UTC", BrandStatus.ACTIVE, NumberFormat(), NOON)


def valuation(value: int, begins: datetime, brand_id: UUID = A) -> Valuation:
    """A valuation at which a point is worth so many micro-units."""
    return Valuation(brand_id, Rates(value, value, value, value), begins, None)


SNAPSHOT = Snapshot(
    7,
    [brand(B, "BEAN"), brand(A, "AERO")],
    [valuation(9, NOON, B), valuation(2, NOON + HOUR), valuation(1, NOON)],
)


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (NOON - HOUR, 1),
        (NOON, 1),
        (NOON + HOUR - TICK, 1),
        (NOON + HOUR, 2),
        (NOON + 9 * HOUR, 2),
        (None, 2 if now() >= NOON + HOUR else 1),
    ],
)
def test_the_latest_begun_valuation_is_in_force(at: datetime | None, value: int) -> None:
    """In force is the latest valuation that has begun, from its first instant on; before the
    first of all, the first."""
    assert SNAPSHOT.valuation(A, at).rates.redemption_rate == value


def test_brands_are_found_by_code_and_id() -> None:
    """Brands stand in the order of their codes, and are found by code and by id."""
    assert [brand.code for brand in SNAPSHOT.brands] == ["AERO", "BEAN"]
    assert SNAPSHOT.brand("BEAN") == SNAPSHOT.brand_by_id(B)
    assert [each.rates.redemption_rate for each in SNAPSHOT.valuations(A)] == [1, 2]


def test_an_unknown_brand_is_not_found() -> None:
    """Asking for a brand that there is not raises `BrandNotFound`, and echoes little."""
    with pytest.raises(BrandNotFound) as refused:
        SNAPSHOT.brand("X" * 10_000)
    assert len(refused.value.message) < 100
    with pytest.raises(BrandNotFound):
        SNAPSHOT.brand_by_id(UUID(int=3))
    with pytest.raises(BrandNotFound):
        SNAPSHOT.valuation(UUID(int=3))


def rule(
    number: int,
    begins: datetime,
    ends: datetime | None = None,
    pair: Pair = Pair(A, B),  # noqa: B008 - a tuple
) -> TransferRule:
    """A rule; those of a higher number were published later."""
    return TransferRule(UUID(int=number), pair, NO_RULE, begins, ends, NOON + number * TICK)


STANDING = rule(1, NOON)
PASSING = rule(2, NOON + HOUR, NOON + 2 * HOUR)
CORRECTED = rule(3, NOON + HOUR, NOON + 2 * HOUR)
NEXT = rule(4, NOON + 9 * HOUR)
HOUSEHOLD = rule(5, NOON, None, Pair(A, B, household=True))
RULED = SNAPSHOT.having(rules=[NEXT, CORRECTED, HOUSEHOLD]).having(rules=[PASSING, STANDING])


@pytest.mark.parametrize(
    ("at", "in_force"),
    [
        (NOON - TICK, None),
        (NOON, STANDING),
        (NOON + HOUR - TICK, STANDING),
        (NOON + HOUR, CORRECTED),
        (NOON + 2 * HOUR - TICK, CORRECTED),
        (NOON + 2 * HOUR, STANDING),
        (NOON + 9 * HOUR, NEXT),
    ],
)
def test_the_latest_begun_rule_that_has_not_ended_is_in_force(
    at: datetime, in_force: TransferRule | None
) -> None:
    """Of a pair's rules that hold at an instant, the one that began last is in force, and of two
    that began together the one published last."""
    assert RULED.rule(Pair(A, B), at) == in_force


def test_rules_are_found_by_pair_brand_and_id() -> None:
    """A pair's rules stand in the order of their beginnings; each is found by its id, and each
    pair at both its brands."""
    assert RULED.rules(Pair(A, B)) == (STANDING, PASSING, CORRECTED, NEXT)
    assert RULED.rules(Pair(B, A)) == ()
    assert RULED.rule(Pair(A, B, household=True), NOON) == HOUSEHOLD
    assert RULED.rule_by_id(CORRECTED.id) == CORRECTED
    assert RULED.rule_by_id(UUID(int=99)) is None
    more = RULED.having(rules=[rule(6, NOON, None, Pair(B, B)), rule(7, NOON, None, Pair(A, A))])
    pairs = (Pair(A, A), Pair(A, B), Pair(A, B, household=True), Pair(B, B))
    assert more.pairs() == pairs
    assert more.rules_of_brand(A) == pairs[:3]
    assert more.rules_of_brand(B) == pairs[1:]
    assert RULED.rules_of_brand(UUID(int=99)) == ()


def test_a_snapshot_does_not_change() -> None:
    """What is published later is in a snapshot of its own."""
    assert SNAPSHOT.rules(Pair(A, B)) == ()
    assert SNAPSHOT.pairs() == ()
    assert RULED.brands == SNAPSHOT.brands
    assert RULED.valuations(A) == SNAPSHOT.valuations(A)


async def test_only_new_rules_are_read(coalition: Coalition, url: str) -> None:
    """A process that knows the rules of an epoch reads those published since, and no others."""
    pair = Pair((await aero(coalition)).id, (await bean(coalition)).id)
    half, third = (RuleTerms(ratio=Ratio(leave, 1)) for leave in (2, 3))
    first = await publish_rule(coalition, OPERATOR, NewRule("AERO", "BEAN", half))
    other = await open_coalition(url)
    try:
        kept = other.registry.snapshot.rules(pair)
        assert kept == (first,)
        both = [NewRule("AERO", "BEAN", third), NewRule("BEAN", "AERO", third)]
        await publish_rules(coalition, OPERATOR, both)
        await other.registry.refresh()
        rules = other.registry.snapshot.rules(pair)
        assert rules == coalition.registry.snapshot.rules(pair)
        assert rules[0] is kept[0]
        assert len(rules) == 2
        assert set(other.registry.snapshot.pairs()) == {pair, Pair(*reversed(pair[:2]))}
    finally:
        await other.close()


async def test_a_known_epoch_costs_no_statement(
    coalition: Coalition, statements: list[str]
) -> None:
    """Refreshing to an epoch that the snapshot has reached asks the database nothing."""
    await aero(coalition)
    before = coalition.registry.snapshot
    statements.clear()
    assert await coalition.registry.refresh(before.epoch) is before
    assert await coalition.registry.refresh(before.epoch - 1) is before
    assert statements == []
    assert await coalition.registry.refresh() is before
    assert len(statements) == 1


async def test_another_process_sees_the_change(coalition: Coalition, url: str) -> None:
    """A process that learns of a newer epoch has the brands and valuations of that epoch."""
    other = await open_coalition(url)
    try:
        assert other.registry.snapshot.brands == ()
        made = [await aero(coalition), await bean(coalition)]
        await other.registry.refresh(coalition.registry.snapshot.epoch)
        assert list(other.registry.snapshot.brands) == made
        assert other.registry.snapshot.epoch == coalition.registry.snapshot.epoch
        assert other.registry.snapshot.valuations(made[0].id) == (
            coalition.registry.snapshot.valuations(made[0].id)
        )
    finally:
        await other.close()
