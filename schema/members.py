"""Members: looking one up, and enrolling one."""

from collections.abc import Awaitable
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from brands.enrolment import Enrolment, enroll
from brands.errors import BrandNotFound, DomainError, InvalidInput
from brands.members import Member, Profile
from brands.memberships import Membership
from brands.money import Money
from brands.moving.households import Household, Invitation
from brands.transactions import Transaction
from schema.connections import After, Connection, FirstOnly
from schema.context import Info
from schema.errors import UserError, told, was_replayed
from schema.fields import derived, mutation, resolved
from schema.histories import history, history_window
from schema.inputs import MAX_LIST, IdempotencyKey, MemberByInput
from schema.nodes import Node, Tag, global_id
from schema.scalars import MoneyType

if TYPE_CHECKING:
    from schema.households import HouseholdInvitationType, HouseholdType
    from schema.ledger import LedgerTransactionConnection
    from schema.memberships import MembershipType


@strawberry.type(
    name="Profile",
    description="A member's personal data, as far as it is known. Shown to the member, to the "
    "brands she is a member of, and to the operator with the scope `pii`.",
)
class ProfileType:
    """Resolved on `brands.members.Profile`."""

    given_name: str | None = strawberry.field(description="Her given name.")
    family_name: str | None = strawberry.field(description="Her family name.")
    email: str | None = strawberry.field(description="Her e-mail address.")
    birth_date: date | None = strawberry.field(description="The day she was born.")


@strawberry.federation.type(
    name="Member",
    keys=["id", "coalitionNumber"],
    description="A person who takes part, with memberships at one brand or several. A caller sees "
    "of them only its own.",
)
class MemberType(Node):
    """Resolved on `brands.members.Member`."""

    id: strawberry.ID = derived(
        lambda member: global_id(Tag.MEMBER, member.id), description="The member's global id."
    )
    coalition_number: str = strawberry.field(
        description="Her number in the whole coalition; its last digit is a Luhn check digit."
    )
    external_id: str | None = strawberry.field(
        description="The name that whoever enrolled her knows her by."
    )
    enrolled_at: datetime = strawberry.field(description="When she was enrolled.")

    @resolved(
        graphql_type=ProfileType | None,
        description="Her personal data; null if there is none, or none that this caller may see.",
    )
    @staticmethod
    def profile(root: Member, info: Info) -> Awaitable[Profile | None]:
        """Loaded."""
        return info.context.loaders.profiles.load(root.id)

    @resolved(
        graphql_type=list[Annotated["MembershipType", strawberry.lazy("schema.memberships")]],
        description="Her memberships, in the order in which she joined.",
    )
    @staticmethod
    async def memberships(root: Member, info: Info) -> list[Membership]:
        """Loaded."""
        return await info.context.loaders.memberships_of.load(root.id) or []

    @resolved(
        graphql_type=Annotated["MembershipType", strawberry.lazy("schema.memberships")] | None,
        description="Her membership at one brand.",
    )
    @staticmethod
    async def membership(
        root: Member,
        info: Info,
        brand: Annotated[str, strawberry.argument(description="The brand's code.")],
    ) -> Membership | None:
        """Loaded with all the others."""
        context = info.context
        held = await context.loaders.memberships_of.load(root.id) or []
        return next(
            (each for each in held if context.loaders.brand(each.brand_id).code == brand), None
        )

    @resolved(
        graphql_type=MoneyType,
        description="What all her posted points are worth together, each at its brand's redemption "
        "rate now.",
    )
    @staticmethod
    async def total_value(root: Member, info: Info) -> Money:
        """Loaded with her memberships."""
        coalition = info.context.coalition
        held = await info.context.loaders.memberships_of.load(root.id) or []
        micros = sum(
            each.posted * coalition.registry.snapshot.valuation(each.brand_id).rates.redemption_rate
            for each in held
        )
        return Money(micros, coalition.currency)

    @resolved(
        graphql_type=Annotated["LedgerTransactionConnection", strawberry.lazy("schema.ledger")],
        description="What was posted to her memberships, or to the one at a brand, the latest "
        "first.",
    )
    @staticmethod
    async def transactions(
        root: Member,
        info: Info,
        brand: Annotated[
            str | None, strawberry.argument(description="Only at the brand of this code.")
        ] = strawberry.UNSET,
        first: FirstOnly = strawberry.UNSET,
        after: After = strawberry.UNSET,
    ) -> Connection[Transaction]:
        """Loaded. Raises `BadPage`."""
        wanted = history_window(first, after)
        brand_id = None
        if brand:
            try:
                brand_id = info.context.coalition.registry.snapshot.brand(brand).id
            except BrandNotFound:
                return history(None, wanted)
        return history(await info.context.loaders.member_page(root.id, wanted, brand_id), wanted)

    @resolved(
        graphql_type=Annotated["HouseholdType", strawberry.lazy("schema.households")] | None,
        description="The household that she pools her points in; null if there is none, or to "
        "anybody but herself and the operator.",
    )
    @staticmethod
    def household(root: Member, info: Info) -> Awaitable[Household | None]:
        """Loaded."""
        return info.context.loaders.households.load(root.id)

    @resolved(
        graphql_type=list[
            Annotated["HouseholdInvitationType", strawberry.lazy("schema.households")]
        ],
        description="The open invitations into households that she was sent, the oldest first; "
        "none to anybody but herself and the operator.",
    )
    @staticmethod
    async def household_invitations(root: Member, info: Info) -> list[Invitation]:
        """Loaded."""
        return await info.context.loaders.invitations.load(root.id) or []

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        """Whether an object is a member."""
        return isinstance(value, Member)


