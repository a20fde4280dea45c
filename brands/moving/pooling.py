"""Agreeing to pool points: inviting into a household, answering, leaving.

One member invites another as she would name the recipient of a gift; only the invited one can
accept. The inviter learns nothing of her: whether she is in a household already is not told, such
an invitation just cannot be accepted before she leaves that one. A household begins with its first
invitation, and is dissolved when there is one member left and nobody invited.

Places lie in their members' own books. Every change locks the household first, so that changes of
one household come one after the other; what two households could do to one member, a unique index
forbids, and the loser looks again.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import NamedTuple, TypeVar
from uuid import UUID

from brands.actions import Action, record
from brands.callers import Caller, CallerKind
from brands.clock import Micros
from brands.coalition import Coalition
from brands.database import Transaction, as_uuid
from brands.errors import (
    AlreadyInHousehold,
    HouseholdFull,
    HouseholdNotFound,
    InvitationNotFound,
    NotPermitted,
    SameMember,
    TooManyInvitations,
)
from brands.ids import book_of, new_id
from brands.joining import ATTEMPTS, CONTENTION
from brands.moving.households import Household, Invitation, households_of, open_invitations
from brands.moving.recipients import Recipient, find_recipient

MAX_MEMBERS = 8
MAX_INVITATIONS = 20
"""Open invitations into one household."""

Result = TypeVar("Result")


async def invite(coalition: Coalition, caller: Caller, recipient: Recipient) -> Invitation:
    """Invites another member into the caller's household, founding it if she is in none.

    While an invitation of hers is open, inviting her again changes nothing. Raises `NotPermitted`
    (members only), `BrandNotFound`, `BrandSuspended`, `RecipientNotFound`, `LookupsThrottled`,
    `SameMember`, `AlreadyInHousehold` (this one), `HouseholdFull`, `TooManyInvitations`.
    """
    herself = _herself(caller)
    invited = (await find_recipient(coalition, caller, recipient)).member_id
    if invited == herself:
        raise SameMember(path="recipient")
    return await _change(coalition, partial(_invite, caller, herself, invited))


async def answer(
    coalition: Coalition, caller: Caller, invitation_id: UUID, *, accept: bool
) -> Household | None:
    """Accepts or declines an invitation; the caller's household after that. Doing it again
    changes nothing.

    Raises `NotPermitted` (members only), `InvitationNotFound` (another's, withdrawn, or answered
    otherwise), `AlreadyInHousehold` (leave it first), `HouseholdFull`.
    """
    herself = _herself(caller)
    settle = _accept if accept else _decline
    await _change(coalition, partial(settle, caller, herself, invitation_id))
    return (await households_of(coalition, caller, [herself])).get(herself)


async def leave(coalition: Coalition, caller: Caller, household_id: UUID) -> None:
    """Leaves a household; her open invitations are withdrawn. Doing it again changes nothing.

    Raises `NotPermitted` (members only), `HouseholdNotFound` (she was never in it).
    """
    await _change(coalition, partial(_leave, caller, _herself(caller), household_id))


class _Place(NamedTuple):
    """A member in a household, or invited into it."""

    id: UUID
    member_id: UUID
    active: bool


def _herself(caller: Caller) -> UUID:
    """Nobody agrees for a member but she."""
    if caller.kind is not CallerKind.MEMBER or caller.member_id is None:
        raise NotPermitted
    return caller.member_id


async def _change(
    coalition: Coalition, change: Callable[[Transaction, Micros], Awaitable[Result]]
) -> Result:
    """Makes a change in a transaction; again, when another was quicker."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            async with coalition.database.transaction() as tx:
                return await change(tx, await tx.now())
        except CONTENTION:
            if attempt == ATTEMPTS:
                raise
    raise AssertionError("the last attempt returns or raises")


async def _invite(
    caller: Caller, inviter: UUID, invited: UUID, tx: Transaction, now: Micros
) -> Invitation:
    household = await _lock_own(tx, inviter) or await _found(tx, caller, inviter, now)
    places = await _places(tx, household)
    place = next((each for each in places if each.member_id == invited), None)
    if place is None:
        _refuse_if_full(places)
        if sum(not each.active for each in places) >= MAX_INVITATIONS:
            raise TooManyInvitations(limit=MAX_INVITATIONS)
        id = await _insert_invitation(tx, caller, household, (inviter, invited), now)
    elif place.active:
        raise AlreadyInHousehold(path="recipient")
    else:
        id = place.id
    asked = (book_of(id), id)
    opened = await open_invitations(tx, caller, "r.book = $1 AND r.id = $2", asked)
    return opened[0][1]


async def _insert_invitation(
    tx: Transaction, caller: Caller, household: UUID, sides: tuple[UUID, UUID], now: Micros
) -> UUID:
    inviter, invited = sides
    id = new_id(book_of(invited))
    await tx.fetch(
        "INSERT INTO household_members"
        " (book, id, household_id, member_id, invited_by, status, invited_at)"
        " VALUES ($1, $2, $3, $4, $5, 'INVITED', $6)",
        *(book_of(id), id, household, invited, inviter, now),
    )
    details = {"household": household, "member": invited}
    await record(tx, caller, now, [Action("household.invite", str(id), details)])
    return id


async def _found(tx: Transaction, caller: Caller, founder: UUID, now: Micros) -> UUID:
    household, place = new_id(book_of(founder)), new_id(book_of(founder))
    await tx.fetch("INSERT INTO households (id, founded_at) VALUES ($1, $2)", household, now)
    await tx.fetch(
        "INSERT INTO household_members"
        " (book, id, household_id, member_id, invited_by, status, invited_at, answered_at)"
        " VALUES ($1, $2, $3, $4, $4, 'ACTIVE', $5, $5)",
        *(book_of(place), place, household, founder, now),
    )
    await record(tx, caller, now, [Action("household.found", str(household), {"member": founder})])
    return household


