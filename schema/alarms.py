"""Alarms: who seems to be guessing loyalty numbers; and letting somebody look up again."""

from collections.abc import Awaitable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from brands.agencies import Agency
from brands.alarms import Alarm, alarms, release_agency, release_number
from brands.errors import DomainError
from brands.guarding.suspicion import AlarmKind
from brands.members import Member, MemberBy
from brands.registry import Brand
from schema.connections import After, Connection, FirstOnly, PageInfo, bad_cursor, page, window
from schema.context import Info
from schema.enums import described
from schema.errors import UserError, told
from schema.fields import mutation, resolved
from schema.inputs import MembershipNumberInput

if TYPE_CHECKING:
    from schema.agencies import AgencyType
    from schema.brands import BrandType
    from schema.members import MemberType

described(
    AlarmKind,
    "What makes lookups look like guessing. New values may be added.",
    {
        AlarmKind.MISSES: "One caller had more lookups that did not match than it may have.",
        AlarmKind.NAMES: "Many names were tried with one number; the caller named is the last.",
        AlarmKind.SURNAME: "One caller tries one surname with many numbers.",
        AlarmKind.NEIGHBOURS: "One caller walks along numbers that differ at their end only.",
    },
)


@strawberry.type(
    name="Alarm",
    description="Somebody seems to be guessing whose loyalty numbers are whose. No number and no "
    "name is kept of it. For the operator.",
)
class AlarmType:
    """Resolved on `brands.alarms.Alarm`."""

    at: datetime = strawberry.field(description="When it was noticed.")
    kind: AlarmKind = strawberry.field(description="What was noticed.")
    client: str = strawberry.field(description="The client whose credential was used last.")
    misses: int = strawberry.field(
        description="How many lookups had not matched and were not forgotten then, after what "
        "matches made up for."
    )
    request_id: str = strawberry.field(description="The request in which it was noticed.")

    @resolved(
        graphql_type=Annotated["AgencyType", strawberry.lazy("schema.agencies")] | None,
        description="The agency that looked up; null if it was none.",
    )
    @staticmethod
    def agency(root: Alarm, info: Info) -> Awaitable[Agency | None] | None:
        """Loaded."""
        return (
            None if root.agency_id is None else info.context.loaders.agencies.load(root.agency_id)
        )

    @resolved(
        graphql_type=Annotated["MemberType", strawberry.lazy("schema.members")] | None,
        description="The member who looked up; null if it was none.",
    )
    @staticmethod
    def member(root: Alarm, info: Info) -> Awaitable[Member | None] | None:
        """Loaded."""
        if root.member_id is None:
            return None
        return info.context.loaders.members.load(MemberBy(id=root.member_id))

    @resolved(
        graphql_type=Annotated["BrandType", strawberry.lazy("schema.brands")],
        description="The brand whose numbers were looked up, last of all.",
    )
    @staticmethod
    def brand(root: Alarm, info: Info) -> Brand:
        """From the registry's snapshot."""
        return info.context.loaders.brand(root.brand_id)


@strawberry.type(name="AlarmEdge", description="An alarm in a list.")
class AlarmEdge:
    """Resolved on `schema.connections.Edge`."""

    node: AlarmType = strawberry.field(description="The alarm.")
    cursor: str = strawberry.field(description="Where it stands in the list.")


@strawberry.type(name="AlarmConnection", description="Alarms, the latest first.")
class AlarmConnection:
    """Resolved on `schema.connections.Connection`."""

    edges: list[AlarmEdge] = strawberry.field(description="The alarms of this page.")
    page_info: PageInfo = strawberry.field(description="Where this page begins and ends.")


@strawberry.type
class AlarmQueries:
    """Queries about alarms."""

    @resolved(
        graphql_type=AlarmConnection,
        description="Every alarm that was raised, the latest first. For the operator; for others "
        "there are none.",
    )
    @staticmethod
    async def alarms(
        info: Info, first: FirstOnly = strawberry.UNSET, after: After = strawberry.UNSET
    ) -> Connection[Alarm]:
        """A page."""
        wanted = window(first, after)
        context = info.context
        found = await alarms(
            context.coalition, context.caller, wanted.size + 1, _place(wanted.after)
        )
        return page(
            found[: wanted.size],
            lambda alarm: alarm.id.hex,
            before=wanted.after is not None,
            after=len(found) > wanted.size,
        )


def _place(key: str | None) -> UUID | None:
    if key is None:
        return None
    try:
        return UUID(hex=key)
    except ValueError:
        raise bad_cursor("after") from None


@strawberry.input(
    one_of=True, description="What is to be looked up again at once: exactly one of these."
)
class LookupsReleaseInput:
    """See `brands.alarms`."""

    agency: str | None = strawberry.field(description="The code of an agency.")
    number: MembershipNumberInput | None = strawberry.field(description="A loyalty number.")


@strawberry.type(description="The answer to `lookupsRelease`.")
class LookupsReleasePayload:
    """Whether it was done."""

    released: bool = strawberry.field(default=True, description="Whether it was done.")
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty if it was not."
    )


@strawberry.type
class AlarmMutations:
    """Mutations of the delays of lookups."""

    @mutation(
        description="Ends the delays that lookups which did not match have brought upon an agency, "
        "or upon a loyalty number, and forgets those lookups. For the operator; a number also for "
        "its brand. Doing so again changes nothing."
    )
    @staticmethod
    async def lookups_release(
        info: Info,
        input: Annotated[LookupsReleaseInput, strawberry.argument(description="Which.")],
    ) -> LookupsReleasePayload:
        """One agency, or one number."""
        context = info.context
        try:
            if input.agency is not None:
                await release_agency(context.coalition, context.caller, input.agency)
            if input.number is not None:
                await release_number(
                    context.coalition, context.caller, input.number.brand, input.number.number
                )
        except DomainError as error:
            return LookupsReleasePayload(released=False, errors=told(error))
        return LookupsReleasePayload()
