"""The audit finds nothing wrong with right books, and names the law that wrong ones break."""

import pytest

from brands.ledger.writer import Ledger
from tests.brands.ledger.asking import accrual, adjustment, conversion, hold, redemption, reverse
from tests.brands.ledger.books import Books

NO_TRIGGERS = """
SELECT name FROM sqlite_master WHERE type = 'trigger'
"""


async def busy(books: Books) -> None:
    """Books in which something of everything has happened."""
    ledger = await books.ledger()
    try:
        brand, other = books.brands[:2]
        account, second = books.members[0].accounts[:2]
        (await ledger.submit(accrual(brand, account, 100))).accepted()
        (await ledger.submit(accrual(brand, account, 50, expires=2**61))).accepted()
        spent = (await ledger.submit(redemption(brand, account, 70))).accepted()
        (await ledger.submit(conversion(brand, account, other, second, 40))).accepted()
        (await ledger.submit(hold(account, 5))).accepted()
        (await ledger.submit(reverse(spent.id, 20))).accepted()
        await ledger.submit(redemption(brand, account, 10_000))
    finally:
        await ledger.close()


async def test_a_negative_adjustment_may_be_reversed_in_part(books: Books, ledger: Ledger) -> None:
    """Points taken by hand and given back in parts leave books that the audit accepts."""
    brand, account = books.brands[0], books.members[0].accounts[0]
    (await ledger.submit(accrual(brand, account, 50))).accepted()
    taken = (await ledger.submit(adjustment(brand, account, -7))).accepted()
    (await ledger.submit(reverse(taken.id, 3))).accepted()
    (await ledger.submit(reverse(taken.id))).accepted()
    assert await books.balance(account) == 50
    assert await books.broken_laws() == []


@pytest.mark.parametrize(
    ("damage", "law"),
    [
        ("UPDATE entries SET amount = amount + 1 WHERE version = 2", "sum to zero"),
        ("DELETE FROM entries", "every transaction has entries"),
        ("DELETE FROM transactions WHERE kind = 'ACCRUAL'", "its transaction and its account"),
        ("UPDATE accounts SET balance = balance + 1 WHERE kind = 'POINTS'", "sum of its entries"),
        ("UPDATE entries SET balance = balance + 1 WHERE version = 1", "running balances replay"),
        ("UPDATE entries SET version = version + 1", "running balances replay"),
        ("UPDATE lots SET held = 0", "an open one is reserved"),
        ("DELETE FROM hold_lots", "spread over lots in full"),
        ("DELETE FROM lots", "lots sum to the balance"),
        ("DELETE FROM lot_uses", "what its uses have left"),
        ("UPDATE lots SET amount = 999, remaining = 999 WHERE spent = 0", "credit of its"),
        ("UPDATE accounts SET rate = rate + 1 WHERE kind = 'POOL'", "times the value in force"),
        ("UPDATE accounts SET rate = rate * 2 WHERE kind = 'POOL'", "at the valuation in force"),
        ("UPDATE accounts SET balance = 1 WHERE kind = 'CLEARING'", "clearing accounts"),
        ("UPDATE accounts SET balance = 1 WHERE kind = 'ROUNDING'", "balances on its own"),
        ("UPDATE idempotency_keys SET command_id = client", "every acknowledged key"),
        ("UPDATE idempotency_keys SET rejection = '{}'", "a definite refusal left nothing"),
        ("UPDATE transactions SET points = 1 WHERE kind = 'REDEMPTION'", "reversals of"),
        ("DELETE FROM hold_lots; UPDATE lots SET expires_at = 2 * earned_at WHERE amount = 100",
         "earliest-expiring lot first"),
    ],
)  # fmt: skip
async def test_the_audit_names_what_is_broken(sqlite_books: Books, damage: str, law: str) -> None:
    """Whoever changes the rows by hand, triggers and checks put aside, is found out."""
    await busy(sqlite_books)
    assert await sqlite_books.broken_laws() == []
    for row in await sqlite_books.fetch(NO_TRIGGERS):
        await sqlite_books.fetch(f"DROP TRIGGER {row['name']}")
    for statement in damage.split(";"):
        await sqlite_books.fetch(statement)
    assert any(law in finding for finding in await sqlite_books.broken_laws())
