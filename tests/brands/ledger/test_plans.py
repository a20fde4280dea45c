"""How the databases find what the writer asks for: by key, however large the tables have grown."""

import sqlite3

from brands.ledger import sqlite
from tests.brands.ledger.books import Books


def test_sqlite_finds_accounts_by_their_keys(sqlite_books: Books) -> None:
    """No account is looked for by reading them all."""
    connection = sqlite3.connect(sqlite_books.path)
    try:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {sqlite._ACCOUNTS}", ("[]",)).fetchall()
    finally:
        connection.close()
    steps = [step for *_, step in plan]
    assert any(step.startswith("SEARCH a USING") and "book=? AND id=?" in step for step in steps)
    assert not any(step.startswith("SCAN a") and "asked" not in step for step in steps)
