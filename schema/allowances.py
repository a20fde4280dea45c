"""Allowances: what the limits of transfer rules leave a membership."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from brands.moving.limits import Allowance
from brands.registry import Brand
from brands.rules import Direction, Period
from schema.context import Info
from schema.fields import derived, resolved
from schema.scalars import Points

if TYPE_CHECKING:
    from schema.brands import BrandType

_BRAND = Annotated["BrandType", strawberry.lazy("schema.brands")]


@strawberry.type(description="How much of a limit in points is used, and what is left.")
class PointsAllowance:
    """Resolved on `brands.moving.limits.Usage`."""

    limit: Points = strawberry.field(description="The most points.")
    used: Points = strawberry.field(description="The points transferred so far.")
    remaining: Points = strawberry.field(description="What is left; not below zero.")


@strawberry.type(description="How much of a limit on the number of transfers is used.")
class CountAllowance:
    """Resolved on `brands.moving.limits.Usage`."""

    limit: int = strawberry.field(description="The most transfers.")
    used: int = strawberry.field(description="The transfers made so far.")
    remaining: int = strawberry.field(description="What is left; not below zero.")


@strawberry.type(
    name="TransferAllowance",
    description="What one limit of a transfer rule leaves a membership in the calendar month or "
    "year that it is now in the brand's time zone.",
)
class TransferAllowanceType:
    """Resolved on `brands.moving.limits.Allowance`."""

    direction: Direction = strawberry.field(
        description="Whether it counts what leaves the membership, or what arrives at it."
    )
    period: Period = strawberry.field(description="What it counts over.")
    household: bool = derived(
        lambda allowance: allowance.pair.household,
        description="Whether it is a limit of transfers within a household.",
    )
    points: PointsAllowance | None = strawberry.field(
        description="In points; null if the points are not limited."
    )
    count: CountAllowance | None = strawberry.field(
        description="In transfers; null if their number is not limited."
    )
    resets_at: datetime = strawberry.field(description="When the next month or year begins.")

    @resolved(graphql_type=_BRAND, name="from", description="The brand that the points leave.")
    @staticmethod
    def from_(root: Allowance, info: Info) -> Brand:
        """From the registry's snapshot."""
        return info.context.loaders.brand(root.pair.source_brand)

    @resolved(graphql_type=_BRAND, description="The brand that the points arrive at.")
    @staticmethod
    def to(root: Allowance, info: Info) -> Brand:
        """From the registry's snapshot."""
        return info.context.loaders.brand(root.pair.destination_brand)
