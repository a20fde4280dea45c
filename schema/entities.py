"""Entities: what a router finds here by a key, to join it with what other subgraphs know of it.

Apollo Federation: https://specs.apollo.dev/federation/v2.9. A router sends representations: the
name of a type and one of its keys. What the caller may not see is answered as if it did not exist,
here as everywhere, for it is found in the same way as by the fields.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, Union

import strawberry
from graphql import GraphQLError
from strawberry.federation.schema import FederationAny
from strawberry.types.scalar import ScalarDefinition, ScalarWrapper

from brands.errors import BrandNotFound
from brands.members import MemberBy
from brands.memberships import Membership
from brands.registry import Brand
from schema.context import Context, Info
from schema.fields import resolved
from schema.nodes import Tag, find

if TYPE_CHECKING:
    from schema.brands import BrandType
    from schema.members import MemberType
    from schema.memberships import MembershipType

MAX_REPRESENTATIONS = 100

FEDERATION_SCALARS: dict[object, type | ScalarWrapper | ScalarDefinition] = {
    FederationAny: strawberry.scalar(
        name="_Any",
        description="A representation of an entity: `__typename`, and the fields of one of its "
        "keys. For routers.",
        serialize=lambda value: value,
        parse_value=lambda value: value,
    ),
}
"""What stands for any JSON at all: nothing about it is checked before it is read."""

Entity: TypeAlias = Annotated[
    Union[  # noqa: UP007, a lazy type is no class
        Annotated["BrandType", strawberry.lazy("schema.brands")],
        Annotated["MemberType", strawberry.lazy("schema.members")],
        Annotated["MembershipType", strawberry.lazy("schema.memberships")],
    ],
    strawberry.union(
        "_Entity", description="What a router can find here by one of its keys. For routers."
    ),
]


class BadRepresentation(GraphQLError):
    """What is no representation of an entity. It is not repeated: it may be anything."""

    def __init__(self, message: str) -> None:
        extensions = {"code": "BAD_USER_INPUT", "argument": "representations"}
        super().__init__(message, extensions=extensions)


async def _brand(context: Context, keys: Any) -> object:
    match keys:
        case {"id": str(id)}:
            return await find(context, id, Tag.BRAND)
        case {"code": str(code)}:
            try:
                return context.coalition.registry.snapshot.brand(code)
            except BrandNotFound:
                return None
    raise _unreadable()


async def _member(context: Context, keys: Any) -> object:
    match keys:
        case {"id": str(id)}:
            return await find(context, id, Tag.MEMBER)
        case {"coalitionNumber": str(number)}:
            return await context.loaders.members.load(MemberBy(coalition_number=number))
    raise _unreadable()


async def _membership(context: Context, keys: Any) -> object:
    match keys:
        case {"id": str(id)}:
            return await find(context, id, Tag.MEMBERSHIP)
        case {"brand": {"code": str(code)}, "number": str(number)}:
            return await _numbered(context, code, number)
    raise _unreadable()


async def _numbered(context: Context, code: str, number: str) -> Membership | None:
    """The membership with this number: its member's, at that brand."""
    member = await context.loaders.members.load(MemberBy(membership=(code, number)))
    if member is None:
        return None
    held = await context.loaders.memberships_of.load(member.id) or []
    brand: Brand = context.coalition.registry.snapshot.brand(code)
    return next((each for each in held if (each.brand_id, each.number) == (brand.id, number)), None)


_ENTITIES: Mapping[str, Callable[[Context, Any], Awaitable[object]]] = {
    "Brand": _brand,
    "Member": _member,
    "Membership": _membership,
}
"""How an entity is found by one of its keys, by the name of its type."""


async def _entity(context: Context, representation: Any) -> object:
    match representation:
        case {"__typename": str(name)} if name in _ENTITIES:
            return await _ENTITIES[name](context, representation)
    raise _unreadable()


def _unreadable() -> BadRepresentation:
    return BadRepresentation("This is no entity of this subgraph with one of its keys.")


@strawberry.type
class EntityQueries:
    """What only routers ask."""

    @resolved(
        name="_entities",
        graphql_type=list[Entity | None],
        description="The entities that are represented, each in its place; null for one that there "
        "is not, or that this caller may not see. For routers.",
    )
    @staticmethod
    def entities(
        info: Info,
        representations: Annotated[
            list[FederationAny],
            strawberry.argument(
                description="For each entity its `__typename` and one of its keys. At most 100."
            ),
        ],
    ) -> list[Awaitable[object]]:
        """Loaded, all together. Raises `BadRepresentation`."""
        if len(representations) > MAX_REPRESENTATIONS:
            raise BadRepresentation(f"At most {MAX_REPRESENTATIONS} representations.")
        return [_entity(info.context, each) for each in representations]
