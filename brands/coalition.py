"""The coalition: what every service is given. Founding it, and opening what was founded."""

from collections.abc import Callable
from dataclasses import dataclass, field
from secrets import token_bytes

from brands.accounts import open_coalition_accounts
from brands.database import Database, open_database
from brands.following.feed import Feed
from brands.guarding.guard import Guard
from brands.ids import MAX_BOOKS
from brands.ledger.writer import Lane, Ledger
from brands.parties import Parties
from brands.registry import Registry

BOOKS_ON_POSTGRES = 16
BOOKS_ON_SQLITE = 1


class NotFounded(RuntimeError):
    """The database holds no coalition: `found` one first."""


class FoundedOtherwise(RuntimeError):
    """The database holds a coalition whose currency or number of books is another; both are for
    ever."""


@dataclass(frozen=True, slots=True)
class Coalition:
    """An open coalition. `minor_digits` is ISO 4217's exponent of its settlement currency; under
    `secret` is hashed what must not be read from the database."""

    database: Database
    ledger: Ledger
    feed: Feed
    registry: Registry
    parties: Parties
    guard: Guard
    name: str
    currency: str
    minor_digits: int
    books: int
    secret: bytes = field(repr=False)

    async def close(self) -> None:
        """Lets the books finish what is in flight, ends what is followed, then closes every
        connection."""
        try:
            await self.ledger.close()
            await self.feed.close()
        finally:
            await self.database.close()


async def open_coalition(
    url: str,
    *,
    lanes: int | None = None,
    watched: Callable[[Lane], Lane] = lambda lane: lane,
    patience: float | None = None,
) -> Coalition:
    """Opens the coalition that was founded in the migrated database at `url`.

    `lanes` is the number of connections that write the books, each of which `watched` puts
    something around. A statement that takes longer than `patience` seconds is given up. Raises
    `NotFounded`.
    """
    database = await open_database(url, patience=patience)
    try:
        rows = await database.fetch("SELECT * FROM coalition WHERE id = 1")
        if not rows:
            raise NotFounded("there is no coalition in this database")
        books = int(rows[0]["books"])
        secret = bytes(rows[0]["lookup_key"] or b"")
        feed = Feed(database, books)
        registry = Registry(database)
        await registry.refresh(rows[0]["epoch"])
        return Coalition(
            database=database,
            ledger=await Ledger.open(
                url, books=books, lanes=lanes, posted=feed.posted, watched=watched
            ),
            feed=feed,
            registry=registry,
            parties=Parties(database),
            guard=Guard(database, secret),
            name=rows[0]["name"],
            currency=rows[0]["currency"],
            minor_digits=rows[0]["minor_digits"],
            books=books,
            secret=secret,
        )
    except BaseException:
        await database.close()
        raise


async def found(
    url: str,
    *,
    name: str,
    currency: str = "USD",
    minor_digits: int = 2,
    books: int | None = None,
) -> None:
    """Founds the coalition in the migrated database at `url`, with its own accounts in each book.

    Once founded, does nothing, or raises `FoundedOtherwise`. Raises `ValueError` for a currency
    that is not three capitals, for digits beyond 4, and for books beyond 1024.
    """
    if not (len(currency) == 3 and currency.isascii() and currency.isupper()):
        raise ValueError(f"a currency is three capital letters (ISO 4217), not {currency!r}")
    if not 0 <= minor_digits <= 4:
        raise ValueError(f"a currency has 0 to 4 minor digits, not {minor_digits}")
    if books is not None and not 1 <= books <= MAX_BOOKS:
        raise ValueError(f"a coalition has 1 to {MAX_BOOKS} books, not {books}")
    database = await open_database(url, pool_size=1)
    try:
        made = books or (BOOKS_ON_SQLITE if database.is_sqlite else BOOKS_ON_POSTGRES)
        async with database.transaction() as tx:
            now = await tx.now()
            new = await tx.fetch(
                "INSERT INTO coalition (id, name, currency, minor_digits, books, epoch, created_at,"
                " lookup_key) VALUES (1, $1, $2, $3, $4, 1, $5, $6)"
                " ON CONFLICT (id) DO NOTHING RETURNING id",
                *(name, currency, minor_digits, made, now, token_bytes(32)),
            )
            if new:
                await open_coalition_accounts(tx, made, now)
        row = (await database.fetch("SELECT * FROM coalition WHERE id = 1"))[0]
    finally:
        await database.close()
    if (row["currency"], row["minor_digits"]) != (currency, minor_digits) or (
        books is not None and row["books"] != books
    ):
        raise FoundedOtherwise(
            f"this coalition settles in {row['currency']} ({row['minor_digits']} minor digits)"
            f" and has {row['books']} books"
        )
