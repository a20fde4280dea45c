"""How much of the schema's own description a document asks for.

Types have fields, fields have types, and each field asked for multiplies what is above it. The
description never changes, so that its size needs no guessing: what each selection applies to is
followed through it, counted and not written out. To count takes no longer than the bound is large,
whatever is asked for.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLType,
    GraphQLUnionType,
    GraphQLWrappingType,
    InlineFragmentNode,
    SelectionSetNode,
    StringValueNode,
)

MAX_DESCRIBED = 30_000
"""Fields of the schema's description that a document may ask for: tools ask for 18,000 to know all
of it. A thousand take five to fifteen milliseconds to answer, and all are answered in one go."""

Elements = Mapping[str, int]
"""Parts of the description, and how many times each is there."""

_SCHEMA = ""
"""The element that is the schema itself; others are types as they are written, or what they have:
`Brand`, `[Brand!]!`, `Brand.code`."""


class TooMuchAsked(Exception):
    """A document asks for more of the description than `MAX_DESCRIBED`."""


class Description:
    """The description of one schema."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema

    @cached_property
    def links(self) -> Mapping[str, Mapping[str, list[str]]]:
        """By the element and the field: which elements that field has."""
        return _Links(self._schema).all

    def named(self, field: FieldNode) -> Elements:
        """What a field of a query starts from. A type that a variable will name may be any."""
        if field.name.value == "__schema":
            return {_SCHEMA: 1}
        for argument in field.arguments or ():
            if isinstance(argument.value, StringValueNode):
                name = argument.value.value
                return {name: 1} if name in self._schema.type_map else {}
        return dict.fromkeys(self._schema.type_map, 1)


class Counting:
    """Counts what the fields of one document ask for."""

    def __init__(
        self, description: Description, fragments: Mapping[str, FragmentDefinitionNode]
    ) -> None:
        self._description = description
        self._fragments = fragments
        self._fields: dict[int, list[FieldNode]] = {}
        self._count = 0

    def fields(self, about: FieldNode) -> int:
        """The fields below `__schema` or `__type`. Raises `TooMuchAsked`, if all that were counted
        of the document are too many."""
        before = self._count
        if about.selection_set is not None:
            self._add(about.selection_set, self._description.named(about))
        return self._count - before

    def _add(self, selections: SelectionSetNode, to: Elements) -> None:
        number = sum(to.values())
        for field in self._selected(selections):
            self._count += number
            if self._count > MAX_DESCRIBED:
                raise TooMuchAsked
            if field.selection_set is not None and (below := self._below(field.name.value, to)):
                self._add(field.selection_set, below)

    def _below(self, field: str, of: Elements) -> Elements:
        links = self._description.links
        found: defaultdict[str, int] = defaultdict(int)
        for element, times in of.items():
            for each in links[element].get(field, ()):
                found[each] += times
        return found

    def _selected(self, selections: SelectionSetNode) -> list[FieldNode]:
        key = id(selections)
        if key not in self._fields:
            self._fields[key] = list(self._collected(selections, set()))
        return self._fields[key]

    def _collected(self, selections: SelectionSetNode, seen: set[str]) -> Iterator[FieldNode]:
        """As they are executed: of a fragment that is spread twice in one place, once."""
        for node in selections.selections:
            if isinstance(node, FieldNode):
                yield node
            elif isinstance(node, InlineFragmentNode):
                yield from self._collected(node.selection_set, seen)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in seen:
                seen.add(node.name.value)
                fragment = self._fragments[node.name.value]
                yield from self._collected(fragment.selection_set, seen)


class _Links:
    """Reads what a schema's description consists of."""

    def __init__(self, schema: GraphQLSchema) -> None:
        roots = {
            "queryType": schema.query_type,
            "mutationType": schema.mutation_type,
            "subscriptionType": schema.subscription_type,
        }
        self._schema = schema
        self.all: dict[str, dict[str, list[str]]] = {
            _SCHEMA: {
                "types": list(schema.type_map),
                "directives": [f"@{each.name}" for each in schema.directives],
                **{field: [type_.name] for field, type_ in roots.items() if type_ is not None},
            }
        }
        for name, type_ in schema.type_map.items():
            self.all[name] = self._of(name, type_)
        for each in schema.directives:
            args = self._arguments(f"@{each.name}", each.args)
            self.all[f"@{each.name}"] = {"args": args}

    def _of(self, name: str, type_: GraphQLType) -> dict[str, list[str]]:
        links: dict[str, list[str]] = {}
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            links["interfaces"] = [each.name for each in type_.interfaces]
            links["fields"] = [f"{name}.{field}" for field in type_.fields]
            for field, each in type_.fields.items():
                args = self._arguments(f"{name}.{field}", each.args)
                self.all[f"{name}.{field}"] = {"args": args, "type": [self._type(each.type)]}
        elif isinstance(type_, GraphQLInputObjectType):
            links["inputFields"] = [f"{name}.{field}" for field in type_.fields]
            for field, given in type_.fields.items():
                self.all[f"{name}.{field}"] = {"type": [self._type(given.type)]}
        elif isinstance(type_, GraphQLEnumType):
            links["enumValues"] = [f"{name}.{value}" for value in type_.values]
            self.all.update({each: {} for each in links["enumValues"]})
        if isinstance(type_, GraphQLInterfaceType | GraphQLUnionType):
            possible = self._schema.get_possible_types(type_)
            links["possibleTypes"] = [each.name for each in possible]
        return links

    def _arguments(self, of: str, args: Mapping[str, GraphQLArgument]) -> list[str]:
        for name, each in args.items():
            self.all[f"{of}({name})"] = {"type": [self._type(each.type)]}
        return [f"{of}({name})" for name in args]

    def _type(self, type_: GraphQLType) -> str:
        name = str(type_)
        if isinstance(type_, GraphQLWrappingType):
            self.all[name] = {"ofType": [self._type(type_.of_type)]}
        return name
