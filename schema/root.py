"""The roots of the contract, and the one schema made of them."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

import strawberry
from strawberry.schema.config import StrawberryConfig

from brands.members import MemberBy
from schema.adjustments import AdjustmentMutations
from schema.brands import BrandMutations, BrandQueries, BrandType
from schema.context import Context, Info
from schema.errors import USER_ERRORS
from schema.fields import resolved, shorten
from schema.households import HouseholdMutations
from schema.ledger import LedgerMutations, LedgerQueries, LedgerTransactionType
from schema.members import MemberMutations, MemberQueries, MemberType
from schema.memberships import MembershipMutations, MembershipType
from schema.nodes import Node, Tag, read_global_id
from schema.quotes import QuoteMutations, QuoteQueries
from schema.rules import RuleMutations, RuleQueries, TransferRuleType
from schema.scalars import SCALARS
from schema.transfers import TransferMutations, TransferType
from schema.valuations import ValuationMutations, ValuationQueries
from schema.viewer import ViewerQueries


async def _brand(context: Context, id: UUID) -> object:
    known = context.coalition.registry.snapshot.brands
    return next((brand for brand in known if brand.id == id), None)


async def _rule(context: Context, id: UUID) -> object:
    return context.coalition.registry.snapshot.rule_by_id(id)


_NODES: dict[Tag, Callable[[Context, UUID], Awaitable[object]]] = {
    Tag.BRAND: _brand,
    Tag.RULE: _rule,
    Tag.MEMBER: lambda context, id: context.loaders.members.load(MemberBy(id=id)),
    Tag.MEMBERSHIP: lambda context, id: context.loaders.memberships.load(id),
    Tag.TRANSACTION: lambda context, id: context.loaders.transactions.load(id),
    Tag.TRANSFER: lambda context, id: context.loaders.transfers.load(id),
}
"""How the object of a global id is found. Ids of other tags name things that are no nodes."""


@strawberry.type(description="What can be asked. Whatever the caller may not see is not there.")
class Query(
    ViewerQueries,
    BrandQueries,
    ValuationQueries,
    RuleQueries,
    MemberQueries,
    QuoteQueries,
    LedgerQueries,
):
    """The root of queries."""

    @resolved(
        graphql_type=Node | None,
        description="The object with this global id, if there is one that this caller may see.",
    )
    @staticmethod
    async def node(
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The global id.")],
    ) -> Any:
        """Loaded, by its type."""
        name = read_global_id(id)
        if name is None or name.tag not in _NODES:
            return None
        return await _NODES[name.tag](info.context, name.id)


@strawberry.type(
    description="What can be done. Every mutation either does what it is asked, or does nothing "
    "and says why in `errors`."
)
class Mutation(
    BrandMutations,
    ValuationMutations,
    RuleMutations,
    MemberMutations,
    MembershipMutations,
    HouseholdMutations,
    AdjustmentMutations,
    QuoteMutations,
    TransferMutations,
    LedgerMutations,
):
    """The root of mutations."""


SCHEMA = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    types=[
        *USER_ERRORS.values(),
        BrandType,
        TransferRuleType,
        MemberType,
        MembershipType,
        TransferType,
        LedgerTransactionType,
    ],
    config=StrawberryConfig(scalar_map=SCALARS),
)
"""The contract."""

shorten(SCHEMA._schema)
