"""A state machine drives the whole ledger against an oracle made of plain dicts."""

import asyncio
from dataclasses import replace
from typing import Any, cast
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

import brands.database
import brands.ledger.postgres
import brands.ledger.sqlite
from brands.clock import NEVER, now_micros
from brands.errors import DomainError, IdempotencyKeyReused
from brands.ids import book_of, new_id
from brands.ledger.commands import (
    Command,
    ExpireLots,
    Outcome,
    PlaceHold,
    Post,
    Revalue,
    Shortfall,
)
from tests.brands.ledger.asking import (
    FAR,
    accrual,
    arriving,
    call_off,
    capture,
    conversion,
    delayed,
    end_hold,
    expiry,
    gift,
    hold,
    limit,
    redemption,
    revaluation,
    reverse,
)
from tests.brands.ledger.books import Books, Brand, Shelf
from tests.brands.ledger.oracle import Oracle
from tests.postgres import Databases

DAY = 86_400_000_000
PICK = st.integers(0, 10_000)
POINTS = st.integers(1, 60)
WHO = st.integers(0, 1)
BRAND = st.integers(0, 1)


class Clock:
    """The time of SQLite's books: it stands still until a rule moves it."""

    def __init__(self) -> None:
        self.now = now_micros()


class LedgerMachine(RuleBasedStateMachine):
    """Rules put commands in a queue and ask the oracle; a flush sends the queue as one batch."""

    def __init__(self, shelf: Shelf, databases: Databases | None, clock: Clock | None) -> None:
        super().__init__()
        self.shelf, self.databases, self.clock = shelf, databases, clock
        self.runner = asyncio.Runner()
        self.queue: list[tuple[Command, Any]] = []
        self.answered: list[tuple[Command, Any]] = []
        self.placed: list[PlaceHold] = []
        self.sent: list[tuple[Post, Post]] = []

    @initialize()
    def open(self) -> None:
        """Untouched books, one writer, and an oracle that knows two members at two brands."""
        self.books: Books = self.runner.run(self.shelf.fresh(self.databases))
        self.history: list[list[Brand]] = [[brand] for brand in self.books.brands[:2]]
        members = self.books.members[:2]
        self.accounts = [list(member.accounts[:2]) for member in members]
        self.oracle = Oracle([account for pair in self.accounts for account in pair])
        self.ledger = self.runner.run(self.books.ledger(lanes=1))

    def ask(self, command: Command, verdict: str | None) -> None:
        """Queues a command with the verdict that the oracle foretells."""
        self.queue.append((command, verdict))

    def tell_time(self) -> int:
        self.oracle.now = self.clock.now if self.clock else now_micros()
        return self.oracle.now

    def expiry_of(self, pick: int) -> int:
        """An expiry: long ago, never, far off, or (where the clock is ours) some day soon."""
        now = self.tell_time()
        soon = now + (pick % 7 + 1) * DAY if self.clock else FAR - pick % 3
        return (1, NEVER, soon, soon)[pick % 4]

    @rule(who=WHO, b=BRAND, points=POINTS, pick=PICK)
    def earn(self, who: int, b: int, points: int, pick: int) -> None:
        """Points earned, perhaps long ago and at the rates of then."""
        brand = self.history[b][pick % len(self.history[b])]
        account, expires, earned = self.accounts[who][b], self.expiry_of(pick), pick % 5 + 1
        command = accrual(brand, account, points, expires=expires, event_at=earned)
        self.ask(command, self.oracle.earn(command.id, account, points, expires, earned))

    @rule(who=WHO, b=BRAND, points=POINTS, pick=PICK)
    def spend(self, who: int, b: int, points: int, pick: int) -> None:
        self.tell_time()
        brand = self.history[b][pick % len(self.history[b])]
        command = redemption(brand, self.accounts[who][b], points)
        self.ask(command, self.oracle.spend(command.id, self.accounts[who][b], points))

    @rule(who=WHO, b=BRAND, points=POINTS)
    def convert(self, who: int, b: int, points: int) -> None:
        now = self.tell_time()
        source, target = self.history[b][-1], self.history[1 - b][-1]
        here, there = self.accounts[who][b], self.accounts[who][1 - b]
        command = conversion(source, here, target, there, points, event_at=now)
        arrive = arriving(source, target, points)
        self.ask(command, self.oracle.convert(command.id, here, points, there, arrive, now))

    @rule(who=WHO, b=BRAND, points=POINTS, pick=PICK, at_once=st.booleans())
    def give(self, who: int, b: int, points: int, pick: int, at_once: bool) -> None:
        """Points for another account, in the same book or the other, under limits or none."""
        here, expires = self.accounts[who][b], self.expiry_of(pick)
        there = [account for pair in self.accounts for account in pair if account != here][pick % 3]
        source, target = self.history[b][-1], self.history[self.brand_of(there)][-1]
        arrive = points if source.id == target.id else arriving(source, target, points)
        if arrive == 0:
            return
        limits = limit(here, points, most=120, times=4), limit(there, arrive, most=90)
        caps, earliest, earned = limits[: pick % 4], pick % 5 == 0, self.oracle.now
        command, arrival = delayed(source, here, target, there, points, caps=caps, event_at=earned)
        if at_once:
            command = gift(source, here, target, there, points, caps=caps, event_at=earned)
            command = replace(command, lots_expire_at=expires, keep_earliest=earliest)
        arrival_id = arrival.id if command.arrival is None else command.arrival.id
        verdict = self.oracle.give(command.id, arrival_id, here, points, there, arrive, caps)
        self.ask(command, verdict)
        if verdict is None and at_once:
            self.oracle.land(command.id, expires, earned, earliest=earliest)
        elif verdict is None:
            self.sent.append((command, replace(arrival, lots_expire_at=expires)))

    @precondition(lambda self: self.sent)
    @rule(pick=PICK, arrive=st.booleans())
    def land(self, pick: int, arrive: bool) -> None:
        """Points under way arrive, or are called off; often those that are no more under way."""
        departure, arrival = self.sent[pick % len(self.sent)]
        if arrive:
            self.tell_time()
            expires, earned = arrival.lots_expire_at, arrival.event_at
            self.ask(arrival, self.oracle.land(departure.id, expires, earned))
        else:
            self.flush_if_asked(departure.id)
            self.tell_time()
            self.ask(call_off(departure), self.oracle.call_off(departure.id))

    @rule(who=WHO, b=BRAND, points=POINTS, pick=PICK)
    def place(self, who: int, b: int, points: int, pick: int) -> None:
        account, expires = self.accounts[who][b], self.expiry_of(pick)
        command = hold(account, points, expires=expires)
        verdict = self.oracle.hold(command.id, account, points, expires)
        self.ask(command, verdict)
        if verdict is None:
            self.placed.append(command)

    @precondition(lambda self: self.placed)
    @rule(pick=PICK, points=POINTS, how=st.sampled_from(["whole", "part", "void", "expire"]))
    def settle(self, pick: int, points: int, how: str) -> None:
        """A hold captured whole or in part, voided or expired; often one that is over."""
        self.tell_time()
        placed = self.placed[pick % len(self.placed)]
        brand = self.history[self.brand_of(placed.account)][-1]
        command: Command
        if how in ("whole", "part"):
            command = capture(brand, placed, placed.points if how == "whole" else points)
            self.ask(command, self.oracle.capture(command.id, placed.id, command.points))
        else:
            command = end_hold(placed, expiry=how == "expire")
            self.ask(command, self.oracle.end(placed.id, expiry=how == "expire"))

    @rule(who=WHO, b=BRAND)
    def expire(self, who: int, b: int) -> None:
        self.tell_time()
        command = expiry(self.history[b][-1], self.accounts[who][b])
        self.oracle.expire(command.id, self.accounts[who][b])
        self.ask(command, None)

    @precondition(lambda self: self.oracle.posted)
    @rule(pick=PICK, points=st.none() | POINTS, policy=st.sampled_from(Shortfall))
    def undo(self, pick: int, points: int | None, policy: Shortfall) -> None:
        posted = list(self.oracle.posted)
        original = posted[pick % len(posted)]
        what = self.oracle.posted[original]
        self.flush_if_asked(original, what.get("arrival"))
        self.tell_time()
        verdict = self.oracle.reverse(original, points, policy)
        pair = None
        if what.get("where") == "there":
            pair = new_id(book_of(what["arrival"])), what["arrival"]
        counted = tuple(cap.account for cap in what.get("caps", ()))
        self.ask(reverse(original, points, policy, arrival=pair, counted=counted), verdict)

    @precondition(lambda self: self.answered or self.queue)
    @rule(pick=PICK, same=st.booleans())
    def retry(self, pick: int, same: bool) -> None:
        """A key again: with its own intent the old answer, with another one an error."""
        known = [
            (command, verdict)
            for command, verdict in [*self.answered, *self.queue]
            if not isinstance(command, Revalue | ExpireLots)
            and command.claim is not None
            and (verdict is None or isinstance(verdict, str))
        ]
        if not known:
            return
        command, verdict = known[pick % len(known)]
        assert command.claim is not None
        claim = command.claim if same else command.claim._replace(fingerprint=b"other")
        again = replace(command, id=new_id(book_of(command.id)), claim=claim)
        self.queue.append((again, (command.id, verdict) if same else IdempotencyKeyReused))

    @rule(b=BRAND, value=st.integers(1, 200), at_once=st.booleans())
    def publish(self, b: int, value: int, at_once: bool) -> None:
        """A new value of a brand's points; the pools follow at once or with the next posting."""
        self.flush()
        if self.clock:
            self.clock.now += 1
        changed = self.runner.run(self.books.publish(self.history[b][-1], value * 100))
        self.history[b].append(changed)
        for book in range(self.books.count) if at_once else ():
            self.ask(revaluation(changed, book), None)

    @rule(days=st.integers(1, 4))
    def wait(self, days: int) -> None:
        self.flush()
        if self.clock:
            self.clock.now += days * DAY

    @rule()
    def flush(self) -> None:
        """Sends the queue; every answer is the one foretold, and so is every figure after it."""
        if not self.queue:
            return
        queue, self.queue = self.queue, []
        answers = self.runner.run(self.ledger.submit_many([command for command, _ in queue]))
        for (command, foretold), answer in zip(queue, answers, strict=True):
            check_answer(command, foretold, answer)
            if foretold is None or isinstance(foretold, str):
                self.answered.append((command, foretold))
        self.runner.run(self.compare())

    def flush_if_asked(self, *ids: UUID | None) -> None:
        """What is to be reversed must be in the books: a batch does not find its own postings."""
        if any(command.id in ids for command, _ in self.queue):
            self.flush()

    async def compare(self) -> None:
        """The figures of the database are the oracle's, to the lot."""
        for row in await self.books.fetch("SELECT * FROM accounts WHERE kind = 'POINTS'"):
            account = UUID(str(row["id"]))
            if account in self.oracle.lots:
                foretold = self.oracle.balance(account), self.oracle.held(account)
                assert (row["balance"], row["held"]) == foretold
                assert row["floor"] == -self.oracle.debts[account]
        lots = {
            (str(row["account_id"]), str(row["transaction_id"])): (row["remaining"], row["held"])
            for row in await self.books.fetch("SELECT * FROM lots")
        }
        assert lots == {
            (str(account), str(lot["origin"])): (lot["left"], lot["held"])
            for account, its in self.oracle.lots.items()
            for lot in its
        }
        rows = await self.books.fetch(
            "SELECT account_id, name, sum(points) AS points, sum(count) AS times"
            " FROM cap_uses GROUP BY account_id, name"
        )
        used = {
            (UUID(str(row["account_id"])), row["name"], unit): row[unit]
            for row in rows
            for unit in ("points", "times")
        }
        assert {key: n for key, n in used.items() if n} == {
            key: n for key, n in self.oracle.used.items() if n
        }

    def brand_of(self, account: UUID) -> int:
        return next(b for pair in self.accounts for b in range(2) if pair[b] == account)

    def teardown(self) -> None:
        try:
            if hasattr(self, "ledger"):
                try:
                    self.flush()
                finally:
                    self.runner.run(self.ledger.close())
                assert self.runner.run(self.books.broken_laws()) == []
                self.shelf.drop(self.books, self.databases)
        finally:
            self.runner.close()


