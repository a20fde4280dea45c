"""The audit: every law of the books, checked against what the database holds.

Each law is one question that returns the rows which break it; its columns say where.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from brands.database import Database
from brands.ledger.laws import BOOKING_LAWS, Law

SHOWN = 20
"""Findings reported per law, at most: one is enough to know that the books are broken."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken law, and where."""

    law: str
    where: str


_MEMBERS = "kind = 'POINTS'"

LAWS = (
    Law(
        "the entries of a transaction sum to zero in every unit",
        """
        SELECT e.book, e.transaction_id, a.unit, sum(e.amount) AS amount
        FROM entries e JOIN accounts a ON a.book = e.book AND a.id = e.account_id
        GROUP BY e.book, e.transaction_id, a.unit HAVING sum(e.amount) <> 0
        """,
    ),
    Law(
        "every transaction has entries",
        """
        SELECT t.book, t.id AS transaction_id FROM transactions t
        WHERE NOT EXISTS (SELECT 1 FROM entries e
                          WHERE e.book = t.book AND e.transaction_id = t.id)
        """,
    ),
    Law(
        "every entry has its transaction and its account",
        """
        SELECT e.book, e.transaction_id, e.account_id FROM entries e
        LEFT JOIN transactions t ON t.book = e.book AND t.id = e.transaction_id
        LEFT JOIN accounts a ON a.book = e.book AND a.id = e.account_id
        WHERE t.id IS NULL OR a.id IS NULL
        """,
    ),
    Law(
        "a balance is the sum of its entries, and its version their number",
        """
        SELECT a.book, a.id AS account_id, a.balance, a.version, s.amount, s.entries
        FROM accounts a LEFT JOIN (
            SELECT book, account_id, sum(amount) AS amount, count(*) AS entries
            FROM entries GROUP BY book, account_id
        ) s ON s.book = a.book AND s.account_id = a.id
        WHERE a.balance <> coalesce(s.amount, 0) OR a.version <> coalesce(s.entries, 0)
        """,
    ),
    Law(
        "running balances replay, versions have no gaps, time does not run backwards",
        """
        SELECT book, account_id, version FROM (
            SELECT book, account_id, version, balance, recorded_at,
                   sum(amount) OVER history AS replayed,
                   row_number() OVER history AS position,
                   lag(recorded_at) OVER history AS before
            FROM entries WINDOW history AS (PARTITION BY book, account_id ORDER BY version)
        ) h WHERE replayed <> balance OR position <> version OR before > recorded_at
        """,
    ),
    Law(
        "no member goes below zero, except by a clawback, or by what one left held or expired",
        """
        SELECT e.book, e.account_id, e.version, e.balance
        FROM entries e
        JOIN accounts a ON a.book = e.book AND a.id = e.account_id AND a.kind = 'POINTS'
        JOIN transactions t ON t.book = e.book AND t.id = e.transaction_id
        WHERE e.balance < 0 AND e.amount < 0 AND t.kind NOT IN ('REVERSAL', 'EXPIRY')
          AND NOT EXISTS (SELECT 1 FROM holds h WHERE h.book = t.book AND h.ended_by = t.id)
        """,
    ),
    Law(
        "no account is below its floor",
        "SELECT book, id AS account_id, balance, held, floor FROM accounts "
        "WHERE balance - held < floor OR floor > 0",
    ),
    Law(
        "what is held is the sum of the open holds",
        """
        SELECT a.book, a.id AS account_id, a.held, h.points
        FROM accounts a LEFT JOIN (
            SELECT book, account_id, sum(points) AS points
            FROM holds WHERE status = 'PENDING' GROUP BY book, account_id
        ) h ON h.book = a.book AND h.account_id = a.id
        WHERE a.held <> coalesce(h.points, 0)
        """,
    ),
    Law(
        "a hold is spread over lots in full, and an open one is reserved in them",
        """
        SELECT h.book, h.id AS hold_id FROM holds h WHERE h.points <> (
            SELECT coalesce(sum(l.amount), 0) FROM hold_lots l
            WHERE l.book = h.book AND l.hold_id = h.id)
        UNION ALL
        SELECT l.book, l.account_id FROM lots l LEFT JOIN (
            SELECT h.book, h.account_id, p.lot_id, sum(p.amount) AS amount
            FROM holds h JOIN hold_lots p ON p.book = h.book AND p.hold_id = h.id
            WHERE h.status = 'PENDING' GROUP BY h.book, h.account_id, p.lot_id
        ) o ON o.book = l.book AND o.account_id = l.account_id AND o.lot_id = l.transaction_id
        WHERE l.held <> coalesce(o.amount, 0)
        """,
    ),
    Law(
        "a member's lots sum to the balance (and a debt)",
        f"""
        SELECT a.book, a.id AS account_id, a.balance, a.floor, l.remaining
        FROM accounts a LEFT JOIN (
            SELECT book, account_id, sum(remaining) AS remaining
            FROM lots GROUP BY book, account_id
        ) l ON l.book = a.book AND l.account_id = a.id
        WHERE {_MEMBERS} AND a.balance - a.floor <> coalesce(l.remaining, 0)
        """,
    ),
    Law(
        "what is left of a lot is what its uses have left, and not below zero",
        """
        SELECT l.book, l.account_id, l.transaction_id AS lot, l.amount, l.remaining, u.amount
        FROM lots l LEFT JOIN (
            SELECT book, account_id, lot_id, sum(amount) AS amount
            FROM lot_uses GROUP BY book, account_id, lot_id
        ) u ON u.book = l.book AND u.account_id = l.account_id AND u.lot_id = l.transaction_id
        WHERE l.amount - coalesce(u.amount, 0) <> l.remaining
           OR l.remaining < 0 OR l.held < 0 OR l.held > l.remaining
           OR (l.spent = 1) <> (l.remaining = 0)
        """,
    ),
    Law(
        "a lot is the credit of its transaction",
        """
        SELECT l.book, l.account_id, l.transaction_id AS lot FROM lots l
        LEFT JOIN entries e ON e.book = l.book AND e.account_id = l.account_id
            AND e.transaction_id = l.transaction_id
        WHERE e.amount IS NULL OR e.amount < l.amount
        """,
    ),
    Law(
        "a brand's pool is its outstanding points times the value in force",
        f"""
        SELECT p.book, p.owner_id AS brand_id, p.balance, p.rate, o.points
        FROM accounts p LEFT JOIN (
            SELECT book, unit, sum(balance) AS points
            FROM accounts WHERE {_MEMBERS} GROUP BY book, unit
        ) o ON o.book = p.book AND o.unit = p.owner_id
        WHERE p.kind = 'POOL' AND p.balance <> coalesce(o.points, 0) * p.rate
        """,
    ),
    Law(
        "a pool is carried at the valuation in force when it was last posted to",
        """
        SELECT p.book, p.owner_id AS brand_id, p.rate, v.redemption_rate
        FROM accounts p JOIN valuations v ON v.brand_id = p.owner_id
        WHERE p.kind = 'POOL' AND p.posted_at > 0 AND p.rate <> v.redemption_rate
          AND v.effective_from <= p.posted_at
          AND NOT EXISTS (SELECT 1 FROM valuations w WHERE w.brand_id = v.brand_id
                          AND w.effective_from > v.effective_from
                          AND w.effective_from <= p.posted_at)
        """,
    ),
    Law(
        "each book balances on its own, in every unit",
        """
        SELECT book, unit, sum(balance) AS amount FROM accounts
        GROUP BY book, unit HAVING sum(balance) <> 0
        """,
    ),
    Law(
        "the clearing accounts of all books sum to zero",
        """
        SELECT unit, sum(balance) AS amount FROM accounts WHERE kind = 'CLEARING'
        GROUP BY unit HAVING sum(balance) <> 0
        """,
    ),
    Law(
        "every acknowledged key exists once in the books",
        """
        SELECT k.client, k.key, k.command_id FROM idempotency_keys k JOIN (
            SELECT command_id FROM idempotency_keys WHERE rejection IS NULL
            EXCEPT SELECT id FROM transactions
            EXCEPT SELECT id FROM holds
            EXCEPT SELECT ended_by FROM holds
            EXCEPT SELECT id FROM members
            EXCEPT SELECT id FROM notes
        ) lost ON lost.command_id = k.command_id WHERE k.rejection IS NULL
        """,
    ),
    Law(
        "a definite refusal left nothing",
        """
        SELECT k.client, k.key, k.command_id FROM idempotency_keys k
        JOIN (SELECT id FROM transactions UNION ALL SELECT id FROM holds
              UNION ALL SELECT id FROM notes) made
            ON made.id = k.command_id
        WHERE k.rejection IS NOT NULL
        """,
    ),
    Law(
        "reversals of a transaction never exceed it",
        """
        SELECT o.book, o.id AS transaction_id, o.points, sum(r.points) AS reversed
        FROM transactions r JOIN transactions o ON o.book = r.book AND o.id = r.reverses
        GROUP BY o.book, o.id, o.points HAVING sum(r.points) > abs(o.points)
        UNION ALL
        SELECT r.book, r.id, r.points, NULL FROM transactions r
        WHERE r.reverses IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM transactions o WHERE o.book = r.book AND o.id = r.reverses)
        """,
    ),
    Law(
        "a debit uses up the earliest-expiring lot first, ties by age",
        """
        SELECT u.book, u.account_id, u.transaction_id, u.lot_id AS used, b.lot_id AS older
        FROM lot_uses u
        JOIN entries e ON e.book = u.book AND e.transaction_id = u.transaction_id
            AND e.account_id = u.account_id AND e.amount < 0
        JOIN transactions t ON t.book = u.book AND t.id = u.transaction_id
            AND t.kind NOT IN ('REVERSAL', 'EXPIRY')
        JOIN lots a ON a.book = u.book AND a.account_id = u.account_id
            AND a.transaction_id = u.lot_id
        JOIN (
            SELECT l.book, l.account_id, l.transaction_id AS lot_id, l.earned_at, l.expires_at,
                   m.version AS since,
                   sum(m.amount) OVER history AS remaining,
                   lead(m.version) OVER history AS until
            FROM lots l JOIN (
                SELECT m.book, m.account_id, m.lot_id, e.version, sum(m.amount) AS amount
                FROM (
                    SELECT book, account_id, transaction_id AS lot_id, transaction_id, amount
                    FROM lots
                    UNION ALL
                    SELECT book, account_id, lot_id, transaction_id, -amount FROM lot_uses
                ) m
                JOIN entries e ON e.book = m.book AND e.transaction_id = m.transaction_id
                    AND e.account_id = m.account_id
                GROUP BY m.book, m.account_id, m.lot_id, e.version
            ) m ON m.book = l.book AND m.account_id = l.account_id AND m.lot_id = l.transaction_id
            WHERE NOT EXISTS (SELECT 1 FROM hold_lots p JOIN holds h
                              ON h.book = p.book AND h.id = p.hold_id
                              WHERE p.book = l.book AND p.lot_id = l.transaction_id
                                AND h.account_id = l.account_id)
            WINDOW history AS (
                PARTITION BY l.book, l.account_id, l.transaction_id ORDER BY m.version)
        ) b ON b.book = u.book AND b.account_id = u.account_id
            AND b.since <= e.version AND (b.until IS NULL OR b.until > e.version)
            AND b.remaining > 0 AND b.expires_at > t.recorded_at
            AND (b.expires_at, b.earned_at, b.lot_id)
              < (a.expires_at, a.earned_at, a.transaction_id)
        WHERE NOT EXISTS (SELECT 1 FROM holds h WHERE h.book = t.book AND h.ended_by = t.id)
        """,
    ),
    Law(
        "every transfer has its transaction",
        """
        SELECT f.book, f.id AS transfer_id FROM transfers f
        LEFT JOIN transactions t ON t.book = f.book AND t.id = f.transaction_id
        WHERE t.id IS NULL OR t.points <> f.points_out OR t.kind <>
            CASE WHEN f.arrival_id IS NULL THEN 'CONVERSION' ELSE 'TRANSFER_OUT' END
        """,
    ),
    Law(
        "whatever leaves or arrives is a transfer's",
        """
        SELECT book, id AS transaction_id FROM transactions WHERE kind = 'TRANSFER_OUT'
        EXCEPT SELECT book, transaction_id FROM transfers
        UNION ALL
        SELECT * FROM (
            SELECT book, id FROM transactions WHERE kind = 'TRANSFER_IN'
            EXCEPT SELECT arrival_book, arrival_id FROM transfers
        ) arrived
        """,
    ),
    Law(
        "what has left has arrived as told, or is in transit",
        """
        SELECT f.book, f.id AS transfer_id, t.kind, t.points FROM transfers f
        LEFT JOIN transactions t ON t.book = f.arrival_book AND t.id = f.arrival_id
        WHERE f.arrival_id IS NOT NULL AND (
            t.kind <> 'TRANSFER_IN' OR t.points <> f.points_in
            OR t.id IS NULL AND NOT EXISTS (
                SELECT 1 FROM entries e JOIN accounts a ON a.book = e.book AND a.id = e.account_id
                WHERE e.book = f.book AND e.transaction_id = f.transaction_id
                  AND a.kind = 'TRANSIT'))
        """,
    ),
    Law(
        "a transfer arrives or is called off, and is taken back on both sides alike",
        """
        SELECT f.book, f.id AS transfer_id, o.points AS left_back, i.points AS arrived_back
        FROM transfers f
        LEFT JOIN transactions t ON t.book = f.arrival_book AND t.id = f.arrival_id
        LEFT JOIN (
            SELECT book, reverses, sum(points) AS points
            FROM transactions WHERE reverses IS NOT NULL GROUP BY book, reverses
        ) o ON o.book = f.book AND o.reverses = f.transaction_id
        LEFT JOIN (
            SELECT book, reverses, sum(points) AS points
            FROM transactions WHERE reverses IS NOT NULL GROUP BY book, reverses
        ) i ON i.book = f.arrival_book AND i.reverses = f.arrival_id
        WHERE f.arrival_id IS NOT NULL AND CASE
            WHEN t.id IS NULL THEN i.points IS NOT NULL OR o.points <> f.points_out
            ELSE coalesce(i.points, 0) * f.points_out < coalesce(o.points, 0) * f.points_in
              OR coalesce(i.points, 0) * f.points_out
                 >= coalesce(o.points, 0) * f.points_in + f.points_out
            END
        """,
    ),
    Law(
        "what is in transit is what is to arrive",
        """
        SELECT t.balance, p.amount FROM (
            SELECT coalesce(sum(balance), 0) AS balance FROM accounts WHERE kind = 'TRANSIT'
        ) t CROSS JOIN (
            SELECT coalesce(sum(e.amount), 0) AS amount
            FROM accounts a
            JOIN entries e ON e.book = a.book AND e.account_id = a.id
            JOIN transfers f ON f.book = e.book AND f.transaction_id = e.transaction_id
            WHERE a.kind = 'TRANSIT' AND f.arrival_id IS NOT NULL
              AND NOT EXISTS (SELECT 1 FROM transactions n
                              WHERE n.book = f.arrival_book AND n.id = f.arrival_id)
              AND NOT EXISTS (SELECT 1 FROM transactions r
                              WHERE r.book = f.book AND r.reverses = f.transaction_id)
        ) p WHERE t.balance <> p.amount
        """,
    ),
    Law(
        "no limit is used less than not at all, and each use is a transaction's",
        """
        SELECT book, account_id, name, sum(points) AS points, sum(count) AS count
        FROM cap_uses GROUP BY book, account_id, name HAVING sum(points) < 0 OR sum(count) < 0
        UNION ALL
        SELECT c.book, c.account_id, c.name, c.points, c.count FROM cap_uses c JOIN (
            SELECT transaction_id FROM cap_uses EXCEPT SELECT id FROM transactions
        ) lost ON lost.transaction_id = c.transaction_id
        """,
    ),
    Law(
        "whatever is posted has a position in its book's feed: 1, 2, 3 up to the last",
        """
        SELECT t.book, t.least, t.most, t.placed, t.unplaced, f.position, f.earlier
        FROM (
            SELECT book, min(position) AS least, max(position) AS most, count(position) AS placed,
                   count(DISTINCT position) AS places, count(*) - count(position) AS unplaced
            FROM transactions GROUP BY book
        ) t LEFT JOIN feeds f ON f.book = t.book
        WHERE f.book IS NULL OR t.unplaced <> f.earlier OR t.places <> t.placed
           OR t.least > 1 OR f.position <> t.placed OR f.position <> coalesce(t.most, 0)
        """,
    ),
    Law(
        "the positions of what moved an account rise with its versions",
        """
        SELECT book, account_id, version FROM (
            SELECT e.book, e.account_id, e.version, t.position,
                   lag(t.position) OVER (
                       PARTITION BY e.book, e.account_id ORDER BY e.version) AS before
            FROM entries e JOIN transactions t ON t.book = e.book AND t.id = e.transaction_id
        ) h WHERE coalesce(position, 0) <= before
        """,
    ),
    *BOOKING_LAWS,
)


async def audit(
    database: Database, report: Callable[[str, int, int], None] = lambda *_: None
) -> list[Finding]:
    """Checks every law; an empty list means that the books are right.

    `report(law, done, total)` is called before each law, and once at the end.
    """
    findings: list[Finding] = []
    for done, law in enumerate(LAWS):
        report(law.name, done, len(LAWS))
        rows = await database.fetch(f"SELECT * FROM ({law.broken}) broken LIMIT {SHOWN}")
        findings.extend(Finding(law.name, _where(row)) for row in rows)
    report("done", len(LAWS), len(LAWS))
    return findings


def _where(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in row.items() if value is not None)
