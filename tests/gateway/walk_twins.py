"""Twins: two requests that differ in one name only, the one of something there is and the asker may
not see, the other of nothing. Made for every operation that is asked with a name."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import (
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
)

from brands.ids import book_of, new_id
from schema.nodes import global_id, read_global_id
from tests.gateway.authorization_scene import Scene, arguments, inputs
from tests.gateway.stage import Json

_OTHERS = ("rule", "aero", "newcomer", "start", "everywhere")
"""What is not Ada's own in the scene."""

_LEFT = re.compile(rb'"available":\d+,')
_MARK = b"(the name)"


@dataclass(frozen=True, slots=True)
class Twin:
    """A request by whoever asks, and what it names."""

    field: str
    body: bytes
    name: str
    missing: str

    @property
    def other(self) -> bytes:
        """The same request for what there is not; with a key of its own, if with one at all."""
        other = self.body.replace(self.name.encode(), self.missing.encode())
        return other.replace(b'"idempotencyKey":"key', b'"idempotencyKey":"yek')

    def unnamed(self, answer: bytes) -> bytes:
        """An answer, whichever of the two names it tells again, and whatever is left to spend."""
        answer = _LEFT.sub(b"", answer)
        return answer.replace(self.name.encode(), _MARK).replace(self.missing.encode(), _MARK)


def twins(schema: GraphQLSchema, scene: Scene, own: str) -> Iterator[Twin]:
    """Of every operation, and every name of Ada's that it is asked with. `own` is a membership of
    whoever asks, with which he tries to name her as a recipient."""
    names = [text for thing, text in scene.things.items() if thing not in _OTHERS]
    names += [scene.ada.id, *scene.ada.memberships.values(), *scene.ada.numbers.values()]
    for field, body in _requests(schema, scene, own):
        for name in dict.fromkeys(names):
            if name.encode() in body:
                yield Twin(field, body, name, missing(name))


def missing(name: str) -> str:
    """A name of the same form, and of nothing."""
    read = read_global_id(name)
    if read is not None:
        return global_id(read.tag, new_id(book_of(read.id)))
    return re.sub(r"\d{4}(?=\d*$)", "9999", name, count=1)


def _requests(schema: GraphQLSchema, scene: Scene, own: str) -> Iterator[tuple[str, bytes]]:
    yield from _queries(schema, scene)
    yield from _subscriptions(schema, scene)
    for name, given in inputs(scene).items():
        yield from _mutations(schema, name, given, scene, own)


def _queries(schema: GraphQLSchema, scene: Scene) -> Iterator[tuple[str, bytes]]:
    assert schema.query_type is not None
    given = {
        at.partition(".")[2]: [text] for at, text in arguments(scene).items() if "Query." in at
    }
    number = f'{{brand: "AERO", number: "{scene.ada.numbers["AERO"]}"}}'
    given["member"] += [f'by: {{id: "{scene.ada.id}"}}', f"by: {{membership: {number}}}"]
    given["node"] += [f'id: "{thing}"' for thing in scene.things.values()]
    if "_entities" in schema.query_type.fields:
        of = {"Member": scene.ada.id, "Membership": scene.ada.memberships["AERO"]}
        given["_entities"] = [
            f'representations: [{{__typename: "{name}", id: "{id}"}}]' for name, id in of.items()
        ]
    for name, texts in given.items():
        for text in texts:
            asked = f"{{ {name}({text}) {_selection(schema.query_type, name)} }}"
            yield name, _body(asked)


def _subscriptions(schema: GraphQLSchema, scene: Scene) -> Iterator[tuple[str, bytes]]:
    things = scene.things
    known = {
        "membership": things["atAero"],
        "transfer": things["transfer"],
        "member": things["ada"],
    }
    root = schema.subscription_type
    for name, field in root.fields.items() if root else ():
        assert root is not None
        given = [f'{each}: "{known[each]}"' for each in field.args if each in known]
        if given:
            yield (
                name,
                _body(f"subscription {{ {name}({', '.join(given)}) {_selection(root, name)} }}"),
            )


def _mutations(
    schema: GraphQLSchema, name: str, given: Json, scene: Scene, own: str
) -> Iterator[tuple[str, bytes]]:
    root = schema.mutation_type
    assert root is not None
    type_: Any = get_named_type(root.fields[name].args["input"].type)
    asked = f"mutation ($v: {type_.name}!) {{ {name}(input: $v) {_selection(root, name)} }}"
    yield name, _body(asked, given)
    recipient = scene.ada.named("AERO", surname="Somebody-Else")
    to_her = _to(type_, given, recipient, own)
    if to_her != given:
        yield name, _body(asked, to_her)


def _to(type_: GraphQLInputObjectType, given: Json, recipient: Json, own: str) -> Json:
    """The same input, sent from a membership of one's own to a recipient, if it can be."""
    changed: Json = {}
    for name, value in given.items():
        inner = get_named_type(type_.fields[name].type)
        if isinstance(inner, GraphQLInputObjectType) and isinstance(value, dict):
            changed[name] = _to(inner, value, recipient, own)
        else:
            changed[name] = own if name == "source" else value
    if "recipient" in type_.fields:
        changed.pop("destination", None)
        changed["recipient"] = recipient
    return changed


def _selection(root: GraphQLObjectType, name: str) -> str:
    type_ = get_named_type(root.fields[name].type)
    if is_leaf_type(type_):
        return ""
    if isinstance(type_, GraphQLObjectType) and "errors" in type_.fields:
        return "{ __typename errors { __typename code message path } }"
    return "{ __typename }"


def _body(query: str, given: Json | None = None) -> bytes:
    return orjson.dumps({"query": query, "variables": {} if given is None else {"v": given}})
