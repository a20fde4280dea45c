"""Claims for missing credit: looking at them, making them, and appealing."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from brands.agencies import Agency
from brands.errors import DomainError, InvalidInput
from brands.itineraries import Flight, Stay
from brands.memberships import Membership
from brands.registry import Brand
from brands.transactions import Transaction
from brands.travel.bookings import Passenger, Segment
from brands.travel.claim_forms import NewClaim
from brands.travel.claiming import claim
from brands.travel.claims import ClaimStatus, CreditClaim, Evidence, EvidenceKind
from schema.connections import PageInfo
from schema.context import Info
from schema.enums import described
from schema.errors import UserError, told, was_replayed
from schema.fields import derived, mutation, resolved
from schema.inputs import IdempotencyKey, MembershipNumberInput
from schema.journeys import FlightInput, FlightType, StayInput, StayType
from schema.nodes import Node, Tag, global_id
from schema.scalars import Points

if TYPE_CHECKING:
    from schema.agencies import AgencyType
    from schema.bookings import BookingPassengerType, BookingSegmentType
    from schema.brands import BrandType
    from schema.ledger import LedgerTransactionType
    from schema.memberships import MembershipType

described(
    EvidenceKind,
    "What a piece of evidence is.",
    {
        EvidenceKind.TICKET_NUMBER: "The number of a ticket.",
        EvidenceKind.BOARDING_PASS: "What is on a boarding pass: sequence number, seat.",
        EvidenceKind.FOLIO: "The number of a hotel's folio, or what is on it.",
        EvidenceKind.RECEIPT: "The number of a receipt, or what is on it.",
        EvidenceKind.OTHER: "Anything else.",
    },
    name="ClaimEvidenceKind",
)


@strawberry.type(
    name="ClaimEvidence",
    description="Something that shows that a journey was made. Personal data.",
)
class ClaimEvidenceType:
    """Resolved on `brands.travel.claims.Evidence`."""

    kind: EvidenceKind = strawberry.field(description="What it is.")
    value: str = strawberry.field(description="What is written on it, or about it.")


@strawberry.type(
    name="MissingCreditClaim",
    description="A claim that a flight or stay is to be credited to a loyalty number. Seen by who "
    "has made it, by the brand whose points they are and the one that is to pay for them, by the "
    "member to whom it is linked, and by the operator.",
)
class MissingCreditClaimType(Node):
    """Resolved on `brands.travel.claims.CreditClaim`."""

    id: strawberry.ID = derived(
        lambda claim: global_id(Tag.CLAIM, claim.id), description="The claim's global id."
    )
    status: ClaimStatus = strawberry.field(description="How far it has come.")
    reason: str | None = strawberry.field(
        description="Why it was approved, rejected or taken back, in the words of who did so; null "
        "if nothing of that was done."
    )
    number: str = strawberry.field(description="The loyalty number that it is for.")
    flight: Flight | None = derived(
        lambda claim: claim.facts if isinstance(claim.facts, Flight) else None,
        graphql_type=FlightType | None,
        description="The flight; null if it is a stay.",
    )
    stay: Stay | None = derived(
        lambda claim: claim.facts if isinstance(claim.facts, Stay) else None,
        graphql_type=StayType | None,
        description="The stay; null if it is a flight.",
    )
    traveller: Passenger | None = strawberry.field(
        graphql_type=Annotated["BookingPassengerType", strawberry.lazy("schema.bookings")] | None,
        description="Who has travelled, as the claim says. Null if it does not, if that was "
        "erased, and for operators without the scope `pii`.",
    )
    evidence: list[Evidence] = strawberry.field(
        graphql_type=list[ClaimEvidenceType],
        description="What shows it. Empty if that was erased, and for operators without the scope "
        "`pii`.",
    )
    appeal: str | None = strawberry.field(
        description="What was said in the appeal. Null if there was none, if it was erased, and "
        "for operators without the scope `pii`."
    )
    is_appealed: bool = strawberry.field(
        description="Whether it was appealed against: what is decided then is final."
    )
    is_linked: bool | None = strawberry.field(
        description="Whether the number was an open membership's, and the traveller's name its "
        "member's, when it was claimed. If not, it is looked up once more when it is approved, and "
        "else cannot be. Null for agencies, which use `loyaltyNumbersVerify`, and for a supplier "
        "that is not the program's brand."
    )
    points: Points | None = strawberry.field(
        description="The points that it has brought, if it was approved. Null for agencies."
    )
    created_at: datetime = strawberry.field(description="When it was made.")
    changed_at: datetime = strawberry.field(description="When something was last decided or said.")

    @resolved(
        graphql_type=Annotated["BrandType", strawberry.lazy("schema.brands")],
        description="The brand whose points are claimed.",
    )
    @staticmethod
    def program(root: CreditClaim, info: Info) -> Brand:
        """From the registry's snapshot."""
        return info.context.loaders.brand(root.brand_id)

    @resolved(
        graphql_type=Annotated["BrandType", strawberry.lazy("schema.brands")],
        description="The brand that decides, and pays for the points: it supplied the journey; "
        "where that was no brand's, it is the program's own.",
    )
    @staticmethod
    def supplier(root: CreditClaim, info: Info) -> Brand:
        """From the registry's snapshot."""
        return info.context.loaders.brand(root.supplier_id)

    @resolved(
        graphql_type=Annotated["AgencyType", strawberry.lazy("schema.agencies")] | None,
        description="The agency that has claimed, for whoever may see that; null if it was the "
        "member herself.",
    )
    @staticmethod
    async def agency(root: CreditClaim, info: Info) -> Agency | None:
        """Loaded."""
        if root.agency_id is None:
            return None
        return await info.context.loaders.agencies.load(root.agency_id)

    @resolved(
        graphql_type=Annotated["MembershipType", strawberry.lazy("schema.memberships")] | None,
        description="The membership that it is linked to, for whoever may see that.",
    )
    @staticmethod
    async def membership(root: CreditClaim, info: Info) -> Membership | None:
        """Loaded."""
        if root.membership_id is None:
            return None
        return await info.context.loaders.memberships.load(root.membership_id)

    @resolved(
        graphql_type=Annotated["LedgerTransactionType", strawberry.lazy("schema.ledger")] | None,
        description="The transaction that has credited it, for whoever may see that.",
    )
    @staticmethod
    async def transaction(root: CreditClaim, info: Info) -> Transaction | None:
        """Loaded."""
        if root.transaction_id is None:
            return None
        return await info.context.loaders.transactions.load(root.transaction_id)

    @resolved(
        graphql_type=list[Annotated["MissingCreditClaimType", strawberry.lazy("schema.claims")]],
        description="Other claims for the same journey and the same number or membership, the "
        "oldest first. For brands and the operator; to others there are none.",
    )
    @staticmethod
    async def duplicates(root: CreditClaim, info: Info) -> list[CreditClaim]:
        """Loaded."""
        return await info.context.loaders.claim_duplicates.load(root.id) or []

    @resolved(
        graphql_type=Annotated["BookingSegmentType", strawberry.lazy("schema.bookings")] | None,
        description="The segment of a booking of the member's that has this journey: approving the "
        "claim credits it, by what was booked, or has credited it. Null if there is none, and for "
        "all but the program's brand and the operator.",
    )
    @staticmethod
    async def segment(root: CreditClaim, info: Info) -> Segment | None:
        """Loaded."""
        return await info.context.loaders.claim_segments.load(root)

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        """Whether an object is a claim."""
        return isinstance(value, CreditClaim)


