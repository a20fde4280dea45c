"""A stage for tests of the domain: brands with given rates, members, callers of every kind."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from uuid import UUID

from brands.accruals import Accrual, accrue
from brands.callers import Caller, CallerKind
from brands.coalition import Coalition
from brands.database import as_uuid
from brands.enrolment import Enrolment, enroll
from brands.ids import book_of
from brands.ledger.chart import COALITION, AccountKind, stripe
from brands.publishing import NewBrand, create_brand
from brands.registry import Brand
from brands.valuations import rates_of

OPERATOR = Caller(CallerKind.OPERATOR, client="operator")
AGENCY = Caller(CallerKind.AGENCY, client="agency")

Quoted = str | tuple[str, str, str, str]
"""Rates as decimals: v alone, or (v, p, o, i)."""

AERO: Quoted = ("0.010", "0.012", "0.008", "0.010")
HOTEL: Quoted = ("0.012", "0.012", "0.012", "0.0125")
GROCER: Quoted = ("0.005", "0.006", "0.0045", "0.005")
COFFEE: Quoted = ("0.006", "0.006", "0.006", "0.0061")

_keys = count()


def key() -> str:
    """An idempotency key that never came before."""
    return f"key-{next(_keys)}"


@dataclass(frozen=True, slots=True)
class Person:
    """A member: her memberships by brand code, and the caller that she is herself."""

    id: UUID
    at: dict[str, UUID]
    caller: Caller


async def open_brand(coalition: Coalition, code: str, quoted: Quoted) -> Brand:
    """A brand whose points are worth so much."""
    rates = [quoted] if isinstance(quoted, str) else quoted
    rates_now = rates_of(*(Decimal(rate) for rate in rates))
    return await create_brand(
        coalition, OPERATOR, NewBrand(code, code.title(), "points", "UTC", rates_now)
    )


async def open_brands(coalition: Coalition) -> dict[str, Brand]:
    """The four brands of the worked table."""
    quoted = {"AERO": AERO, "HOTEL": HOTEL, "GROCER": GROCER, "COFFEE": COFFEE}
    return {code: await open_brand(coalition, code, rates) for code, rates in quoted.items()}


async def enrol(coalition: Coalition, *codes: str) -> Person:
    """A member with a membership at each of these brands."""
    seats = tuple((code, None) for code in codes)
    enrolled = await enroll(coalition, OPERATOR, Enrolment(None, None, seats, key()))
    brands = coalition.registry.snapshot
    return Person(
        enrolled.member.id,
        {brands.brand_by_id(each.brand_id).code: each.id for each in enrolled.memberships},
        Caller(CallerKind.MEMBER, client=f"m{enrolled.member.id}", member_id=enrolled.member.id),
    )


async def give(coalition: Coalition, person: Person, code: str, points: int) -> UUID:
    """Points for a member at a brand; the transaction's id."""
    brand = coalition.registry.snapshot.brand(code)
    earned = Accrual(person.at[code], brand.id, points, None, None, None, key())
    return (await accrue(coalition, OPERATOR, earned)).id


def acting_for(brand: Brand) -> Caller:
    """The caller that a brand is."""
    return Caller(CallerKind.BRAND, client=f"brand-{brand.code}", brand_id=brand.id)


async def balances(coalition: Coalition, accounts: Sequence[UUID]) -> list[int]:
    """What is on these accounts now, in order."""
    rows = await coalition.database.fetch(
        "SELECT id, balance FROM accounts WHERE id = ANY($1::uuid[])", list(accounts)
    )
    by_id = {as_uuid(row["id"]): row["balance"] for row in rows}
    return [by_id[account] for account in accounts]


async def balance(coalition: Coalition, account: UUID) -> int:
    """What is on an account now."""
    return (await balances(coalition, [account]))[0]


async def money(coalition: Coalition, person: Person, *codes: str) -> dict[str, int]:
    """What is on the money accounts of her book: `CODE.POOL`, `CODE.SETTLEMENT`, `MARGIN`."""
    book = book_of(person.id)
    accounts = {"MARGIN": stripe(book, COALITION, AccountKind.MARGIN)}
    for code in codes:
        owner = coalition.registry.snapshot.brand(code).id
        for kind in (AccountKind.POOL, AccountKind.SETTLEMENT):
            accounts[f"{code}.{kind}"] = stripe(book, owner, kind)
    return dict(zip(accounts, await balances(coalition, list(accounts.values())), strict=True))


async def everything(coalition: Coalition) -> list[tuple[str, int, int]]:
    """All that is in the books, so that a test can say that nothing changed."""
    rows = await coalition.database.fetch(
        "SELECT id, balance, held, version FROM accounts ORDER BY id"
    )
    found = [(str(row["id"]), row["balance"] - row["held"], row["version"]) for row in rows]
    for table in ("transactions", "entries", "transfers", "quotes", "holds", "lots"):
        counted = await coalition.database.fetch(f"SELECT count(*) AS n FROM {table}")
        found.append((table, counted[0]["n"], 0))
    return found
