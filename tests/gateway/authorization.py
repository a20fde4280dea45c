"""The table of who sees which field and who may do what, and questions generated from the schema
that fill it in by asking."""

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    is_union_type,
)
from strawberry.federation.schema_directives import Key

from schema.root import SCHEMA
from tests.gateway.live import first_event
from tests.gateway.stage import Json, Stage

TABLE: Json = tomllib.loads(
    Path(__file__).with_name("authorization.toml").read_text(encoding="utf-8")
)
CALLERS: list[str] = TABLE.pop("callers")
WHERE: dict[str, str | list[str]] = TABLE.pop("where")

PAYLOAD_PARTS = {"LoyaltyNumberResult"}
"""What is in payloads and nowhere else: the answers to the rows of an input."""

Cells = dict[str, dict[str, str]]
"""By `Type.field`, and by caller: what comes of it."""

Arguments = Mapping[str, str]
"""By `Type.field`: the arguments it is asked with, as GraphQL writes them."""

Representations = Mapping[str, list[Json]]
"""By an entity's type: one thing of the scene, by each of its keys."""


def table() -> Cells:
    """The table as it was decided."""
    return {
        f"{type_}.{field}": dict(zip(CALLERS, row.split(), strict=True))
        for type_, rows in TABLE.items()
        for field, row in rows.items()
    }


def fields(schema: GraphQLSchema) -> list[str]:
    """Every field of the contract that the table decides on, `Node.` with every node's type, and
    `Entity.` with every entity's.

    Not those of payloads and of errors, which are the answers to mutations.
    """
    found = [f"{type_.name}.{name}" for type_ in types(schema) for name in type_.fields]
    found += [f"Node.{type_.name}" for type_ in types(schema) if is_node(type_)]
    return found + [f"Entity.{name}" for name in entities(schema)]


def entities(schema: GraphQLSchema) -> list[str]:
    """The types of which an object is found by a key."""
    union: Any = schema.type_map["_Entity"]
    return [type_.name for type_ in union.types]


def keys_of(name: str) -> list[str]:
    """The keys of an entity, as sets of fields."""
    type_: Any = SCHEMA.get_type_by_name(name)
    return [each.fields for each in type_.directives if isinstance(each, Key)]


def key_of(representation: Json) -> str:
    """The key that a representation is made of, as a set of fields."""
    return " ".join(
        f"{name} {{ {key_of(value)} }}" if isinstance(value, dict) else name
        for name, value in representation.items()
    )


def types(schema: GraphQLSchema) -> Iterator[GraphQLObjectType]:
    """The object types of the contract but payloads and errors."""
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__"):
            is_error = "UserError" in [interface.name for interface in type_.interfaces]
            if not is_error and not is_payload(type_):
                yield type_


def is_payload(type_: Any) -> bool:
    """Whether a type answers a mutation: called so, and with errors; or is a part of such a one."""
    is_whole = type_.name.endswith("Payload") and "errors" in type_.fields
    return bool(is_whole or type_.name in PAYLOAD_PARTS)


def is_node(type_: GraphQLObjectType) -> bool:
    """Whether an object of a type is found by its id alone."""
    return "Node" in [interface.name for interface in type_.interfaces]


