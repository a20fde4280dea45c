"""What the load asks for: payments, conversions and accruals, of members picked at random.

Every command moves points and all the money behind them. As commands to the writer (what a service
sends once it has made up its mind), and as calls of the services themselves.
"""

import random
from collections.abc import Callable, Mapping
from itertools import count
from typing import TypeAlias
from uuid import UUID

from brands import accruals, transfers
from brands.accruals import Accrual, credit
from brands.clock import now_micros
from brands.conversions import ConversionRates, for_points_out, postings
from brands.ids import book_of, new_id
from brands.ledger.chart import MONEY, AccountKind, TransactionKind, stripe
from brands.ledger.commands import Claim, Post, Posting, fingerprint
from brands.parties import Party
from brands.quotes import TransferRequest
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
        leaving = self._town.rates[source.brand_id]
        arriving = self._town.rates[destination.brand_id]
        rates = ConversionRates(
            source.brand_id,
            destination.brand_id,
            leaving.transfer_out_rate,
            arriving.transfer_in_rate,
            leaving.redemption_rate,
            arriving.redemption_rate,
        )
        legs = postings(
            resident.book, source.id, destination.id, rates, for_points_out(POINTS, rates)
        )
        return self._post(TransactionKind.CONVERSION, source.id, legs, destination.id)

    def accrual(self) -> Post:
        """Points issued to a member, paid for by the brand at its issue price."""
        party = self._party(self.resident())
        rates = self._town.rates[party.brand_id]
        legs = credit(AccountKind.ISSUED, party, party.brand_id, POINTS, rates)
        return self._post(TransactionKind.ACCRUAL, party.id, legs, party.brand_id)

    def _party(self, resident: Resident) -> Party:
        return resident.one if self._chance.random() < 0.5 else resident.other

    def _post(
        self, kind: TransactionKind, account: UUID, legs: tuple[Posting, ...], other: UUID
    ) -> Post:
        meant = fingerprint(kind.value, account=account, points=POINTS, other=other)
        return Post(
            id=new_id(book_of(account)),
            claim=Claim(OPERATOR.client, self.key(), meant),
            kind=kind,
            postings=legs,
            points=POINTS,
            event_at=now_micros(),
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

    async def conversion() -> None:
        resident = commands.resident()
        order = TransferRequest(resident.one.id, resident.other.id, points_out=POINTS)
        await transfers.create(coalition, OPERATOR, order, None, commands.key())

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

    return {"conversion": conversion, "accrual": accrual}
