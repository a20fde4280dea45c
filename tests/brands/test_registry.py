"""The registry: which valuation is in force, and when its snapshot is read again."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from brands.clock import now
from brands.coalition import Coalition, open_coalition
from brands.errors import BrandNotFound
from brands.numbers import NumberFormat
from brands.registry import Brand, BrandStatus, Snapshot
from brands.valuations import Rates, Valuation
from tests.brands.cast import aero, bean

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
