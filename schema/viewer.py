"""The viewer: who the credential says is asking."""

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Annotated

import strawberry

from brands.agencies import Agency
from brands.callers import Caller, CallerKind
from brands.members import Member, MemberBy
from brands.registry import Brand
from schema.context import Info
from schema.enums import described
from schema.fields import derived, resolved

if TYPE_CHECKING:
    from schema.agencies import AgencyType
    from schema.brands import BrandType
    from schema.members import MemberType

described(
    CallerKind,
    "The kinds of credential.",
    {
        CallerKind.OPERATOR: "Runs the coalition.",
        CallerKind.BRAND: "One brand: sees itself, and its own members and memberships.",
        CallerKind.AGENCY: "A travel agency: sees itself, and what is public about brands.",
        CallerKind.MEMBER: "One member: sees herself, with all her memberships.",
    },
)


@strawberry.type(
    name="Viewer",
    description="Who is asking. It follows from the credential, never from an argument.",
)
class ViewerType:
    """Resolved on `brands.callers.Caller`."""

    kind: CallerKind = strawberry.field(description="The kind of credential.")
    client: str = strawberry.field(
        description="The client that the credential belongs to. Idempotency keys are unique to it."
    )
    scopes: list[str] = derived(
        lambda caller: sorted(caller.scopes),
        description="What the credential allows beyond its kind, by name.",
    )

    @resolved(
        graphql_type=Annotated["BrandType", strawberry.lazy("schema.brands")] | None,
        description="The brand that is asking; null if it is none.",
    )
    @staticmethod
    def brand(root: Caller, info: Info) -> Brand | None:
        """From the registry's snapshot."""
        return None if root.brand_id is None else info.context.loaders.brand(root.brand_id)

    @resolved(
        graphql_type=Annotated["AgencyType", strawberry.lazy("schema.agencies")] | None,
        description="The agency that is asking; null if it is none, or if its credential is from "
        "before credentials named their agency.",
    )
    @staticmethod
    def agency(root: Caller, info: Info) -> Awaitable[Agency | None] | None:
        """Loaded."""
        if root.agency_id is None:
            return None
        return info.context.loaders.agencies.load(root.agency_id)

    @resolved(
        graphql_type=Annotated["MemberType", strawberry.lazy("schema.members")] | None,
        description="The member who is asking; null if it is none.",
    )
    @staticmethod
    def member(root: Caller, info: Info) -> Awaitable[Member | None] | None:
        """Loaded."""
        if root.member_id is None:
            return None
        return info.context.loaders.members.load(MemberBy(id=root.member_id))


@strawberry.type
class ViewerQueries:
    """Queries about the caller."""

    @resolved(graphql_type=ViewerType, description="Who is asking.")
    @staticmethod
    def viewer(info: Info) -> Caller:
        """The caller."""
        return info.context.caller
