"""Founding a brand, and changing what is said of it."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from brands.errors import DomainError
from brands.ledger.commands import Shortfall
from brands.naming.check_digits import CheckScheme
from brands.naming.numbers import NumberFormat
from brands.publishing import BrandChanges, NewBrand, create_brand, update_brand
from brands.registry import Brand, BrandStatus
from schema.context import Info
from schema.errors import UserError, told
from schema.fields import mutation

if TYPE_CHECKING:
    from schema.brands import BrandType
    from schema.valuations import RatesInput


@strawberry.input(description="What the brand's loyalty numbers look like.")
class NumberFormatInput:
    """See `brands.naming.numbers.NumberFormat`."""

    pattern: str | None = strawberry.field(
        description="A regular expression for the whole number: characters and classes such as "
        "[A-Z] or \\d, each repeated by ?, *, + or {2,5}; no groups. Anything if left out."
    )
    length: int | None = strawberry.field(
        description="The number of characters, 1 to 64. Open if left out."
    )
    check: CheckScheme | None = strawberry.field(
        description="How the check digit is made. NONE if left out."
    )

    def number_format(self) -> NumberFormat:
        """The format, checked. Raises `InvalidInput`."""
        return NumberFormat(self.pattern, self.length, self.check or CheckScheme.NONE)


@strawberry.input(description="A brand to take into the coalition.")
class BrandCreateInput:
    """See `brands.publishing.NewBrand`."""

    code: str = strawberry.field(
        description="2 to 16 capital letters and digits, a letter first. It cannot be changed."
    )
    name: str = strawberry.field(description="What the brand is called; 200 characters at most.")
    points_name: str = strawberry.field(
        description="What its points are called; 200 characters at most."
    )
    time_zone: str = strawberry.field(description="Its time zone (IANA), like Europe/Lisbon.")
    valuation: Annotated["RatesInput", strawberry.lazy("schema.valuations")] = strawberry.field(
        description="What its points are worth from now on."
    )
    number_format: NumberFormatInput | None = strawberry.field(
        description="What its loyalty numbers look like. Anything if left out."
    )
    clawback: Shortfall | None = strawberry.field(
        description="What happens when points are taken back and spent already. REJECT if left out."
    )


@strawberry.input(
    description="What of a brand is to be otherwise. What is left out, or null, stays as it is. "
    "Its time zone and the format of its numbers cannot be changed: limits and claims are counted "
    "in the one, and the numbers that members have are read by the other."
)
class BrandUpdateInput:
    """See `brands.publishing.BrandChanges`."""

    brand: str = strawberry.field(description="The brand's code.")
    name: str | None = strawberry.field(
        description="What it is called from now on; 200 characters at most."
    )
    points_name: str | None = strawberry.field(
        description="What its points are called from now on; 200 characters at most."
    )
    clawback: Shortfall | None = strawberry.field(
        description="What happens from now on when points are taken back and spent already."
    )
    status: BrandStatus | None = strawberry.field(
        description="Whether it takes part from the next request on. For the operator alone."
    )

    def changes(self) -> BrandChanges:
        """As the domain has it."""
        return BrandChanges(self.name, self.points_name, self.clawback, self.status)


@strawberry.type
class _BrandPayload:
    """What both answers say: either a brand or errors."""

    brand: Brand | None = strawberry.field(
        default=None,
        graphql_type=Annotated["BrandType", strawberry.lazy("schema.brands")] | None,
        description="The brand; null if there are errors.",
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty if it was not."
    )


@strawberry.type(description="The answer to `brandCreate`.")
class BrandCreatePayload(_BrandPayload):
    """The brand, or errors."""


@strawberry.type(description="The answer to `brandUpdate`.")
class BrandUpdatePayload(_BrandPayload):
    """The brand, or errors."""


@strawberry.type
class BrandMutations:
    """Mutations of brands."""

    @mutation(
        description="Takes a brand into the coalition, with its accounts and its first valuation. "
        "For the operator."
    )
    @staticmethod
    async def brand_create(
        info: Info,
        input: Annotated[BrandCreateInput, strawberry.argument(description="The brand.")],
    ) -> BrandCreatePayload:
        """One brand."""
        context = info.context
        try:
            rates = input.valuation.rates()
        except DomainError as error:
            return BrandCreatePayload(errors=told(error, inside="valuation"))
        try:
            new = NewBrand(
                code=input.code,
                name=input.name,
                points_name=input.points_name,
                time_zone=input.time_zone,
                rates=rates,
                number_format=(
                    input.number_format.number_format() if input.number_format else NumberFormat()
                ),
                clawback=input.clawback or Shortfall.REJECT,
            )
            brand = await create_brand(context.coalition, context.caller, new)
        except DomainError as error:
            return BrandCreatePayload(errors=told(error))
        return BrandCreatePayload(brand=brand)

    @mutation(
        description="Changes what is said of a brand, suspends it, or takes it back. For the "
        "operator; for the brand itself all but its status. Doing so again changes nothing."
    )
    @staticmethod
    async def brand_update(
        info: Info,
        input: Annotated[
            BrandUpdateInput, strawberry.argument(description="Which, and how it is to be.")
        ],
    ) -> BrandUpdatePayload:
        """One brand."""
        context = info.context
        try:
            brand = await update_brand(
                context.coalition, context.caller, input.brand, input.changes()
            )
        except DomainError as error:
            return BrandUpdatePayload(errors=told(error))
        return BrandUpdatePayload(brand=brand)
