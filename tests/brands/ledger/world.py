"""Books in memory: what the core works on, nothing loaded and nothing stored. Every batch that is
judged here is checked against the laws of the books.
"""

from collections import Counter
from typing import Any
from uuid import UUID

from brands.clock import Micros
from brands.ids import book_of, new_id
from brands.ledger.chart import (
    BRAND_MONEY_KINDS,
    BRAND_POINTS_KINDS,
    COALITION,
    COALITION_MONEY_KINDS,
    AccountKind,
    stripe,
    unit_of,
)
from brands.ledger.commands import Command, Post
from brands.ledger.core import Verdict, decide
from brands.ledger.state import Account, Changes, Original, State
from tests.brands.ledger.books import Brand, some_books


class World:
    """A book in memory, or several, with three brands and two members: in the first two books."""

    def __init__(self, count: int = 1) -> None:
        books = some_books("", count, members=2)
        self.count = count
        self.brands: tuple[Brand, ...] = books.brands
        self.members = [member.accounts for member in books.members]
        self.now: Micros = 1_000_000
        self.rates = {brand.id: [(0, brand.value)] for brand in books.brands}
        self.state = State({}, self.rates)
        self.transactions: dict[UUID, Any] = {}
        self.entries: list[tuple[UUID, UUID, int]] = []
        for book in range(count):
            self._open_stripes(book)
        for accounts in self.members:
            for brand, id in zip(books.brands, accounts, strict=True):
                account = Account(
                    book_of(id), id, id, "POINTS", brand.id, 0, 0, 0, 0, None, False, 0
                )
                account.all_lots = True
                self.state.accounts[id] = account

    def _open_stripes(self, book: int) -> None:
        for kind in COALITION_MONEY_KINDS:
            self._open(book, COALITION, kind)
        for brand in self.brands:
            for kind in (*BRAND_POINTS_KINDS, *BRAND_MONEY_KINDS):
                rate = brand.value if kind is AccountKind.POOL else None
                self._open(book, brand.id, kind, rate)

    def _open(self, book: int, owner: UUID, kind: AccountKind, rate: int | None = None) -> None:
        id, unit = stripe(book, owner, kind), unit_of(owner, kind)
        account = Account(book, id, owner, kind, unit, 0, 0, None, 0, rate, False, 0)
        self.state.accounts[id] = account

    def do(self, *commands: Command) -> list[Verdict]:
        """Has the commands judged as one batch, and checks every law after it."""
        for command in commands:
            for cap in command.caps if isinstance(command, Post) else ():
                self.state.accounts[cap.account].caps.setdefault(cap.name, (0, 0))
        before = self.figures()
        verdicts, changes = decide(self.state, commands, self.now, new_id)
        if None not in verdicts and not changes.transactions:
            assert self.figures() == before
        self._store(changes)
        self.check()
        return verdicts

    def well(self, command: Command) -> UUID:
        """Has a command judged that must be accepted; its id."""
        assert self.do(command) == [None]
        return command.id

    def refused(self, command: Command) -> Any:
        """Has a command judged that must be refused; the rejection. Nothing may have changed."""
        before = self.figures()
        (verdict,) = self.do(command)
        assert verdict is not None
        assert self.figures() == before
        return verdict

    def publish(self, brand: int, value: int) -> None:
        """Gives a brand's points a new value, in force from now on."""
        self.rates[self.brands[brand].id].append((self.now, value))

    def account(self, member: int, brand: int) -> Account:
        """A member's points account."""
        return self.state.accounts[self.members[member][brand]]

    def balance(self, owner: UUID, kind: AccountKind, book: int = 0) -> int:
        """The balance of a system account."""
        return self.state.accounts[stripe(book, owner, kind)].balance

    def settlements(self) -> list[int]:
        """The brands' settlement accounts, and the coalition's margin."""
        owed = [self.balance(brand.id, AccountKind.SETTLEMENT) for brand in self.brands]
        return [*owed, self.balance(COALITION, AccountKind.MARGIN)]

    def lots(self, member: int, brand: int) -> list[tuple[int, int]]:
        """(remaining, held) of a member's open lots, in the order in which they are spent."""
        return [(lot.remaining, lot.held) for lot in self.account(member, brand).lots]

    def figures(self) -> dict[Any, Any]:
        """Every figure in the books."""
        return {
            **{
                id: (each.balance, each.held, each.floor, each.version, each.rate)
                for id, each in self.state.accounts.items()
            },
            **{key: (lot.remaining, lot.held) for key, lot in self.state.lots.items()},
            **{id: (hold.status, hold.captured) for id, hold in self.state.holds.items()},
            **{
                (id, name): used
                for id, each in self.state.accounts.items()
                for name, used in each.caps.items()
                if used != (0, 0)
            },
        }

    def _store(self, changes: Changes) -> None:
        for row in changes.transactions:
            self.transactions[row[1]] = row
        for _, transaction, account, amount, *_ in changes.entries:
            self.entries.append((transaction, account, amount))
        for _, id, kind, *_ in changes.transactions:
            entries = [(account, amount) for of, account, amount in self.entries if of == id]
            used = [row for row in changes.uses if row[1] == id and row[4] > 0]
            used.sort(key=lambda row: self.state.lots[row[2], row[3]].order)
            uses = {(row[2], row[3]): row[4] for row in used}
            self.state.originals[id] = original = Original(id, kind, entries, uses, 0)
            original.caps = [
                tuple(each[1:3] + each[4:]) for each in changes.cap_uses if each[3] == id
            ]

    # The laws.

    def check(self) -> None:
        """Every law of the books, on what is in memory."""
        accounts = self.state.accounts
        sums: Counter[tuple[UUID, UUID]] = Counter()
        balances: Counter[UUID] = Counter()
        for transaction, id, amount in self.entries:
            assert book_of(transaction) == accounts[id].book
            sums[transaction, accounts[id].unit] += amount
            balances[id] += amount
        assert set(sums.values()) <= {0}
        assert {id for id, _ in sums} == set(self.transactions)
        assert {id: each.balance for id, each in accounts.items() if each.balance} == +balances | {
            id: amount for id, amount in balances.items() if amount < 0
        }
        clearing = [stripe(b, COALITION, AccountKind.CLEARING) for b in range(self.count)]
        assert sum(accounts[id].balance for id in clearing) == 0
        for book in range(self.count):
            self._check_pools(book)
        for account in accounts.values():
            assert all(min(used) >= 0 for used in account.caps.values())
            if account.is_points:
                self._check_lots(account)

    def _check_pools(self, book: int) -> None:
        for brand in self.brands:
            pool = self.state.accounts[stripe(book, brand.id, AccountKind.POOL)]
            outstanding = sum(
                each.balance
                for each in self.state.accounts.values()
                if each.is_points and each.unit == brand.id and each.book == book
            )
            assert pool.rate is not None
            assert pool.balance == outstanding * pool.rate
            if pool.posted_at == self.now:
                assert pool.rate == self.state.value_of(brand.id, self.now)

    def _check_lots(self, account: Account) -> None:
        assert account.floor is not None
        assert account.floor <= 0
        assert account.balance - account.held >= account.floor
        open_lots = [
            lot for lot in self.state.lots.values() if lot.account == account.id and lot.remaining
        ]
        assert sorted(open_lots, key=lambda lot: lot.order) == account.lots
        assert sum(lot.remaining for lot in open_lots) + account.floor == account.balance
        held: Counter[UUID] = Counter()
        for hold in self.state.holds.values():
            if hold.account == account.id and hold.status == "PENDING":
                assert sum(points for _, points in hold.lots) == hold.points
                held.update(dict(hold.lots))
        assert held.total() == account.held
        for lot in self.state.lots.values():
            if lot.account == account.id:
                assert 0 <= lot.held <= lot.remaining <= lot.amount
                assert lot.held == held[lot.origin]
