"""What a brand's points are worth: the valuation, publishing one, and the rate of exchange."""

from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated

import strawberry

from brands.clock import to_micros
from brands.errors import BrandNotFound, DomainError
from brands.money import Money, decimal_of
from brands.moving.exchange import ExchangeRate, exchange_rate
from brands.publishing import publish
from brands.valuations import Rates, Valuation, rates_of
from schema.connections import PageInfo
from schema.context import Info
from schema.errors import UserError, told
from schema.fields import derived, mutation, resolved
from schema.scalars import MoneyType, Points

if TYPE_CHECKING:
    from schema.rules import TransferRuleType

_rate = lru_cache(maxsize=4_096)(decimal_of)  # there are few rates, and they are often asked for
_MONEY_PER_POINT = "In units of the settlement currency per point."


@strawberry.type(
    name="Valuation",
    description="What one point of a brand is worth from a moment on. A valuation is never "
    "changed, only superseded by a later one. Always transferInRate >= redemptionRate >= "
    "transferOutRate, and issuePrice >= redemptionRate.",
)
class ValuationType:
    """Resolved on `brands.valuations.Valuation`."""

    redemption_rate: Decimal = derived(
        lambda valuation: _rate(valuation.rates.redemption_rate),
        description=f"The value of a point: what a redeeming brand is paid. {_MONEY_PER_POINT}",
    )
    issue_price: Decimal = derived(
        lambda valuation: _rate(valuation.rates.issue_price),
        description=f"What the sponsor pays when points are issued. {_MONEY_PER_POINT}",
    )
    transfer_out_rate: Decimal = derived(
        lambda valuation: _rate(valuation.rates.transfer_out_rate),
        description="The value that a point carries away when it is converted to another brand's. "
        f"{_MONEY_PER_POINT}",
    )
    transfer_in_rate: Decimal = derived(
        lambda valuation: _rate(valuation.rates.transfer_in_rate),
        description="What a point costs when it is converted from another brand's. "
        f"{_MONEY_PER_POINT}",
    )
    effective_from: datetime = strawberry.field(description="When it takes effect.")
    effective_to: datetime | None = strawberry.field(
        description="When the next one takes effect; null while none is published."
    )


@strawberry.type(name="ValuationEdge", description="A valuation in a list.")
class ValuationEdge:
    """Resolved on `schema.connections.Edge`."""

    node: ValuationType = strawberry.field(description="The valuation.")
    cursor: str = strawberry.field(description="Where it stands in the list.")


@strawberry.type(
    name="ValuationConnection", description="Valuations, the first to take effect first."
)
class ValuationConnection:
    """Resolved on `schema.connections.Connection`."""

    edges: list[ValuationEdge] = strawberry.field(description="The valuations of this page.")
    page_info: PageInfo = strawberry.field(description="Where this page begins and ends.")


def valuation_key(valuation: Valuation) -> str:
    """What a cursor says of a valuation."""
    return str(to_micros(valuation.effective_from))


@strawberry.type(
    name="ExchangeRate",
    description="What points of one brand become at another, by the ratio of the transfer rule in "
    "force or else by the brands' rates. So many points out give exactly so many points in; any "
    "other number gives the same proportion, rounded down. The rule's bonuses and fees, limits and "
    "minima are not in these figures: `transferPreview` has them.",
)
class ExchangeRateType:
    """Resolved on `brands.moving.exchange.ExchangeRate`."""

    points_out: Points = strawberry.field(description="Points that leave, in lowest terms.")
    points_in: Points = strawberry.field(description="Points that arrive for them.")
    value_out: Money = strawberry.field(
        graphql_type=MoneyType, description="What those that leave are worth where they come from."
    )
    value_in: Money = strawberry.field(
        graphql_type=MoneyType, description="What those that arrive are worth where they go."
    )
    rule: Annotated["TransferRuleType", strawberry.lazy("schema.rules")] | None = strawberry.field(
        description="The transfer rule in force; null if there is none. If it is closed, there are "
        "no transfers, and the figures are what the rates would give."
    )


@strawberry.input(
    description="The rates of a valuation, each with at most six decimals. A rate left out is the "
    "redemption rate."
)
class RatesInput:
    """Money per point."""

    redemption_rate: Decimal = strawberry.field(
        description=f"The value of a point. {_MONEY_PER_POINT}"
    )
    issue_price: Decimal | None = strawberry.field(
        description=f"What the sponsor pays for a point. {_MONEY_PER_POINT}"
    )
    transfer_out_rate: Decimal | None = strawberry.field(
        description=f"What a point carries away. {_MONEY_PER_POINT}"
    )
    transfer_in_rate: Decimal | None = strawberry.field(
        description=f"What a point costs when converted into. {_MONEY_PER_POINT}"
    )

    def rates(self) -> Rates:
        """The rates, checked. Raises what `brands.valuations.rates_of` raises."""
        return rates_of(
            self.redemption_rate, self.issue_price, self.transfer_out_rate, self.transfer_in_rate
        )


@strawberry.input(description="A valuation to publish.")
class ValuationPublishInput(RatesInput):
    """The rates, whose they are, and from when on."""

    brand: str = strawberry.field(description="The brand's code.")
    effective_from: datetime | None = strawberry.field(
        description="When it takes effect; at once if left out. Not in the past, and after every "
        "valuation of the brand that is published already."
    )


@strawberry.type(description="The answer to `valuationPublish`.")
class ValuationPublishPayload:
    """Either a valuation or errors."""

    valuation: Valuation | None = strawberry.field(
        default=None,
        graphql_type=ValuationType | None,
        description="The valuation; null if there are errors.",
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty if it was not."
    )


@strawberry.type
class ValuationQueries:
    """Queries about rates."""

    @resolved(
        graphql_type=ExchangeRateType | None,
        description="The rate at which points of one brand are converted to another's. Null if "
        "there is no such brand.",
    )
    @staticmethod
    def exchange_rate(
        info: Info,
        from_: Annotated[
            str,
            strawberry.argument(name="from", description="The code of the brand points leave."),
        ],
        to: Annotated[
            str, strawberry.argument(description="The code of the brand points arrive at.")
        ],
        at: Annotated[
            datetime | None,
            strawberry.argument(
                description="By the rates in force at this instant; now if omitted."
            ),
        ] = strawberry.UNSET,
    ) -> ExchangeRate | None:
        """Raises `SameBrand`."""
        try:
            return exchange_rate(info.context.coalition, from_, to, at or None)
        except BrandNotFound:
            return None


@strawberry.type
class ValuationMutations:
    """Mutations of rates."""

    @mutation(
        description="Says what a brand's points are worth from a moment on. For the operator and "
        "the brand. Points already out there are re-valued at that moment, and the brand's "
        "settlement account bears the difference."
    )
    @staticmethod
    async def valuation_publish(
        info: Info,
        input: Annotated[
            ValuationPublishInput, strawberry.argument(description="What to publish.")
        ],
    ) -> ValuationPublishPayload:
        """One valuation."""
        context = info.context
        try:
            valuation = await publish(
                context.coalition, context.caller, input.brand, input.rates(), input.effective_from
            )
        except DomainError as error:
            return ValuationPublishPayload(errors=told(error))
        return ValuationPublishPayload(valuation=valuation)