class Walk:
    """Asks for every field as one caller after the other."""

    def __init__(
        self,
        stage: Stage,
        schema: GraphQLSchema,
        things: Mapping[str, str],
        arguments: Arguments,
        representations: Representations,
    ) -> None:
        self.stage = stage
        self.schema = schema
        self.things = things
        self.arguments = arguments
        self.representations = representations

    async def seen(self) -> Cells:
        """What each caller sees of each field, in the words of the table."""
        cells: Cells = {}
        for type_ in types(self.schema):
            if type_.name == "Mutation":
                continue
            if type_.name == "Subscription":
                cells |= await self._followed(type_)
                continue
            asked = {who: await self._answers(type_, who) for who in CALLERS}
            for name in type_.fields:
                found = {who: _values(objects, name) for who, objects in asked.items()}
                cells[f"{type_.name}.{name}"] = {
                    who: _cell(values, found["pii"]) for who, values in found.items()
                }
            if is_node(type_):
                cells[f"Node.{type_.name}"] = {
                    who: "value" if objects else "absent" for who, objects in asked.items()
                }
        for name in entities(self.schema):
            found = {who: await self._represented(name, who) for who in CALLERS}
            cells[f"Entity.{name}"] = {
                who: _cell(values, found["pii"]) for who, values in found.items()
            }
        return cells

    async def _followed(self, root: GraphQLObjectType) -> Cells:
        """What each caller gets to see of each subscription, of which one is asked at a time."""
        cells: Cells = {}
        for name, field in root.fields.items():
            query = f"subscription {{ {name}{self._given(root, name)} {_shallow(field)} }}"
            found = {who: _values(await self._events(query, who), name) for who in CALLERS}
            cells[f"{root.name}.{name}"] = {
                who: _cell(values, found["pii"]) for who, values in found.items()
            }
        return cells

    async def _events(self, query: str, who: str) -> list[Json]:
        """The first event; none if there is nothing to be followed for this caller."""
        answer = await first_event(self.stage, query, who)
        if "data" in answer:
            assert "errors" not in answer, answer["errors"]
            return [answer["data"]]
        assert [each["extensions"]["code"] for each in answer["errors"]] == ["BAD_USER_INPUT"]
        return []

    async def _represented(self, name: str, who: str) -> list[Any] | None:
        """What is found of an entity by each of its keys; None if nothing is by any."""
        query = "query E($r: [_Any!]!) { _entities(representations: $r) { ... on Node { id } } }"
        given = [{"__typename": name} | key for key in self.representations[name]]
        data = await self.stage.data(query, {"r": given}, who)
        return [each for each in data["_entities"] if each is not None] or None

    async def _answers(self, type_: GraphQLObjectType, who: str) -> list[Json]:
        objects: list[Json] = []
        for steps in self._ways(type_.name):
            query, names = self._selection(type_), []
            for step in reversed(steps):
                query = f"{{ {step} {query} }}"
                if not step.startswith("..."):
                    names.append(re.split(r"\W", step)[0])
            if steps and names[-1] in self._subscriptions():
                events = await self._events(f"subscription {query}", who)
                objects += [each for data in events for each in _at(data, names[::-1])]
            else:
                objects += _at(await self.stage.data(query, who=who), names[::-1])
        return objects

    def _subscriptions(self) -> Collection[str]:
        root = self.schema.subscription_type
        return root.fields if root is not None else ()

    def _ways(self, name: str) -> Iterator[list[str]]:
        """The ways to the examples of a type: fields and fragments, from the root downward."""
        if name in ("Query", "Subscription"):
            yield []
            return
        given = WHERE[name]
        for way in [given] if isinstance(given, str) else given:
            start, *rest = way.split()
            if thing := re.fullmatch(r"node\((\w+)\)", start):
                steps = [f'node(id: "{self.things[thing[1]]}")']
                current = self.schema.type_map[rest.pop(0)]
                yield self._descend([*steps, f"... on {current.name}"], current, rest)
            else:
                for steps in self._ways(start):
                    yield self._descend(list(steps), self.schema.type_map[start], rest)

    def _descend(self, steps: list[str], type_: Any, names: list[str]) -> list[str]:
        for name in names:
            steps.append(name + self._given(type_, name))
            type_ = _named(type_.fields[name])
        return steps

    def _given(self, type_: GraphQLObjectType, name: str) -> str:
        at = f"{type_.name}.{name}"
        required = any(map(is_required_argument, type_.fields[name].args.values()))
        assert at in self.arguments or not required, f"{at} is asked with no arguments"
        return f"({self.arguments[at]})" if at in self.arguments else ""

    def _selection(self, type_: GraphQLObjectType) -> str:
        chosen = [
            f"{name}{self._given(type_, name)} {_shallow(field)}"
            for name, field in type_.fields.items()
        ]
        return f"{{ {' '.join(chosen)} }}"


def _shallow(field: GraphQLField) -> str:
    """What is asked of a field's objects: the least that tells one from the other."""
    type_ = _named(field)
    if is_leaf_type(type_):
        return ""
    if is_union_type(type_):
        return "{ __typename }"
    if is_payload(type_):
        return "{ __typename errors { code } }"
    if "id" in type_.fields:
        return "{ id }"
    if "edges" in type_.fields:
        return "{ edges { cursor } }"
    leaves = (name for name, inner in type_.fields.items() if is_leaf_type(_named(inner)))
    return f"{{ {' '.join(['__typename', *leaves])} }}"


def _named(field: GraphQLField) -> Any:
    return get_named_type(field.type)


def _at(data: Any, names: list[str]) -> list[Json]:
    """The objects that stand at the end of a way; none where it breaks off."""
    objects = [data]
    for name in names:
        values = [each[name] for each in objects]
        objects = [each for value in values for each in (value if _many(value) else [value])]
        objects = [each for each in objects if each]
    return objects


def _many(value: Any) -> bool:
    return isinstance(value, list)


def _values(objects: list[Json], name: str) -> list[Any] | None:
    """A field's values on all of the objects, without nulls; None if there is no object."""
    if not objects:
        return None
    values = [each[name] for each in objects]
    flat = [each for value in values for each in (value if _many(value) else [value])]
    return [each for each in flat if each is not None]


def _cell(values: list[Any] | None, fullest: list[Any] | None) -> str:
    if values is None:
        return "absent"
    if not values:
        return "null"
    if any(_is_denied(value) for value in values):
        return "denied"
    if values == fullest:
        return "value"
    most = len(fullest or [])
    return "own" if most in (0, len(values)) else f"{len(values)}/{most}"


def _is_denied(value: Any) -> bool:
    errors = value.get("errors", []) if isinstance(value, dict) else []
    return any(is_denial(error["code"]) for error in errors)


def is_denial(code: str) -> bool:
    """Whether an error says that one may not, or that there is no such thing."""
    return code == "NOT_PERMITTED" or code.endswith("_NOT_FOUND")


def differences(decided: Cells, found: Cells) -> list[str]:
    """Where a table and what was found are not of one mind, a line for each cell."""
    return [
        f"{at} for {who}: the table says {row.get(who)}, it is {found.get(at, {}).get(who)}"
        for at, row in decided.items()
        for who in CALLERS
        if row.get(who) != found.get(at, {}).get(who)
    ]
