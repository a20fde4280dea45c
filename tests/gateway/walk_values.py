"""Values of the walk: what a client could well mean, what is at the edge of its type, and what is
sent by somebody who wants to know what happens."""

from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from enum import Enum
from random import Random
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    is_list_type,
    is_non_null_type,
    is_required_input_field,
)

from brands.ids import new_id
from schema.nodes import Tag, global_id, read_global_id
from tests.gateway import walk_odd as odd
from tests.gateway.walk_known import LEARNT, Known


class Mood(Enum):
    """How a request is meant."""

    PLAIN = "as anybody would ask"
    EDGY = "of the right types, so that it gets through to the domain"
    HOSTILE = "anything"


class Enumerated(str):
    """A value of an enumeration: written in a document without quotes."""


_MEANT = LEARNT | {
    **dict.fromkeys(("brand", "brands", "from", "to", "sponsor"), "brand"),
    **dict.fromkeys(("after", "before"), "cursor"),
    "idempotencyKey": "key",
}
"""By the name of an input: what kind of text it wants."""

_KEYS = 20
"""So few, that they come again, mostly with another intent."""


class Values:
    """Makes values of input types in one mood."""

    def __init__(self, chance: Random, known: Known, mood: Mood) -> None:
        self.mood = mood
        self._chance = chance
        self._known = known

    def of(self, type_: GraphQLInputType, name: str) -> Any:
        """A value for the input of this type and name."""
        if self.mood is Mood.HOSTILE and self._chance.random() < 0.1:
            return self._anything(name)
        if is_non_null_type(type_):
            return self.of(type_.of_type, name)
        if is_list_type(type_):
            return [self.of(type_.of_type, name) for _ in range(self._length())]
        if isinstance(type_, GraphQLEnumType):
            return Enumerated(self._chance.choice(list(type_.values)))
        if isinstance(type_, GraphQLInputObjectType):
            return self._object(type_)
        if self.mood is Mood.PLAIN or self._chance.random() < 0.5:
            return self._meant(str(type_), name)
        return self._odd(str(type_), name)

    def like(self, type_: GraphQLInputType, given: Any, name: str) -> Any:
        """An input of this type that is known to be right, but for a thing or two."""
        if self.mood is Mood.PLAIN:
            return given
        if self._chance.random() < 0.07:
            return self.of(type_, name)
        inner: Any = type_.of_type if is_non_null_type(type_) else type_
        if is_list_type(inner) and isinstance(given, list):
            return [self.like(inner.of_type, each, name) for each in given]
        if isinstance(inner, GraphQLInputObjectType) and isinstance(given, dict):
            return self._object_like(inner, given)
        return given

    def _object_like(self, type_: GraphQLInputObjectType, given: dict[str, Any]) -> dict[str, Any]:
        changed = {
            name: self.like(type_.fields[name].type, value, name) for name, value in given.items()
        }
        for name, field in type_.fields.items():
            if name not in given and self._chance.random() < 0.07:
                changed[name] = self.of(field.type, name)
        if self.mood is Mood.HOSTILE and self._chance.random() < 0.2:
            changed.pop(self._chance.choice(list(changed)), None)
            changed[self._chance.choice(("colour", "__typename", ""))] = 1
        return changed

    def _object(self, type_: GraphQLInputObjectType) -> dict[str, Any]:
        if type_.is_one_of:
            name = self._chance.choice(list(type_.fields))
            hint = type_.name if name == "id" else name
            return {name: self.of(type_.fields[name].type, hint)}
        return {
            name: self.of(field.type, name)
            for name, field in type_.fields.items()
            if is_required_input_field(field) or self._chance.random() < 0.35
        }

    def _length(self) -> int:
        if self.mood is Mood.PLAIN:
            return self._chance.randint(1, 3)
        return self._chance.choice((0, 1, 2, 3, odd.LONG_LIST))

    def _meant(self, type_: str, name: str) -> Any:
        chance = self._chance
        match type_:
            case "ID":
                return self._known.identifier(name, chance)
            case "Boolean":
                return chance.random() < 0.5
            case "Int":
                return chance.randint(1, 20)
            case "Points":
                return chance.randint(1, 20) * 10
            case "Decimal":
                return f"0.0{chance.randint(1, 99):02}"
            case "DateTime":
                days = chance.choice((-400, -30, -1, 0, 1, 30, 400))
                return (datetime.now(UTC) + timedelta(days=days)).isoformat()
            case "Date":
                return "1990-02-28"
            case "_Any":
                return self._representation()
        return self._text(name)

    def _representation(self) -> dict[str, Any]:
        """Of an entity, as a router sends them."""
        name = self._chance.choice(("Brand", "Member", "Membership"))
        other: dict[str, dict[str, Any]] = {
            "Brand": {"code": self._text("code")},
            "Member": {"coalitionNumber": self._text("coalitionNumber")},
            "Membership": {"brand": {"code": self._text("code")}, "number": self._text("number")},
        }
        by_id: dict[str, Any] = {"id": self._known.identifier(name, self._chance)}
        return {"__typename": name, **self._chance.choice((by_id, other[name]))}

    def _odd(self, type_: str, name: str) -> Any:
        chance = self._chance
        within = self.mood is Mood.EDGY
        match type_:
            case "ID":
                return self._odd_identifier()
            case "Boolean":
                return chance.random() < 0.5
            case "Int":
                return chance.choice(odd.INTS if within else odd.NUMBERS)
            case "Points":
                return chance.choice(odd.POINTS if within else odd.NUMBERS)
            case "Decimal":
                return chance.choice(odd.DECIMALS if within else (*odd.TEXTS, *odd.NUMBERS))
            case "DateTime":
                return chance.choice(odd.INSTANTS if within else odd.TIMES)
            case "Date":
                return chance.choice(odd.DAYS if within else odd.TIMES)
            case "_Any":
                spoilt = self._representation()
                spoilt[chance.choice(list(spoilt))] = self._anything(name)
                return spoilt
        return chance.choice(odd.TEXTS)

    def _text(self, name: str) -> str:
        kind = _MEANT.get(name, "")
        if kind == "key":
            return f"walk-{self._chance.randrange(_KEYS)}"
        known = self._known.text(kind, self._chance)
        return known or f"text-{self._chance.getrandbits(32):x}"

    def _odd_identifier(self) -> str:
        known = self._known.identifier("", self._chance)
        read = read_global_id(known)
        assert read is not None
        ids = (
            *(known[:-1], known + "=", known + "A", known.lower(), known.swapcase(), known[::-1]),
            *(" " + known, known + "\x00", known.replace("A", "%41"), known[:4], str(read.id)),
            global_id(self._chance.choice(list(Tag)), read.id),
            global_id(self._chance.choice(list(Tag)), read.id),
            global_id(read.tag, new_id(0)),
            urlsafe_b64encode(b"Zz" + read.id.bytes).decode(),
            urlsafe_b64encode(read.tag + bytes(16)).decode(),
            urlsafe_b64encode(read.tag + b"\xff" * 16).decode(),
        )
        return self._chance.choice((*ids, known, self._chance.choice(odd.TEXTS)))

    def _anything(self, name: str) -> Any:
        """A value of no type in particular."""
        chance = self._chance
        match chance.randrange(6):
            case 0:
                return chance.choice(odd.ANYTHING)
            case 1:
                return chance.choice(odd.NUMBERS)
            case 2:
                return chance.choice(odd.TIMES)
            case 3:
                return self._known.identifier(name, chance)
            case 4:
                return odd.deep(chance.choice((3, 30, 200)))
        return chance.choice(odd.TEXTS)
