"""Global ids: opaque to clients, they carry the type of an object and its id.

Eighteen bytes as 24 characters of URL-safe base64: a tag of two letters, then the UUID. An id is
accepted only in exactly the form in which it was given out.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from enum import Enum
from typing import NamedTuple
from uuid import UUID

import strawberry

from brands.errors import NotFound

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
