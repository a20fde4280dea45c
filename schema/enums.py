"""The domain's enumerations as enumerations of the contract, every value described."""

from collections.abc import Mapping
from enum import Enum
from typing import TypeVar, cast

import strawberry
from strawberry.types.base import WithStrawberryDefinition
from strawberry.types.enum import StrawberryEnumDefinition

Member = TypeVar("Member", bound=Enum)


def described(
    kind: type[Member], description: str, values: Mapping[Member, str], *, name: str | None = None
) -> type[Member]:
    """Makes an enumeration of the domain part of the contract, under its own name or another.

    Every value needs a description: a new one in the domain is noticed here.
    """
    missing = [member.name for member in kind if member not in values]
    if missing:
        raise ValueError(f"{kind.__name__} has values without description: {missing}")
    made = strawberry.enum(kind, name=name, description=description)
    definition = cast(
        "WithStrawberryDefinition[StrawberryEnumDefinition]", made
    ).__strawberry_definition__
    for value in definition.values:
        value.description = values[kind[value.name]]
    return made
