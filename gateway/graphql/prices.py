"""What each field of a schema costs: read once from the `@cost` and `@listSize` that it declares.

Fields and lists that declare nothing have the defaults of `schema.costs`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_list_type,
)
from strawberry.federation.schema_directives import Cost, ListSize
from strawberry.schema.schema_converter import GraphQLCoreConverter

from schema.costs import ITEMS, LEAF, OBJECT, REPRESENTED, ROW


@dataclass(frozen=True, slots=True)
class Rows:
    """What the items of an input's lists cost: by its fields, each item's own weight (none: it is
    no list) and what lies within."""

    fields: "Mapping[str, tuple[int | None, Rows]]"

    def of(self, value: Any) -> int:
        """What the lists within this value cost, as it was sent."""
        if not isinstance(value, dict) or not self.fields:
            return 0
        return sum(
            listed(given, weight, within)
            for name, (weight, within) in self.fields.items()
            if (given := value.get(name)) is not None
        )


NO_ROWS = Rows({})
_LOOKED_INTO = 200
"""So many items of a list are looked into, twice what any list may have: the others count as they
are, and will be refused."""


def listed(given: Any, weight: int | None, within: Rows) -> int:
    """What an argument or a field of an input costs that is a list (items have a weight), or has
    lists within."""
    if weight is None:
        return within.of(given)
    if not isinstance(given, list):  # one item stands for a list of it
        return weight + within.of(given)
    return weight * len(given) + sum(within.of(item) for item in given[:_LOOKED_INTO])


@dataclass(slots=True)
class Price:
    """What one field costs."""

    weight: int
    """Its own; of a list, that of each item."""
    below: GraphQLNamedType | None
    """The type whose fields are selected, if it is no leaf."""
    items: int | None = None
    """How long the list is taken to be; None if it is none, or says so otherwise."""
    slicing: tuple[str, ...] = ()
    """The arguments that say how many items the lists below have."""
    sized: bool = False
    """Whether the field above says how long the list is."""
    counted: str | None = None
    """The argument that has as many items as the list."""
    rows: dict[str, tuple[int | None, Rows]] = field(default_factory=dict)
    """The arguments within which there are lists."""


class Prices:
    """The prices of a schema, by type and field."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema

    @cached_property
    def of(self) -> dict[str, dict[str, Price]]:
        """By the names of the type and of the field."""
        types = [
            type_
            for type_ in self._schema.type_map.values()
            if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType)
        ]
        prices = {
            type_.name: {
                name: _price(f"{type_.name}.{name}", each) for name, each in type_.fields.items()
            }
            for type_ in types
        }
        for type_ in types:
            for name, each in type_.fields.items():
                for sized in _sized_fields(each):
                    below = prices[type_.name][name].below
                    assert below is not None
                    prices[below.name][sized].sized = True
        for type_ in types:
            self._at_least_as_dear(type_, prices)
        return prices

    def _at_least_as_dear(
        self, type_: GraphQLNamedType, prices: dict[str, dict[str, Price]]
    ) -> None:
        """A field of an interface costs what the dearest of those costs that implement it."""
        if isinstance(type_, GraphQLInterfaceType):
            for name, price in prices[type_.name].items():
                implemented = [
                    prices[each.name][name] for each in self._schema.get_possible_types(type_)
                ]
                price.weight = max([price.weight, *(each.weight for each in implemented)])


def _price(name: str, declared: GraphQLField) -> Price:
    named = get_named_type(declared.type)
    below = named if is_composite_type(named) else None
    cost, size = _directive(declared, Cost), _directive(declared, ListSize)
    of_type = _directive(named, Cost)
    default = LEAF if below is None else OBJECT if of_type is None else of_type.weight
    price = Price(default if cost is None else cost.weight, below)
    if below is not None and is_list_type(get_nullable_type(declared.type)):
        price.items = size.assumed_size if size is not None else ITEMS
    if name == REPRESENTED:
        price.counted = "representations"
    if size is not None and size.slicing_arguments:
        price.slicing = tuple(size.slicing_arguments)
    for argument, given in declared.args.items():
        is_list, within = is_list_type(get_nullable_type(given.type)), _rows(given.type, ())
        if argument != price.counted and (is_list or within.fields):
            price.rows[argument] = (ROW if is_list else None, within)
    return price


def _sized_fields(declared: GraphQLField) -> list[str]:
    size = _directive(declared, ListSize)
    return size.sized_fields or [] if size is not None else []


def _rows(type_: Any, above: tuple[str, ...]) -> Rows:
    named = get_named_type(type_)
    if not isinstance(named, GraphQLInputObjectType) or named.name in above:
        return NO_ROWS
    return Rows(dict(_row_fields(named, (*above, named.name))))


def _row_fields(
    type_: GraphQLInputObjectType, above: tuple[str, ...]
) -> Iterator[tuple[str, tuple[int | None, Rows]]]:
    for name, each in type_.fields.items():
        within = _rows(each.type, above)
        if is_list_type(get_nullable_type(each.type)):
            cost = _directive(each, Cost)
            yield name, (ROW if cost is None else cost.weight, within)
        elif within.fields:
            yield name, (None, within)


def _directive(
    of: GraphQLField | GraphQLInputField | GraphQLNamedType, kind: type[Any]
) -> Any | None:
    declared = of.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    given = getattr(declared, "directives", None) or ()
    return next((each for each in given if isinstance(each, kind)), None)
