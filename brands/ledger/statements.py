"""The statements of the lane on PostgreSQL, and how columns of a batch travel to them.

A batch goes in as arrays, one per column. Numbers and ids travel as array literals in text: the
driver looks at every element of a list to find nested ones, which costs more than PostgreSQL needs
to read the text.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

_NOW = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"

IN_THE_ORDER_GIVEN = (
    "SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off"
)
"""Rows are found one by one by their key, in the order in which the arrays name them, whatever the
planner thinks of the tables: so every writer locks them in that order, and none deadlocks."""

CLAIM_KEYS = f"""
INSERT INTO idempotency_keys (book, client, key, fingerprint, command_id, recorded_at)
SELECT book, client, key, fingerprint, command_id, {_NOW}
FROM unnest($1::text::smallint[], $2::text[], $3::text[], $4::bytea[], $5::text::uuid[])
    AS claimed (book, client, key, fingerprint, command_id)
ON CONFLICT DO NOTHING
RETURNING command_id
"""

STORED_KEYS = """
SELECT k.book, k.client, k.key, k.fingerprint, k.command_id, k.rejection, k.recorded_at
FROM unnest($1::text::smallint[], $2::text[], $3::text[]) AS asked (book, client, key)
JOIN idempotency_keys k USING (book, client, key)
"""

LOCK_ACCOUNTS = """
SELECT a.book, a.id, a.owner_id, a.kind, a.unit, a.balance, a.held, a.floor, a.version, a.rate,
       a.closed, a.posted_at, a.revision
FROM accounts a
WHERE (a.book, a.id) IN (SELECT * FROM unnest($1::text::smallint[], $2::text::uuid[]))
ORDER BY a.book, a.id
FOR NO KEY UPDATE
"""

READ_ACCOUNTS = """
SELECT a.book, a.id, a.owner_id, a.kind, a.unit, a.balance, a.held, a.floor, a.version, a.rate,
       a.closed, a.posted_at, a.revision, CASE WHEN a.kind = 'POINTS' THEN (
           SELECT json_agg(json_build_array(u.name, u.points, u.count))::text FROM (
               SELECT name, sum(points) AS points, sum(count) AS count FROM cap_uses
               WHERE book = a.book AND account_id = a.id GROUP BY name
           ) u) END AS caps
FROM accounts a
WHERE (a.book, a.id) IN (SELECT * FROM unnest($1::text::smallint[], $2::text::uuid[]))
"""
"""Accounts to be remembered: with all that was used of limits, and not locked."""

CLOCK_AND_LOTS = f"""
SELECT {_NOW} AS now, c.epoch, l.*
FROM coalition c LEFT JOIN (
    SELECT lot.*
    FROM unnest($1::text::smallint[], $2::text::uuid[]) AS asked (book, account_id)
    CROSS JOIN LATERAL (
        SELECT account_id, transaction_id, amount, remaining, held, earned_at, expires_at
        FROM lots
        WHERE lots.book = asked.book AND lots.account_id = asked.account_id AND spent = 0
        ORDER BY expires_at, earned_at, transaction_id
        LIMIT $3
    ) lot
) l ON true
"""

RATES = """
SELECT brand_id, effective_from, redemption_rate FROM valuations ORDER BY brand_id, effective_from
"""

TOKENS_SPENT = """
SELECT book, key FROM idempotency_keys
WHERE client = $1 AND (book, key) IN (SELECT * FROM unnest($2::text::smallint[], $3::text[]))
"""

HOLDS = """
SELECT h.id, h.account_id, h.points, h.status, h.expires_at,
       (SELECT array_agg(l.lot_id ORDER BY l.lot_id) FROM hold_lots l
        WHERE l.book = h.book AND l.hold_id = h.id) AS lot_ids,
       (SELECT array_agg(l.amount ORDER BY l.lot_id) FROM hold_lots l
        WHERE l.book = h.book AND l.hold_id = h.id) AS amounts
