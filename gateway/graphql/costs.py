"""What an operation costs, before it is executed and after.

Reckoned once per document into a small tree: what is known of it already is one number, and what
remains are the lists whose length variables or the answer will say. A fragment is walked once,
however often it is spread, and counts wherever it is. What `@skip` and `@include` may leave out
counts as if it were there; of fragments on different types the dearest does.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
)

from gateway.graphql.description import Counting, Description
from gateway.graphql.prices import Price, Prices, Rows, listed
from schema.connections import MAX_EDGES, check_size

OPERATION = 1
"""What an operation costs for being one."""

ABOUT_THE_SCHEMA = 10
"""What a question about the schema itself costs at least."""

DESCRIBED_TO_A_POINT = 50
"""And a point more for so many fields of its answer."""

Variables: TypeAlias = Mapping[str, Any]
Data: TypeAlias = Mapping[str, Any]


class _Variable(NamedTuple):
    """Stands for its value in what was written."""

    name: str


Said: TypeAlias = Any
"""The value of an argument as it was written, with `_Variable` wherever there is one."""


class _Size(NamedTuple):
    """How long a list is: what says so first does. If nothing does, it is as long as a list can
    be: it is refused then, unless it is not."""

    said: tuple[Said, ...]

    def of(self, variables: Variables) -> int:
        for each in self.said:
            value = _filled(each, variables)
            if isinstance(value, list):
                return len(value)
            if isinstance(value, int | float):
                return int(min(max(value, 0), MAX_EDGES))
        return MAX_EDGES


@dataclass(slots=True)
class _Part:
    """What a selection comes to: so much in any case, and what is not known yet."""

    fixed: int = 0
    rest: list["_Below | _Choice | _Given"] = field(default_factory=list)

    def add(self, other: "_Part") -> None:
        self.fixed += other.fixed
        self.rest += other.rest

    def total(self, variables: Variables, data: Data | None, above: int) -> int:
        """What it has cost to answer with this data; without, the most that it can cost. `above`
        is how many items the field above says there are."""
        total = self.fixed
        for each in self.rest:
            total += each.total(variables, data, above)
        return total


@dataclass(frozen=True, slots=True)
class _Below:
    """A field with lists at or below it."""

    key: str
    """Where it is in the answer."""
    size: int | _Size | None
    """How many items it has, or the list below that it tells the length of; None if the field
    above says so."""
    weight: int
    """What each item costs, if it is a list."""
    is_list: bool
    part: _Part

    def total(self, variables: Variables, data: Data | None, above: int) -> int:
        if data is not None:
            value = data.get(self.key)
            if value is None:
                return 0
            return self._items(value, variables) if self.is_list else self._in(value, variables)
        size = self.size
        items = above if size is None else size if isinstance(size, int) else size.of(variables)
        if self.is_list:
            return items * (self.weight + self.part.total(variables, None, 0))
        return self.part.total(variables, None, items)

    def _items(self, items: list[Data | None], variables: Variables) -> int:
        part = self.part
        total = len(items) * (self.weight + part.fixed)
        if part.rest:
            total += sum(
                self._in(item, variables) - part.fixed for item in items if item is not None
            )
        return total

    def _in(self, item: Data, variables: Variables) -> int:
        return self.part.total(variables, item, 0)


@dataclass(frozen=True, slots=True)
class _Choice:
    """Parts of which one will be there."""

    parts: list[_Part]

    def total(self, variables: Variables, data: Data | None, above: int) -> int:
        return max(part.total(variables, data, above) for part in self.parts)


@dataclass(frozen=True, slots=True)
class _Given:
    """An argument in which there are lists, of a length that variables say."""

    weight: int | None
    within: Rows
    said: Said

    def total(self, variables: Variables, _data: Data | None, _above: int) -> int:
        return listed(_filled(self.said, variables), self.weight, self.within)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one operation costs."""

    _part: _Part
    _defaults: Variables
    """The variables that it declares."""
    _known: int | None
    """If it depends on no variable."""

    def requested(self, variables: Variables) -> int:
        """The most that it can cost, whatever the answer."""
        if self._known is not None:
            return self._known
        return self._part.total(self._declared(variables), None, 0)

    def actual(self, data: Data | None, variables: Variables) -> int:
        """What it has cost, by how long the lists of its answer are. May be more than requested,
        where a list is longer than it is taken to be."""
        if data is None:
            return OPERATION
        return self._part.total(self._declared(variables), data, 0)

    def _declared(self, variables: Variables) -> Variables:
        """Those alone: clients may send others, as many as they like."""
        return {name: variables.get(name, self._defaults[name]) for name in self._defaults}


