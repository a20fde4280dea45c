"""Fields of the contract: resolved by a function, or computed from their object alone."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import strawberry
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


def derived(derive: Callable[[Any], Any], *, description: str, graphql_type: Any = None) -> Any:
    """Declares a leaf whose value is `derive(object)`, without the cost of a full resolver.

    `graphql_type` says its type where the class's annotation does not.
    """
    field = _Derived(description=description)
    if graphql_type is not None:
        field.type = graphql_type
    field.derive = derive
    return field


def resolved(*, description: str, graphql_type: Any = None) -> Callable[[Resolver], Resolver]:
    """Declares a field that a static method resolves, out of its object (`root`), the context and
    arguments. What the method returns is an object of the domain; `graphql_type` says what it is
    in the contract, where the method's annotation does not."""
    field = strawberry.field(description=description, graphql_type=graphql_type)
    return cast("Callable[[Resolver], Resolver]", field)


def mutation(*, description: str) -> Callable[[Resolver], Resolver]:
    """Declares a mutation that a static method carries out."""
    return cast("Callable[[Resolver], Resolver]", strawberry.mutation(description=description))
