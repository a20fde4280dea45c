"""The roots of the contract, and the one schema made of them."""

from functools import cached_property

import strawberry
from strawberry.federation import Schema
from strawberry.printer import print_schema
from strawberry.schema.config import StrawberryConfig

from schema.activity import ActivitySubscriptions
from schema.adjustments import AdjustmentMutations
from schema.agencies import AgencyMutations, AgencyQueries, AgencyType
from schema.agency_reports import AgencyReportQueries
from schema.alarms import AlarmMutations, AlarmQueries
from schema.bookings import BookingMutations, BookingType
from schema.brands import BrandQueries, BrandType
from schema.claims import ClaimMutations, MissingCreditClaimType
from schema.context import Info
from schema.costs import declare as declare_costs
from schema.crediting import CreditingMutations
from schema.deciding import DecidingMutations
from schema.entities import FEDERATION_SCALARS, EntityQueries
from schema.errors import USER_ERRORS
from schema.fields import resolved, shorten
from schema.households import HouseholdMutations
from schema.ledger import LedgerMutations, LedgerQueries, LedgerTransactionType
from schema.members import MemberMutations, MemberQueries, MemberType
from schema.memberships import MembershipMutations, MembershipType
from schema.nodes import NodeQueries
from schema.printing import client_sdl
from schema.programs import ProgramMutations, ProgramQueries
from schema.publishing import BrandMutations
from schema.pursuing import PursuingMutations
from schema.quotes import QuoteMutations, QuoteQueries
from schema.rules import RuleMutations, RuleQueries, TransferRuleType
from schema.scalars import SCALARS
from schema.transfers import TransferMutations, TransferType
from schema.valuations import ValuationMutations, ValuationQueries
from schema.verification import VerificationMutations
from schema.viewer import ViewerQueries


class Contract(Schema):
    """The contract, as a subgraph of whatever supergraph takes it in."""

    def as_str(self) -> str:
        """The SDL for clients: without what only a router needs."""
        return client_sdl(self.subgraph_sdl, self._schema.directives)

    @cached_property
    def subgraph_sdl(self) -> str:
        """The SDL for routers: with keys, and what may be shared."""
        return print_schema(self)


@strawberry.type(name="_Service", description="This subgraph. For routers.")
class Service:
    """Of the one contract that there is."""

    sdl: str = strawberry.field(
        description="Its schema, with the directives of federation. For routers."
    )


@strawberry.type(description="What can be asked. Whatever the caller may not see is not there.")
class Query(
    ViewerQueries,
    AgencyQueries,
    AgencyReportQueries,
    BrandQueries,
    ValuationQueries,
    RuleQueries,
    ProgramQueries,
    MemberQueries,
    QuoteQueries,
    LedgerQueries,
    AlarmQueries,
    NodeQueries,
    EntityQueries,
):
    """The root of queries."""

    @resolved(name="_service", description="What a supergraph is composed of. For routers.")
    @staticmethod
    def service(info: Info) -> Service:
        """The same for every caller."""
        return Service(sdl=SCHEMA.subgraph_sdl)


@strawberry.type(
    description="What can be done. Every mutation either does what it is asked, or does nothing "
    "and says why in `errors`."
)
class Mutation(
    AgencyMutations,
    BrandMutations,
    ValuationMutations,
    RuleMutations,
    ProgramMutations,
    BookingMutations,
    CreditingMutations,
    ClaimMutations,
    DecidingMutations,
    PursuingMutations,
    MemberMutations,
    MembershipMutations,
    HouseholdMutations,
    AdjustmentMutations,
    QuoteMutations,
    TransferMutations,
    LedgerMutations,
    AlarmMutations,
    VerificationMutations,
):
    """The root of mutations."""


@strawberry.type(
    description="What can be followed as it happens, over a WebSocket or as server-sent events. "
    "Whatever the caller may not see is not there."
)
class Subscription(ActivitySubscriptions):
    """The root of subscriptions."""


_TYPES = [
    *USER_ERRORS.values(),
    AgencyType,
    BookingType,
    MissingCreditClaimType,
    BrandType,
    TransferRuleType,
    MemberType,
    MembershipType,
    TransferType,
    LedgerTransactionType,
]
declare_costs([Query, Mutation, Subscription, *_TYPES])

SCHEMA = Contract(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    types=_TYPES,
    config=StrawberryConfig(scalar_map=SCALARS),
    scalar_overrides=FEDERATION_SCALARS,  # the last word on `_Any`: the library has one of its own
    federation_version="2.9",
)
"""The contract."""

shorten(SCHEMA._schema)
