"""Loaders: what the objects of one request need of each other, fetched together.

The only place that joins concepts. A resolver asks for one thing; whatever is asked for in the same
turn of the event loop is fetched in one statement. Brands and valuations need none: they are in the
registry's snapshot.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, Generic, TypeVar
from uuid import UUID

from brands.agencies import Agency, agencies_by_id
from brands.callers import Caller
from brands.coalition import Coalition
from brands.histories import Page, Window, pages_of_members, pages_of_memberships
from brands.lookups import find_many
from brands.members import Member, MemberBy, Profile, profiles_of
from brands.memberships import (
    Lot,
    Membership,
    balances_at,
    lots_of,
    memberships_by_id,
    memberships_of,
)
from brands.moving.households import Household, Invitation, households_of, invitations_of
from brands.moving.limits import Allowance, allowances_of
from brands.moving.quotes import Quote, quotes_by_id
from brands.moving.transfers import Transfer, transfers_by_id, transfers_under_way
from brands.registry import Brand
from brands.transactions import Entry, Transaction, entries_of, transactions_by_id
from brands.travel.bookings import Booking, Segment, bookings_by_id
from brands.travel.claim_lists import duplicates_of
from brands.travel.claim_segments import segments_shown
from brands.travel.claims import CreditClaim, claims_by_id
from brands.travel.pending import pending_points

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Batch(Generic[Key, Value]):
    """Fetches by key: each key once, and all that are asked for in one turn together.

    Everybody who asks gets a future of his own: the executor cancels the fields beside one that
    failed, and with them what they wait for, which must not be what others wait for.
    """

    __slots__ = ("_asked", "_failed", "_fetch", "_found", "_running", "_waiting")

    def __init__(self, fetch: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Value]]]) -> None:
        self._fetch = fetch
        self._found: dict[Key, Value | None] = {}
        self._failed: dict[Key, BaseException] = {}
        self._waiting: dict[Key, list[asyncio.Future[Value | None]]] = {}
        self._asked: list[Key] = []
        self._running: set[asyncio.Task[None]] = set()

    def load(self, key: Key) -> "asyncio.Future[Value | None]":
        """What there is by this key, or None."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Value | None] = loop.create_future()
        if key in self._found:
            future.set_result(self._found[key])
        elif key in self._failed:
            _fail(future, self._failed[key])
        elif key in self._waiting:
            self._waiting[key].append(future)
        else:
            self._waiting[key] = [future]
            if not self._asked:
                loop.call_soon(self._start)
            self._asked.append(key)
        return future

    def stop(self) -> None:
        """Gives up what is being fetched: nobody waits for it any more."""
        self._asked.clear()
        for task in self._running:
            task.cancel()

    def _start(self) -> None:
        asked, self._asked = self._asked, []
        if not asked:
            return
        task = asyncio.get_running_loop().create_task(self._run(asked))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _run(self, asked: Sequence[Key]) -> None:
        try:
            found = await self._fetch(asked)
        except BaseException as error:
            for key in asked:
                self._failed[key] = error
                for future in self._waiting.pop(key):
                    _fail(future, error)
            if not isinstance(error, Exception):
                raise
            return
        for key in asked:
            value = self._found[key] = found.get(key)
            for future in self._waiting.pop(key):
                if not future.done():
                    future.set_result(value)


def _fail(future: "asyncio.Future[Any]", error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)
        future.exception()  # whoever asked may have gone; that is no error


