"""The cast of the domain's tests: who calls, two brands, and somebody enrolled."""

import asyncio
from decimal import Decimal
from itertools import count
from uuid import UUID

from brands.callers import Caller, CallerKind
from brands.coalition import Coalition
from brands.enrolment import Enrolled, Enrolment, enroll
from brands.members import Profile
from brands.naming.numbers import NumberFormat
from brands.publishing import NewBrand, create_brand
from brands.registry import Brand
from brands.valuations import Rates, rates_of

OPERATOR = Caller(CallerKind.OPERATOR, "operator/tests", request_id="request-1")
OPERATOR_WITH_PII = Caller(CallerKind.OPERATOR, "operator/privacy", frozenset({"pii"}))
AGENCY = Caller(CallerKind.AGENCY, "agency/tests")

PENNY = rates_of(Decimal("0.01"))

ADA = Profile("Ada", "Lovelace", "ada@example.org")

_keys = count(1)


def brand_caller(brand: Brand) -> Caller:
    """The key of a brand."""
    return Caller(CallerKind.BRAND, f"brand/{brand.id}/tests", brand_id=brand.id)


def member_caller(member_id: UUID) -> Caller:
    """The key of a member."""
    return Caller(CallerKind.MEMBER, f"member/{member_id}/tests", member_id=member_id)


def new_brand(
    code: str = "AERO", rates: Rates = PENNY, number_format: NumberFormat | None = None
) -> NewBrand:
    """A brand as it joins."""
    name = code.title()
    return NewBrand(code, name, f"{name} Points", "Europe/Paris", rates, number_format or FREE)


FREE = NumberFormat()


async def aero(coalition: Coalition, rates: Rates = PENNY) -> Brand:
    """The airline, made."""
    return await create_brand(coalition, OPERATOR, new_brand("AERO", rates))


async def bean(coalition: Coalition) -> Brand:
    """The coffee chain, made."""
    return await create_brand(coalition, OPERATOR, new_brand("BEAN"))


def enrolment(
    *memberships: tuple[str, str | None],
    external_id: str | None = None,
    profile: Profile | None = None,
    key: str | None = None,
) -> Enrolment:
    """An enrolment under a key of its own, unless one is given."""
    return Enrolment(external_id, profile, memberships, key or f"key-{next(_keys)}")


async def somebody(
    coalition: Coalition,
    *memberships: tuple[str, str | None],
    external_id: str | None = None,
    profile: Profile | None = ADA,
    caller: Caller = OPERATOR,
) -> Enrolled:
    """Somebody, enrolled."""
    return await enroll(
        coalition, caller, enrolment(*memberships, external_id=external_id, profile=profile)
    )


async def connect_all(coalition: Coalition) -> None:
    """Opens every connection of the pool, so that what is started together runs together."""
    if not coalition.database.is_sqlite:
        nap = "SELECT pg_sleep(0.05)"
        await asyncio.gather(*(coalition.database.fetch(nap) for _ in range(8)))


async def count_rows(coalition: Coalition, table: str) -> int:
    """How many rows a table has."""
    rows = await coalition.database.fetch(f"SELECT count(*) AS n FROM {table}")
    return int(rows[0]["n"])


async def count_all(coalition: Coalition) -> dict[str, int]:
    """How many rows there are in what these services write: to see that nothing has changed."""
    tables = ("brands", "valuations", "members", "profiles", "memberships", "accounts")
    more = ("idempotency_keys", "actions", "credentials")
    return {table: await count_rows(coalition, table) for table in (*tables, *more)}
