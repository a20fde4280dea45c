"""One of the processes of a chaos run: asks the books for random things, and writes down what they
answered. Started as `python -m tests.brands.ledger.chaos PLAN`, the plan a file in JSON.

Each answer is a line of the journal: the command's id, its key, and what became of it. A line is
written once the answer is here; what has no line was never acknowledged.
"""

import asyncio
import json
import random
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TextIO
from uuid import UUID

import asyncpg

from brands.errors import LedgerUnavailable
from brands.ids import book_of, new_id
from brands.ledger.commands import Claim, Command, Outcome, PlaceHold, Post, Shortfall
from brands.ledger.writer import Ledger
from tests.brands.ledger.asking import (
    accrual,
    arrival_of,
    call_off,
    capture,
    claim,
    conversion,
    delayed,
    end_hold,
    expiry,
    gift,
    hold,
    limit,
    redemption,
    reverse,
    take_back,
)
from tests.brands.ledger.books import Brand


@dataclass(frozen=True)
class Plan:
    """What a process is to do. Keys follow from the seed: a process that is started again asks for
    the same things by the same keys."""

    url: str
    count: int
    seed: int
    operations: int
    in_flight: int
    journal: str
    brands: list[Brand]
    members: list[list[UUID]]

    def write(self, path: Path) -> None:
        """Writes the plan where `read` finds it."""
        brands = [[str(b.id), b.value, b.price, b.out, b.into] for b in self.brands]
        members = [list(map(str, accounts)) for accounts in self.members]
        path.write_text(json.dumps({**self.__dict__, "brands": brands, "members": members}))

    @classmethod
    def read(cls, path: Path) -> "Plan":
        """The plan that `write` wrote."""
        plan = json.loads(path.read_text())
        plan["brands"] = [Brand(UUID(id), *rates) for id, *rates in plan["brands"]]
        plan["members"] = [list(map(UUID, accounts)) for accounts in plan["members"]]
        return cls(**plan)


class Customer:
    """Makes up what to ask for, from what the books have answered so far."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.chance = random.Random(plan.seed)
        self.holds: list[tuple[PlaceHold, Brand]] = []
        self.posted: list[UUID] = []
        self.arrivals: dict[UUID, Post] = {}
        self.under_way: list[Post] = []
        self.there: list[tuple[Post, Post | None]] = []
        self.seen: list[Command] = []

    def command(self, number: int) -> Command:
        """The next thing to ask for, under a key that follows from its number."""
        dice, key = self.chance.random(), claim(f"{self.plan.seed}/{number}")
        return self._about_the_old(dice, key) or self._about_the_new(dice, key)

    def _about_the_old(self, dice: float, key: Claim) -> Command | None:
        chance = self.chance
        if dice < 0.06 and self.seen:
            old = chance.choice(self.seen)
            return replace(old, id=new_id(book_of(old.id)))
        if dice < 0.13 and self.holds:
            placed, brand = chance.choice(self.holds[-20:])
            if chance.random() < 0.3:
                return end_hold(placed, claim=key)
            return capture(brand, placed, chance.randint(1, placed.points), claim=key)
        points, policy = chance.choice([None, None, 1, 3]), chance.choice(list(Shortfall))
        if dice < 0.20 and self.posted:
            return reverse(chance.choice(self.posted[-40:]), points, policy, claim=key)
        if dice < 0.24 and self.there:
            departure, arrival = chance.choice(self.there[-40:])
            return take_back(departure, points, policy, arrival=arrival, claim=key)
        if dice < 0.30 and self.under_way:
            departure = chance.choice(self.under_way[-20:])
            if chance.random() < 0.4:
                return call_off(departure, claim=key)
            return self.arrivals[departure.id]
        return None

    def _about_the_new(self, dice: float, key: Claim) -> Command:
        chance = self.chance
        accounts = chance.choice(self.plan.members)
        number_of_brand = chance.randrange(len(accounts))
        brand, account = self.plan.brands[number_of_brand], accounts[number_of_brand]
        points = chance.randint(1, 50)
        if dice < 0.38:
            return hold(account, points, expires=chance.choice([1, 2**62, 2**62]), claim=key)
        if dice < 0.41:
            return expiry(brand, account)
        if dice < 0.51:
            other = (number_of_brand + 1) % len(accounts)
            target = self.plan.brands[other]
            return conversion(brand, account, target, accounts[other], points + 5, claim=key)
        if dice < 0.65:
            return self._gift(brand, account, points + 5, at_once=dice < 0.59, key=key)
        if dice < 0.80:
            return redemption(brand, account, points, claim=key)
        return accrual(brand, account, points, expires=chance.choice([1, 2**62, 2**62]), claim=key)

    def _gift(
        self, brand: Brand, account: UUID, points: int, *, at_once: bool, key: Claim
    ) -> Command:
        """Points for somebody else's account of any brand, under a limit on either side."""
        others = [accounts for accounts in self.plan.members if account not in accounts]
        target, there = self.chance.choice(
            list(zip(self.plan.brands, self.chance.choice(others), strict=True))
        )
        caps = (limit(account, points, most=500), limit(there, points, times=20, name="IN"))
        if at_once:
            return gift(brand, account, target, there, points, caps=caps, claim=key)
        departure, arrival = delayed(brand, account, target, there, points, caps=caps, claim=key)
        self.arrivals[departure.id] = arrival
        return departure

    def learn(self, command: Command, answer: Outcome) -> None:
        """Remembers what can be asked about later. What is replayed may be an earlier life's, which
        asked for something else by the same key."""
        if getattr(command, "claim", None) is not None:
            self.seen.append(command)
        if answer.rejection is not None or answer.replayed:
            return
        if isinstance(command, PlaceHold):
            brand = next(
                brand
                for accounts in self.plan.members
                for brand, account in zip(self.plan.brands, accounts, strict=True)
                if account == command.account
            )
            self.holds.append((command, brand))
        elif isinstance(command, Post):
            self._learn_of_posting(command)

    def _learn_of_posting(self, command: Post) -> None:
        if command.id in self.arrivals:
            self.under_way.append(command)
        elif command.arrival is not None:
            self.there.append((command, None))
        elif command.claim is None:
            departure = next(each for each in self.under_way if is_arrival_of(command, each))
            self.there.append((departure, command))
        else:
            self.posted.append(command.id)


