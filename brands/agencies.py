"""Travel agencies: who they are, and whether their credentials are good.

An agency is known to the operator and to itself; to everybody else it does not exist.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from brands import bounds
from brands.actions import Action, record
from brands.callers import Caller, CallerKind
from brands.clock import from_micros
from brands.coalition import Coalition
from brands.database import Reader, Row, as_uuid
from brands.errors import AgencyCodeTaken, AgencyNotFound, InvalidInput
from brands.ids import new_id

_IATA_NUMBER = re.compile(r"[0-9]{7,8}")


class AgencyStatus(StrEnum):
    """Whether an agency takes part: while it is suspended, its credentials are nobody's."""

    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"


@dataclass(frozen=True, slots=True)
class NewAgency:
    """What is said of an agency when it joins. `iata_number` is its IATA numeric code."""

    code: str
    name: str
    iata_number: str | None = None


@dataclass(frozen=True, slots=True)
class Agency:
    """A travel agency."""

    id: UUID
    code: str
    name: str
    status: AgencyStatus
    iata_number: str | None
    created_at: datetime


async def create_agency(coalition: Coalition, caller: Caller, new: NewAgency) -> Agency:
    """Takes an agency in. For the operator; doing so again with the same figures changes nothing.

    Raises `NotPermitted`, `InvalidInput`, `AgencyCodeTaken`.
    """
    caller.require_operator()
    asked = _checked(new)
    async with coalition.database.transaction() as tx:
        now = await tx.now()
        made = await tx.fetch(
            "INSERT INTO agencies (id, code, name, status, iata_number, created_at)"
            " VALUES ($1, $2, $3, 'ACTIVE', $4, $5) ON CONFLICT (code) DO NOTHING RETURNING *",
            *(new_id(0), asked.code, asked.name, asked.iata_number, now),
        )
        if made:
            details = {"name": asked.name, "iata_number": asked.iata_number}
            await record(tx, caller, now, [Action("agency.create", asked.code, details)])
            return _agency(made[0])
        there = _agency((await _by_code(tx, asked.code))[0])
    if (there.name, there.iata_number) != (asked.name, asked.iata_number):
        raise AgencyCodeTaken(path="code", code=asked.code)
    return there


async def set_status(
    coalition: Coalition, caller: Caller, code: str, status: AgencyStatus
) -> Agency:
    """Suspends an agency, or takes it back: its credentials are refused, or good, from the next
    request on. For the operator; doing so again changes nothing.

    Raises `NotPermitted`, `AgencyNotFound`.
    """
    caller.require_operator()
    async with coalition.database.transaction() as tx:
        agency = await agency_of_code(tx, code, path="code")
        changed = await tx.fetch(
            "UPDATE agencies SET status = $2 WHERE id = $1 AND status <> $2 RETURNING *",
            *(agency.id, status.value),
        )
        if changed:
            action = Action("agency.status", agency.code, {"status": status})
            await record(tx, caller, await tx.now(), [action])
    return _agency(changed[0]) if changed else agency


async def find_agency(coalition: Coalition, caller: Caller, code: str) -> Agency | None:
    """The agency of this code, if the caller may see it. One statement, at most."""
    if caller.kind not in (CallerKind.OPERATOR, CallerKind.AGENCY):
        return None
    found = map(_agency, await _by_code(coalition.database, code))
    return next((agency for agency in found if caller.sees_agency(agency.id)), None)


async def agencies_by_id(
    coalition: Coalition, caller: Caller, ids: Sequence[UUID]
) -> dict[UUID, Agency]:
    """Those of the agencies that the caller may see. One statement, at most."""
    asked = [id for id in dict.fromkeys(ids) if caller.sees_agency(id)]
    if not asked:
        return {}
    rows = await coalition.database.fetch(
        "SELECT * FROM agencies WHERE id = ANY($1::uuid[])", asked
    )
    return {agency.id: agency for agency in map(_agency, rows)}


async def agency_of_code(tx: Reader, code: str, *, path: str) -> Agency:
    """The agency of this code, which the input field at `path` gave. Raises `AgencyNotFound`."""
    rows = await _by_code(tx, code)
    if not rows:
        raise AgencyNotFound(path=path, name=code[:64])
    return _agency(rows[0])


async def codes_of_agencies(coalition: Coalition, caller: Caller) -> dict[UUID, str]:
    """Every agency's code by its id. For the operator. Raises `NotPermitted`."""
    caller.require_operator()
    rows = await coalition.database.fetch("SELECT id, code FROM agencies")
    return {as_uuid(row["id"]): row["code"] for row in rows}


def _checked(new: NewAgency) -> NewAgency:
    """The same in due form."""
    code = bounds.code(new.code)
    name = bounds.text(new.name, "name", bounds.MAX_NAME)
    if new.iata_number is not None and not _IATA_NUMBER.fullmatch(new.iata_number):
        raise InvalidInput(path="iataNumber", reason="An IATA numeric code is 7 or 8 digits.")
    return NewAgency(code, name, new.iata_number)


async def _by_code(reader: Reader, code: str) -> Sequence[Row]:
    if len(code) > bounds.MAX_CODE or not bounds.is_storable(code):
        return ()
    return await reader.fetch("SELECT * FROM agencies WHERE code = $1", code)


def _agency(row: Row) -> Agency:
    return Agency(
        id=as_uuid(row["id"]),
        code=row["code"],
        name=row["name"],
        status=AgencyStatus(row["status"]),
        iata_number=row["iata_number"],
        created_at=from_micros(row["created_at"]),
    )
