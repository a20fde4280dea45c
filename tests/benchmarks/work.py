"""What the load asks for: payments, accruals and transfers, of members picked at random.

Every command moves points and all the money behind them. As commands to the writer (what a service
sends once it has made up its mind), and as calls of the services themselves.
"""

import random
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, TypeAlias
from uuid import UUID

from brands import accruals
from brands.accruals import Accrual, credit
from brands.clock import now, now_micros
from brands.ids import book_of, new_id
from brands.ledger.chart import COALITION, MONEY, AccountKind, TransactionKind, stripe
from brands.ledger.commands import Arrival, Claim, Post, Posting, fingerprint
from brands.moving import transferring
from brands.moving.conversions import arrival, conversion, departure
from brands.moving.figures import ConversionRates, for_points_out
from brands.moving.limits import caps_of
from brands.moving.routes import TransferRequest, rates_between
from brands.parties import Party
from brands.rules import NO_RULE, Pair
from tests.benchmarks.load import Operation
from tests.benchmarks.town import OPERATOR, Resident, Town

POINTS = 1_000
"""Points in each operation."""

Work: TypeAlias = Callable[[], Post]


class Commands:
    """Makes commands for a town, each with a key of its own."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._chance = random.Random(len(town.residents))
        self._numbers = count()
        self._run = new_id(0)

    def kinds(self) -> Mapping[str, Work]:
        """The kinds of work by name."""
        return {
            "payment": self.payment,
            "conversion": self.conversion,
            "accrual": self.accrual,
            "ruled": self.ruled,
            "gift": self.gift,
        }

    def key(self) -> str:
        """An idempotency key that never came before."""
        return f"{self._run}-{next(self._numbers)}"

    def resident(self) -> Resident:
        """Somebody."""
        return self._chance.choice(self._town.residents)

    def payment(self) -> Post:
        """A redemption of a member's points, of whatever brand, at one of the four brands."""
        party = self._party(self.resident())
        book, points, brand = book_of(party.id), POINTS, party.brand_id
        shop = self._chance.choice(self._town.brands).id
        value = self._town.rates[brand].redemption_rate
        legs = (
            Posting(brand, party.id, stripe(book, brand, AccountKind.REDEEMED), points),
            Posting(
                MONEY,
                stripe(book, brand, AccountKind.POOL),
                stripe(book, shop, AccountKind.SETTLEMENT),
                points * value,
            ),
        )
        return self._post(TransactionKind.REDEMPTION, party.id, legs, shop)

    def conversion(self) -> Post:
        """Points of one member from one brand to another."""
        resident = self.resident()
        source, destination = resident.one, resident.other
        if self._chance.random() < 0.5:
            source, destination = destination, source
        rates = self._rates(source, destination)
        figures = for_points_out(POINTS, rates, NO_RULE, now())
        legs = conversion(resident.book, source.id, destination.id, rates, figures, source.brand_id)
        return self._post(TransactionKind.CONVERSION, source.id, legs, destination.id)

    def ruled(self) -> Post:
        """The same by a rule with a ratio, both bonuses, a fee, a sponsor, and two limits."""
        source, destination = self._town.upward(self.resident())
        rates, at = self._rates(source, destination), now()
        rule = self._town.coalition.registry.snapshot.rule(
            Pair(source.brand_id, destination.brand_id), at
        )
        assert rule is not None
        figures = for_points_out(POINTS, rates, rule.terms, at)
        book = book_of(source.id)
        legs = conversion(book, source.id, destination.id, rates, figures, source.brand_id)
        snapshot = self._town.coalition.registry.snapshot
        caps = caps_of(rule.pair, rule.terms, source.id, destination.id, figures, at, snapshot)
        return self._post(TransactionKind.CONVERSION, source.id, legs, destination.id, caps=caps)

    def gift(self) -> Post:
        """Points of one member to another of the same brand, mostly in another book."""
        source = self._party(self.resident())
        destination = source
        while destination.member_id == source.member_id or destination.brand_id != source.brand_id:
            destination = self._party(self.resident())
        rates = self._rates(source, destination)
        figures = for_points_out(POINTS, rates, NO_RULE, now())
        books = book_of(source.id), book_of(destination.id)
        here, there = (stripe(book, COALITION, AccountKind.CLEARING) for book in books)
        legs = departure(books[0], source.id, rates, figures, source.brand_id, here)
        half = Arrival(
            new_id(books[1]),
            TransactionKind.TRANSFER_IN,
            arrival(books[1], destination.id, rates, figures, there),
            figures.points_in,
        )
        kind = TransactionKind.TRANSFER_OUT
        return self._post(kind, source.id, legs, destination.id, arrival=half, keep_earliest=True)

    def _rates(self, source: Party, destination: Party) -> ConversionRates:
        snapshot = self._town.coalition.registry.snapshot
        return rates_between(snapshot, source.brand_id, destination.brand_id)

    def accrual(self) -> Post:
        """Points issued to a member, paid for by the brand at its issue price."""
        party = self._party(self.resident())
        rates = self._town.rates[party.brand_id]
        legs = credit(AccountKind.ISSUED, party, party.brand_id, POINTS, rates)
        return self._post(TransactionKind.ACCRUAL, party.id, legs, party.brand_id)

    def _party(self, resident: Resident) -> Party:
        return resident.one if self._chance.random() < 0.5 else resident.other

    def _post(
        self,
        kind: TransactionKind,
        account: UUID,
        legs: tuple[Posting, ...],
        other: UUID,
        **more: Any,
    ) -> Post:
        meant = fingerprint(kind.value, account=account, points=POINTS, other=other)
        return Post(
            id=new_id(book_of(account)),
            claim=Claim(OPERATOR.client, self.key(), meant),
            kind=kind,
            postings=legs,
            points=POINTS,
            event_at=now_micros(),
            **more,
        )


def through_the_writer(town: Town, work: Work) -> Operation:
    """Sends such commands straight to the writer."""
    ledger = town.coalition.ledger

    async def ask() -> None:
        (await ledger.submit(work())).accepted()

    return ask


def through_the_services(town: Town) -> Mapping[str, Operation]:
    """Calls the services as a resolver would, as the operator."""
    commands = Commands(town)
    coalition = town.coalition

    async def convert(source: Party, destination: Party) -> None:
        order = TransferRequest(source.id, destination.id, points_out=POINTS)
        await transferring.create(coalition, OPERATOR, order, None, commands.key())

    async def conversion() -> None:
        source, destination = town.upward(commands.resident())
        await convert(destination, source)

    async def ruled() -> None:
        await convert(*town.upward(commands.resident()))

    async def accrual() -> None:
        party = commands.resident().one
        earned = Accrual(
            membership_id=party.id,
            brand_id=party.brand_id,
            points=POINTS,
            reference=None,
            description=None,
            event_at=None,
            idempotency_key=commands.key(),
        )
        await accruals.accrue(coalition, OPERATOR, earned)

    return {"conversion": conversion, "accrual": accrual, "ruled": ruled}