async def _accept(
    caller: Caller, invited: UUID, invitation: UUID, tx: Transaction, now: Micros
) -> None:
    household, status = await _lock_invitation(tx, invited, invitation)
    if status == "ACTIVE":
        return
    _refuse_unless_open(status, invitation)
    if await _place_of(tx, invited) is not None:
        raise AlreadyInHousehold(path="invitation")
    _refuse_if_full(await _places(tx, household), "invitation")
    await tx.fetch(
        "UPDATE household_members SET status = 'ACTIVE', answered_at = $3"
        " WHERE book = $1 AND id = $2",
        *(book_of(invitation), invitation, now),
    )
    details = {"household": household, "member": invited}
    await record(tx, caller, now, [Action("household.accept", str(invitation), details)])


async def _decline(
    caller: Caller, invited: UUID, invitation: UUID, tx: Transaction, now: Micros
) -> None:
    household, status = await _lock_invitation(tx, invited, invitation)
    if status == "DECLINED":
        return
    _refuse_unless_open(status, invitation)
    await tx.fetch(
        "UPDATE household_members SET status = 'DECLINED', answered_at = $3, ended_at = $3"
        " WHERE book = $1 AND id = $2",
        *(book_of(invitation), invitation, now),
    )
    details = {"household": household, "member": invited}
    await record(tx, caller, now, [Action("household.decline", str(invitation), details)])
    await _dissolve_if_alone(tx, caller, household, now)


async def _leave(
    caller: Caller, leaver: UUID, household: UUID, tx: Transaction, now: Micros
) -> None:
    places = await tx.fetch(
        "SELECT id FROM household_members WHERE book = $1 AND member_id = $2"
        " AND household_id = $3 AND status IN ('ACTIVE', 'LEFT')",
        *(book_of(leaver), leaver, household),
    )
    if not places:
        raise HouseholdNotFound(path="household", name=str(household))
    await _lock(tx, household)
    left = await tx.fetch(
        "UPDATE household_members SET status = 'LEFT', ended_at = $4"
        " WHERE book = $1 AND member_id = $2 AND household_id = $3 AND status = 'ACTIVE'"
        " RETURNING id",
        *(book_of(leaver), leaver, household, now),
    )
    if not left:  # she had before
        return
    await tx.fetch(
        "UPDATE household_members SET status = 'WITHDRAWN', ended_at = $3"
        " WHERE household_id = $1 AND invited_by = $2 AND status = 'INVITED'",
        *(household, leaver, now),
    )
    await record(tx, caller, now, [Action("household.leave", str(household), {"member": leaver})])
    await _dissolve_if_alone(tx, caller, household, now)


async def _dissolve_if_alone(tx: Transaction, caller: Caller, household: UUID, now: Micros) -> None:
    if len(await _places(tx, household)) > 1:
        return
    await tx.fetch(
        "UPDATE household_members SET status = 'LEFT', ended_at = $2"
        " WHERE household_id = $1 AND status = 'ACTIVE'",
        *(household, now),
    )
    await tx.fetch("UPDATE households SET dissolved_at = $2 WHERE id = $1", household, now)
    await record(tx, caller, now, [Action("household.dissolve", str(household), {})])


async def _lock(tx: Transaction, household: UUID) -> None:
    """Holds back every other change of this household until the transaction ends."""
    await tx.fetch("UPDATE households SET revision = revision + 1 WHERE id = $1", household)


async def _lock_own(tx: Transaction, member_id: UUID) -> UUID | None:
    """The household that a member is in, locked."""
    while (household := await _place_of(tx, member_id)) is not None:
        await _lock(tx, household)
        if await _place_of(tx, member_id) == household:  # and has not left it meanwhile
            return household
    return None


async def _lock_invitation(tx: Transaction, invited: UUID, invitation: UUID) -> tuple[UUID, str]:
    """The household that an invitation is into, locked, and how the invitation stands."""
    find = (
        "SELECT household_id, status FROM household_members"
        " WHERE book = $1 AND id = $2 AND member_id = $3 AND invited_by <> $3"
    )
    place = (book_of(invitation), invitation, invited)
    rows = await tx.fetch(find, *place)
    if not rows:
        raise InvitationNotFound(path="invitation", name=str(invitation))
    await _lock(tx, as_uuid(rows[0]["household_id"]))
    (row,) = await tx.fetch(find, *place)
    return as_uuid(row["household_id"]), row["status"]


async def _place_of(tx: Transaction, member_id: UUID) -> UUID | None:
    """The household that a member is in."""
    rows = await tx.fetch(
        "SELECT household_id FROM household_members"
        " WHERE book = $1 AND member_id = $2 AND status = 'ACTIVE'",
        *(book_of(member_id), member_id),
    )
    return as_uuid(rows[0]["household_id"]) if rows else None


async def _places(tx: Transaction, household: UUID) -> list[_Place]:
    """Who is in a household, and who is invited."""
    rows = await tx.fetch(
        "SELECT id, member_id, status FROM household_members"
        " WHERE household_id = $1 AND status IN ('INVITED', 'ACTIVE')",
        household,
    )
    return [
        _Place(as_uuid(row["id"]), as_uuid(row["member_id"]), row["status"] == "ACTIVE")
        for row in rows
    ]


def _refuse_unless_open(status: str, invitation: UUID) -> None:
    if status != "INVITED":
        raise InvitationNotFound(path="invitation", name=str(invitation))


def _refuse_if_full(places: Sequence[_Place], path: str | None = None) -> None:
    if sum(place.active for place in places) >= MAX_MEMBERS:
        raise HouseholdFull(path=path, limit=MAX_MEMBERS)
