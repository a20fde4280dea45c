"""The guard's statements: one that reads what is remembered and looks up, one that charges.

On PostgreSQL each is one statement; SQLite has no words for writing to two tables at once, so that
there charging takes two, in a transaction.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias
from uuid import UUID

from brands.callers import Caller
from brands.clock import now_micros
from brands.database import Database, Reader, Row, Transaction, as_uuid
from brands.guarding.lookup_marks import Asker, Question
from brands.guarding.suspicion import NUMBER, REMEMBERED, Charge, Marks, Memory, Meter
from brands.ids import new_id

Found: TypeAlias = dict[tuple[UUID, str], Row]
"""By brand and number: the membership of it, or else the next one behind it, with the name."""

_SHARED = -1
"""The version of a meter that several askers charge: it has none, and is added to."""

# Nothing is looked up for an asker who has to wait.
_READ = """
WITH clock AS ({clock})
SELECT 'clock' AS part, NULL AS key, now AS a, NULL{int} AS b, NULL{int} AS c,
    NULL{uuid} AS asked_brand, NULL AS asked_number, NULL{uuid} AS id, NULL{uuid} AS member_id,
    NULL AS number, NULL AS status, NULL AS family_name, NULL AS given_name
FROM clock
UNION ALL
SELECT 'meter', key, empty_at, shut_until, version,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM lookup_meters WHERE key = ANY($1)
UNION ALL
SELECT 'seen', key, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM lookups_seen WHERE key = ANY($2) AND forgotten_at > (SELECT now FROM clock)
UNION ALL
SELECT 'found', NULL, NULL, NULL, NULL, asked.brand_id, asked.number,
    s.id, s.member_id, s.number, s.status, p.family_name, p.given_name
FROM {asked}
LEFT JOIN profiles p ON p.book = s.book AND p.member_id = s.member_id
WHERE NOT EXISTS (
    SELECT 1 FROM lookup_meters WHERE key = $3 AND shut_until > (SELECT now FROM clock)
)
"""

_READ_POSTGRES = _READ.format(
    clock="SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now",
    int="::bigint",
    uuid="::uuid",
    asked="""unnest($4::uuid[], $5::text[]) AS asked (brand_id, number)
