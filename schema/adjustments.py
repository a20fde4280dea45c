"""Adjustments: points given or taken by hand."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from brands.adjustments import adjust
from brands.errors import DomainError, MembershipNotFound
from brands.memberships import Membership
from brands.transactions import Transaction
from schema.context import Info
from schema.errors import UserError, told, was_replayed
from schema.fields import mutation
from schema.inputs import IdempotencyKey
from schema.nodes import Tag, id_of
from schema.scalars import Points

if TYPE_CHECKING:
    from schema.ledger import LedgerTransactionType
    from schema.memberships import MembershipType


@strawberry.input(description="Points to give to a membership, or to take from it.")
class PointsAdjustInput:
    """See `brands.adjustments.adjust`."""

    membership: strawberry.ID = strawberry.field(description="The membership's id.")
    points: Points = strawberry.field(
        description="How many: above zero they are given, below zero taken."
    )
    reason: str = strawberry.field(description="Why, in 1 to 500 characters.")
    event_at: datetime | None = strawberry.field(
        description="When it happened; now if left out. The rates of that moment apply."
    )
    sponsor: str | None = strawberry.field(
        description="The code of the brand that pays; the membership's own if left out."
    )
    idempotency_key: IdempotencyKey


@strawberry.type(description="The answer to `pointsAdjust`.")
class PointsAdjustPayload:
    """Either a transaction or errors."""

    transaction: Transaction | None = strawberry.field(
        default=None,
        graphql_type=Annotated["LedgerTransactionType", strawberry.lazy("schema.ledger")] | None,
        description="What was posted; null if there are errors.",
    )
    membership: Membership | None = strawberry.field(
        default=None,
        graphql_type=Annotated["MembershipType", strawberry.lazy("schema.memberships")] | None,
        description="The membership as it stands now; null if there are errors.",
    )
    replayed: bool = strawberry.field(
        default=False, description="Whether this key was answered so before; nothing was done now."
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty if it was not."
    )


@strawberry.type
class AdjustmentMutations:
    """Mutations by hand."""

    @mutation(description="Gives a member points or takes some, with a reason. For the operator.")
    @staticmethod
    async def points_adjust(
        info: Info,
        input: Annotated[PointsAdjustInput, strawberry.argument(description="What to adjust.")],
    ) -> PointsAdjustPayload:
        """One adjustment."""
        context = info.context
        context.forget()
        try:
            membership = id_of(
                Tag.MEMBERSHIP, input.membership, MembershipNotFound, path="membership"
            )
            outcome = await adjust(
                context.coalition,
                context.caller,
                membership,
                input.points,
                input.reason,
                input.event_at,
                input.sponsor,
                input.idempotency_key,
            )
        except DomainError as error:
            return PointsAdjustPayload(errors=told(error), replayed=was_replayed(error))
        made = context.loaders.transactions.load(outcome.id)
        held = context.loaders.memberships.load(membership)
        return PointsAdjustPayload(
            transaction=await made, membership=await held, replayed=outcome.replayed
        )
