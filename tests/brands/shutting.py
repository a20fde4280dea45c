"""Numbers that are shut to everybody, for tests, because of what others have tried."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from brands.clock import now
from brands.errors import LookupsThrottled


async def _refused(*_: Any) -> Any:
    raise LookupsThrottled(path="rows.0.number", retry_at=now(), retry_after_seconds=1)


@contextmanager
def shut_numbers(*, are_shut: bool = True) -> Iterator[None]:
    """Within the block, if they are, no number can be looked up by who attaches or claims."""
    with ExitStack() as changed:
        for room in ("attaching", "claiming") if are_shut else ():
            changed.enter_context(patch(f"brands.travel.{room}.guarded_lookup", _refused))
        yield