@strawberry.input(description="A member's personal data.")
class ProfileInput:
    """See `brands.members.Profile`."""

    given_name: str | None = strawberry.field(description="Her given name.")
    family_name: str | None = strawberry.field(description="Her family name.")
    email: str | None = strawberry.field(description="Her e-mail address.")
    birth_date: date | None = strawberry.field(description="The day she was born.")

    def profile(self) -> Profile:
        """As the domain has it."""
        return Profile(self.given_name, self.family_name, self.email, self.birth_date)


@strawberry.input(description="A membership to be opened on enrolment.")
class EnrolmentMembershipInput:
    """A brand, and its number if it has given one."""

    brand: str = strawberry.field(description="The brand's code.")
    number: str | None = strawberry.field(
        description="The loyalty number the brand has given; one is generated if left out."
    )


@strawberry.input(description="A member to enrol.")
class MemberEnrollInput:
    """See `brands.enrolment.Enrolment`."""

    external_id: str | None = strawberry.field(
        description="The caller's own name for her, unique among the caller's; at most 255 "
        "characters."
    )
    profile: ProfileInput | None = strawberry.field(description="Her personal data.")
    brands: list[str] | None = strawberry.field(
        description="Codes of brands to open memberships at, with generated numbers; 100 at most."
    )
    memberships: list[EnrolmentMembershipInput] | None = strawberry.field(
        description="Memberships to open, with numbers given or generated; 100 at most."
    )
    idempotency_key: IdempotencyKey


@strawberry.type(description="The answer to `memberEnroll`.")
class MemberEnrollPayload:
    """Either a member or errors."""

    member: Member | None = strawberry.field(
        default=None,
        graphql_type=MemberType | None,
        description="The member; null if there are errors.",
    )
    replayed: bool = strawberry.field(
        default=False, description="Whether this key was answered so before; nothing was done now."
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty if it was not."
    )


@strawberry.type
class MemberQueries:
    """Queries about members."""

    @resolved(
        graphql_type=MemberType | None,
        description="A member, if there is one so named whom this caller may see.",
    )
    @staticmethod
    async def member(
        info: Info,
        by: Annotated[MemberByInput, strawberry.argument(description="How she is named.")],
    ) -> Member | None:
        """Loaded."""
        named = by.named()
        return None if named is None else await info.context.loaders.members.load(named)


@strawberry.type
class MemberMutations:
    """Mutations of members."""

    @mutation(
        description="Enrols a person, with memberships at any number of brands. For the operator, "
        "and for a brand at that brand."
    )
    @staticmethod
    async def member_enroll(
        info: Info,
        input: Annotated[MemberEnrollInput, strawberry.argument(description="Whom to enrol.")],
    ) -> MemberEnrollPayload:
        """One member."""
        context = info.context
        context.forget()
        try:
            enrolled = await enroll(context.coalition, context.caller, _enrolment(input))
        except DomainError as error:
            return MemberEnrollPayload(errors=told(error), replayed=was_replayed(error))
        return MemberEnrollPayload(member=enrolled.member, replayed=enrolled.replayed)


def _enrolment(input: MemberEnrollInput) -> Enrolment:
    """Raises `InvalidInput`."""
    codes, given = input.brands or [], input.memberships or []
    for path, listed in (("brands", codes), ("memberships", given)):
        if len(listed) > MAX_LIST:
            raise InvalidInput(path=path, reason=f"At most {MAX_LIST} of them.")
    return Enrolment(
        external_id=input.external_id,
        profile=None if input.profile is None else input.profile.profile(),
        memberships=(
            *((each.brand, each.number) for each in given),
            *((code, None) for code in codes),
        ),
        idempotency_key=input.idempotency_key,
    )
