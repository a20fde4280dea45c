"""By which lists and sums over travel find their rows: journeys by agency and day, claims by whose
they are and how far they have come.

`credit_claim_lists` has a row for each claim in an agency's, a membership's, the program's brand's
and the supplier's list, with its program (`brand_id`) and its status as it is now. Triggers keep
it; nothing else writes it.

Claims have the days on which their journeys begin and count (`begins_on`, `travelled_on`), which
the database reckons from their facts: so those for one journey are found among those for a number.

SQLite is told that a book is no choice: what it does not know of an index it guesses, and its guess
is that a book has ten rows. So it would read all the steps of a book to find those of a segment.
"""

from typing import Any

from tortoise.migrations import Migration as TortoiseMigration
from tortoise.migrations.operations import RunPython

from brands.tables.migrations._both import add_column, sql

LISTS = """
CREATE TABLE IF NOT EXISTS credit_claim_lists (
    claim_id        {uuid} NOT NULL,
    owner_id        {uuid} NOT NULL,
    status          {text} NOT NULL,
    brand_id        {uuid} NOT NULL,
    created_at      {integer} NOT NULL,
    PRIMARY KEY (claim_id, owner_id)
) {strict}
"""

FILL = """
INSERT INTO credit_claim_lists (claim_id, owner_id, status, brand_id, created_at)
SELECT c.id, o.owner_id, t.status, c.brand_id, c.created_at
FROM credit_claims c
JOIN (SELECT id, brand_id AS owner_id FROM credit_claims
    UNION SELECT id, supplier_id FROM credit_claims
    UNION SELECT id, agency_id FROM credit_claims WHERE agency_id IS NOT NULL
    UNION SELECT id, membership_id FROM credit_claims WHERE membership_id IS NOT NULL) o
    ON o.id = c.id
JOIN credit_claim_steps t ON t.book = c.book AND t.claim_id = c.id
WHERE NOT EXISTS (SELECT 1 FROM credit_claim_steps n
    WHERE n.book = t.book AND n.claim_id = t.claim_id AND n.step = t.step + 1)
ON CONFLICT (claim_id, owner_id) DO UPDATE SET status = excluded.status
"""

_LISTED = (
    "INSERT INTO credit_claim_lists (claim_id, owner_id, status, brand_id, created_at)"
    " SELECT NEW.id, o.owner_id, 'OPEN', NEW.brand_id, NEW.created_at"
    " FROM (SELECT NEW.brand_id AS owner_id UNION SELECT NEW.supplier_id"
    " UNION SELECT NEW.agency_id UNION SELECT NEW.membership_id) o"
    " WHERE o.owner_id IS NOT NULL;"
)
_STEPPED = "UPDATE credit_claim_lists SET status = NEW.status WHERE claim_id = NEW.claim_id;"

KEPT = (
    ("credit_claims", None, _LISTED),
    # Its first step may be written before the claim itself, and says nothing new.
    ("credit_claim_steps", "NEW.step > 0", _STEPPED),
)
"""What is done to the lists after an insert into a table, and when."""

_DAY = (
    "{{text}} GENERATED ALWAYS AS (coalesce(facts{{as_json}} ->> '{stay}',"
    " facts{{as_json}} ->> 'departs_on')) {{computed}}"
)
BEGINS_ON = _DAY.format(stay="check_in")
TRAVELLED_ON = _DAY.format(stay="check_out")

INDEXES = [
    "CREATE INDEX IF NOT EXISTS booking_states_travelled ON booking_states"
    " (agency_id, travelled_on, brand_id, status, is_stay)",
    "CREATE INDEX IF NOT EXISTS credit_claim_lists_all ON credit_claim_lists (owner_id, claim_id)",
    "CREATE INDEX IF NOT EXISTS credit_claim_lists_status ON credit_claim_lists"
    " (owner_id, status, claim_id)",
    "CREATE INDEX IF NOT EXISTS credit_claim_lists_made ON credit_claim_lists"
    " (owner_id, created_at, brand_id, status)",
    "CREATE INDEX IF NOT EXISTS credit_claims_journey ON credit_claims"
    " (brand_id, number, travelled_on, begins_on)",
    "CREATE INDEX IF NOT EXISTS credit_claims_member_journey ON credit_claims"
    " (membership_id, travelled_on, begins_on) WHERE membership_id IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS booking_steps_linked ON booking_steps"
    " (membership_id, travelled_on) WHERE membership_id IS NOT NULL",
    "DROP INDEX IF EXISTS credit_claims_number",
    "DROP INDEX IF EXISTS credit_claims_membership",
    "DROP INDEX IF EXISTS credit_claims_agency",
    "DROP INDEX IF EXISTS credit_claims_brand",
    "DROP INDEX IF EXISTS credit_claims_supplier",
    "DROP INDEX IF EXISTS booking_segments_identity",
]


async def _keep(_: Any, editor: Any) -> None:
    for table, when, what in KEPT:
        trigger, condition = f"{table}_listed", "" if when is None else f"WHEN ({when}) "
        if editor.DIALECT == "postgres":
            await editor.client.execute_script(
                f"CREATE OR REPLACE FUNCTION {trigger}() RETURNS trigger LANGUAGE plpgsql AS $$ "
                f"BEGIN {what} RETURN NULL; END $$"
            )
            await editor.client.execute_script(
                f"CREATE OR REPLACE TRIGGER {trigger} AFTER INSERT ON {table} FOR EACH ROW "
                f"{condition}EXECUTE FUNCTION {trigger}()"
            )
        else:
            await editor.client.execute_script(
                f"CREATE TRIGGER IF NOT EXISTS {trigger} AFTER INSERT ON {table} "
                f"{condition}BEGIN {what} END"
            )


IN_BOOKS = (
    *("bookings", "booking_passengers", "booking_brands", "booking_segments", "booking_steps"),
    *("booking_states", "booking_links", "flown"),
    *("credit_claims", "credit_claim_steps", "credit_claim_travellers", "credit_claim_evidence"),
)
_MANY = 1_000_000
_SOME = 10


async def _tell_sqlite(_: Any, editor: Any) -> None:
    """Writes what ANALYZE would find where there are many rows, unless it was run."""
    if editor.DIALECT == "postgres":
        return
    await editor.client.execute_script("ANALYZE coalition")  # makes the table of what is known
    for table in IN_BOOKS:
        _, known = await editor.client.execute_query(
            "SELECT 1 FROM sqlite_stat1 WHERE tbl = ?", [table]
        )
        _, indexes = await editor.client.execute_query(
            'SELECT name, "unique" AS is_unique FROM pragma_index_list(?)', [table]
        )
        for index in () if known else indexes:
            _, columns = await editor.client.execute_query(
                "SELECT name FROM pragma_index_info(?) ORDER BY seqno", [index["name"]]
            )
            if columns[0]["name"] == "book":
                alike = [_MANY, _MANY, *(_SOME for _ in columns[1:])]
                alike[-1] = 1 if index["is_unique"] else _SOME
                await editor.client.execute_query(
                    "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)",
                    [table, index["name"], " ".join(map(str, alike))],
                )


class Migration(TortoiseMigration):
    """How the lists are found."""

    dependencies = [("brands", "m0013_claims")]
    operations = [
        add_column("credit_claims", "begins_on", BEGINS_ON),
        add_column("credit_claims", "travelled_on", TRAVELLED_ON),
        sql([LISTS, *INDEXES]),
        RunPython(_keep),
        sql([FILL]),
        RunPython(_tell_sqlite),
    ]