class Costs:
    """Reckons what the operations of a schema's documents cost."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._prices = Prices(schema)
        self._description = Description(schema)

    def of(self, document: DocumentNode) -> dict[str | None, Cost]:
        """By the name of the operation. The document is valid. Raises `TooMuchAsked`, and `BadPage`
        where a page is asked for that is longer than any, or of nothing."""
        reckoning = _Reckoning(self._schema, self._prices, self._description, document)
        return {
            node.name.value if node.name else None: reckoning.cost(node)
            for node in document.definitions
            if isinstance(node, OperationDefinitionNode)
        }


class _Reckoning:
    """Of one document."""

    def __init__(
        self,
        schema: GraphQLSchema,
        prices: Prices,
        description: Description,
        document: DocumentNode,
    ) -> None:
        self._schema = schema
        self._prices = prices.of
        self._fragments = {
            node.name.value: node
            for node in document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        self._known: dict[str, _Part] = {}
        self._described = Counting(description, self._fragments)

    def cost(self, operation: OperationDefinitionNode) -> Cost:
        root = self._schema.get_root_type(operation.operation)
        assert root is not None
        part = self._part(operation.selection_set, root)
        part.fixed += OPERATION
        defaults = {
            each.variable.name.value: each.default_value and _said(each.default_value)
            for each in operation.variable_definitions or ()
        }
        known = None if defaults else part.total({}, None, 0)
        return Cost(part, defaults, known)

    def _part(self, selections: SelectionSetNode, parent: GraphQLNamedType) -> _Part:
        part = _Part()
        by_type: defaultdict[str, list[_Part]] = defaultdict(list)
        for node in selections.selections:
            if isinstance(node, FieldNode):
                self._field(part, node, parent)
                continue
            on, below = self._fragment(node, parent)
            if on is not parent and isinstance(on, GraphQLObjectType):
                by_type[on.name].append(below)
            else:
                part.add(below)
        self._choose(part, [_together(parts) for parts in by_type.values()])
        return part

    def _choose(self, part: _Part, choice: list[_Part]) -> None:
        if len(choice) == 1:
            part.add(choice[0])
        elif any(each.rest for each in choice):
            part.rest.append(_Choice(choice))
        else:
            part.fixed += max((each.fixed for each in choice), default=0)

    def _fragment(self, node: Any, parent: GraphQLNamedType) -> tuple[GraphQLNamedType, _Part]:
        if isinstance(node, FragmentSpreadNode):
            name = node.name.value
            fragment = self._fragments[name]
            on = self._schema.type_map[fragment.type_condition.name.value]
            if name not in self._known:
                self._known[name] = self._part(fragment.selection_set, on)
            return on, self._known[name]
        assert isinstance(node, InlineFragmentNode)
        condition = node.type_condition
        on = self._schema.type_map[condition.name.value] if condition else parent
        return on, self._part(node.selection_set, on)

    def _field(self, part: _Part, node: FieldNode, parent: GraphQLNamedType) -> None:
        name = node.name.value
        if name.startswith("__"):
            if name != "__typename":
                described = self._described.fields(node)
                part.fixed += ABOUT_THE_SCHEMA + described // DESCRIBED_TO_A_POINT
            return
        price = self._prices[parent.name][name]
        given = {each.name.value: each.value for each in node.arguments or ()}
        for argument in price.slicing:
            if isinstance(said := given.get(argument), IntValueNode):
                check_size(int(said.value), argument, node)
        for argument, (weight, rows) in price.rows.items():
            if argument in given:
                part.rest.append(_Given(weight, rows, _said(given[argument])))
        if price.below is None:
            part.fixed += price.weight
            return
        assert node.selection_set is not None
        below = self._part(node.selection_set, price.below)
        key = node.alias.value if node.alias else name
        if price.items is not None:
            part.rest.append(_Below(key, _size(price, given), price.weight, True, below))
            return
        part.fixed += price.weight
        if below.rest:
            part.rest.append(_Below(key, _size(price, given), 0, False, below))
        else:
            part.fixed += below.fixed


def _size(price: Price, given: Mapping[str, ValueNode]) -> int | _Size | None:
    if price.sized:
        return None
    if price.counted is not None:
        return _Size((_said(given[price.counted]),))
    if price.slicing:
        return _Size(tuple(_said(given[name]) for name in price.slicing if name in given))
    return price.items or 0


def _together(parts: Iterable[_Part]) -> _Part:
    whole = _Part()
    for part in parts:
        whole.add(part)
    return whole


def _said(node: ValueNode) -> Said:
    """Read once, however often it will be reckoned with. Of what is no list it matters only
    whether it is there, and of a number how large it is, up to a bound."""
    match node:
        case VariableNode():
            return _Variable(node.name.value)
        case ListValueNode():
            return [_said(each) for each in node.values]
        case ObjectValueNode():
            return {each.name.value: _said(each.value) for each in node.fields}
        case IntValueNode():
            return int(node.value[:_DIGITS])
        case NullValueNode():
            return None
    return ""


def _filled(said: Said, variables: Variables) -> Any:
    """What was said, with the values of variables."""
    if isinstance(said, _Variable):
        return variables.get(said.name)
    if isinstance(said, list):
        return [_filled(each, variables) for each in said]
    if isinstance(said, dict):
        return {name: _filled(each, variables) for name, each in said.items()}
    return said


_DIGITS = 12
"""So many digits are more than any list has items."""
