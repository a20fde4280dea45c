"""Households: members who pool their points; inviting, answering, leaving."""

from datetime import datetime
from typing import Annotated

import strawberry

from brands.errors import DomainError, HouseholdNotFound, InvitationNotFound
from brands.moving.households import Household, HouseholdMember, Invitation, ShownName
from brands.moving.pooling import answer, invite, leave
from schema.context import Info
from schema.errors import UserError, told
from schema.fields import derived, mutation
from schema.inputs import RecipientInput
from schema.nodes import Tag, global_id, id_of


@strawberry.type(
    name="HouseholdName",
    description="As much of a member's name as those see of it who pool with her, or may.",
)
class HouseholdNameType:
    """Resolved on `brands.moving.households.ShownName`."""

    given_name: str | None = strawberry.field(description="Her given name, if it is known.")
    family_initial: str | None = strawberry.field(
        description="The first letter of her family name, if it is known."
    )


@strawberry.type(name="HouseholdMember", description="A member of a household.")
class HouseholdMemberType:
    """Resolved on `brands.moving.households.HouseholdMember`."""

    coalition_number: str | None = strawberry.field(
        description="Her number in the whole coalition: shown to herself and the operator; to the "
        "other members null."
    )
    name: ShownName | None = strawberry.field(
        graphql_type=HouseholdNameType | None,
        description="Her name, in short: shown to the members, and to the operator with the scope "
        "`pii`; else null.",
    )
    since: datetime = strawberry.field(description="When she came in.")


@strawberry.type(
    name="Household", description="Members who agreed to pool their points, eight at most."
)
class HouseholdType:
    """Resolved on `brands.moving.households.Household`."""

    id: strawberry.ID = derived(
        lambda household: global_id(Tag.HOUSEHOLD, household.id),
        description="The household's global id.",
    )
    since: datetime = strawberry.field(description="When it was founded.")
    members: list[HouseholdMember] = strawberry.field(
        graphql_type=list[HouseholdMemberType],
        description="Its members, in the order in which they came.",
    )


@strawberry.type(
    name="HouseholdInvitation",
    description="An invitation to pool points. It is open until the invited member answers it, or "
    "the one who sent it leaves the household.",
)
class HouseholdInvitationType:
    """Resolved on `brands.moving.households.Invitation`."""

    id: strawberry.ID = derived(
        lambda invitation: global_id(Tag.INVITATION, invitation.id),
        description="The invitation's global id.",
    )
    invited_at: datetime = strawberry.field(description="When it was sent.")
    inviter: ShownName | None = strawberry.field(
        name="from",
        graphql_type=HouseholdNameType | None,
        description="Who sent it: shown to both sides, and to the operator with the scope `pii`.",
    )


@strawberry.input(description="Whom to invite into one's household.")
class HouseholdInviteInput:
    """See `brands.moving.pooling.invite`."""

    recipient: RecipientInput = strawberry.field(description="The member to invite.")


@strawberry.type(description="The answer to `householdInvite`.")
class HouseholdInvitePayload:
    """Either an invitation or errors."""

    invitation: Invitation | None = strawberry.field(
        default=None,
        graphql_type=HouseholdInvitationType | None,
        description="The invitation; null if there are errors.",
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty if it was not."
    )


@strawberry.input(description="The answer to an invitation into a household.")
class HouseholdAnswerInput:
    """See `brands.moving.pooling.answer`."""

    invitation: strawberry.ID = strawberry.field(description="The invitation's id.")
    accept: bool = strawberry.field(description="True accepts it, false declines it.")


@strawberry.type(description="The answer to `householdAnswer`.")
class HouseholdAnswerPayload:
    """A household, none, or errors."""

    household: Household | None = strawberry.field(
        default=None,
        graphql_type=HouseholdType | None,
        description="The household that the member is in now; null if she is in none, or there are "
        "errors.",
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty if it was not."
    )


@strawberry.input(description="The household to leave.")
class HouseholdLeaveInput:
    """See `brands.moving.pooling.leave`."""

    household: strawberry.ID = strawberry.field(description="The household's id.")


@strawberry.type(description="The answer to `householdLeave`.")
class HouseholdLeavePayload:
    """Whether she left, or errors."""

    left: bool = strawberry.field(
        default=False,
        description="Whether the member is out of it, now or since before; false on an error.",
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty if it was not."
    )


@strawberry.type
class HouseholdMutations:
    """Mutations of households: a member's own to do, and nobody else's."""

    @mutation(
        description="Invites a member to pool points, into a household that is founded if the "
        "caller is in none. While an invitation of hers is open, inviting her again changes "
        "nothing. For members."
    )
    @staticmethod
    async def household_invite(
        info: Info,
        input: Annotated[HouseholdInviteInput, strawberry.argument(description="Whom to invite.")],
    ) -> HouseholdInvitePayload:
        """One invitation."""
        context = info.context
        context.forget()
        try:
            sent = await invite(context.coalition, context.caller, input.recipient.recipient())
        except DomainError as error:
            return HouseholdInvitePayload(errors=told(error))
        return HouseholdInvitePayload(invitation=sent)

    @mutation(
        description="Accepts or declines an invitation into a household. Whoever is in another one "
        "leaves that first. Doing it again changes nothing. For the invited member."
    )
    @staticmethod
    async def household_answer(
        info: Info,
        input: Annotated[HouseholdAnswerInput, strawberry.argument(description="The answer.")],
    ) -> HouseholdAnswerPayload:
        """One invitation."""
        context = info.context
        context.forget()
        try:
            household = await answer(
                context.coalition,
                context.caller,
                id_of(Tag.INVITATION, input.invitation, InvitationNotFound, path="invitation"),
                accept=input.accept,
            )
        except DomainError as error:
            return HouseholdAnswerPayload(errors=told(error))
        return HouseholdAnswerPayload(household=household)

    @mutation(
        description="Leaves one's household: the caller's open invitations are withdrawn, and a "
        "household of one with nobody invited is dissolved. Doing it again changes nothing. For "
        "members."
    )
    @staticmethod
    async def household_leave(
        info: Info,
        input: Annotated[HouseholdLeaveInput, strawberry.argument(description="What to leave.")],
    ) -> HouseholdLeavePayload:
        """One household."""
        context = info.context
        context.forget()
        try:
            await leave(
                context.coalition,
                context.caller,
                id_of(Tag.HOUSEHOLD, input.household, HouseholdNotFound, path="household"),
            )
        except DomainError as error:
            return HouseholdLeavePayload(errors=told(error))
        return HouseholdLeavePayload(left=True)
