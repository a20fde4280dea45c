"""Claims that are withdrawn, and a step of its own for a claim that is taken back.

So far that was read from what is flown; now the last step of a claim says what it is, and a claim
that was taken back before gets that step here, with the reason and the moment of it.
"""

from typing import Any

from tortoise.migrations import Migration as TortoiseMigration
from tortoise.migrations.operations import RunPython

from brands.tables.migrations._both import append_only, remade, sql

COLUMNS = "book, claim_id, step, status, points, reason, transaction_id, client, recorded_at"

CHECKS = {
    "credit_claim_steps_of_status": "status IN"
    " ('OPEN', 'APPROVED', 'REJECTED', 'APPEALED', 'VOIDED', 'WITHDRAWN')",
    "credit_claim_steps_of_transaction": "(status IN ('APPROVED', 'VOIDED'))"
    " = (transaction_id IS NOT NULL)",
    "credit_claim_steps_of_points": "(status IN ('APPROVED', 'VOIDED')) = (points IS NOT NULL)",
    "credit_claim_steps_of_reason": "(status IN ('APPROVED', 'REJECTED', 'VOIDED'))"
    " = (reason IS NOT NULL)",
}

EARLIER_CHECKS = (
    "credit_claim_steps_status_check",
    "credit_claim_steps_check",
    "credit_claim_steps_check1",
    "credit_claim_steps_check2",
)
"""As PostgreSQL has named them."""

STEPS = f"""
    book            {{small}} NOT NULL,
    claim_id        {{uuid}} NOT NULL,
    step            {{integer}} NOT NULL CHECK (step >= 0),
    status          {{text}} NOT NULL,
    points          {{integer}} CHECK (points > 0),
    reason          {{text}},
    transaction_id  {{uuid}},
    client          {{text}} NOT NULL,
    recorded_at     {{integer}} NOT NULL,
    PRIMARY KEY (book, claim_id, step),
    {", ".join(f"CONSTRAINT {name} CHECK ({check})" for name, check in CHECKS.items())}
"""

TAKEN_BACK = f"""
INSERT INTO credit_claim_steps ({COLUMNS})
SELECT s.book, s.claim_id, s.step + 1, 'VOIDED', s.points,
    coalesce(
        (SELECT max(b.reason) FROM booking_steps b
         WHERE b.transaction_id = s.transaction_id AND b.status = 'VOIDED'),
        (SELECT max(r.description) FROM transactions r WHERE r.reverses = s.transaction_id),
        'Taken back.'
    ),
    s.transaction_id,
    coalesce(
        (SELECT max(r.client) FROM transactions r WHERE r.reverses = s.transaction_id), s.client
    ),
    undone.at
FROM credit_claim_steps s
JOIN (
    SELECT f.subject_id, max(u.recorded_at) AS at FROM flown f
    JOIN flown u ON u.book = f.book AND u.member_id = f.member_id AND u.flight = f.flight
        AND u.turn = f.turn AND u.undone = 1
    WHERE f.undone = 0 GROUP BY f.subject_id
) undone ON undone.subject_id = s.claim_id
WHERE s.status = 'APPROVED' AND NOT EXISTS (
    SELECT 1 FROM credit_claim_steps n
    WHERE n.book = s.book AND n.claim_id = s.claim_id AND n.step = s.step + 1)
"""

INDEXES = [
    "CREATE INDEX IF NOT EXISTS credit_claim_steps_transaction ON credit_claim_steps"
    " (transaction_id) WHERE transaction_id IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS booking_steps_credited ON booking_steps"
    " (brand_id, number, travelled_on) WHERE status = 'CREDITED'",
]


async def _widen(_: Any, editor: Any) -> None:
    """Lets a step be one of the new statuses."""
    if editor.DIALECT == "postgres":
        dropped = (f"DROP CONSTRAINT IF EXISTS {name}" for name in (*EARLIER_CHECKS, *CHECKS))
        added = (f"ADD CONSTRAINT {name} CHECK ({check})" for name, check in CHECKS.items())
        await editor.client.execute_script(
            f"ALTER TABLE credit_claim_steps {', '.join((*dropped, *added))}"
        )
        return
    await remade(editor, "credit_claim_steps", STEPS, COLUMNS)


class Migration(TortoiseMigration):
    """What else becomes of a claim."""

    dependencies = [("brands", "m0012_booking_filters")]
    operations = [
        RunPython(_widen),
        sql([TAKEN_BACK, *INDEXES]),
        append_only("credit_claim_steps"),
    ]
