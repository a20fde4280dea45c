"""What happens to a membership, a brand or a transfer, as it happens, for whoever may see it.

Whether one may is asked before the first event, and again whenever something is shown, or a minute
has passed since: to whoever may not, it looks as if there were no such thing.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeAlias, TypeVar
from uuid import UUID

from brands.callers import Caller
from brands.coalition import Coalition
from brands.errors import BrandNotFound, TransferNotFound
from brands.following.watches import (
    BrandWatch,
    Cursor,
    Event,
    MembershipWatch,
    TransferWatch,
    Watch,
)
from brands.memberships import Membership, membership_by_id
from brands.moving.transfers import Transfer, transfers_by_id
from brands.parties import seen_party
from brands.registry import Brand
from brands.transactions import Transaction, transactions_by_id

RECHECK_SECONDS = 60.0
"""How old what is shown can be, at most, and the leave to see it."""


@dataclass(frozen=True, slots=True)
class MembershipActivity:
    """Points of a membership moved. The membership is as it stands by now."""

    cursor: Cursor
    transaction: Transaction
    membership: Membership


@dataclass(frozen=True, slots=True)
class BrandActivity:
    """Points of a brand moved, or its money."""

    cursor: Cursor
    transaction: Transaction
    brand: Brand


@dataclass(frozen=True, slots=True)
class TransferUpdate:
    """Something was posted for a transfer, which is as it stands by now. Without `transaction`, the
    caller sees only the other side of it."""

    cursor: Cursor
    transaction: Transaction | None
    transfer: Transfer


async def membership_activity(
    coalition: Coalition, caller: Caller, membership_id: UUID, after: Cursor | None = None
) -> AsyncIterator[MembershipActivity]:
    """All that moves the points of a membership after the cursor, or from now on.

    Raises `MembershipNotFound`, `InvalidInput` (the cursor); so does the iterator, once the caller
    may not see it any more.
    """
    await seen_party(coalition.parties, caller, membership_id)

    async def show(events: Sequence[Event]) -> Mapping[UUID, MembershipActivity]:
        membership = await membership_by_id(coalition, caller, membership_id)
        seen = await transactions_by_id(coalition, caller, _ids(events))
        return {
            event.transaction_id: MembershipActivity(
                event.cursor, seen[event.transaction_id], membership
            )
            for event in events
            if event.transaction_id in seen
        }

    return await _shown(coalition, MembershipWatch(membership_id), after, show)


async def brand_activity(
    coalition: Coalition, caller: Caller, code: str, after: Cursor | None = None
) -> AsyncIterator[BrandActivity]:
    """All that moves the points of a brand, or its money, after the cursor, or from now on: for
    the brand itself, and the operator.

    Raises `BrandNotFound`, `InvalidInput` (the cursor).
    """
    brand = coalition.registry.snapshot.brand(code, path="brand")
    if not caller.acts_for_brand(brand.id):
        raise BrandNotFound(path="brand", name=code)

    async def show(events: Sequence[Event]) -> Mapping[UUID, BrandActivity]:
        present = (await coalition.registry.refresh()).brand_by_id(brand.id)
        seen = await transactions_by_id(coalition, caller, _ids(events))
        return {
            event.transaction_id: BrandActivity(event.cursor, seen[event.transaction_id], present)
            for event in events
            if event.transaction_id in seen
        }

    return await _shown(coalition, BrandWatch(brand.id), after, show)


async def transfer_updates(
    coalition: Coalition, caller: Caller, transfer_id: UUID, after: Cursor | None = None
) -> AsyncIterator[TransferUpdate]:
    """All that is posted for a transfer after the cursor, or from now on: it arrives, is called
    off, or is taken back.

    Raises `TransferNotFound`, `InvalidInput` (the cursor); so does the iterator, once the caller
    may not see it any more.
    """
    transfer = await _transfer(coalition, caller, transfer_id)

    async def show(events: Sequence[Event]) -> Mapping[UUID, TransferUpdate]:
        present = await _transfer(coalition, caller, transfer_id)
        seen = await transactions_by_id(coalition, caller, _ids(events))
        return {
            event.transaction_id: TransferUpdate(
                event.cursor, seen.get(event.transaction_id), present
            )
            for event in events
        }

    watch = TransferWatch(transfer.departure, transfer.arrival)
    return await _shown(coalition, watch, after, show)


_T = TypeVar("_T")
_Show: TypeAlias = Callable[[Sequence[Event]], Awaitable[Mapping[UUID, _T]]]
"""Events as they are shown, by transaction: those that the caller may see."""


async def _shown(
    coalition: Coalition, watch: Watch, after: Cursor | None, show: _Show[_T]
) -> AsyncIterator[_T]:
    cursor = await coalition.feed.start(watch, after)
    return _showing(coalition, watch, cursor, show)


async def _showing(
    coalition: Coalition, watch: Watch, cursor: Cursor, show: _Show[_T]
) -> AsyncGenerator[_T, None]:
    clock = asyncio.get_running_loop().time
    async with aclosing(coalition.feed.pages(watch, cursor)) as pages:
        async for events in pages:
            shown, stale_at = await show(events), clock() + RECHECK_SECONDS
            for number, event in enumerate(events):
                if clock() > stale_at:  # whoever listens takes his time
                    shown, stale_at = await show(events[number:]), clock() + RECHECK_SECONDS
                if event.transaction_id in shown:
                    yield shown[event.transaction_id]


def _ids(events: Sequence[Event]) -> list[UUID]:
    return [event.transaction_id for event in events]


async def _transfer(coalition: Coalition, caller: Caller, id: UUID) -> Transfer:
    found = (await transfers_by_id(coalition, caller, [id])).get(id)
    if found is None:
        raise TransferNotFound(path="transfer", name=str(id))
    return found
