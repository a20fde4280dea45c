"""Suspending a brand, for tests, and taking it back."""

from brands.coalition import Coalition
from brands.publishing import BrandChanges, update_brand
from brands.registry import BrandStatus
from tests.brands.stage import OPERATOR


async def suspend(coalition: Coalition, code: str = "AERO") -> None:
    """The brand, suspended."""
    await update_brand(coalition, OPERATOR, code, BrandChanges(status=BrandStatus.SUSPENDED))


async def take_back(coalition: Coalition, code: str = "AERO") -> None:
    """The brand, active again."""
    await update_brand(coalition, OPERATOR, code, BrandChanges(status=BrandStatus.ACTIVE))