class Loaders:
    """What was fetched for one request, and for one caller."""

    def __init__(self, coalition: Coalition, caller: Caller) -> None:
        self._coalition = coalition
        self._caller = caller
        self._pages: dict[tuple[str, Window, UUID | None], Batch[UUID, Page]] = {}
        self._balances: dict[datetime, Batch[UUID, int]] = {}

    def stop(self) -> None:
        """Gives up what is being fetched."""
        batches = (*vars(self).values(), *self._pages.values(), *self._balances.values())
        for batch in batches:
            if isinstance(batch, Batch):
                batch.stop()

    def brand(self, brand_id: UUID) -> Brand:
        """A brand by its id: in memory, so there is nothing to await."""
        return self._coalition.registry.snapshot.brand_by_id(brand_id)

    def balance_at(self, membership_id: UUID, at: datetime) -> "asyncio.Future[int | None]":
        """The points that a membership had at an instant."""
        batch = self._balances.get(at)
        if batch is None:
            batch = self._balances[at] = Batch(
                lambda ids: balances_at(self._coalition, self._caller, ids, at)
            )
        return batch.load(membership_id)

    def member_page(
        self, member_id: UUID, window: Window, brand_id: UUID | None
    ) -> "asyncio.Future[Page | None]":
        """A page of a member's history, at one brand or at all."""
        batch = self._pages.get(("member", window, brand_id))
        if batch is None:
            batch = self._pages["member", window, brand_id] = Batch(
                lambda ids: pages_of_members(self._coalition, self._caller, ids, window, brand_id)
            )
        return batch.load(member_id)

    def membership_page(self, membership_id: UUID, window: Window) -> "asyncio.Future[Page | None]":
        """A page of a membership's history."""
        batch = self._pages.get(("membership", window, None))
        if batch is None:
            batch = self._pages["membership", window, None] = Batch(
                lambda ids: pages_of_memberships(self._coalition, self._caller, ids, window)
            )
        return batch.load(membership_id)

    @cached_property
    def agencies(self) -> Batch[UUID, Agency]:
        """Agencies by id."""
        return Batch(lambda ids: agencies_by_id(self._coalition, self._caller, ids))

    @cached_property
    def bookings(self) -> Batch[UUID, Booking]:
        """Bookings by id."""
        return Batch(lambda ids: bookings_by_id(self._coalition, self._caller, ids))

    @cached_property
    def claims(self) -> Batch[UUID, CreditClaim]:
        """Claims for missing credit by id."""
        return Batch(lambda ids: claims_by_id(self._coalition, self._caller, ids))

    @cached_property
    def claim_duplicates(self) -> Batch[UUID, list[CreditClaim]]:
        """Claims like a claim, by its id."""
        return Batch(lambda ids: duplicates_of(self._coalition, self._caller, ids))

    @cached_property
    def claim_segments(self) -> Batch[CreditClaim, Segment]:
        """The segment of a booking that a claim credits, by the claim as the caller sees it."""
        return Batch(lambda claims: segments_shown(self._coalition, self._caller, claims))

    @cached_property
    def pending_points(self) -> Batch[UUID, int]:
        """What bookings are to bring a membership, by its id."""
        return Batch(lambda ids: pending_points(self._coalition, self._caller, ids))

    @cached_property
    def members(self) -> Batch[MemberBy, Member]:
        """Members, however they are named."""
        return Batch(lambda wanted: find_many(self._coalition, self._caller, wanted))

    @cached_property
    def profiles(self) -> Batch[UUID, Profile]:
        """Profiles by member id."""
        return Batch(lambda ids: profiles_of(self._coalition, self._caller, ids))

    @cached_property
    def households(self) -> Batch[UUID, Household]:
        """The household of a member, by her id."""
        return Batch(lambda ids: households_of(self._coalition, self._caller, ids))

    @cached_property
    def invitations(self) -> Batch[UUID, list[Invitation]]:
        """The open invitations that a member was sent, by her id."""
        return Batch(lambda ids: invitations_of(self._coalition, self._caller, ids))

    @cached_property
    def memberships(self) -> Batch[UUID, Membership]:
        """Memberships by their id."""
        return Batch(lambda ids: memberships_by_id(self._coalition, self._caller, ids))

    @cached_property
    def memberships_of(self) -> Batch[UUID, list[Membership]]:
        """The memberships of a member, by her id."""
        return Batch(lambda ids: memberships_of(self._coalition, self._caller, ids))

    @cached_property
    def allowances(self) -> Batch[UUID, list[Allowance]]:
        """What limits leave a membership, by its id."""
        return Batch(lambda ids: allowances_of(self._coalition, self._caller, ids))

    @cached_property
    def lots(self) -> Batch[UUID, list[Lot]]:
        """Open lots by membership id."""
        return Batch(lambda ids: lots_of(self._coalition, self._caller, ids))

    @cached_property
    def transactions(self) -> Batch[UUID, Transaction]:
        """Transactions by id."""
        return Batch(lambda ids: transactions_by_id(self._coalition, self._caller, ids))

    @cached_property
    def entries(self) -> Batch[UUID, list[Entry]]:
        """The entries of a transaction, by its id."""
        return Batch(lambda ids: entries_of(self._coalition, self._caller, ids))

    @cached_property
    def transfers(self) -> Batch[UUID, Transfer]:
        """Transfers by id."""
        return Batch(lambda ids: transfers_by_id(self._coalition, self._caller, ids))

    @cached_property
    def transfers_under_way(self) -> Batch[UUID, list[Transfer]]:
        """Transfers whose points have left a membership and not arrived, by its id."""
        return Batch(lambda ids: transfers_under_way(self._coalition, self._caller, ids))

    @cached_property
    def quotes(self) -> Batch[UUID, Quote]:
        """Quotes by id."""
        return Batch(lambda ids: quotes_by_id(self._coalition, self._caller, ids))