@strawberry.type(name="MissingCreditClaimEdge", description="A claim in a list.")
class MissingCreditClaimEdge:
    """Resolved on `schema.connections.Edge`."""

    node: MissingCreditClaimType = strawberry.field(description="The claim.")
    cursor: str = strawberry.field(description="Where it stands in the list.")


@strawberry.type(name="MissingCreditClaimConnection", description="Claims, the newest first.")
class MissingCreditClaimConnection:
    """Resolved on `schema.connections.Connection`."""

    edges: list[MissingCreditClaimEdge] = strawberry.field(description="The claims of this page.")
    page_info: PageInfo = strawberry.field(description="Where this page begins and ends.")


@strawberry.input(description="Who has travelled.")
class ClaimTravellerInput:
    """See `brands.travel.bookings.Passenger`."""

    surname: str = strawberry.field(description="Her family name.")
    given_name: str | None = strawberry.field(
        description="Her given name or its initials, perhaps with a title, as the trade writes it."
    )


@strawberry.input(description="A piece of evidence.")
class ClaimEvidenceInput:
    """See `brands.travel.claims.Evidence`."""

    kind: EvidenceKind = strawberry.field(description="What it is.")
    value: str = strawberry.field(
        description="What is written on it, or about it: 1 to 500 characters."
    )


