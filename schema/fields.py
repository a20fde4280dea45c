"""Fields of the contract: resolved by a function, or computed from their object alone."""

from collections.abc import Callable
from inspect import signature
from typing import Any, TypeVar, cast

import strawberry
from graphql import GraphQLField, GraphQLObjectType, GraphQLSchema
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

Resolver = TypeVar("Resolver", bound=Callable[..., Any])


class _Derived(StrawberryField):
    """A field that calls a function of its object: no `Info`, no arguments, nothing awaited."""

    derive: Callable[[Any], Any]

    def get_result(self, source: Any, info: Any, args: Any, kwargs: Any) -> Any:
        return self.derive(source)

    def __copy__(self) -> "_Derived":
        copied: _Derived = super().__copy__()
        copied.derive = self.derive
        return copied


def derived(
    derive: Callable[[Any], Any],
    *,
    description: str,
    graphql_type: Any = None,
    name: str | None = None,
) -> Any:
    """Declares a leaf whose value is `derive(object)`, without the cost of a full resolver.

    `graphql_type` says its type where the class's annotation does not, `name` its name where that
    is a word of Python's.
    """
    field = _Derived(description=description, graphql_name=name)
    if graphql_type is not None:
        field.type = graphql_type
    field.derive = derive
    return field


def resolved(
    *, description: str, graphql_type: Any = None, name: str | None = None
) -> Callable[[Resolver], Resolver]:
    """Declares a field that a static method resolves, out of its object (`root`), the context and
    arguments. What the method returns is an object of the domain; `graphql_type` says what it is
    in the contract, where the method's annotation does not, and `name` what it is called, where
    that is a word of Python's."""
    field = strawberry.field(name=name, description=description, graphql_type=graphql_type)
    return cast("Callable[[Resolver], Resolver]", field)


def mutation(*, description: str) -> Callable[[Resolver], Resolver]:
    """Declares a mutation that a static method carries out."""
    return cast("Callable[[Resolver], Resolver]", strawberry.mutation(description=description))


def shorten(schema: GraphQLSchema) -> None:
    """Has fields that are given no arguments call their resolver directly.

    Our resolvers ask nothing of `Info` but its context, which graphql-core's own has as well.
    """
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLObjectType):
            for field in type_.fields.values():
                declared = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
                if (
                    isinstance(declared, StrawberryField)
                    and declared.base_resolver
                    and not declared.is_subscription
                ):
                    _shorten(field, declared.base_resolver.wrapped_func)


def _shorten(field: GraphQLField, resolver: Any) -> None:
    long_way = field.resolve
    takes = tuple(signature(resolver).parameters)
    assert long_way is not None

    def resolve(source: Any, info: Any, **arguments: Any) -> Any:
        if arguments:
            return long_way(source, info, **arguments)
        return resolver(source, info) if takes[0] == "root" else resolver(info)

    field.resolve = resolve
