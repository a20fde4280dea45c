"""Leaves that are computed from their object alone, without the cost of a full resolver."""

from collections.abc import Callable
from typing import Any, TypeVar

from strawberry.types.field import StrawberryField

Source = TypeVar("Source")


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
    derive: Callable[[Source], Any],
    *,
    description: str,
    graphql_type: Any = None,
    name: str | None = None,
) -> Any:
    """Declares a leaf whose value is `derive(object)`.

    `graphql_type` says its type where the class's annotation does not.
    """
    field = _Derived(graphql_name=name, description=description)
    if graphql_type is not None:
        field.type = graphql_type
    field.derive = derive
    return field
