"""A law of the books, and those that speak of what is written beside them: notes and bookings."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Law:
    """A law in words, and the query for what breaks it. Its columns say where."""

    name: str
    broken: str


BOOKING_LAWS = (
    Law(
        "a credited segment has its accrual, of as many points, to its membership",
        """
        SELECT s.book, s.segment_id, s.step, s.points, t.kind, e.amount FROM booking_steps s
        LEFT JOIN transactions t ON t.id = s.transaction_id
        LEFT JOIN entries e ON e.book = t.book AND e.transaction_id = t.id
            AND e.account_id = s.membership_id
        WHERE s.status = 'CREDITED'
          AND (t.id IS NULL OR t.kind <> 'ACCRUAL' OR e.amount IS NULL OR e.amount <> s.points)
        """,
    ),
    Law(
        "what became of a segment is known from its beginning, without a gap",
        """
        SELECT s.book, s.id AS segment_id FROM booking_segments s
        LEFT JOIN (
            SELECT book, segment_id, count(*) AS steps, max(step) AS last, min(step) AS first
            FROM booking_steps GROUP BY book, segment_id
        ) t ON t.book = s.book AND t.segment_id = s.id
        WHERE t.steps IS NULL OR t.first <> 0 OR t.last <> t.steps - 1
        """,
    ),
    Law(
        "what has ended stays ended, and only what was credited is undone",
        """
        SELECT t.book, t.segment_id, t.step, t.status, n.status AS following
        FROM booking_steps t
        JOIN booking_steps n ON n.book = t.book AND n.segment_id = t.segment_id
            AND n.step = t.step + 1
        WHERE t.status IN ('DETACHED', 'VOIDED')
           OR (t.status = 'CREDITED' AND n.status <> 'VOIDED')
           OR (n.status = 'DETACHED' AND t.status <> 'PENDING')
        """,
    ),
    Law(
        "a flight is credited to a member once at a time, by a segment that is credited",
        """
        SELECT book, member_id, flight, count(*) AS credits FROM (
            SELECT f.book, f.member_id, f.flight, f.turn FROM flown f WHERE f.undone = 0
              AND NOT EXISTS (SELECT 1 FROM flown u WHERE u.book = f.book AND u.undone = 1
                              AND u.member_id = f.member_id AND u.flight = f.flight
                              AND u.turn = f.turn)
        ) open GROUP BY book, member_id, flight HAVING count(*) > 1
        UNION ALL
        SELECT u.book, u.member_id, u.flight, u.turn FROM flown u
        WHERE u.undone = 1 AND NOT EXISTS (
            SELECT 1 FROM flown f WHERE f.book = u.book AND f.member_id = u.member_id
              AND f.flight = u.flight AND f.turn = u.turn AND f.undone = 0)
        """,
    ),
    Law(
        "a voided segment keeps no points, but what a clawback could not take",
        """
        SELECT v.book, v.segment_id, v.points, r.points AS reversed FROM booking_steps v
        JOIN brands b ON b.id = v.brand_id
        LEFT JOIN (SELECT reverses, sum(points) AS points FROM transactions
                   WHERE reverses IS NOT NULL GROUP BY reverses) r ON r.reverses = v.transaction_id
        WHERE v.status = 'VOIDED' AND v.transaction_id IS NOT NULL
          AND b.clawback <> 'UP_TO_BALANCE' AND coalesce(r.points, 0) <> v.points
        """,
    ),
    Law(
        "an approved claim has its accrual, of as many points, to its membership",
        """
        SELECT s.book, s.claim_id, s.step, s.points, t.kind, e.amount FROM credit_claim_steps s
        LEFT JOIN credit_claims c ON c.book = s.book AND c.id = s.claim_id
        LEFT JOIN transactions t ON t.id = s.transaction_id
        LEFT JOIN entries e ON e.book = t.book AND e.transaction_id = t.id
            AND e.account_id = c.membership_id
        WHERE s.status = 'APPROVED'
          AND (t.id IS NULL OR t.kind <> 'ACCRUAL' OR e.amount IS NULL OR e.amount <> s.points)
        """,
    ),
)
"""The laws of bookings and claims."""
