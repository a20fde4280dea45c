"""The audit finds what is wrong: for each law, books broken so that only somebody with the database
in hand could have done it."""

import pytest

from brands.ids import new_id
from brands.ledger.audit import LAWS
from brands.ledger.commands import Shortfall
from tests.brands.ledger.asking import (
    accrual,
    call_off,
    capture,
    claim,
    delayed,
    gift,
    hold,
    limit,
    redemption,
    reverse,
    take_back,
)
from tests.brands.ledger.books import Books

GUARDED = ("transactions", "entries", "lot_uses", "hold_lots", "transfers", "cap_uses")


@pytest.fixture
async def unguarded(books: Books) -> Books:
    """Right books, with something of everything, whose triggers have been dropped."""
    brand, account = books.brands[0], books.members[0].accounts[0]
    other, placed, open_ = books.members[1].accounts[0], hold(account, 20), hold(account, 7)
    earned = accrual(brand, account, 100, expires=2**60)
    spent = redemption(brand, account, 30)
    given = gift(brand, account, brand, other, 8, caps=(limit(account, 8),))
    arrived, arrival = delayed(brand, account, brand, other, 3)
    under_way, _ = delayed(brand, account, brand, other, 2)
    called_off, _ = delayed(brand, account, brand, other, 1)
    ledger = await books.ledger()
    try:
        for command in (
            earned,
            accrual(brand, account, 50),
            spent,
            accrual(brand, other, 10),
            placed,
            open_,
            capture(brand, placed, 5),
            *(given, arrived, arrival, under_way, called_off),
        ):
            (await ledger.submit(command)).accepted()
        for correction in (
            reverse(spent.id, 10, Shortfall.REJECT),
            call_off(called_off),
            take_back(given, 4),
        ):
            (await ledger.submit(correction)).accepted()
        await ledger.submit(redemption(brand, account, 10_000, claim=claim("refused")))
    finally:
        await ledger.close()
    assert await books.broken_laws() == []
    for table in GUARDED:
        if books.is_sqlite:
            for verb in ("update", "delete"):
                await books.fetch(f"DROP TRIGGER {table}_no_{verb}")
        else:
            await books.fetch(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    return books


SPENT = "(SELECT id FROM transactions WHERE kind = 'REDEMPTION' AND points = 30)"
EARNED = "(SELECT id FROM transactions WHERE kind = 'ACCRUAL' AND points = 50)"
OTHER = "(SELECT id FROM transactions WHERE kind = 'ACCRUAL' AND points = 10)"
TAKEN_BACK = (
    "INSERT INTO transactions SELECT book, $1, 'REVERSAL', event_at, recorded_at, client,"
    " request_id, NULL, NULL, id, points, NULL FROM transactions WHERE {}"
)

STEP = "INSERT INTO booking_steps SELECT 0, $1, {}, 'c', 1 FROM (SELECT id FROM brands LIMIT 1) b"

BROKEN = {
    "the entries of a transaction sum to zero in every unit": (
        f"UPDATE entries SET amount = amount + 1 WHERE transaction_id = {OTHER} AND amount > 0"
    ),
    "every transaction has entries": f"DELETE FROM entries WHERE transaction_id = {OTHER}",
    "every entry has its transaction and its account": (
        f"DELETE FROM transactions WHERE id = {OTHER}"
    ),
    "a balance is the sum of its entries, and its version their number": (
        "UPDATE accounts SET balance = balance + 1 WHERE kind = 'ISSUED' AND version > 0"
    ),
    "running balances replay, versions have no gaps, time does not run backwards": (
        f"UPDATE entries SET recorded_at = 1 WHERE transaction_id = {SPENT}"
    ),
    "no member goes below zero": (
        f"UPDATE entries SET balance = -1 WHERE transaction_id = {SPENT} AND amount = -30"
    ),
    "no account is below its floor": (
        "UPDATE accounts SET floor = 1 WHERE kind = 'POINTS' AND balance > 50"
    ),
    "what is held is the sum of the open holds": (
        "UPDATE accounts SET held = held + 1 WHERE held > 0"
    ),
    "a hold is spread over lots in full": "UPDATE hold_lots SET amount = amount + 1",
    "a member's lots sum to the balance": "UPDATE lots SET remaining = 51 WHERE remaining = 50",
    "what is left of a lot is what its uses have left": (
        "UPDATE lot_uses SET amount = amount + 1 WHERE amount > 0"
    ),
    "a lot is the credit of its transaction": (
        f"UPDATE lots SET amount = 200, remaining = 200 WHERE transaction_id = {OTHER}"
    ),
    "a brand's pool is its outstanding points": (
        "UPDATE accounts SET balance = balance + rate WHERE kind = 'POOL' AND version > 0"
    ),
    "a pool is carried at the valuation in force": (
        "UPDATE accounts SET rate = rate + 1 WHERE kind = 'POOL' AND version > 0"
    ),
    "each book balances on its own": "UPDATE accounts SET balance = 1 WHERE kind = 'BREAKAGE'",
    "the clearing accounts of all books sum to zero": (
        "UPDATE accounts SET balance = 1 WHERE kind = 'CLEARING' AND book = 0"
    ),
    "every acknowledged key exists once": (
        "UPDATE idempotency_keys SET rejection = NULL WHERE key = 'refused'"
    ),
    "a definite refusal left nothing": (
        f"UPDATE idempotency_keys SET rejection = '{{}}' WHERE command_id = {SPENT}"
    ),
    "reversals of a transaction never exceed it": (
        "UPDATE transactions SET points = 31 WHERE kind = 'REVERSAL' AND points = 10"
    ),
    "a debit uses up the earliest-expiring lot first": (
        f"UPDATE lots SET expires_at = {2**60 - 1} WHERE transaction_id = {EARNED}"
    ),
    "every transfer has its transaction": (
        "INSERT INTO transfers"
        " VALUES (0, $1, 'c', $1, $1, 1, 1, 1, 0, 0, '', $1, $1, 1, 2, NULL, NULL)"
    ),
    "whatever leaves or arrives is a transfer's": "DELETE FROM transfers WHERE points_out = 2",
    "what has left has arrived as told, or is in transit": (
        "UPDATE transfers SET points_in = 9 WHERE points_out = 3"
    ),
    "a transfer arrives or is called off, and is taken back on both sides alike": (
        TAKEN_BACK.format("kind = 'TRANSFER_OUT' AND points = 3")
    ),
    "what is in transit is what is to arrive": (
        "UPDATE accounts SET balance = 1 WHERE kind = 'TRANSIT' AND book = 1"
    ),
    "no limit is used less than not at all": "UPDATE cap_uses SET points = -9 WHERE points < 0",
    "whatever is posted has a position in its book's feed": (
        "UPDATE feeds SET position = position + 1 WHERE book = 0"
    ),
    "the positions of what moved an account rise with its versions": (
        f"UPDATE transactions SET position = 1000 WHERE id = {SPENT}"
    ),
    "a credited segment has its accrual": STEP.format(
        "0, $1, 'CREDITED', id, 'n', $1, $1, '', '2026-01-05', 5, NULL, $1"
    ),
    "what became of a segment is known from its beginning": (
        "INSERT INTO booking_segments VALUES (0, $1, $1, 'i', 1)"
    ),
    "bookings are found by what their last steps say": (
        STEP.format("0, $1, 'PENDING', id, 'n', $1, $1, '', '2026-01-05', NULL, NULL, NULL")
        + "; DELETE FROM booking_states"
    ),
    "what has ended stays ended, and only what was credited is undone": STEP.format(
        "n, $1, s, id, 'n', NULL, $1, '', '2026-01-05', NULL, NULL, NULL"
    )
    + ", (SELECT 0 AS n, 'VOIDED' AS s UNION SELECT 1, 'PENDING') t",
    "a booking has a flight or stay once": (
        "INSERT INTO booking_segments SELECT 0, id, (SELECT id FROM transactions LIMIT 1), 'i', 1"
        " FROM brands; INSERT INTO booking_steps SELECT 0, id, 0, (SELECT id FROM transactions"
        " LIMIT 1), 'PENDING', id, 'n', NULL, id, '', '2026-01-05', NULL, NULL, NULL, 'c', 1"
        " FROM brands"
    ),
    "a flight is credited to a member once at a time": (
        "INSERT INTO flown VALUES (0, $1, 'f', 0, 1, $1, 1)"
    ),
    "claims are found by what their last steps say": (
        "INSERT INTO credit_claims VALUES (0, $1, $1, NULL, $1, 'n', NULL, $1, '{}', 1)"
        "; INSERT INTO credit_claim_steps VALUES (0, $1, 0, 'OPEN', NULL, NULL, NULL, 'c', 1)"
        "; DELETE FROM credit_claim_lists"
    ),
    "a claim that is or was approved has its accrual": (
        "INSERT INTO credit_claim_steps VALUES (0, $1, 1, 'APPROVED', 5, 'r', $1, 'c', 1)"
    ),
    "what was nobody's claim is linked": "INSERT INTO credit_claim_links VALUES (0, $1, $1, 1)",
    "what became of a claim is known from its beginning": (
        "INSERT INTO credit_claims VALUES (0, $1, $1, NULL, $1, 'n', NULL, $1, '{}', 1)"
    ),
    "a claim is decided once": (
        "INSERT INTO credit_claim_steps VALUES (0, $1, 1, 'REJECTED', NULL, 'r', NULL, 'c', 1)"
    ),
    "a journey is credited by a claim": (
        "INSERT INTO credit_claim_steps VALUES (0, $1, 1, 'APPROVED', 5, 'r', $1, 'c', 1)"
    ),
    "a journey is credited by a segment": STEP.format(
        "0, $1, 'CREDITED', id, 'n', $1, $1, '', '2026-01-05', 5, NULL, $1"
    ),
    "what is credited is credited by a segment or by a claim": (
        "INSERT INTO flown VALUES (0, $1, 'f', 0, 0, $1, 1)"
    ),
    "a segment that a claim has credited": STEP.format(
        "0, $1, 'CREDITED', id, 'n', $1, $1, '', '2026-01-05', 5, NULL, $1"
    )
    + "; INSERT INTO credit_claim_steps VALUES (0, $1, 1, 'VOIDED', 5, 'r', $1, 'c', 1)",
    "a voided segment keeps no points": STEP.format(
        "0, $1, 'VOIDED', id, 'n', $1, $1, '', '2026-01-05', 5, 'VOID', $1"
    ),
}

OTHERWISE = (
    (
        "every transfer has its transaction",
        "UPDATE transactions SET kind = 'CONVERSION' WHERE kind = 'TRANSFER_OUT' AND points = 2",
    ),
    (
        "whatever leaves or arrives is a transfer's",
        "UPDATE transfers SET arrival_id = $1 WHERE points_out = 3",
    ),
    (
        "what has left has arrived as told, or is in transit",
        "UPDATE transfers SET arrival_id = $1 WHERE points_out = 8",
    ),
    (
        "what has left has arrived as told, or is in transit",
        "UPDATE transactions SET kind = 'ADJUSTMENT' WHERE kind = 'TRANSFER_IN' AND points = 3",
    ),
    (
        "a transfer arrives or is called off",
        "UPDATE transactions SET points = 3 WHERE points = 4 AND kind = 'REVERSAL' AND book = 1",
    ),
    (
        "a transfer arrives or is called off",
        "UPDATE transactions SET points = 5 WHERE points = 4 AND kind = 'REVERSAL' AND book = 1",
    ),
    (
        "a transfer arrives or is called off",
        "UPDATE transfers SET points_out = 5 WHERE points_out = 1",
    ),
    (
        "what is in transit is what is to arrive",
        "UPDATE transfers SET arrival_id = $1 WHERE points_out = 3",
    ),
    (
        "what is in transit is what is to arrive",
        TAKEN_BACK.format("kind = 'TRANSFER_OUT' AND points = 2"),
    ),
    ("no limit is used less than not at all", "UPDATE cap_uses SET count = -1"),
    ("whatever is posted has a position", f"DELETE FROM transactions WHERE id = {SPENT}"),
    ("whatever is posted has a position", "DELETE FROM feeds WHERE book = 1"),
    ("whatever is posted has a position", "UPDATE feeds SET earlier = 1 WHERE book = 0"),
    (
        "whatever is posted has a position",
        f"UPDATE transactions SET position = NULL WHERE id = {SPENT}",
    ),
    (
        "whatever is posted has a position",
        "UPDATE transactions SET position = position + 1000 WHERE position > 1 AND book = 0",
    ),
    (
        "no limit is used less than not at all",
        "UPDATE cap_uses SET transaction_id = $1 WHERE points > 0",
    ),
    (
        "a flight is credited to a member once at a time",
        "INSERT INTO flown SELECT 0, $1, 'f', n, 0, $1, 1 FROM (SELECT 0 AS n UNION SELECT 1) t",
    ),
)
"""Other ways to break some of them."""


@pytest.mark.parametrize(("law", "sql"), [*BROKEN.items(), *OTHERWISE])
async def test_a_broken_law_is_named(unguarded: Books, law: str, sql: str) -> None:
    """Whatever is changed behind the books' back is found, under the name of the law it breaks."""
    one = new_id(0)
    for statement in sql.split(";"):
        await unguarded.fetch(statement, *([one] if "$1" in statement else []))
    assert [found for found in await unguarded.broken_laws() if found.startswith(law)]


def test_every_law_can_be_broken() -> None:
    """No law is audited of which this file does not show that it can fail."""
    assert [law.name for law in LAWS if not any(law.name.startswith(name) for name in BROKEN)] == []
