"""A law of the books, and those that speak of what is written beside them: notes and bookings."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Law:
    """A law in words, and the query for what breaks it. Its columns say where."""

    name: str
    broken: str


_CREDITED = """
    SELECT f.subject_id, count(*) AS flights FROM flown f
    WHERE f.undone = 0 AND NOT EXISTS (SELECT 1 FROM flown u
        WHERE u.book = f.book AND u.member_id = f.member_id AND u.flight = f.flight
          AND u.turn = f.turn AND u.undone = 1)
    GROUP BY f.subject_id
"""
"""What has credited a journey, and not had it taken back."""

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
        "a booking has a flight or stay once, but for travellers with tickets of their own",
        """
        SELECT s.book, s.booking_id, s.identity, count(*) AS segments FROM booking_segments s
        JOIN booking_steps t ON t.book = s.book AND t.segment_id = s.id
        WHERE t.status NOT IN ('DETACHED', 'VOIDED') AND t.facts NOT LIKE '%"ticket":%'
          AND NOT EXISTS (SELECT 1 FROM booking_steps n WHERE n.book = t.book
                          AND n.segment_id = t.segment_id AND n.step = t.step + 1)
        GROUP BY s.book, s.booking_id, s.identity HAVING count(*) > 1
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
          AND NOT EXISTS (SELECT 1 FROM actions a WHERE a.action = 'brand.update'
                          AND a.subject = b.code AND a.details LIKE '%"UP_TO_BALANCE"%')
        """,
    ),
    Law(
        "bookings are found by what their last steps say",
        """
        SELECT t.book, t.segment_id, t.step, t.status, s.status AS found FROM booking_steps t
        LEFT JOIN bookings b ON b.book = t.book AND b.id = t.booking_id
        LEFT JOIN booking_states s ON s.book = t.book AND s.booking_id = t.booking_id
            AND s.segment_id = t.segment_id
        WHERE NOT EXISTS (SELECT 1 FROM booking_steps n WHERE n.book = t.book
                          AND n.segment_id = t.segment_id AND n.step = t.step + 1)
          AND (s.step IS NULL OR s.step <> t.step OR s.status <> t.status
               OR s.brand_id <> t.brand_id OR s.supplier_id <> t.supplier_id
               OR s.agency_id IS NULL OR s.agency_id <> b.agency_id
               OR s.created_at <> b.created_at)
        """,
    ),
    Law(
        "claims are found by what their last steps say",
        """
        SELECT o.book, o.claim_id, o.owner_id, t.status, l.status AS found FROM (
            SELECT book, id AS claim_id, brand_id AS owner_id FROM credit_claims
            UNION SELECT book, id, supplier_id FROM credit_claims
            UNION SELECT book, id, agency_id FROM credit_claims WHERE agency_id IS NOT NULL
            UNION SELECT book, id, membership_id FROM credit_claims
                  WHERE membership_id IS NOT NULL
            UNION SELECT book, claim_id, membership_id FROM credit_claim_links) o
        JOIN credit_claim_steps t ON t.book = o.book AND t.claim_id = o.claim_id
        LEFT JOIN credit_claim_lists l ON l.claim_id = o.claim_id AND l.owner_id = o.owner_id
        WHERE NOT EXISTS (SELECT 1 FROM credit_claim_steps n WHERE n.book = t.book
                          AND n.claim_id = t.claim_id AND n.step = t.step + 1)
          AND (l.status IS NULL OR l.status <> t.status)
        """,
    ),
    Law(
        "a claim that is or was approved has its accrual, of as many points, to its membership",
        """
        SELECT s.book, s.claim_id, s.step, s.points, t.kind, e.amount FROM credit_claim_steps s
        LEFT JOIN credit_claims c ON c.book = s.book AND c.id = s.claim_id
        LEFT JOIN credit_claim_links k ON k.book = s.book AND k.claim_id = s.claim_id
        LEFT JOIN transactions t ON t.id = s.transaction_id
        LEFT JOIN entries e ON e.book = t.book AND e.transaction_id = t.id
            AND e.account_id = coalesce(c.membership_id, k.membership_id)
        WHERE s.status IN ('APPROVED', 'VOIDED')
          AND (t.id IS NULL OR t.kind <> 'ACCRUAL' OR e.amount IS NULL OR e.amount <> s.points)
        """,
    ),
    Law(
        "what was nobody's claim is linked when it is approved",
        """
        SELECT k.book, k.claim_id, c.membership_id FROM credit_claim_links k
        LEFT JOIN credit_claims c ON c.book = k.book AND c.id = k.claim_id
        WHERE c.id IS NULL OR c.membership_id IS NOT NULL
           OR NOT EXISTS (SELECT 1 FROM credit_claim_steps s WHERE s.book = k.book
                          AND s.claim_id = k.claim_id AND s.status = 'APPROVED'
                          AND s.recorded_at = k.created_at)
        """,
    ),
    Law(
        "what became of a claim is known from its beginning, without a gap",
        """
        SELECT c.book, c.id AS claim_id FROM credit_claims c
        LEFT JOIN (
            SELECT book, claim_id, count(*) AS steps, max(step) AS last, min(step) AS first
            FROM credit_claim_steps GROUP BY book, claim_id
        ) t ON t.book = c.book AND t.claim_id = c.id
        WHERE t.steps IS NULL OR t.first <> 0 OR t.last <> t.steps - 1
        """,
    ),
    Law(
        "a claim is decided once, and after one appeal once more; what is approved can be taken"
        " back, and what is withdrawn, taken back or finally rejected stays so",
        """
        SELECT n.book, n.claim_id, n.step, t.status, n.status AS following
        FROM credit_claim_steps n
        LEFT JOIN credit_claim_steps t ON t.book = n.book AND t.claim_id = n.claim_id
            AND t.step = n.step - 1
        WHERE NOT coalesce(CASE n.status
            WHEN 'OPEN' THEN n.step = 0
            WHEN 'APPROVED' THEN t.status IN ('OPEN', 'APPEALED')
            WHEN 'REJECTED' THEN t.status IN ('OPEN', 'APPEALED')
            WHEN 'WITHDRAWN' THEN t.status = 'OPEN'
            WHEN 'APPEALED' THEN t.status = 'REJECTED' AND n.step = 2
            WHEN 'VOIDED' THEN t.status = 'APPROVED'
        END, false)
        """,
    ),
    Law(
        "a journey is credited by a claim just as long as the claim is approved",
        f"""
        SELECT t.book, t.claim_id, t.step, t.status, f.flights FROM credit_claim_steps t
        LEFT JOIN ({_CREDITED}) f ON f.subject_id = t.claim_id
        WHERE (t.status = 'APPROVED') <> (f.flights IS NOT NULL) AND NOT EXISTS (
            SELECT 1 FROM credit_claim_steps n
            WHERE n.book = t.book AND n.claim_id = t.claim_id AND n.step = t.step + 1)
        """,
    ),
    Law(
        "a journey is credited by a segment just as long as that is credited, and by no claim",
        f"""
        SELECT t.book, t.segment_id, t.step, t.status, f.flights FROM booking_steps t
        LEFT JOIN credit_claim_steps c ON c.transaction_id = t.transaction_id
            AND c.status = 'APPROVED'
        LEFT JOIN ({_CREDITED}) f ON f.subject_id = t.segment_id
        WHERE (t.status = 'CREDITED' AND c.claim_id IS NULL) <> (f.flights IS NOT NULL)
          AND NOT EXISTS (SELECT 1 FROM booking_steps n
            WHERE n.book = t.book AND n.segment_id = t.segment_id AND n.step = t.step + 1)
        """,
    ),
    Law(
        "what is credited is credited by a segment or by a claim",
        f"""
        SELECT f.subject_id, f.flights FROM ({_CREDITED}) f
        WHERE NOT EXISTS (SELECT 1 FROM booking_segments s WHERE s.id = f.subject_id)
          AND NOT EXISTS (SELECT 1 FROM credit_claims c WHERE c.id = f.subject_id)
        """,
    ),
    Law(
        "a segment that a claim has credited is credited as long as the claim is approved",
        """
        SELECT t.book, t.segment_id, t.status, c.claim_id, c.status AS claimed
        FROM booking_steps t
        JOIN credit_claim_steps c ON c.transaction_id = t.transaction_id
        WHERE (t.status = 'CREDITED') <> (c.status = 'APPROVED')
          AND NOT EXISTS (SELECT 1 FROM booking_steps n
            WHERE n.book = t.book AND n.segment_id = t.segment_id AND n.step = t.step + 1)
          AND NOT EXISTS (SELECT 1 FROM credit_claim_steps n
            WHERE n.book = c.book AND n.claim_id = c.claim_id AND n.step = c.step + 1)
        """,
    ),
)
"""The laws of bookings and claims."""
