"""Execution: graphql-core's executor, with the long way cut short where nothing lies along it.

A leaf that is an attribute of its object, or computed from it alone, is read and coerced on the
spot: no resolver, no `Info`, no path. If anything about it is out of the ordinary (it raises, it is
null where it must not be) it goes the long way after all, which says so properly. What is selected
below a field is collected once per document, unless directives make it depend on variables.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import Any, TypeAlias

from graphql import (
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLString,
    is_enum_type,
    is_leaf_type,
    is_non_null_type,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import CollectedFields, FieldDetails
from graphql.pyutils import AwaitableOrValue, Path
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

Leaf: TypeAlias = Callable[[Any], Any]
"""What a leaf of an object is in the answer. Raises whatever it likes; see above."""

Leaves: TypeAlias = dict[GraphQLObjectType, dict[str, Leaf]]
Collected: TypeAlias = dict[tuple[GraphQLObjectType, int], CollectedFields]
"""What is selected below a field (by the identity of its node), on an object of this type."""


def leaves_of(schema: GraphQLSchema) -> Leaves:
    """The leaves of each type of a schema that can be read on the spot."""
    return {
        type_: {"__typename": lambda _, name=type_.name: name}
        | {name: leaf for name, field in type_.fields.items() if (leaf := _leaf(field)) is not None}
        for type_ in schema.type_map.values()
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__")
    }


class ShortExecutor(Executor[None]):
    """Executes one operation. `collected` belongs to its document; without it nothing is shared."""

    def __init__(
        self, *args: Any, leaves: Leaves, collected: Collected | None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._leaves = leaves
        self._collected = collected

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: dict[str, list[FieldDetails]],
        position_context: None,
    ) -> AwaitableOrValue[dict[str, Any]]:
        """The fields of one object: first what can be read on the spot, then the others."""
        leaves = self._leaves.get(parent_type, {})
        results: dict[str, Any] = {}
        others: dict[str, list[FieldDetails]] = {}
        for response_name, details in grouped_field_set.items():
            leaf = leaves.get(details[0].node.name.value)
            if leaf is not None:
                try:
                    results[response_name] = leaf(source_value)
                    continue
                except Exception:  # the long way raises it again, in its place
                    pass
            results[response_name] = None  # its place: answers are in the order of the document
            others[response_name] = details
        if not others:
            return results
        rest = super().execute_fields(parent_type, source_value, path, others, position_context)
        if isinstance(rest, dict):
            return results | rest

        async def joined() -> dict[str, Any]:
            return results | await rest

        return joined()

    def collect_subfields(
        self, return_type: GraphQLObjectType, field_details_list: list[FieldDetails]
    ) -> CollectedFields:
        """What is selected below a field."""
        if self._collected is None or len(field_details_list) != 1:
            return super().collect_subfields(return_type, field_details_list)
        key = (return_type, id(field_details_list[0].node))
        found = self._collected.get(key)
        if found is None:
            found = super().collect_subfields(return_type, field_details_list)
            self._collected[key] = found
        return found


def _leaf(field: GraphQLField) -> Leaf | None:
    declared = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    required = is_non_null_type(field.type)
    leaf_type: Any = field.type.of_type if is_non_null_type(field.type) else field.type
    if field.args or not is_leaf_type(leaf_type):
        return None
    if not isinstance(declared, StrawberryField) or not declared.is_basic_field:
        return None
    derive = getattr(declared, "derive", None) or attrgetter(declared.python_name)
    return _reader(derive, _coercion(leaf_type), required=required)


def _reader(derive: Leaf, coerce: Leaf, *, required: bool) -> Leaf:
    def read(source: Any) -> Any:
        value = derive(source)
        if value is None and not required:
            return None
        return coerce(value)

    return read


def _coercion(leaf_type: Any) -> Leaf:
    """How a value is put; no null is, so that one where none may be goes the long way."""
    if is_enum_type(leaf_type):
        names = {value.value: name for name, value in leaf_type.values.items()}
        return lambda value: names[value.value]
    if leaf_type is GraphQLString:
        return _plain_text
    coerce: Leaf = leaf_type.coerce_output_value
    return lambda value: _given(coerce(_given(value)))


def _plain_text(value: Any) -> str:
    if type(value) is not str:
        raise TypeError
    return value


def _given(value: Any) -> Any:
    if value is None:
        raise TypeError
    return value
