"""The statements of the lane on PostgreSQL, and how columns of a batch travel to them.

A batch goes in as arrays, one per column. Numbers and ids travel as array literals in text: the
driver looks at every element of a list to find nested ones, which costs more than PostgreSQL needs
to read the text.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

_NOW = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"

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
       a.closed, a.posted_at
FROM accounts a
WHERE (a.book, a.id) IN (SELECT * FROM unnest($1::text::smallint[], $2::text::uuid[]))
ORDER BY a.book, a.id
FOR NO KEY UPDATE
"""

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
SELECT key FROM idempotency_keys
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
WHERE (book, reverses) IN (SELECT * FROM unnest($1::text::smallint[], $2::text::uuid[])) GROUP BY reverses
"""

WRITES: dict[str, tuple[str, ...]] = {
    "transactions": ("smallint", "uuid", "text", "bigint", "bigint", "text", "text", "text",
                     "text", "uuid", "bigint"),
    "entries": ("smallint", "uuid", "uuid", "bigint", "bigint", "bigint", "bigint"),
    "lots": ("smallint", "uuid", "uuid", "bigint", "bigint", "bigint", "smallint", "bigint",
             "bigint"),
    "lot_uses": ("smallint", "uuid", "uuid", "uuid", "bigint"),
    "hold_lots": ("smallint", "uuid", "uuid", "bigint"),
}  # fmt: skip
"""Tables that are only inserted into: the types of their columns, in order."""

NEW_HOLDS = """
INSERT INTO holds (book, id, account_id, points, captured, status, placed_at, expires_at,
                   ended_at, ended_by)
SELECT * FROM unnest({0}::text::smallint[], {1}::text::uuid[], {2}::text::uuid[], {3}::text::bigint[], {4}::text::bigint[],
                     {5}::text[], {6}::text::bigint[], {7}::text::bigint[], {8}::text::bigint[], {9}::text::uuid[])
"""

ENDED_HOLDS = """
UPDATE holds h SET captured = u.captured, status = u.status, ended_at = u.ended_at,
                   ended_by = u.ended_by
FROM unnest({0}::text::smallint[], {1}::text::uuid[], {2}::text::bigint[], {3}::text[], {4}::text::bigint[], {5}::text::uuid[])
    AS u (book, id, captured, status, ended_at, ended_by)
WHERE h.book = u.book AND h.id = u.id AND h.status = 'PENDING'
"""

CHANGED_LOTS = """
UPDATE lots l SET remaining = u.remaining, held = u.held, spent = u.spent
FROM unnest({0}::text::smallint[], {1}::text::uuid[], {2}::text::uuid[], {3}::text::bigint[], {4}::text::bigint[],
            {5}::text::smallint[]) AS u (book, account_id, transaction_id, remaining, held, spent)
WHERE l.book = u.book AND l.account_id = u.account_id AND l.transaction_id = u.transaction_id
"""

SPEND_TOKENS = """
INSERT INTO idempotency_keys (book, client, key, fingerprint, command_id, rejection, recorded_at)
SELECT * FROM unnest({0}::text::smallint[], {1}::text[], {2}::text[], {3}::bytea[], {4}::text::uuid[],
                     {5}::text[], {6}::text::bigint[])
"""

REJECTED_KEYS = """
UPDATE idempotency_keys k SET rejection = u.rejection
FROM unnest({0}::text::smallint[], {1}::text[], {2}::text[], {3}::text[])
    AS u (book, client, key, rejection)
WHERE k.book = u.book AND k.client = u.client AND k.key = u.key
"""

CHANGED_ACCOUNTS = """
UPDATE accounts a SET balance = u.balance, held = u.held, floor = u.floor, version = u.version,
                      rate = u.rate, posted_at = u.posted_at
FROM unnest({0}::text::smallint[], {1}::text::uuid[], {2}::text::bigint[], {3}::text::bigint[], {4}::text::bigint[],
            {5}::text::bigint[], {6}::text::bigint[], {7}::text::bigint[], {8}::text::bigint[])
    AS u (book, id, balance, held, floor, version, rate, posted_at, loaded_version)
WHERE a.book = u.book AND a.id = u.id AND a.version = u.loaded_version
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


@lru_cache(maxsize=256)
def insert(table: str, names: tuple[str, ...] | None, types: tuple[str, ...]) -> str:
    """An INSERT of columns of these types, in the form that `one_statement` takes."""
    arrays = ", ".join(
        f"{{{i}}}::text[]" if type_ == "text" else f"{{{i}}}::text::{type_}[]"
        for i, type_ in enumerate(types)
    )
    columns = "" if names is None else f" ({', '.join(names)})"
    return f"INSERT INTO {table}{columns} SELECT * FROM unnest({arrays})"


@lru_cache(maxsize=4_096)
def one_statement(texts: tuple[str, ...]) -> tuple[str, tuple[tuple[bool, ...], ...]]:
    """Several writes as one statement, so that they cost one round trip: all but the last are
    common table expressions. With it, for each write, which of its columns travel as literals."""
    filled: list[str] = []
    travel: list[tuple[bool, ...]] = []
    used = 0
    for text in texts:
        width = text.count("[]")
        literals = tuple(f"{{{i}}}::text::" in text for i in range(width))
        filled.append(text.format(*(f"${used + i + 1}" for i in range(width))))
        travel.append(literals)
        used += width
    *first, last = filled
    if not first:
        return last, tuple(travel)
    steps = ", ".join(f"step_{i} AS ({text})" for i, text in enumerate(first))
    return f"WITH {steps} {last}", tuple(travel)


def columns(rows: Sequence[Sequence[Any]], literals: Sequence[bool]) -> list[Any]:
    """Rows as columns, in the form in which each travels."""
    return [
        literal(column) if as_literal else list(column)
        for column, as_literal in zip(zip(*rows, strict=True), literals, strict=True)
    ]
