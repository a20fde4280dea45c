"""A stage for tests of the domain: brands with given rates, members, callers of every kind."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import count
from uuid import UUID

from brands.accruals import Accrual, accrue, credit
from brands.callers import Caller, CallerKind
from brands.clock import now_micros, to_micros
from brands.coalition import Coalition
from brands.database import as_uuid
from brands.enrolment import Enrolment, enroll
from brands.ids import book_of, new_id
from brands.ledger.audit import audit
from brands.ledger.chart import COALITION, MONEY, AccountKind, TransactionKind, stripe
from brands.ledger.commands import Claim, Post, Shortfall, fingerprint
from brands.members import Profile
from brands.moving.recipients import Recipient
from brands.moving.rulebook import NewRule, publish_rule
from brands.parties import Party
from brands.publishing import NewBrand, create_brand
from brands.registry import Brand
from brands.rules import RuleTerms, TransferRule
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
    """A member: her memberships by brand code, the caller that she is herself, and, if she has a
    surname, how others name her at each brand."""

    id: UUID
    at: dict[str, UUID]
    caller: Caller
    named: dict[str, Recipient] = field(default_factory=dict)


async def open_brand(
    coalition: Coalition, code: str, quoted: Quoted, clawback: Shortfall = Shortfall.REJECT
) -> Brand:
    """A brand whose points are worth so much."""
    rates = [quoted] if isinstance(quoted, str) else quoted
    rates_now = rates_of(*(Decimal(rate) for rate in rates))
    new = NewBrand(code, code.title(), "points", "UTC", rates_now, clawback=clawback)
    return await create_brand(coalition, OPERATOR, new)


async def open_brands(
    coalition: Coalition, clawback: Shortfall = Shortfall.REJECT
) -> dict[str, Brand]:
    """The four brands of the worked table."""
    quoted = {"AERO": AERO, "HOTEL": HOTEL, "GROCER": GROCER, "COFFEE": COFFEE}
    return {
        code: await open_brand(coalition, code, rates, clawback) for code, rates in quoted.items()
    }


async def enrol(coalition: Coalition, *codes: str, surname: str | None = None) -> Person:
    """A member with a membership at each of these brands."""
    seats = tuple((code, None) for code in codes)
    profile = None if surname is None else Profile("Bea", surname)
    enrolled = await enroll(coalition, OPERATOR, Enrolment(None, profile, seats, key()))
    brands = coalition.registry.snapshot
    held = {brands.brand_by_id(each.brand_id).code: each for each in enrolled.memberships}
    return Person(
        enrolled.member.id,
        {code: each.id for code, each in held.items()},
        Caller(CallerKind.MEMBER, client=f"m{enrolled.member.id}", member_id=enrolled.member.id),
        {code: Recipient(code, each.number, surname or "") for code, each in held.items()},
    )


async def enrol_beside(
    coalition: Coalition, other: Person, *codes: str, surname: str, apart: bool
) -> Person:
    """The same, in another book than another member's if `apart` (and if there is another), else in
    the same."""
    while True:
        person = await enrol(coalition, *codes, surname=surname)
        if coalition.books == 1 or (book_of(person.id) != book_of(other.id)) == apart:
            return person


async def lay_down(
    coalition: Coalition,
    source: str,
    destination: str,
    terms: RuleTerms,
    *,
    household: bool = False,
    sponsor: str | None = None,
) -> TransferRule:
    """A rule that is in force from now on."""
    rule = NewRule(source, destination, terms, household=household, sponsor=sponsor)
    return await publish_rule(coalition, OPERATOR, rule)


async def give(coalition: Coalition, person: Person, code: str, points: int) -> UUID:
    """Points for a member at a brand; the transaction's id."""
    brand = coalition.registry.snapshot.brand(code)
    earned = Accrual(person.at[code], brand.id, points, None, None, None, key())
    return (await accrue(coalition, OPERATOR, earned)).id


async def give_until(
    coalition: Coalition, person: Person, code: str, points: int, expires_at: datetime
) -> None:
    """Points for a member that expire at an instant."""
    brand, account = coalition.registry.snapshot.brand(code), person.at[code]
    rates = coalition.registry.snapshot.valuation(brand.id).rates
    party = Party(account, person.id, brand.id)
    earned = Post(
        id=new_id(book_of(account)),
        claim=Claim("stage", key(), fingerprint("give", points=points)),
        kind=TransactionKind.ACCRUAL,
        postings=credit(AccountKind.ISSUED, party, brand.id, points, rates),
        points=points,
        event_at=now_micros(),
        lots_expire_at=to_micros(expires_at),
    )
    (await coalition.ledger.submit(earned)).accepted()


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


async def all_money(coalition: Coalition) -> dict[str, int]:
    """What is on the money accounts of all books: `CODE.POOL`, `CODE.SETTLEMENT`, `MARGIN` ..."""
    rows = await coalition.database.fetch(
        "SELECT owner_id, kind, CAST(sum(balance) AS bigint) AS balance FROM accounts"
        " WHERE unit = $1 GROUP BY owner_id, kind",
        MONEY,
    )
    owners = {brand.id: f"{brand.code}." for brand in coalition.registry.snapshot.brands}
    owners[COALITION] = ""
    return {f"{owners[as_uuid(row['owner_id'])]}{row['kind']}": row["balance"] for row in rows}


def changed(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    """What was added to what has changed."""
    return {name: after[name] - was for name, was in before.items() if after[name] != was}


async def require_sound(coalition: Coalition) -> None:
    """No law of the books is broken."""
    assert await audit(coalition.database) == []


async def everything(coalition: Coalition) -> list[tuple[str, int, int]]:
    """All that is in the books, so that a test can say that nothing changed."""
    rows = await coalition.database.fetch(
        "SELECT id, balance, held, version FROM accounts ORDER BY id"
    )
    found = [(str(row["id"]), row["balance"] - row["held"], row["version"]) for row in rows]
    tables = ("transactions", "entries", "transfers", "quotes", "holds", "lots", "cap_uses")
    for table in (*tables, "pending_arrivals"):
        counted = await coalition.database.fetch(f"SELECT count(*) AS n FROM {table}")
        found.append((table, counted[0]["n"], 0))
    return found