FROM holds h
WHERE (h.book, h.id) IN (SELECT * FROM unnest($1::text::smallint[], $2::text::uuid[]))
"""

ORIGINAL_ENTRIES = """
SELECT t.id, t.kind, e.book, e.account_id, e.amount, a.unit
FROM unnest($1::text::smallint[], $2::text::uuid[]) AS asked (book, id)
JOIN transactions t USING (book, id)
JOIN entries e ON e.book = t.book AND e.transaction_id = t.id
JOIN accounts a ON a.book = e.book AND a.id = e.account_id
"""

ORIGINAL_USES = """
SELECT asked.id, u.account_id, u.lot_id, u.amount + coalesce((
           SELECT sum(r.amount) FROM transactions t
           JOIN lot_uses r ON r.book = t.book AND r.transaction_id = t.id
               AND r.account_id = u.account_id AND r.lot_id = u.lot_id AND r.amount < 0
           WHERE t.book = u.book AND t.reverses = u.transaction_id), 0)::bigint AS amount,
       l.amount AS lot_amount, l.remaining, l.held, l.earned_at, l.expires_at
FROM unnest($1::text::smallint[], $2::text::uuid[]) AS asked (book, id)
JOIN lot_uses u ON u.book = asked.book AND u.transaction_id = asked.id
JOIN lots l ON l.book = u.book AND l.account_id = u.account_id AND l.transaction_id = u.lot_id
ORDER BY l.expires_at, l.earned_at, l.transaction_id
"""

ORIGINAL_REVERSED = """
SELECT reverses, sum(points)::bigint AS points FROM transactions
WHERE (book, reverses) IN (SELECT * FROM unnest($1::text::smallint[], $2::text::uuid[]))
GROUP BY reverses
"""


CAPS_USED = """
SELECT u.account_id, u.name, sum(u.points)::bigint AS points, sum(u.count)::bigint AS count
FROM unnest($1::text::smallint[], $2::text::uuid[], $3::text[]) AS asked (book, account_id, name)
JOIN cap_uses u USING (book, account_id, name)
GROUP BY u.account_id, u.name
"""

ORIGINAL_CAPS = """
SELECT u.transaction_id, u.book, u.account_id, u.name, u.points, u.count
FROM unnest($1::text::smallint[], $2::text::uuid[], $3::text::uuid[])
    AS asked (book, account_id, transaction_id)
