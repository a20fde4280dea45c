"""Deciding on claims for missing credit, and taking back what they have credited."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from brands.errors import ClaimNotFound, DomainError
from brands.travel.claims import CreditClaim
from brands.travel.deciding import Decision, Verdict, decide
from brands.travel.taking_back import void
from schema.context import Info
from schema.enums import described
from schema.errors import UserError, told, was_replayed
from schema.fields import mutation
from schema.inputs import IdempotencyKey
from schema.nodes import Tag, id_of
from schema.scalars import Points

if TYPE_CHECKING:
    from schema.claims import MissingCreditClaimType

described(
    Verdict,
    "What a brand decides on a claim.",
    {
        Verdict.APPROVE: "It is credited.",
        Verdict.REJECT: "It is not.",
    },
    name="ClaimVerdict",
)


@strawberry.input(description="What a brand decides on a claim.")
class MissingCreditDecideInput:
    """See `brands.travel.deciding.Decision`."""

    claim: strawberry.ID = strawberry.field(description="The claim's id.")
    decision: Verdict = strawberry.field(description="Whether it is credited.")
    points: Points | None = strawberry.field(
        description="How many points it earns, at least 1; those of the program's chart on the day "
        "of travel if left out. Only with APPROVE. A number only the program's own brand, and the "
        "operator, may give."
    )
    operating_carrier: str | None = strawberry.field(
        description="The carrier that operates the flight, where the claim and the booking do not "
        "say so, or say another. Only with APPROVE, and not another brand's of the coalition: that "
        "one would be its supplier. What is said here holds."
    )
    operating_flight_number: str | None = strawberry.field(
        description="The number that the carrier that operates the flight has for it, where "
        "another has sold it. Required with APPROVE if neither the claim nor the booking has it, "
        "or they differ; what is said here holds."
    )
    reason: str = strawberry.field(
        description="Why, in 1 to 500 characters: who has claimed is told."
    )
    idempotency_key: IdempotencyKey

    def decided(self) -> Decision:
        """As the domain has it. Raises `ClaimNotFound`."""
        return Decision(
            claim_id=id_of(Tag.CLAIM, self.claim, ClaimNotFound, path="claim"),
            verdict=self.decision,
            points=self.points,
            reason=self.reason,
            idempotency_key=self.idempotency_key,
            operating_number=self.operating_flight_number,
            operating_carrier=self.operating_carrier,
        )


@strawberry.input(description="A claim that was approved, and is to be so no more.")
class MissingCreditVoidInput:
    """See `brands.travel.taking_back.void`."""

    claim: strawberry.ID = strawberry.field(description="The claim's id.")
    reason: str = strawberry.field(description="Why, in 1 to 500 characters.")
    idempotency_key: IdempotencyKey


@strawberry.type
class _DecidedPayload:
    """What both answers say: either a claim or errors."""

    claim: CreditClaim | None = strawberry.field(
        default=None,
        graphql_type=Annotated["MissingCreditClaimType", strawberry.lazy("schema.claims")] | None,
        description="The claim as it stands now; null if there are errors.",
    )
    replayed: bool = strawberry.field(
        default=False, description="Whether this key was answered so before; nothing was done now."
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty if it was not."
    )


@strawberry.type(description="The answer to `missingCreditDecide`.")
class MissingCreditDecidePayload(_DecidedPayload):
    """The claim, or errors."""


@strawberry.type(description="The answer to `missingCreditVoid`.")
class MissingCreditVoidPayload(_DecidedPayload):
    """The claim, or errors."""


@strawberry.type
class DecidingMutations:
    """Mutations of claims by brands."""

    @mutation(
        description="Approves a claim, and so credits it, or rejects it. For the brand that "
        "supplied the journey, which pays for the points, and for the operator. A journey is "
        "credited once, whatever claims and bookings name it; where a booking of the member has "
        "it, that segment is credited by this."
    )
    @staticmethod
    async def missing_credit_decide(
        info: Info,
        input: Annotated[
            MissingCreditDecideInput, strawberry.argument(description="What is decided.")
        ],
    ) -> MissingCreditDecidePayload:
        """One decision."""
        context = info.context
        context.forget()
        try:
            made = await decide(context.coalition, context.caller, input.decided())
        except DomainError as error:
            return MissingCreditDecidePayload(errors=told(error), replayed=was_replayed(error))
        return MissingCreditDecidePayload(claim=made.claim, replayed=made.replayed)

    @mutation(
        description="Takes back what an approved claim has credited, as far as the clawback of the "
        "program's brand goes; the segment of a booking that was credited by it is voided. For the "
        "brand that supplied the journey, the program's, and the operator."
    )
    @staticmethod
    async def missing_credit_void(
        info: Info,
        input: Annotated[
            MissingCreditVoidInput, strawberry.argument(description="What is taken back.")
        ],
    ) -> MissingCreditVoidPayload:
        """One claim."""
        context = info.context
        context.forget()
        try:
            made = await void(
                context.coalition,
                context.caller,
                id_of(Tag.CLAIM, input.claim, ClaimNotFound, path="claim"),
                input.reason,
                input.idempotency_key,
            )
        except DomainError as error:
            return MissingCreditVoidPayload(errors=told(error), replayed=was_replayed(error))
        return MissingCreditVoidPayload(claim=made.claim, replayed=made.replayed)
