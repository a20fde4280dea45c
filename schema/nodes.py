"""Global ids: opaque to clients, they carry the type of an object and its id; and the objects that
are found again by them.

Eighteen bytes as 24 characters of URL-safe base64: a tag of two letters, then the UUID. An id is
accepted only in exactly the form in which it was given out.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from typing import Annotated, Any, NamedTuple
from uuid import UUID

import strawberry

from brands.errors import NotFound
from brands.members import MemberBy
from schema.context import Context, Info
from schema.fields import resolved

_LENGTH = 24


class Tag(bytes, Enum):
    """The type that an id names."""

    BRAND = b"Br"
    MEMBER = b"Me"
    MEMBERSHIP = b"Ms"
    TRANSACTION = b"Tx"
    TRANSFER = b"Tr"
    QUOTE = b"Qu"
    ACCOUNT = b"Ac"
    RULE = b"Ru"
    HOUSEHOLD = b"Ho"
    INVITATION = b"In"
    AGENCY = b"Ag"
    BOOKING = b"Bk"
    SEGMENT = b"Sg"
    CLAIM = b"Cl"


_TAGS = {tag.value: tag for tag in Tag}


class Name(NamedTuple):
    """What a global id says."""

    tag: Tag
    id: UUID


def global_id(tag: bytes, identifier: UUID) -> strawberry.ID:
    """The global id of an object."""
    return strawberry.ID(urlsafe_b64encode(tag + identifier.bytes).decode("ascii"))


def read_global_id(text: str) -> Name | None:
    """What a global id says; None if it is not one of ours."""
    if len(text) != _LENGTH or not text.isascii():
        return None
    try:
        decoded = urlsafe_b64decode(text)
    except ValueError:
        return None
    tag = _TAGS.get(decoded[:2])
    # The decoder passes over what is not of its alphabet: such an id is not as it was given out.
    if tag is None or urlsafe_b64encode(decoded).decode("ascii") != text:
        return None
    return Name(tag, UUID(bytes=decoded[2:]))


def id_of(tag: Tag, text: str, missing: type[NotFound], *, path: str) -> UUID:
    """The id of an object of this type; raises `missing` for anything else."""
    name = read_global_id(text)
    if name is None or name.tag is not tag:
        raise missing(path=path, name=text)
    return name.id


@strawberry.interface(
    name="Node",
    description="An object that can be fetched again by its id alone, with `Query.node`.",
)
class Node:
    """Relay's object identification."""

    id: strawberry.ID = strawberry.field(
        description="The object's global id. Opaque: it is to be stored and sent back, not read."
    )


async def _brand(context: Context, id: UUID) -> object:
    known = context.coalition.registry.snapshot.brands
    return next((brand for brand in known if brand.id == id), None)


async def _rule(context: Context, id: UUID) -> object:
    return context.coalition.registry.snapshot.rule_by_id(id)


_NODES: Mapping[Tag, Callable[[Context, UUID], Awaitable[object]]] = {
    Tag.BRAND: _brand,
    Tag.RULE: _rule,
    Tag.AGENCY: lambda context, id: context.loaders.agencies.load(id),
    Tag.BOOKING: lambda context, id: context.loaders.bookings.load(id),
    Tag.CLAIM: lambda context, id: context.loaders.claims.load(id),
    Tag.MEMBER: lambda context, id: context.loaders.members.load(MemberBy(id=id)),
    Tag.MEMBERSHIP: lambda context, id: context.loaders.memberships.load(id),
    Tag.TRANSACTION: lambda context, id: context.loaders.transactions.load(id),
    Tag.TRANSFER: lambda context, id: context.loaders.transfers.load(id),
}
"""How the object of a global id is found. Ids of other tags name things that are no nodes."""


async def find(context: Context, text: str, tag: Tag | None = None) -> object:
    """The object with this global id, of that type if one is given; None if there is none that the
    caller may see."""
    name = read_global_id(text)
    if name is None or name.tag not in _NODES or tag not in (None, name.tag):
        return None
    return await _NODES[name.tag](context, name.id)


@strawberry.type
class NodeQueries:
    """Queries about whatever has a global id."""

    @resolved(
        graphql_type=Node | None,
        description="The object with this global id, if there is one that this caller may see.",
    )
    @staticmethod
    async def node(
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The global id.")],
    ) -> Any:
        """Loaded, by its type."""
        return await find(info.context, id)
