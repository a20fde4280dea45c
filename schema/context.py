"""What a resolver is given beside its arguments."""

from dataclasses import dataclass
from typing import TypeAlias

import strawberry

from brands.callers import Caller
from brands.coalition import Coalition
from schema.cursors import Cursors
from schema.loaders import Loaders


@dataclass(slots=True)
class Context:
    """One request: the coalition, who asks, how cursors of events are sealed, and what was loaded
    so far. `seen` is the cursor of the last event that the caller has seen, where it is known to
    whatever brought the request.
    """

    coalition: Coalition
    caller: Caller
    loaders: Loaders
    cursors: Cursors
    seen: str | None = None

    def forget(self) -> None:
        """Drops what was loaded. Every mutation does: its answer shows how things stand after it,
        even when another mutation of the same document has looked before. So does every event of a
        subscription."""
        self.loaders = Loaders(self.coalition, self.caller)


Info: TypeAlias = strawberry.Info[Context, None]


def context_for(
    coalition: Coalition, caller: Caller, cursors: Cursors, seen: str | None = None
) -> Context:
    """The context of one request."""
    return Context(coalition, caller, Loaders(coalition, caller), cursors, seen)