CROSS JOIN LATERAL (
    SELECT m.book, m.id, m.member_id, m.number, m.status FROM memberships m
    WHERE m.brand_id = asked.brand_id AND m.number >= asked.number ORDER BY m.number LIMIT 1
) s""",
)

_READ_SQLITE = _READ.format(
    clock="SELECT $5 AS now",
    int="",
    uuid="",
    asked="""(
    SELECT value ->> 0 AS brand_id, value ->> 1 AS number FROM json_each($4)
) AS asked
JOIN memberships s ON s.rowid = (
    SELECT m.rowid FROM memberships m
    WHERE m.brand_id = asked.brand_id AND m.number >= asked.number ORDER BY m.number LIMIT 1
)""",
)

# A caller's own meter is replaced if it is still the one that was read. The other meters follow: of
# those that are shared, what is to be added is how far `empty_at` lies ahead.
_ADDED = """
    empty_at = CASE WHEN excluded.version = -1
        THEN {least}({greatest}(m.empty_at, {now}) + excluded.empty_at - {now}, {now} + {highest})
        ELSE excluded.empty_at END,
    shut_until = {greatest}(excluded.shut_until, CASE WHEN excluded.version = -1
        THEN m.shut_until ELSE 0 END),
    version = excluded.version"""

_CHARGE_POSTGRES = """
WITH own AS (
    INSERT INTO lookup_meters AS m (key, empty_at, shut_until, version)
    VALUES ($1, $2, $3, $4::bigint + 1)
    ON CONFLICT (key) DO UPDATE SET empty_at = excluded.empty_at,
        shut_until = excluded.shut_until, version = excluded.version
    WHERE m.version = $4::bigint RETURNING key
), others AS (
    INSERT INTO lookup_meters AS m (key, empty_at, shut_until, version)
    SELECT * FROM unnest($5::text[], $6::bigint[], $7::bigint[], $8::bigint[])
    WHERE EXISTS (SELECT 1 FROM own)
    ON CONFLICT (key) DO UPDATE SET {added}
), kept AS (
    INSERT INTO lookups_seen (key, forgotten_at)
    SELECT key, $12::bigint FROM unnest($11::text[]) AS seen (key)
    WHERE EXISTS (SELECT 1 FROM own)
    ON CONFLICT (key) DO UPDATE SET forgotten_at = excluded.forgotten_at
)
SELECT key FROM own
""".format(
    added=_ADDED.format(least="least", greatest="greatest", now="$9::bigint", highest="$10::bigint")
)

_METERS_SQLITE = """
INSERT INTO lookup_meters AS m (key, empty_at, shut_until, version)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each($1)
WHERE coalesce((SELECT version FROM lookup_meters WHERE key = $2), 0) = $3
ON CONFLICT (key) DO UPDATE SET {added}
RETURNING key
""".format(added=_ADDED.format(least="min", greatest="max", now="$4", highest="$5"))

_KEPT_SQLITE = """
INSERT INTO lookups_seen (key, forgotten_at) SELECT value, $2 FROM json_each($1)
WHERE TRUE ON CONFLICT (key) DO UPDATE SET forgotten_at = excluded.forgotten_at
"""


async def read(
    database: Database, asker: Asker | None, marks: Sequence[Marks], questions: Sequence[Question]
) -> tuple[Memory, Found]:
    """What is remembered of an asker and of all that is asked, and what is found."""
    own = asker.key if asker else ""
    meters = {each for m in marks for each in (m.number, m.surname, m.neighbours)}
    seen = {each for m in marks for each in (m.guess, m.wrong, m.match)}
    pairs = [(each.brand_id, number) for each in questions for number in each.numbers]
    asked: list[Any] = [[brand for brand, _ in pairs], [number for _, number in pairs]]
    if database.is_sqlite:
        asked = [[[str(brand), number] for brand, number in pairs], now_micros()]
    statement = _READ_SQLITE if database.is_sqlite else _READ_POSTGRES
    rows = await database.fetch(statement, [own, *sorted(meters)], sorted(seen), own, *asked)
    return _memory(rows, own), {
        (as_uuid(row["asked_brand"]), row["asked_number"]): row
        for row in rows
        if row["part"] == "found"
    }


def _memory(rows: Sequence[Row], own: str) -> Memory:
    meters = {row["key"]: row for row in rows if row["part"] == "meter"}
    return Memory(
        now=next(int(row["a"]) for row in rows if row["part"] == "clock"),
        version=meters[own]["c"] if own in meters else 0,
        meters={key: Meter(row["a"], row["b"]) for key, row in meters.items()},
        seen=frozenset(row["key"] for row in rows if row["part"] == "seen"),
    )


async def write(database: Reader, asker: Asker, charge: Charge, *, is_sqlite: bool) -> bool:
    """Whether the charge holds. On SQLite within a transaction."""
    now, own = charge.now, charge.meters[asker.key]
    others = [
        *(
            (key, meter.empty_at, meter.shut_until, 0)
            for key, meter in charge.meters.items()
            if key != asker.key
        ),
        *((key, now + add, shut, _SHARED) for key, (add, shut) in charge.shared.items()),
    ]
    others.sort()  # whoever charges the same meters takes them in the same order
    forgotten_at = now + REMEMBERED
    if is_sqlite:
        rows = [[asker.key, own.empty_at, own.shut_until, charge.version + 1], *map(list, others)]
        held = await database.fetch(
            _METERS_SQLITE, rows, asker.key, charge.version, now, NUMBER.highest
        )
        if held and charge.seen:
            await database.fetch(_KEPT_SQLITE, charge.seen, forgotten_at)
        return bool(held)
    columns = [list(column) for column in zip(*others, strict=True)] or [[], [], [], []]
    held = await database.fetch(
        _CHARGE_POSTGRES,
        *(asker.key, own.empty_at, own.shut_until, charge.version, *columns),
        *(now, NUMBER.highest, charge.seen, forgotten_at),
    )
    return bool(held)


_INSERT_ALARM = """
INSERT INTO alarms (id, at, kind, caller_kind, client, agency_id, member_id, brand_id, misses,
    request_id, reported)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0)
"""


async def raise_alarms(
    tx: Transaction, caller: Caller, charge: Charge, questions: Sequence[Question]
) -> None:
    """Writes down the alarms of a charge."""
    rows = [
        (
            *(new_id(0), charge.now, alarm.kind.value, caller.kind.value, caller.client),
            *(caller.agency_id, caller.member_id, questions[alarm.place].brand_id),
            *(alarm.misses, caller.request_id),
        )
        for alarm in charge.alarms
    ]
    await tx.execute_many(_INSERT_ALARM, rows)
