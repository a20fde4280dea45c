"""Bookings found by their record locator, and by what became of their segments.

`booking_states` says of each segment what its last step says, so that those of one status can be
found by an index. Triggers keep it, whatever the order in which a booking and its steps are
written; nothing else writes it.
"""

from typing import Any

from tortoise.migrations import Migration as TortoiseMigration
from tortoise.migrations.operations import RunPython

from brands.tables.migrations._both import sql

STATES = """
CREATE TABLE IF NOT EXISTS booking_states (
    book            {small} NOT NULL,
    booking_id      {uuid} NOT NULL,
    segment_id      {uuid} NOT NULL,
    step            {integer} NOT NULL,
    status          {text} NOT NULL,
    brand_id        {uuid} NOT NULL,
    supplier_id     {uuid} NOT NULL,
    agency_id       {uuid},
    created_at      {integer},
    travelled_on    {text} NOT NULL,
    is_stay         {small} NOT NULL,
    PRIMARY KEY (book, booking_id, segment_id)
) {strict}
"""

_KEPT = """
INSERT INTO booking_states (book, booking_id, segment_id, step, status, brand_id, supplier_id,
    agency_id, created_at, travelled_on, is_stay)
SELECT t.book, t.booking_id, t.segment_id, t.step, t.status, t.brand_id, t.supplier_id,
    b.agency_id, b.created_at, t.travelled_on,
    CASE WHEN t.facts LIKE '%"check_out":%' THEN 1 ELSE 0 END
FROM booking_steps t LEFT JOIN bookings b ON b.book = t.book AND b.id = t.booking_id
WHERE {which}
ON CONFLICT (book, booking_id, segment_id) DO UPDATE SET step = excluded.step,
    status = excluded.status, brand_id = excluded.brand_id, supplier_id = excluded.supplier_id,
    travelled_on = excluded.travelled_on
WHERE excluded.step > booking_states.step
"""

_NAMED = """
UPDATE booking_states SET agency_id = NEW.agency_id, created_at = NEW.created_at
WHERE book = NEW.book AND booking_id = NEW.id
"""

_MADE = "t.book = NEW.book AND t.segment_id = NEW.segment_id AND t.step = NEW.step"
_LAST = (
    "NOT EXISTS (SELECT 1 FROM booking_steps n"
    " WHERE n.book = t.book AND n.segment_id = t.segment_id AND n.step > t.step)"
)

KEEP = _KEPT.format(which=_MADE)
FILL = _KEPT.format(which=_LAST)

INDEXES = [
    "CREATE INDEX IF NOT EXISTS bookings_locator ON bookings"
    " (agency_id, record_locator, created_at, id)",
    "CREATE INDEX IF NOT EXISTS booking_states_agency ON booking_states"
    " (agency_id, status, created_at, booking_id)",
    "CREATE INDEX IF NOT EXISTS booking_states_brand ON booking_states"
    " (brand_id, status, created_at, booking_id)",
    "CREATE INDEX IF NOT EXISTS booking_states_supplier ON booking_states"
    " (supplier_id, status, created_at, booking_id)",
]


def _kept() -> RunPython:
    """The triggers: one on steps, and one on bookings that are written after their steps."""

    async def run(_: Any, editor: Any) -> None:
        is_postgres = editor.DIALECT == "postgres"
        for table, body in (("booking_steps", KEEP), ("bookings", _NAMED)):
            for statement in (_postgres if is_postgres else _sqlite)(table, body):
                await editor.client.execute_script(statement)

    return RunPython(run)


def _postgres(table: str, body: str) -> tuple[str, ...]:
    return (
        f"CREATE OR REPLACE FUNCTION keep_state_of_{table}() RETURNS trigger LANGUAGE plpgsql AS $$"
        f" BEGIN {body}; RETURN NULL; END $$",
        f"CREATE OR REPLACE TRIGGER {table}_state AFTER INSERT ON {table}"
        f" FOR EACH ROW EXECUTE FUNCTION keep_state_of_{table}()",
    )


def _sqlite(table: str, body: str) -> tuple[str, ...]:
    return (
        f"CREATE TRIGGER IF NOT EXISTS {table}_state AFTER INSERT ON {table} BEGIN {body}; END",
    )


class Migration(TortoiseMigration):
    """What is looked for among bookings."""

    dependencies = [("brands", "m0011_claims")]
    operations = [sql([STATES, *INDEXES]), _kept(), sql([FILL])]
