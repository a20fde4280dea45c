"""Documents of the walk: an operation of the contract with whatever is asked below it, valid, or
spoilt on purpose."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)

from tests.gateway.walk_values import Enumerated, Mood, Values

MAX_LEVELS = 5
"""So many levels of fields, below that of the operation."""

WIDE = 0.35
"""So often everything is asked of an object, but nothing deep."""


@dataclass(slots=True)
class Asked:
    """An operation: what is sent of it, and what it is for."""

    kind: str
    """`query`, `mutation` or `subscription`."""
    field: str
    query: str
    variables: dict[str, Any]
    operation_name: str | None = None


@dataclass(slots=True)
class _Parts:
    """What is written down beside the selections."""

    variables: dict[str, Any] = field(default_factory=dict)
    declared: list[str] = field(default_factory=list)
    fragments: list[str] = field(default_factory=list)


Template = Callable[[str], Any | None]
"""By the name of a field: an input that it could be asked with, if one is known."""


class Writer:
    """Writes one document after the other, for the fields of the roots of a schema."""

    def __init__(
        self,
        schema: GraphQLSchema,
        chance: Random,
        values: Values,
        template: Template,
        arguments: Callable[[str], str | None],
    ) -> None:
        self._schema = schema
        self._chance = chance
        self._values = values
        self._template = template
        self._arguments_of = arguments
        self._parts = _Parts()

    @property
    def _is_plain(self) -> bool:
        return self._values.mood is Mood.PLAIN

    def write(self, kind: str, name: str) -> Asked:
        """A document that asks for this field of this root; if not plainly, then several times."""
        self._parts = parts = _Parts()
        fields = self._fields(kind, name)
        label = f"Walk{name[0].upper()}{name[1:]}" if self._chance.random() < 0.7 else ""
        declared = f"({', '.join(parts.declared)})" if parts.declared else ""
        head = f"{kind} {label}" if label or declared else kind
        text = " ".join([f"{head}{declared} {{ {' '.join(fields)} }}", *parts.fragments])
        operation_name = label or None
        if label and self._chance.random() < 0.1:
            text += " query Other { __typename }"
        elif self._chance.random() < 0.5:
            operation_name = None
        if self._values.mood is Mood.HOSTILE and self._chance.random() < 0.3:
            text = self._spoil(text)
        return Asked(kind, name, text, parts.variables, operation_name)

    def _fields(self, kind: str, name: str) -> list[str]:
        root = self.root(kind)
        fields = [self._field(root, name, MAX_LEVELS)]
        if self._is_plain or kind == "subscription":
            return fields
        times = self._chance.randint(0, 5 if kind == "query" else 2)
        fields += [f"again{number}: {self._field(root, name, 3)}" for number in range(times)]
        if self._chance.random() < 0.1:
            other = self._chance.choice(list(root.fields))
            fields.append(f"other: {self._field(root, other, 2)}")
        return fields

    def root(self, kind: str) -> GraphQLObjectType:
        """The root of this kind of operation."""
        roots = {
            "query": self._schema.query_type,
            "mutation": self._schema.mutation_type,
            "subscription": self._schema.subscription_type,
        }
        root = roots[kind]
        assert root is not None
        return root

    def _field(self, type_: GraphQLObjectType, name: str, levels: int) -> str:
        field = type_.fields[name]
        known = self._arguments_of(f"{type_.name}.{name}") if self._is_plain else None
        given = f"({known})" if known else self._arguments(field, name)
        below = self._below(field, levels)
        if name == "errors":  # whether a mutation was carried out is read from there
            return f"{name}{below}"
        alias = f"alias{name}: " if levels < MAX_LEVELS and self._chance.random() < 0.03 else ""
        directive = self._directive() if levels < MAX_LEVELS else ""
        return f"{alias}{name}{given}{directive}{below}"

    def _directive(self) -> str:
        if self._chance.random() > 0.04:
            return ""
        return self._chance.choice((" @include(if: true)", " @skip(if: false)", " @skip(if: true)"))

    def _arguments(self, field: GraphQLField, name: str) -> str:
        given = []
        for each, argument in field.args.items():
            required = is_required_argument(argument)
            if not required and each != "first" and (self._is_plain or self._chance.random() < 0.5):
                continue
            if each == "first" and self._chance.random() < 0.7:
                value: Any = self._chance.choice((1, 3, 10))
            elif each == "input" and (template := self._template(name)) is not None:
                value = self._values.like(argument.type, template, each)
            else:
                hint = name if each == "id" else each
                value = self._values.of(argument.type, hint)
            given.append(f"{each}: {self._given(str(argument.type), value)}")
        return f"({', '.join(given)})" if given else ""

    def _given(self, type_: str, value: Any) -> str:
        """As a variable; or written out."""
        if self._chance.random() < 0.25 and not isinstance(value, dict):
            return literal(value)
        name = f"v{len(self._parts.variables)}"
        self._parts.variables[name] = value
        self._parts.declared.append(f"${name}: {type_}")
        return f"${name}"

    def _below(self, field: GraphQLField, levels: int) -> str:
        type_ = get_named_type(field.type)
        if is_leaf_type(type_):
            return ""
        if isinstance(type_, GraphQLInterfaceType | GraphQLUnionType):
            return self._abstract(type_, levels)
        assert isinstance(type_, GraphQLObjectType)
        selection = " ".join(self._chosen(type_, levels))
        if self._chance.random() < 0.08:
            name = f"F{len(self._parts.fragments)}"
            self._parts.fragments.append(f"fragment {name} on {type_.name} {{ {selection} }}")
            return f" {{ ...{name} }}"
        return f" {{ {selection} }}"

    def _chosen(self, type_: GraphQLObjectType, levels: int) -> list[str]:
        leaves = [name for name, each in type_.fields.items() if _is_leaf(each)]
        others = [name for name in type_.fields if name not in leaves]
        if levels > 1 and self._chance.random() < WIDE:  # everything there is, but no deeper
            return [self._field(type_, name, 1) for name in (*leaves, *others)]
        if levels <= 1:
            others = [name for name in others if name == "errors"]
        chosen = self._chance.sample(leaves, self._chance.randint(0, min(4, len(leaves))))
        many = 3 if levels == MAX_LEVELS else 2
        chosen += self._chance.sample(others, self._chance.randint(0, min(many, len(others))))
        if "id" in leaves and "id" not in chosen:
            chosen.append("id")
        if "errors" in others and "errors" not in chosen:
            chosen.append("errors")
        return [self._field(type_, name, levels - 1) for name in chosen] or ["__typename"]

    def _abstract(self, type_: GraphQLInterfaceType | GraphQLUnionType, levels: int) -> str:
        shared = list(type_.fields) if isinstance(type_, GraphQLInterfaceType) else []
        possible = self._schema.get_possible_types(type_)
        parts = ["__typename", *shared]
        for each in self._chance.sample(list(possible), min(2, len(possible))):
            chosen = self._chosen(each, min(levels, 3))
            parts.append(f"... on {each.name} {{ {' '.join(chosen)} }}")
        return f" {{ {' '.join(parts)} }}"

    def _spoil(self, text: str) -> str:
        chance = self._chance
        place = chance.randrange(len(text))
        odd = chance.choice(
            ("\x00", "👩‍👩‍👧", "{", "}", "@nothing", "...", "$v", "\ufeff", "#", '"""')
        )
        return chance.choice(
            (
                text[:place],
                text[:place] + odd + text[place:],
                text[:place] + text[place + 1 :],
                text.replace("id", "idd", 1),
                text.replace("query", "subscription", 1),
                text + text,
                "{" * 300 + text,
                text.replace("{ ", "{ ...Missing ", 1),
                text.replace(" {", " @skip {", 1),
                text.replace("ID!", "Points!").replace("String!", "Boolean!"),
            )
        )


def _is_leaf(field: GraphQLField) -> bool:
    return is_leaf_type(get_named_type(field.type))


def whole(type_: GraphQLObjectType, levels: int) -> str:
    """A selection of everything that an object tells unasked, so many levels deep."""
    chosen = []
    for name, each in type_.fields.items():
        inner = get_named_type(each.type)
        given = "(first: 3)" if "first" in each.args else ""
        if any(map(is_required_argument, each.args.values())):
            continue
        if is_leaf_type(inner):
            chosen.append(f"{name}{given}")
        elif isinstance(inner, GraphQLObjectType) and levels > 1:
            chosen.append(f"{name}{given} {whole(inner, levels - 1)}")
    return f"{{ __typename {' '.join(chosen)} }}"


def literal(value: Any) -> str:
    """A value as a document has it."""
    if isinstance(value, Enumerated):
        return str(value)
    if isinstance(value, Mapping):
        inner = ", ".join(f"{name or '_'}: {literal(each)}" for name, each in value.items())
        return f"{{{inner}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    return json.dumps(value)