def is_arrival_of(arrival: Post, departure: Post) -> bool:
    """Whether that is where these points were going."""
    return arrival.tokens == (arrival_of(departure.id),)


def line(command: Command, answer: Outcome) -> str:
    """An answer as it is written down."""
    what: dict[str, Any] = {
        "asked": type(command).__name__,
        "command": str(command.id),
        "id": str(answer.id),
        "key": key.key if (key := getattr(command, "claim", None)) else None,
        "rejection": None if answer.rejection is None else type(answer.rejection).__name__,
        "replayed": answer.replayed,
    }
    return json.dumps(what) + "\n"


async def until_answered(ledger: Ledger, command: Command) -> Outcome:
    """The books' answer, however often they have to be asked."""
    while True:
        try:
            return await ledger.submit(command)
        except LedgerUnavailable:
            await asyncio.sleep(0.05)


async def opened(plan: Plan) -> Ledger:
    """A writer, though its connections may be cut while it is being opened."""
    while True:
        try:
            return await Ledger.open(plan.url, books=plan.count)
        except (asyncpg.PostgresError, asyncpg.InternalClientError, OSError):
            await asyncio.sleep(0.05)


async def run(plan: Plan, journal: TextIO) -> None:
    """Keeps so many commands in flight until all are answered."""
    ledger = await opened(plan)
    customer = Customer(plan)
    numbers = iter(range(plan.operations))

    async def work() -> None:
        for number in numbers:
            command = customer.command(number)
            answer = await until_answered(ledger, command)
            journal.write(line(command, answer))
            journal.flush()
            customer.learn(command, answer)

    try:
        await asyncio.gather(*(work() for _ in range(plan.in_flight)))
    finally:
        await ledger.close()


def main() -> None:
    """Runs the plan that the first argument names."""
    plan = Plan.read(Path(sys.argv[1]))
    with Path(plan.journal).open("a") as journal:
        journal.write("\n")  # whoever was killed here before may have left half a line
        asyncio.run(run(plan, journal))


if __name__ == "__main__":
    main()
