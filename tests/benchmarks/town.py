"""The coalition that the load runs against: four brands, and members with points at two of them."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations
from uuid import UUID

from rich.progress import Progress

from brands.accruals import credit
from brands.callers import Caller, CallerKind
from brands.clock import now_micros
from brands.coalition import Coalition, found, open_coalition
from brands.database import Transaction, migrate
from brands.errors import DomainError
from brands.ids import book_of, new_id
from brands.joining import Seat, join
from brands.ledger.chart import AccountKind, TransactionKind
from brands.ledger.commands import Claim, Outcome, Post, fingerprint
from brands.moving.rulebook import NewRule, publish_rules
from brands.parties import Party
from brands.publishing import NewBrand, create_brand
from brands.registry import Brand
from brands.rules import (
    BlockBonus,
    Direction,
    Fee,
    Limit,
    PercentBonus,
    Period,
    Ratio,
    RuleTerms,
)
from brands.valuations import Rates, rates_of

OPERATOR = Caller(CallerKind.OPERATOR, client="benchmark")

POINTS_AT_FIRST = 1_000_000_000
"""More than any member could spend while the load runs."""

_VALUES = ("0.0045", "0.0061", "0.008", "0.0125")
_AT_ONCE = 4_000


@dataclass(frozen=True, slots=True)
class Resident:
    """A member of the town: her book, and her points accounts at two brands."""

    book: int
    one: Party
    other: Party


@dataclass(frozen=True, slots=True)
class Town:
    """An open coalition full of members; brands and their rates are in the same order."""

    coalition: Coalition
    brands: Sequence[Brand]
    rates: dict[UUID, Rates]
    residents: Sequence[Resident]

    def upward(self, resident: Resident) -> tuple[Party, Party]:
        """Her two memberships, in the order in which there is a rule from the one to the other."""
        one, other = resident.one, resident.other  # ids of brands are in the order of their making
        return (one, other) if one.brand_id < other.brand_id else (other, one)


async def build(
    url: str, *, accounts: int, books: int | None, lanes: int | None, progress: Progress
) -> Town:
    """Founds the coalition and fills it with so many member accounts, points in every one."""
    await migrate(url)
    await found(url, name="Benchmark", books=books)
    coalition = await open_coalition(url, lanes=lanes)
    try:
        brands = [
            await create_brand(coalition, OPERATOR, _new_brand(place, value))
            for place, value in enumerate(_VALUES)
        ]
        rates = {
            brand.id: coalition.registry.snapshot.valuation(brand.id).rates for brand in brands
        }
        residents = _residents(brands, coalition.books, accounts // 2)
        await publish_rules(coalition, OPERATOR, _rules(brands, rates))
        town = Town(coalition, brands, rates, residents)
        await _enrol(town, progress)
        await _fund(town, progress)
    except BaseException:
        await coalition.close()
        raise
    return town


def _new_brand(place: int, value: str) -> NewBrand:
    """A brand whose issue price leaves a margin, as most do: accruals have all their money legs."""
    rates = rates_of(Decimal(value), issue_price=Decimal(value) + Decimal("0.001"))
    return NewBrand(f"BRAND{place}", f"Brand {place}", "points", "UTC", rates)


def _rules(brands: Sequence[Brand], rates: dict[UUID, Rates]) -> list[NewRule]:
    """A rule with everything that costs time, from every brand to each of those after it."""
    rules = []
    for source, destination in combinations(brands, 2):
        leaving = rates[source.id].transfer_out_rate
        arriving = rates[destination.id].transfer_in_rate
        terms = RuleTerms(
            ratio=Ratio(arriving * 2, leaving),
            minimum=10,
            increment=10,
            block_bonus=BlockBonus(every=500, bonus=1),
            percent_bonus=PercentBonus(millionths=250_000),
            fee=Fee(per_point=600, cap=99_000_000),
            limits=(
                Limit(Period.MONTH, Direction.OUT, points=10**9, count=10**6),
                Limit(Period.YEAR, Direction.IN, points=10**12),
            ),
        )
        rules.append(NewRule(source.code, destination.code, terms, sponsor=source.code))
    return rules


def _residents(brands: Sequence[Brand], books: int, count: int) -> list[Resident]:
    chance = random.Random(count)
    residents = []
    for _ in range(count):
        book = chance.randrange(books)
        member = new_id(book)
        one, other = chance.sample(brands, 2)
        residents.append(
            Resident(
                book,
                Party(new_id(book), member, one.id),
                Party(new_id(book), member, other.id),
            )
        )
    return residents


async def _enrol(town: Town, progress: Progress) -> None:
    """The members' rows, and their memberships' with their accounts."""
    brands = {brand.id: brand for brand in town.brands}
    task = progress.add_task("Enrolling members", total=len(town.residents))
    for start in range(0, len(town.residents), _AT_ONCE):
        residents = town.residents[start : start + _AT_ONCE]
        async with town.coalition.database.transaction() as tx:
            now = await tx.now()
            await _insert_members(tx, start, residents, now)
            seats = [
                Seat(party.id, party.member_id, brands[party.brand_id], str(party.id.int))
                for resident in residents
                for party in (resident.one, resident.other)
            ]
            await join(tx, seats, now)
        progress.advance(task, len(residents))


async def _insert_members(
    tx: Transaction, first: int, residents: Sequence[Resident], now: int
) -> None:
    await tx.execute_many(
        "INSERT INTO members (book, id, coalition_number, external_owner, enrolled_at)"
        " VALUES ($1, $2, $3, 'operator', $4)",
        [
            (resident.book, resident.one.member_id, str(first + place), now)
            for place, resident in enumerate(residents)
        ],
    )


async def _fund(town: Town, progress: Progress) -> None:
    """An accrual for every account, through the writer as any other."""
    parties = [party for resident in town.residents for party in (resident.one, resident.other)]
    task = progress.add_task("Giving them points", total=len(parties))
    for start in range(0, len(parties), _AT_ONCE):
        some = parties[start : start + _AT_ONCE]
        answers = await town.coalition.ledger.submit_many([_gift(town, party) for party in some])
        _expect(answers)
        progress.advance(task, len(some))


def _gift(town: Town, party: Party) -> Post:
    points = POINTS_AT_FIRST
    return Post(
        id=new_id(book_of(party.id)),
        claim=Claim(OPERATOR.client, f"gift {party.id}", fingerprint("gift", points=points)),
        kind=TransactionKind.ACCRUAL,
        postings=credit(
            AccountKind.ISSUED, party, party.brand_id, points, town.rates[party.brand_id]
        ),
        points=points,
        event_at=now_micros(),
    )


def _expect(answers: Sequence[Outcome | DomainError]) -> None:
    for answer in answers:
        if isinstance(answer, DomainError):
            raise answer
        answer.accepted()
