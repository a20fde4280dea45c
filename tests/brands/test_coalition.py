"""Founding a coalition and opening it."""

from pathlib import Path

import pytest

from brands.coalition import Coalition, FoundedOtherwise, NotFounded, found, open_coalition
from brands.database import as_uuid, migrate
from brands.ledger.chart import COALITION, COALITION_MONEY_KINDS, stripe


async def test_a_coalition_has_its_accounts_in_every_book(coalition: Coalition) -> None:
    """Founding opens the coalition's own accounts, at zero, in each of its books."""
    rows = await coalition.database.fetch("SELECT * FROM accounts WHERE owner_id = $1", COALITION)
    assert {as_uuid(row["id"]) for row in rows} == {
        stripe(book, COALITION, kind)
        for book in range(coalition.books)
        for kind in COALITION_MONEY_KINDS
    }
    assert {(row["balance"], row["version"], row["floor"]) for row in rows} == {(0, 0, None)}
    assert (coalition.currency, coalition.minor_digits) == ("USD", 2)


async def test_founding_again_changes_nothing(coalition: Coalition, url: str) -> None:
    """A founded coalition stays as it is when the same one is founded again."""
    before = await coalition.database.fetch("SELECT * FROM coalition")
    await found(url, name="Test")
    assert await coalition.database.fetch("SELECT * FROM coalition") == before


@pytest.mark.parametrize(
    ("currency", "minor_digits", "books"), [("EUR", 2, None), ("USD", 3, None), ("USD", 2, 5)]
)
async def test_a_coalition_is_founded_once(
    coalition: Coalition, url: str, currency: str, minor_digits: int, books: int | None
) -> None:
    """Founding a coalition with another currency or number of books is refused."""
    with pytest.raises(FoundedOtherwise):
        await found(url, name="Test", currency=currency, minor_digits=minor_digits, books=books)
    assert coalition.currency == "USD"


@pytest.mark.parametrize(
    ("currency", "minor_digits", "books"),
    [("usd", 2, None), ("DOLLAR", 2, None), ("USD", 5, None), ("USD", -1, None), ("USD", 2, 0),
     ("USD", 2, 1025)],
)  # fmt: skip
async def test_what_cannot_be_founded(
    tmp_path: Path, currency: str, minor_digits: int, books: int | None
) -> None:
    """A currency is three capitals with 0 to 4 minor digits, and there are 1 to 1024 books."""
    with pytest.raises(ValueError, match="not"):
        await found(
            f"sqlite:///{tmp_path}/x.db",
            name="Test",
            currency=currency,
            minor_digits=minor_digits,
            books=books,
        )


async def test_what_was_not_founded_does_not_open(tmp_path: Path) -> None:
    """Opening a database without a coalition says so."""
    url = f"sqlite:///{tmp_path}/empty.db"
    await migrate(url)
    with pytest.raises(NotFounded):
        await open_coalition(url)
