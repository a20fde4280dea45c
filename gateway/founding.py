"""Bringing a database to the state in which a gateway can be started on it."""

from collections.abc import Callable
from dataclasses import dataclass

from brands.coalition import found
from brands.database import migrate, open_database
from gateway.running import Failure, check_file

DEFAULT_NAME = "Coalition"
DEFAULT_CURRENCY = "USD"

_USUAL_DIGITS = 2
_OTHER_DIGITS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
"""Currencies whose exponent in ISO 4217 is not 2."""


@dataclass(frozen=True, slots=True)
class Founding:
    """What is asked of the coalition; None leaves it as it is, or to the default."""

    name: str | None = None
    currency: str | None = None
    minor_digits: int | None = None
    books: int | None = None


async def prepare_database(url: str, asked: Founding, report: Callable[[str], None]) -> str:
    """Migrates the database and founds its coalition, unless there is one; tells what it is like.

    `report` is told the name of each migration that is applied. Safe to run twice, and by several
    processes at once. Raises `FoundedOtherwise` when there is a coalition unlike the one asked for,
    `Failure` for a currency or figures that make no sense.
    """
    check_file(url)
    await migrate(url, report)
    there = await _founded(url)
    currency = asked.currency or (there.currency if there else None) or DEFAULT_CURRENCY
    digits = asked.minor_digits
    if digits is None:
        digits = there.minor_digits if there else _digits_of(currency)
    try:
        await found(
            url,
            name=asked.name or DEFAULT_NAME,
            currency=currency,
            minor_digits=_USUAL_DIGITS if digits is None else digits,
            books=asked.books,
        )
    except ValueError as error:
        raise Failure(str(error)) from error
    there = await _founded(url)
    assert there is not None
    return f"{there.name}: settles in {there.currency}, books: {there.books}"


def _digits_of(currency: str) -> int:
    return next(
        (d for d, codes in _OTHER_DIGITS.items() if currency in codes.split()), _USUAL_DIGITS
    )


async def _founded(url: str) -> Founding | None:
    database = await open_database(url, pool_size=1)
    try:
        rows = await database.fetch("SELECT name, currency, minor_digits, books FROM coalition")
    finally:
        await database.close()
    return Founding(**rows[0]) if rows else None
