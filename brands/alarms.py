"""Alarms: somebody seems to be guessing whose loyalty numbers are whose. For the operator.

An alarm is written in the transaction that charges for the lookups it is about, and logged by the
worker. It says who asked and how many misses there were; never a number, and never a name.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from brands.actions import Action, record
from brands.agencies import agency_of_code
from brands.callers import Caller, CallerKind
from brands.clock import from_micros, now_micros
from brands.coalition import Coalition
from brands.database import Row, as_uuid
from brands.errors import NotPermitted
from brands.guarding.suspicion import AlarmKind

AT_ONCE = 10_000
"""Meters or hashes forgotten in one round, at most."""

_AFTER_ALL = UUID(int=2**128 - 1)


@dataclass(frozen=True, slots=True)
class Alarm:
    """What was noticed, when, and whose lookups they were: an agency's, a member's, or those of
    whoever else `client` is. `brand_id` is the brand of the last number in question."""

    id: UUID
    at: datetime
    kind: AlarmKind
    caller_kind: CallerKind
    client: str
    agency_id: UUID | None
    member_id: UUID | None
    brand_id: UUID
    misses: int
    request_id: str


async def alarms(
    coalition: Coalition, caller: Caller, first: int, after: UUID | None = None
) -> list[Alarm]:
    """So many alarms, the latest first, behind the one given. None for anybody but the operator.
    One statement, at most."""
    if not caller.is_operator:
        return []
    rows = await coalition.database.fetch(
        "SELECT * FROM alarms WHERE id < $1 ORDER BY id DESC LIMIT $2", after or _AFTER_ALL, first
    )
    return [_alarm(row) for row in rows]


async def unreported_alarms(coalition: Coalition) -> list[Alarm]:
    """Those that were not reported before; now they are. Each to one asker alone."""
    rows = await coalition.database.fetch(
        "UPDATE alarms SET reported = 1 WHERE reported = 0 RETURNING *"
    )
    return sorted(map(_alarm, rows), key=lambda alarm: alarm.id)


async def release_agency(coalition: Coalition, caller: Caller, code: str) -> None:
    """Lets an agency look up again at once, as if nothing had failed to match. For the operator.

    Raises `NotPermitted`, `AgencyNotFound`.
    """
    caller.require_operator()
    async with coalition.database.transaction() as tx:
        agency = await agency_of_code(tx, code, path="agency")
        asker = Caller(CallerKind.AGENCY, client="", agency_id=agency.id)
        await tx.fetch(
            "UPDATE lookup_meters SET empty_at = 0, shut_until = 0, version = version + 1"
            " WHERE key = $1",
            coalition.guard.asker_key(asker),
        )
        await record(tx, caller, await tx.now(), [Action("lookups.release", agency.code, {})])


async def release_number(coalition: Coalition, caller: Caller, code: str, number: str) -> None:
    """Lets a loyalty number be looked up again at once. For the operator and for the brand.

    Nobody learns whether there is such a number. Raises `NotPermitted`, `BrandNotFound`.
    """
    brand = coalition.registry.snapshot.brand(code, path="number.brand")
    if not caller.acts_for_brand(brand.id):
        raise NotPermitted
    async with coalition.database.transaction() as tx:
        key = coalition.guard.number_key(brand.id, number)
        await tx.fetch("DELETE FROM lookup_meters WHERE key = $1", key)
        await record(tx, caller, await tx.now(), [Action("lookups.release", brand.code, {})])


async def forget_lookups(coalition: Coalition) -> int:
    """Lets go of what says nothing any more, of some at each call; of how much."""
    now = now_micros()
    meters = await coalition.database.fetch(
        "DELETE FROM lookup_meters WHERE key IN (SELECT key FROM lookup_meters"
        " WHERE empty_at < $1 AND shut_until < $1 LIMIT $2) AND empty_at < $1 RETURNING key",
        *(now, AT_ONCE),
    )
    seen = await coalition.database.fetch(
        "DELETE FROM lookups_seen WHERE key IN (SELECT key FROM lookups_seen"
        " WHERE forgotten_at < $1 LIMIT $2) AND forgotten_at < $1 RETURNING key",
        *(now, AT_ONCE),
    )
    return len(meters) + len(seen)


def _alarm(row: Row) -> Alarm:
    return Alarm(
        id=as_uuid(row["id"]),
        at=from_micros(row["at"]),
        kind=AlarmKind(row["kind"]),
        caller_kind=CallerKind(row["caller_kind"]),
        client=row["client"],
        agency_id=_optional(row["agency_id"]),
        member_id=_optional(row["member_id"]),
        brand_id=as_uuid(row["brand_id"]),
        misses=row["misses"],
        request_id=row["request_id"],
    )


def _optional(value: UUID | str | None) -> UUID | None:
    return None if value is None else as_uuid(value)