def check_answer(command: Command, foretold: Any, answer: Outcome | DomainError) -> None:
    """An answer is what was foretold: accepted, a rejection, a replay, or an error."""
    if foretold is IdempotencyKeyReused:
        assert isinstance(answer, IdempotencyKeyReused)
        return
    assert isinstance(answer, Outcome)
    verdict = None if answer.rejection is None else type(answer.rejection).__name__
    if isinstance(foretold, tuple):
        assert (answer.id, verdict, answer.replayed) == (*foretold, True)
    else:
        assert (answer.id, verdict, answer.replayed) == (command.id, foretold, False)


def drive(examples: int, shelf: Shelf, databases: Databases | None, clock: Clock | None) -> None:
    """Runs the machine."""
    run_state_machine_as_test(
        cast(type[RuleBasedStateMachine], lambda: LedgerMachine(shelf, databases, clock)),
        settings=settings(
            max_examples=examples,
            stateful_step_count=40,
            deadline=None,
            # A failure on PostgreSQL is not made smaller: each try makes a database.
            phases=[Phase.reuse, Phase.generate, *([] if databases else [Phase.shrink])],
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_the_ledger_is_the_oracle_on_sqlite(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is asked, retried, backdated and waited for, books and oracle agree to the lot."""
    clock = Clock()
    monkeypatch.setattr(brands.ledger.sqlite, "LOTS_AT_FIRST", 2)
    monkeypatch.setattr(brands.ledger.sqlite, "now_micros", lambda: clock.now)
    monkeypatch.setattr(brands.database, "now_micros", lambda: clock.now)
    drive(60, shelf, None, clock)


def test_the_ledger_is_the_oracle_on_postgres(
    shelf: Shelf, postgres: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is asked, retried and backdated, books and oracle agree to the lot."""
    monkeypatch.setattr(brands.ledger.postgres, "LOTS_AT_FIRST", 2)
    drive(12, shelf, postgres, None)
