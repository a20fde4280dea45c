"""Quotes: what a transfer would give, asked for or locked for a while."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import strawberry

from brands.errors import DomainError
from brands.memberships import Membership
from brands.money import Money, decimal_of
from brands.moving.figures import ConversionRates
from brands.moving.quotes import Quote, preview, quote
from brands.moving.terms import Terms
from brands.rules import TransferRule
from schema.context import Info
from schema.errors import UserError, told
from schema.fields import derived, mutation, resolved
from schema.inputs import TransferQuoteInput
from schema.nodes import Tag, global_id
from schema.scalars import MoneyType, Points

if TYPE_CHECKING:
    from schema.memberships import MembershipType
    from schema.rules import TransferRuleType

_MEMBERSHIP = Annotated["MembershipType", strawberry.lazy("schema.memberships")]
_MONEY_PER_POINT = "In units of the settlement currency per point."


@strawberry.type(
    description="The rates behind a transfer, as they were when its figures were reckoned."
)
class TransferRates:
    """Resolved on `brands.moving.figures.ConversionRates`."""

    transfer_out_rate: Decimal = derived(
        lambda rates: decimal_of(rates.transfer_out_rate),
        description=f"What a point leaving carries away. {_MONEY_PER_POINT}",
    )
    transfer_in_rate: Decimal = derived(
        lambda rates: decimal_of(rates.transfer_in_rate),
        description=f"What a point arriving costs. {_MONEY_PER_POINT}",
    )
    source_value: Decimal = derived(
        lambda rates: decimal_of(rates.source_value),
        description=f"The redemption rate of the points that leave. {_MONEY_PER_POINT}",
    )
    destination_value: Decimal = derived(
        lambda rates: decimal_of(rates.destination_value),
        description=f"The redemption rate of the points that arrive. {_MONEY_PER_POINT}",
    )


@strawberry.type(
    name="TransferQuote",
    description="What a transfer comes to. A quote locks its figures until it expires; a preview "
    "shows the same and locks nothing.",
)
class TransferQuoteType:
    """Resolved on `Quote`, and on `Terms` for a preview."""

    id: strawberry.ID | None = derived(
        lambda shown: global_id(Tag.QUOTE, shown.id) if isinstance(shown, Quote) else None,
        description="The quote's id, to make the transfer with; null in a preview.",
    )
    points_out: Points = derived(
        lambda shown: _terms(shown).points_out, description="The points that leave."
    )
    points_in: Points = derived(
        lambda shown: _terms(shown).points_in, description="The points that arrive."
    )
    base_points: Points = derived(
        lambda shown: _terms(shown).base_points,
        description="Of those that arrive, the points that the ratio gives: the rule's, or the "
        "rates'.",
    )
    bonus_points: Points = derived(
        lambda shown: _terms(shown).bonus_points,
        description="Of those that arrive, the points given beyond the ratio.",
    )
    fee_points: Points = derived(
        lambda shown: _terms(shown).fee_points,
        description="Of the points that leave, those kept as a fee.",
    )
    fee: Money | None = derived(
        lambda shown: _terms(shown).fee,
        graphql_type=MoneyType | None,
        description="What the transfer costs; null if nothing.",
    )
    effective_rate: Decimal = derived(
        lambda shown: _terms(shown).effective_rate,
        description="Points that arrive for one that leaves, to twelve significant digits.",
    )
    is_gift: bool = derived(
        lambda shown: _terms(shown).is_gift, description="Whether the points go to another member."
    )
    arrives_after_seconds: int = derived(
        lambda shown: _terms(shown).laid_down.arrives_after_seconds,
        description="How long the points will be under way; until then the transfer can be "
        "cancelled.",
    )
    rates: ConversionRates = derived(
        lambda shown: _terms(shown).rates,
        graphql_type=TransferRates,
        description="The rates that were in force.",
    )
    rule: TransferRule | None = derived(
        lambda shown: _terms(shown).rule,
        graphql_type=Annotated["TransferRuleType", strawberry.lazy("schema.rules")] | None,
        description="The rule that was in force; null if there was none.",
    )
    expires_at: datetime | None = derived(
        lambda shown: shown.expires_at if isinstance(shown, Quote) else None,
        description="Until when the figures hold; null in a preview, which promises nothing.",
    )

    @resolved(graphql_type=_MEMBERSHIP, description="The membership that the points leave.")
    @staticmethod
    async def source(root: Quote | Terms, info: Info) -> Membership | None:
        """Loaded."""
        return await info.context.loaders.memberships.load(_terms(root).source)

    @resolved(
        graphql_type=_MEMBERSHIP | None,
        description="The membership that the points arrive at; null if the caller may name it but "
        "not look into it.",
    )
    @staticmethod
    async def destination(root: Quote | Terms, info: Info) -> Membership | None:
        """Loaded."""
        return await info.context.loaders.memberships.load(_terms(root).destination)


def _terms(shown: Quote | Terms) -> Terms:
    return shown.terms if isinstance(shown, Quote) else shown


@strawberry.type(description="The answer to `transferQuote` and `transferPreview`.")
class TransferQuotePayload:
    """Either figures or errors."""

    quote: Quote | Terms | None = strawberry.field(
        default=None,
        graphql_type=TransferQuoteType | None,
        description="The figures; null if there are errors.",
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty if it was not."
    )


@strawberry.type
class QuoteQueries:
    """Queries about what a transfer would give."""

    @resolved(description="What a transfer would come to now. Locks nothing and promises nothing.")
    @staticmethod
    async def transfer_preview(
        info: Info,
        input: Annotated[
            TransferQuoteInput, strawberry.argument(description="What would be transferred.")
        ],
    ) -> TransferQuotePayload:
        """One preview."""
        context = info.context
        try:
            terms = await preview(context.coalition, context.caller, input.request())
        except DomainError as error:
            return TransferQuotePayload(errors=told(error))
        return TransferQuotePayload(quote=terms)


@strawberry.type
class QuoteMutations:
    """Mutations of quotes."""

    @mutation(
        description="Locks what a transfer comes to now, for five minutes and for this client. For "
        "the member, the brand that the points leave, and the operator."
    )
    @staticmethod
    async def transfer_quote(
        info: Info,
        input: Annotated[
            TransferQuoteInput, strawberry.argument(description="What is to be transferred.")
        ],
    ) -> TransferQuotePayload:
        """One quote."""
        context = info.context
        context.forget()
        try:
            made = await quote(context.coalition, context.caller, input.request())
        except DomainError as error:
            return TransferQuotePayload(errors=told(error))
        return TransferQuotePayload(quote=made)
