"""What a resolver is given beside its arguments."""

from dataclasses import dataclass
from typing import TypeAlias

import strawberry

from brands.callers import Caller
from brands.coalition import Coalition
from schema.loaders import Loaders


@dataclass(slots=True)
class Context:
    """One request: the coalition, who asks, and what was loaded for it so far."""

    coalition: Coalition
    caller: Caller
    loaders: Loaders

    def forget(self) -> None:
        """Drops what was loaded. Every mutation does: its answer shows how things stand after it,
        even when another mutation of the same document has looked before."""
        self.loaders = Loaders(self.coalition, self.caller)


Info: TypeAlias = strawberry.Info[Context, None]


def context_for(coalition: Coalition, caller: Caller) -> Context:
    """The context of one request."""
    return Context(coalition, caller, Loaders(coalition, caller))
