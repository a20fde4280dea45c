"""What a process remembers of the books, so that it need not ask again what it wrote itself.

A process that has a book to itself, as one process or one replica per book has, knows its accounts
and open lots from its own last batch: it can judge at once and store with a single statement.
Nothing rests on the memory being right. Every account has a revision that rises with each change by
anybody; the statement stores nothing unless each revision is still the remembered one, and then
the batch is judged again under locks. A process that meets other writers stops relying on its
memory for a while, longer each time. Its own lanes share the memory and take out of it what they
work on, so none goes by what another has not stored yet.
"""

from collections.abc import Sequence
from uuid import UUID

from brands.clock import Micros
from brands.ledger.batch import Needs, Place, is_member_account
from brands.ledger.commands import Command, Note, Post, Refuse
from brands.ledger.state import Account

MOST_ACCOUNTS = 200_000
"""Accounts remembered, at most; then it starts afresh."""

MOST_LOTS = 1_024
"""A member with more open lots is not remembered."""

_LONGEST_PENALTY = 4_096


class Memory:
    """Accounts as last committed, with all their open lots; rates, and the database's clock."""

    def __init__(self) -> None:
        self.accounts: dict[UUID, Account] = {}
        self.rates: dict[UUID, list[tuple[Micros, int]]] = {}
        self.epoch = -1
        """Of the coalition, as the rates were read: they are at least as new."""
        self.clock_ahead = 0
        """By how much the database's clock is ahead of our steady one, in microseconds."""
        self._penalty = 1
        self._batches_under_lock = 0

    def serves(self, commands: Sequence[Command]) -> bool:
        """Whether this batch may be judged from memory: plain postings, and no strife of late."""
        if self._batches_under_lock:
            self._batches_under_lock -= 1
            return False
        return all(
            (type(command) is Post and command.captures is None) or type(command) in (Note, Refuse)
            for command in commands
        )

    def missing(self, needs: Needs) -> tuple[set[Place], set[Place]]:
        """What the batch needs and the memory lacks: accounts, and among them the members'."""
        accounts = {place for place in needs.accounts if place[1] not in self.accounts}
        return accounts, {place for place in accounts if is_member_account(place[1])}

    def take(self, needs: Needs) -> dict[UUID, Account] | None:
        """The accounts that the batch needs, if all are remembered. Nobody else finds them here
        until they are `confirmed`: what is judged by them is not stored yet."""
        if not all(id in self.accounts for _, id in needs.accounts):
            return None
        return {id: self.accounts.pop(id) for _, id in needs.accounts}

    def learn(self, accounts: dict[UUID, Account]) -> None:
        """Remembers accounts as just read."""
        if len(self.accounts) + len(accounts) > MOST_ACCOUNTS:
            self.accounts.clear()
        self.accounts.update(accounts)

    def learn_rates(self, rates: dict[UUID, list[tuple[Micros, int]]], epoch: int) -> None:
        """Remembers rates as read after the epoch was; never older ones for newer ones."""
        if epoch > self.epoch:
            self.rates, self.epoch = rates, epoch

    def forget_all(self) -> None:
        """Forgets every account: it is not known what became of a batch."""
        self.accounts.clear()

    def forget(self, needs: Needs) -> None:
        """Forgets all that a batch concerned."""
        for _, account in needs.accounts:
            self.accounts.pop(account, None)

    def confirmed(self, taken: dict[UUID, Account], changed: dict[UUID, Account]) -> None:
        """Accounts that were taken are remembered again: those changed were stored as they are."""
        for account in changed.values():
            account.revision += 1
        self.accounts.update(taken)
        self._penalty = max(1, self._penalty // 2)

    def contradicted(self) -> None:
        """Somebody else had changed what was remembered."""
        self._penalty = min(self._penalty * 4, _LONGEST_PENALTY)
        self._batches_under_lock = self._penalty