JOIN cap_uses u USING (book, account_id, transaction_id)
"""


def unnest(*types: str) -> str:
    """Columns of these types as a set of rows, in the form that `one_statement` takes."""
    arrays = ", ".join(
        f"{{{i}}}::{type_}[]" if type_ in ("text", "bytea") else f"{{{i}}}::text::{type_}[]"
        for i, type_ in enumerate(types)
    )
    return f"unnest({arrays})"


@lru_cache(maxsize=256)
def insert(table: str, names: tuple[str, ...], types: tuple[str, ...]) -> str:
    """An INSERT of such columns (into all of the table's, in order, where none is named)."""
    columns = f" ({', '.join(names)})" if names else ""
    return f"INSERT INTO {table}{columns} SELECT * FROM {unnest(*types)}"


_APPENDED = {
    "entries": "smallint uuid uuid bigint bigint bigint bigint",
    "lots": "smallint uuid uuid bigint bigint bigint smallint bigint bigint",
    "lot_uses": "smallint uuid uuid uuid bigint",
    "holds": "smallint uuid uuid bigint bigint text bigint bigint bigint uuid",
    "hold_lots": "smallint uuid uuid bigint",
    "cap_uses": "smallint uuid text uuid bigint bigint",
    "idempotency_keys": "smallint text text bytea uuid text bigint",
}
"""The types of the columns, in order, of every table that rows are appended to."""

APPEND = {table: insert(table, (), tuple(types.split())) for table, types in _APPENDED.items()}

CLAIMED_KEYS = f"{APPEND['idempotency_keys']} WHERE true{{after}}"
"""Keys and tokens; another writer may have them in hand."""

ADVANCED_FEEDS = f"""
INSERT INTO feeds AS f (book, position)
SELECT * FROM {unnest("smallint", "bigint")} WHERE true{{after}}
ON CONFLICT (book) DO UPDATE SET position = f.position + excluded.position
RETURNING book, position
"""
"""The last positions of some books, once these are as many more. Whoever advances a feed holds it
until the commit, so that the order of positions is that of commits."""

TRANSACTIONS = f"""
INSERT INTO transactions
SELECT t.book, t.id, t.kind, t.event_at, t.recorded_at, t.client, t.request_id, t.reference,
       t.description, t.reverses, t.points, feeds.position - t.following
FROM {unnest("smallint", "uuid", "text", *["bigint"] * 2, *["text"] * 4, "uuid", *["bigint"] * 2)}
    AS t (book, id, kind, event_at, recorded_at, client, request_id, reference, description,
          reverses, points, following)
JOIN advanced_feeds AS feeds ON feeds.book = t.book
"""
"""Transactions at their positions; only beside `ADVANCED_FEEDS`."""

ENDED_HOLDS = f"""
UPDATE holds h SET captured = u.captured, status = u.status, ended_at = u.ended_at,
                   ended_by = u.ended_by
FROM {unnest("smallint", "uuid", "bigint", "text", "bigint", "uuid")}
    AS u (book, id, captured, status, ended_at, ended_by)
WHERE h.book = u.book AND h.id = u.id AND h.status = 'PENDING'
"""

CHANGED_LOTS = f"""
UPDATE lots l SET remaining = u.remaining, held = u.held, spent = u.spent
FROM {unnest("smallint", "uuid", "uuid", "bigint", "bigint", "smallint")}
    AS u (book, account_id, transaction_id, remaining, held, spent)
WHERE l.book = u.book AND l.account_id = u.account_id AND l.transaction_id = u.transaction_id
"""

REJECTED_KEYS = f"""
UPDATE idempotency_keys k SET rejection = u.rejection
FROM {unnest("smallint", "text", "text", "text")} AS u (book, client, key, rejection)
WHERE k.book = u.book AND k.client = u.client AND k.key = u.key
"""

CHANGED_ACCOUNTS = f"""
UPDATE accounts a SET balance = u.balance, held = u.held, floor = u.floor, version = u.version,
                      rate = u.rate, posted_at = u.posted_at, revision = a.revision + 1
FROM {unnest("smallint", "uuid", *["bigint"] * 7)}
    AS u (book, id, balance, held, floor, version, rate, posted_at, revision)
WHERE a.book = u.book AND a.id = u.id AND a.revision = u.revision{{after}}
RETURNING 1
"""


def literal(column: Iterable[Any]) -> str:
    """Numbers or ids (or None) as an array literal."""
    return "{" + ",".join(["NULL" if value is None else str(value) for value in column]) + "}"


def places(rows: Iterable[tuple[int, Any]]) -> tuple[str, str]:
    """(book, id) pairs as two array literals."""
    books, ids = [], []
    for book, id in rows:
        books.append(book)
        ids.append(id)
    return literal(books), literal(ids)


@lru_cache(maxsize=4_096)
def one_statement(texts: tuple[str, ...]) -> tuple[str, tuple[tuple[bool, ...], ...]]:
    """Several writes as one statement, so that they cost one round trip. With it, for each write,
    which of its columns travel as literals.

    If accounts change, as many must as one more parameter says, or the statement fails as a whole
    with a serialization failure; it answers with the database's clock. Writes that may wait for
    another writer are done in the order given, which is that of all writers: none deadlocks.
    """
    steps: list[str] = []
    travel: list[tuple[bool, ...]] = []
    used, after, names = 0, "", {}
    for number, text in enumerate(texts):
        width = text.count("[]")
        travel.append(tuple(f"{{{i}}}::text::" in text for i in range(width)))
        step = text.format(*(f"${used + i + 1}" for i in range(width)), after=after)
        used += width
        names[text] = name = "advanced_feeds" if text is ADVANCED_FEEDS else f"step_{number}"
        if "{after}" in text:
            after = f" AND (SELECT count(*) FROM {name}) >= 0"
            if "RETURNING" not in text:
                step += " RETURNING 1"
        steps.append(f"{name} AS ({step})")
    last = "SELECT 1"
    if CHANGED_ACCOUNTS in names:
        # Nothing is stored unless all these accounts are as they were read.
        count = f"(SELECT count(*) FROM {names[CHANGED_ACCOUNTS]})"
        last = f"SELECT expect_rows({count}, ${used + 1}::bigint), {_NOW} AS now"
    return f"WITH {', '.join(steps)} {last}", tuple(travel)


def columns(rows: Sequence[Sequence[Any]], literals: Sequence[bool]) -> list[Any]:
    """Rows as columns, in the form in which each travels."""
    return [
        literal(column) if as_literal else list(column)
        for column, as_literal in zip(zip(*rows, strict=True), literals, strict=True)
    ]