@strawberry.input(
    description="A flight or stay (exactly one of them) that is to be credited, and what shows "
    "that it was made."
)
class MissingCreditClaimInput:
    """See `brands.travel.claim_forms.NewClaim`."""

    loyalty: MembershipNumberInput = strawberry.field(
        description="The brand whose points are claimed, and the traveller's number there."
    )
    traveller: ClaimTravellerInput | None = strawberry.field(
        description="Who has travelled. An agency must say so; a member claims for herself."
    )
    flight: FlightInput | None = strawberry.field(description="The flight.")
    stay: StayInput | None = strawberry.field(description="The stay.")
    evidence: list[ClaimEvidenceInput] = strawberry.field(description="1 to 10 pieces of it.")
    idempotency_key: IdempotencyKey

    def claim(self) -> NewClaim:
        """As the domain has it. Raises `InvalidInput`."""
        who = self.traveller
        return NewClaim(
            brand=self.loyalty.brand,
            number=self.loyalty.number,
            traveller=None if who is None else Passenger(who.surname, who.given_name or None),
            facts=self._facts(),
            evidence=tuple(Evidence(each.kind, each.value) for each in self.evidence),
            idempotency_key=self.idempotency_key,
        )

    def _facts(self) -> Flight | Stay:
        if self.flight is not None and not self.stay:
            return self.flight.flight()
        if self.stay is not None and not self.flight:
            return self.stay.stay()
        raise InvalidInput(path="flight", reason="Give exactly one of flight and stay.")


@strawberry.type(description="The answer to `missingCreditClaim`.")
class MissingCreditClaimPayload:
    """Either a claim or errors."""

    claim: CreditClaim | None = strawberry.field(
        default=None,
        graphql_type=MissingCreditClaimType | None,
        description="The claim as it stands now; null if there are errors.",
    )
    replayed: bool = strawberry.field(
        default=False, description="Whether this key was answered so before; nothing was done now."
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty if it was not."
    )


@strawberry.type
class ClaimMutations:
    """Mutations of claims."""

    @mutation(
        description="Claims credit for a journey that was made and is not credited, within the "
        "program's window. For a travel agency for its traveller, and for a member for herself. "
        "Nothing is credited until the brand decides. Whether the number is the traveller's, an "
        "agency learns from that alone; names that do not match count as they do with "
        "`loyaltyNumbersVerify`."
    )
    @staticmethod
    async def missing_credit_claim(
        info: Info,
        input: Annotated[
            MissingCreditClaimInput, strawberry.argument(description="What is claimed.")
        ],
    ) -> MissingCreditClaimPayload:
        """One claim."""
        context = info.context
        context.forget()
        try:
            made = await claim(context.coalition, context.caller, input.claim())
        except DomainError as error:
            return MissingCreditClaimPayload(errors=told(error), replayed=was_replayed(error))
        return MissingCreditClaimPayload(claim=made.claim, replayed=made.replayed)
