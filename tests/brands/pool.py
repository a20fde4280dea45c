"""People who pool: enrolled at the airline, each under a number and a surname of her own."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from brands.callers import Caller
from brands.coalition import Coalition
from brands.database import as_uuid
from brands.members import Profile
from brands.moving.households import household_of, invitations_of
from brands.moving.pooling import answer, invite
from brands.moving.recipients import Recipient
from tests.brands.cast import aero, member_caller, somebody


@dataclass(frozen=True, slots=True)
class Pooler:
    """A member, the caller that she is, and how others name her."""

    id: UUID
    caller: Caller
    recipient: Recipient
    number: str


async def poolers(coalition: Coalition, count: int) -> list[Pooler]:
    """So many members, at a new airline."""
    await aero(coalition)
    enrolled = [
        await somebody(coalition, ("AERO", f"A-{i}"), profile=Profile(f"Given{i}", f"Éa{i}"))
        for i in range(count)
    ]
    return [
        Pooler(
            each.member.id,
            member_caller(each.member.id),
            Recipient("AERO", f"A-{i}", f"ea {i}"),
            each.member.coalition_number,
        )
        for i, each in enumerate(enrolled)
    ]


async def ask(coalition: Coalition, inviter: Pooler, invited: Pooler) -> UUID:
    """An invitation; its id."""
    return (await invite(coalition, inviter.caller, invited.recipient)).id


async def join(coalition: Coalition, inviter: Pooler, *invited: Pooler) -> UUID:
    """Invites members, each of whom accepts; the household's id."""
    household = None
    for each in invited:
        invitation = await ask(coalition, inviter, each)
        household = await answer(coalition, each.caller, invitation, accept=True)
    assert household is not None
    return household.id


async def households(coalition: Coalition, people: Sequence[Pooler]) -> list[set[int]]:
    """For each of the people, which of them are in her household, by place in the list."""
    places = {each.id: place for place, each in enumerate(people)}
    found = [await household_of(coalition, each.id) for each in people]
    return [{places[id] for id in ids} for ids in found]


async def invitations(coalition: Coalition, invited: Pooler) -> list[UUID]:
    """The open invitations that a member sees."""
    found = await invitations_of(coalition, invited.caller, [invited.id])
    return [each.id for each in found[invited.id]]


async def outcomes(*attempts: Any) -> list[Any]:
    """What came of attempts that were made at once: results, or errors."""
    return list(await asyncio.gather(*attempts, return_exceptions=True))


async def statuses(coalition: Coalition) -> dict[UUID, str]:
    """How each place in a household stands."""
    rows = await coalition.database.fetch("SELECT id, status FROM household_members")
    return {as_uuid(row["id"]): row["status"] for row in rows}
