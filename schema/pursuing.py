"""Withdrawing claims for missing credit, and appealing against a refusal."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from brands.errors import ClaimNotFound, DomainError
from brands.travel.claims import CreditClaim
from brands.travel.pursuing import appeal, withdraw
from schema.context import Info
from schema.errors import UserError, told, was_replayed
from schema.fields import mutation
from schema.inputs import IdempotencyKey
from schema.nodes import Tag, id_of

if TYPE_CHECKING:
    from schema.claims import MissingCreditClaimType


@strawberry.input(description="An appeal against a claim's rejection.")
class MissingCreditAppealInput:
    """See `brands.travel.pursuing.appeal`."""

    claim: strawberry.ID = strawberry.field(description="The claim's id.")
    statement: str = strawberry.field(
        description="Why the brand should decide otherwise, in 1 to 500 characters."
    )
    idempotency_key: IdempotencyKey


@strawberry.input(description="A claim that is to be withdrawn.")
class MissingCreditWithdrawInput:
    """See `brands.travel.pursuing.withdraw`."""

    claim: strawberry.ID = strawberry.field(description="The claim's id.")
    idempotency_key: IdempotencyKey


@strawberry.type
class _PursuedPayload:
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


@strawberry.type(description="The answer to `missingCreditAppeal`.")
class MissingCreditAppealPayload(_PursuedPayload):
    """The claim, or errors."""


@strawberry.type(description="The answer to `missingCreditWithdraw`.")
class MissingCreditWithdrawPayload(_PursuedPayload):
    """The claim, or errors."""


@strawberry.type
class PursuingMutations:
    """Mutations of claims by who has claimed."""

    @mutation(
        description="Asks the brand to decide once more on a claim that it has rejected; that is "
        "possible once. For who has claimed."
    )
    @staticmethod
    async def missing_credit_appeal(
        info: Info,
        input: Annotated[
            MissingCreditAppealInput, strawberry.argument(description="What is appealed against.")
        ],
    ) -> MissingCreditAppealPayload:
        """One appeal."""
        context = info.context
        context.forget()
        try:
            made = await appeal(
                context.coalition,
                context.caller,
                id_of(Tag.CLAIM, input.claim, ClaimNotFound, path="claim"),
                input.statement,
                input.idempotency_key,
            )
        except DomainError as error:
            return MissingCreditAppealPayload(errors=told(error), replayed=was_replayed(error))
        return MissingCreditAppealPayload(claim=made.claim, replayed=made.replayed)

    @mutation(
        description="Withdraws a claim that the brand has not decided on: to correct what is "
        "written wrongly, claim the journey again. For who has claimed."
    )
    @staticmethod
    async def missing_credit_withdraw(
        info: Info,
        input: Annotated[
            MissingCreditWithdrawInput, strawberry.argument(description="What is withdrawn.")
        ],
    ) -> MissingCreditWithdrawPayload:
        """One claim."""
        context = info.context
        context.forget()
        try:
            made = await withdraw(
                context.coalition,
                context.caller,
                id_of(Tag.CLAIM, input.claim, ClaimNotFound, path="claim"),
                input.idempotency_key,
            )
        except DomainError as error:
            return MissingCreditWithdrawPayload(errors=told(error), replayed=was_replayed(error))
        return MissingCreditWithdrawPayload(claim=made.claim, replayed=made.replayed)
