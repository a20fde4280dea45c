"""Whose a membership is and of which brand: what is asked of it before points move.

That never changes, and it is all that a conversion or an accrual reads; whether the account is
open and has the points is for the books to say. Every request asks, so whoever asks while a read is
under way is answered by the next one, all in one statement; alone, one waits for nobody.
"""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias
from uuid import UUID

from brands.callers import Caller
from brands.database import Database, as_uuid
from brands.errors import MembershipNotFound
from brands.ids import book_of

_AT_ONCE = 1_000
"""Requests answered by one statement, at most."""


class Party(NamedTuple):
    """A membership as one side of a movement of points."""

    id: UUID
    member_id: UUID
    brand_id: UUID


Found: TypeAlias = dict[UUID, Party]
_Asked: TypeAlias = tuple[Sequence[UUID], asyncio.Future[Found]]


class Parties:
    """Finds parties by membership id, many askers at a time. Belongs to one event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[_Asked] = []
        self._reading: asyncio.Task[None] | None = None

    async def find(self, ids: Sequence[UUID]) -> Found:
        """Those of the memberships that exist, by id; and maybe others that were asked for."""
        if not ids:
            return {}
        answer: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
        self._waiting.append((ids, answer))
        if self._reading is None:
            self._reading = asyncio.create_task(self._read_all())
        return await answer

    async def _read_all(self) -> None:
        try:
            while self._waiting:
                asked = self._waiting[:_AT_ONCE]
                del self._waiting[:_AT_ONCE]
                try:
                    found = await self._read(list({id for ids, _ in asked for id in ids}))
                except Exception as error:
                    _answer(asked, error)
                except asyncio.CancelledError as error:  # the loop is closing
                    _answer([*asked, *self._waiting], error)
                    raise
                else:
                    _answer(asked, found)
        finally:
            self._reading = None

    async def _read(self, ids: Sequence[UUID]) -> Found:
        rows = await self._database.fetch(
            _ONE_BOOK_IN_MOST_CASES if self._database.is_sqlite else _BOOK_BY_BOOK,
            [book_of(id) for id in ids],
            ids,
        )
        parties = (
            Party(as_uuid(row["id"]), as_uuid(row["member_id"]), as_uuid(row["brand_id"]))
            for row in rows
        )
        return {party.id: party for party in parties}


_COLUMNS = "SELECT m.id, m.member_id, m.brand_id FROM memberships AS m"
_ONE_BOOK_IN_MOST_CASES = f"{_COLUMNS} WHERE m.book = ANY($1) AND m.id = ANY($2)"
_BOOK_BY_BOOK = (
    f"{_COLUMNS} JOIN unnest($1::smallint[], $2::uuid[]) AS asked (book, id) USING (book, id)"
)
"""Each id is looked for in its own book only."""


def _answer(asked: Sequence[_Asked], answer: Found | BaseException) -> None:
    for _, waiting in asked:
        if waiting.done():  # its asker has gone
            continue
        if isinstance(answer, BaseException):
            waiting.set_exception(answer)
        else:
            waiting.set_result(answer)


async def seen_party(
    parties: Parties, caller: Caller, membership_id: UUID, *, path: str = "membership"
) -> Party:
    """A membership that the caller may know of; `MembershipNotFound` otherwise."""
    party = (await parties.find((membership_id,))).get(membership_id)
    if party is None or not caller.sees_membership(party.brand_id, party.member_id):
        raise MembershipNotFound(path=path, name=str(membership_id))
    return party
