"""Making memberships: their numbers, given or generated, their rows and their points accounts.

For the services that enrol members and open memberships. Whether a name is free is asked of the
database's unique constraints, by inserting; `CONTENTION` says that somebody else was there first.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg
from tortoise.exceptions import IntegrityError

from brands.accounts import open_points_accounts
from brands.clock import Micros
from brands.database import Reader, Transaction, as_uuid
from brands.errors import InvalidInput, NumberMalformed
from brands.ids import book_of
from brands.naming.numbers import MAX_NUMBER, generated_number
from brands.registry import Brand

CONTENTION = (IntegrityError, asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
"""What a transaction meets when another one has taken a name, or is taking it."""

ATTEMPTS = 8
"""How often a transaction is tried whose loser may draw another number."""

_INSERT = (
    "INSERT INTO memberships (book, id, member_id, brand_id, number, status, joined_at)"
    " VALUES ($1, $2, $3, $4, $5, 'ACTIVE', $6)"
)


@dataclass(frozen=True, slots=True)
class Seat:
    """A membership to be made. Without a number, one is generated."""

    id: UUID
    member_id: UUID
    brand: Brand
    number: str | None


@dataclass(frozen=True, slots=True)
class Joined:
    """A membership that was made, under this number."""

    id: UUID
    member_id: UUID
    brand: Brand
    number: str


def checked_number(brand: Brand, number: str | None, path: str) -> str | None:
    """A number that the brand could have given, or none. Raises `NumberMalformed`, and
    `InvalidInput` where none is given and the brand's format leaves no room to generate one."""
    if number is None:
        if generated_number(brand.code, brand.number_format, 1, brand.number_key) is None:
            raise InvalidInput(path=path, reason=f"{brand.code} gives its numbers itself.")
    elif not brand.number_format.accepts(number):
        raise NumberMalformed(path=path, brand=brand.code, number=number[:MAX_NUMBER])
    return number


async def join(tx: Transaction, seats: Sequence[Seat], now: Micros) -> list[Joined]:
    """Makes the memberships, in the order given. Raises one of `CONTENTION` if a name is taken."""
    numbers = await _generate_for(tx, seats)
    joined = [
        Joined(seat.id, seat.member_id, seat.brand, seat.number or numbers[seat.brand.id].pop())
        for seat in seats
    ]
    await tx.execute_many(
        _INSERT, [(book_of(j.id), j.id, j.member_id, j.brand.id, j.number, now) for j in joined]
    )
    await open_points_accounts(tx, ((j.id, j.member_id, j.brand.id) for j in joined), now)
    return joined


async def taken_numbers(
    reader: Reader, numbers: Iterable[tuple[UUID, str]]
) -> set[tuple[UUID, str]]:
    """Those of the (brand, number) pairs that are some membership's already."""
    asked = set(numbers)
    if not asked:
        return set()
    rows = await reader.fetch(
        "SELECT brand_id, number FROM memberships"
        " WHERE brand_id = ANY($1::uuid[]) AND number = ANY($2)",
        list({brand_id for brand_id, _ in asked}),
        list({number for _, number in asked}),
    )
    return asked & {(as_uuid(row["brand_id"]), row["number"]) for row in rows}


async def _generate_for(tx: Transaction, seats: Sequence[Seat]) -> dict[UUID, list[str]]:
    """Enough numbers for the seats that have none, by brand. Brands are counted up in the order of
    their ids: each keeps its row locked until the transaction ends, so the order must be one."""
    counts: dict[UUID, int] = defaultdict(int)
    given: dict[UUID, set[str]] = defaultdict(set)
    brands = {seat.brand.id: seat.brand for seat in seats}
    for seat in seats:
        if seat.number is None:
            counts[seat.brand.id] += 1
        else:
            given[seat.brand.id].add(seat.number)
    return {
        brand_id: (await _generate(tx, brands[brand_id], counts[brand_id], given[brand_id]))[::-1]
        for brand_id in sorted(counts)
    }


async def _generate(tx: Transaction, brand: Brand, count: int, given: set[str]) -> list[str]:
    """New numbers of a brand from its counter, passing over those that are taken: given out by
    hand, or counted before numbers were permuted."""
    numbers: list[str] = []
    while (missing := count - len(numbers)) > 0:
        rows = await tx.fetch(
            "UPDATE brands SET next_number = next_number + $2 WHERE id = $1 RETURNING next_number",
            brand.id,
            missing,
        )
        end = int(rows[0]["next_number"])
        made = [_number(brand, counter) for counter in range(end - missing, end)]
        taken = await taken_numbers(tx, ((brand.id, number) for number in made))
        numbers += [
            number for number in made if number not in given and (brand.id, number) not in taken
        ]
    return numbers


def _number(brand: Brand, counter: int) -> str:
    number = generated_number(brand.code, brand.number_format, counter, brand.number_key)
    if number is None:
        raise InvalidInput(path="number", reason=f"{brand.code} has no numbers left to generate.")
    return number
