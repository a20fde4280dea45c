"""The pure core of the books: state and commands in, verdicts and changes out.

No I/O, no clock, no chance: ids and the present are given. Commands are judged in order, each on
what the ones before it left. A refused command changes nothing. The laws kept here: entries of a
transaction sum to zero per unit; a pool is its outstanding points times the value in force; a
member's balance is the sum of her lots, less a debt that a clawback may have left (her floor).
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias
from uuid import UUID

from brands.clock import NEVER, Micros, from_micros
from brands.ids import book_of
from brands.ledger.caps import first_exceeded, use
from brands.ledger.chart import MONEY, AccountKind, TransactionKind, stripe
from brands.ledger.commands import (
    NOTES,
    Command,
    EndHold,
    ExpireLots,
    Note,
    PlaceHold,
    Post,
    Posting,
    Record,
    Refuse,
    Revalue,
    Reverse,
    Token,
)
from brands.ledger.holding import capture, close_hold, end_hold, place_hold
from brands.ledger.lots import Take, give_back, keep, spend, spendable, take, take_expired
from brands.ledger.reversing import Half, Mirror, mirror
from brands.ledger.state import Changes, State
from brands.rejections import (
    AmountTooLarge,
    InsufficientPoints,
    MembershipClosed,
    QuoteExpired,
    Rejection,
    TokenSpent,
    TransferNotCancellable,
    TransferNotCompleted,
)

COALITION_CLIENT = "coalition"
"""Who posts what falls due by itself: revaluations and expiry."""

Verdict: TypeAlias = Rejection | None
Deltas: TypeAlias = dict[UUID, int]


def decide(
    state: State, commands: Sequence[Command], now: Micros, fresh: Callable[[int], UUID]
) -> tuple[list[Verdict], Changes]:
    """Judges each command in order: None where it is accepted, else the rejection.

    `fresh` makes an id, given its book, for a transaction that the core adds itself (a revaluation
    that fell due).
    Raises `LotsNotLoaded` when the state does not reach far enough into an account's lots.
    """
    batch = _Batch(state, now, fresh)
    return [batch.judge(command) for command in commands], batch.changes


def net(postings: Sequence[Posting]) -> Deltas:
    """The postings' effect by account."""
    deltas: Deltas = {}
    for _, source, destination, amount in postings:
        deltas[source] = deltas.get(source, 0) - amount
        deltas[destination] = deltas.get(destination, 0) + amount
    return deltas


class _RevaluationTooLarge(Exception):
    """The new value of the points out there is more than the books can hold. The brand's postings
    are refused until a lower one is published."""


class _Batch:
    """One evaluation: the state as it is worked on, and what has changed so far."""

    def __init__(self, state: State, now: Micros, fresh: Callable[[int], UUID]) -> None:
        self.state = state
        self.accounts = state.accounts
        self.now = now
        self.fresh = fresh
        self.changes = Changes()

    def judge(self, command: Command) -> Verdict:
        try:
            return self._judge(command)
        except _RevaluationTooLarge:  # nothing of the command itself was done
            return AmountTooLarge()

    def _judge(self, command: Command) -> Verdict:
        match command:
            case Post():
                return self._post(command)
            case Reverse():
                return self._reverse(command)
            case Note():
                return self._note(command)
            case PlaceHold():
                return place_hold(self.state, self.changes, command, self.now)
            case EndHold():
                return end_hold(self.state, self.changes, command, self.now)
            case ExpireLots():
                return self._expire_lots(command)
            case Revalue():
                self._revalue_if_due(command.brand, book_of(command.id))
                return None
            case Refuse():
                return command.rejection

    def _note(self, command: Note) -> Verdict:
        book, claim = book_of(command.id), command.claim
        values = (book, command.id, command.operation, command.subject)
        made = Record(NOTES, (*values, claim.client, command.request_id, self.now))
        return self._spent(command.tokens) or self._keep(command.tokens, (made, *command.records))

    # Posting.

    def _post(self, command: Post) -> Verdict:
        caps = command.caps
        refusal = self._untimely(command) or (caps and first_exceeded(self.state, caps, "OUT"))
        if refusal:
            return refusal
        arrival = command.arrival
        deltas = self._checked(command.postings)
        arriving = self._checked(arrival.postings) if arrival else {}
        takes: list[Take] = []
        hold = None
        if command.captures is not None:
            hold = self.state.holds[command.captures]
            refusal = capture(self.state, hold, -deltas[hold.account], takes, self.now)
            refusal = refusal or self._take_debits(deltas, takes, paid=hold.account)
        else:
            refusal = self._take_debits(deltas, takes)
        refusal = refusal or command.objection or self._take_debits(arriving, takes)
        refusal = refusal or (caps and first_exceeded(self.state, caps, "IN"))
        if refusal:
            return refusal
        self._make_whole(deltas, book_of(command.id))
        if arrival is not None:
            self._make_whole(arriving, book_of(arrival.id))
        if not (self.state.fits(deltas, arriving) if arriving else self.state.fits(deltas)):
            return AmountTooLarge()
        header = (
            COALITION_CLIENT if command.claim is None else command.claim.client,
            command.request_id,
            command.reference,
            command.description,
            None,
        )
        kind, event_at = command.kind, command.event_at
        self._append(command.id, kind, event_at, command.points, deltas, header)
        if arrival is not None:
            self._append(arrival.id, arrival.kind, event_at, arrival.points, arriving, header)
        if hold is not None:
            captured = -deltas[hold.account]
            close_hold(self.state, self.changes, hold, "CAPTURED", command.id, self.now, captured)
        spend(self.state, self.changes, takes, command.id)
        self._keep_credits(command, command.id, deltas, takes)
        if arrival is not None:
            self._keep_credits(command, arrival.id, arriving, takes)
        for cap in caps:
            use(self.state, self.changes, cap.account, cap.name, cap.points, cap.count, command.id)
        return self._keep(command.tokens, command.records)

    def _untimely(self, command: Post) -> Verdict:
        """Too late, too early, or done before."""
        if command.deadline is not None and self.now >= command.deadline:
            return QuoteExpired(expired_at=from_micros(command.deadline))
        if command.not_before is not None and self.now < command.not_before:
            return TransferNotCompleted(status="PENDING")
        return self._spent(command.tokens)

    def _spent(self, tokens: Sequence[Token]) -> Verdict:
        for token in tokens:
            if token in self.state.spent_tokens:
                return TokenSpent(token=token.name)
        return None

    def _checked(self, postings: Sequence[Posting]) -> Deltas:
        for unit, source, destination, amount in postings:
            assert amount > 0
            assert self.accounts[source].unit == self.accounts[destination].unit == unit
        return net(postings)

    def _take_debits(
        self, deltas: Deltas, takes: list[Take], *, paid: UUID | None = None
    ) -> Verdict:
        """Finds the lots that pay for each member's debit; refuses closed and poor accounts.

        The debit of the account `paid` is paid for already.
        """
        for account_id, amount in deltas.items():
            account = self.accounts[account_id]
            if not account.is_points or amount == 0 or account_id == paid:
                continue
            if account.closed:
                return MembershipClosed(membership_id=account_id)
            if amount < 0:
                found = take(account, -amount, self.now)
                if found is None:
                    available = spendable(account, self.now)
                    return InsufficientPoints(available=available, required=-amount)
                takes.extend(found)
        return None

    def _make_whole(self, deltas: Deltas, book: int) -> None:
        """Completes the deltas so that every pool moved will be outstanding x value in force.

        What the postings' own pool legs leave open is the brand's settlement account's: the value
        of points may have changed between the event and its recording.
        """
        moved: Deltas = {}
        for account_id, amount in deltas.items():
            account = self.accounts[account_id]
            if account.is_points:
                moved[account.unit] = moved.get(account.unit, 0) + amount
        for brand, points in moved.items():
            self._revalue_if_due(brand, book)
            pool = self.accounts[stripe(book, brand, AccountKind.POOL)]
            assert pool.rate is not None
            gap = points * pool.rate - deltas.get(pool.id, 0)
            if gap:
                settlement = stripe(book, brand, AccountKind.SETTLEMENT)
                deltas[pool.id] = deltas.get(pool.id, 0) + gap
                deltas[settlement] = deltas.get(settlement, 0) - gap

    def _append(
        self,
        transaction: UUID,
        kind: TransactionKind,
        event_at: Micros,
        points: int,
        deltas: Deltas,
        header: tuple[str, str, str | None, str | None, UUID | None],
    ) -> None:
        """Writes a transaction and its entries, and moves the balances."""
        book = book_of(transaction)
        now = self.now
        client, request_id, reference, description, reverses = header
        self.changes.transactions.append(
            (book, transaction, kind, event_at, now, client, request_id, reference, description,
             reverses, points)
        )  # fmt: skip
        entries = self.changes.entries
        touched = self.changes.accounts
        for account_id, amount in deltas.items():
            if amount == 0:
                continue
            account = self.accounts[account_id]
            account.balance = balance = account.balance + amount
            account.version = version = account.version + 1
            account.posted_at = now
            touched[account_id] = account
            entries.append((book, transaction, account_id, amount, balance, version, now))

    def _keep_credits(
        self, command: Post, transaction: UUID, deltas: Deltas, takes: Sequence[Take]
    ) -> None:
        """Makes the lots of what members were credited."""
        earned_at = command.event_at if command.earned_at is None else command.earned_at
        expires_at = command.lots_expire_at
        if command.keep_earliest:
            expires_at = min((lot.expires_at for lot, _ in takes), default=expires_at)
        for account_id, amount in deltas.items():
            account = self.accounts[account_id]
            if amount > 0 and account.is_points:
                keep(self.state, self.changes, account, amount, transaction, earned_at, expires_at)

    def _keep(self, tokens: Sequence[Token], records: Sequence[Record]) -> Verdict:
        for record in records:
            self.changes.records.setdefault(record.kind, []).append(record)
        self.state.spent_tokens.update(tokens)
        return None

    # Revaluation.

    def _revalue_if_due(self, brand: UUID, book: int) -> None:
        """Re-values the points already out there, if the value in force has changed since."""
        pool = self.accounts[stripe(book, brand, AccountKind.POOL)]
        value = self.state.value_of(brand, self.now)
        if pool.rate == value:
            return
        assert pool.rate is not None
        outstanding, rest = divmod(pool.balance, pool.rate)
        assert rest == 0
        change = outstanding * (value - pool.rate)
        deltas = {pool.id: change, stripe(book, brand, AccountKind.SETTLEMENT): -change}
        if not self.state.fits(deltas):
            raise _RevaluationTooLarge
        pool.rate = value
        pool.posted_at = self.now
        self.changes.accounts[pool.id] = pool
        if change == 0:
            return
        effective_from = max(at for at, _ in self.state.rates[brand] if at <= self.now)
        self._append(
            self.fresh(book),
            TransactionKind.REVALUATION,
            effective_from,
            outstanding,
            deltas,
            header=(COALITION_CLIENT, "", None, None, None),
        )

    # Reversal.

    def _reverse(self, command: Reverse) -> Verdict:
        if command.deadline is not None and self.now >= command.deadline:
            return TransferNotCancellable(
                status="PENDING", arrives_at=from_micros(command.deadline)
            )
        refusal = self._spent(command.tokens)
        if refusal is not None:
            return refusal
        mirrored = mirror(command, self.state, self.now)
        if not isinstance(mirrored, Mirror):
            return mirrored
        for half in mirrored.halves:
            self._make_whole(half.deltas, book_of(half.id))
        if not self.state.fits(*(half.deltas for half in mirrored.halves)):
            return AmountTooLarge()
        for half in mirrored.halves:
            self._append(
                half.id,
                TransactionKind.REVERSAL,
                command.event_at,
                half.points,
                half.deltas,
                header=(
                    command.claim.client,
                    command.request_id,
                    None,
                    command.description,
                    half.original.id,
                ),
            )
            self._settle_lots(half)
            half.original.reversed += half.points
            for account_id, name, points, count in half.caps:
                use(self.state, self.changes, account_id, name, -points, -count, half.id)
        return self._keep(command.tokens, command.records)

    def _settle_lots(self, half: Half) -> None:
        """Uses up what is taken back from lots, and fills those that the original had used."""
        for account, overdraft in half.overdrafts:
            assert account.floor is not None
            account.floor -= overdraft
        spend(self.state, self.changes, half.takes, half.id)
        for account_id, amount in half.deltas.items():
            account = self.accounts[account_id]
            if amount > 0 and account.is_points:
                uses = half.original.uses
                rest = give_back(self.state, self.changes, account, amount, uses, half.id)
                if rest:
                    keep(self.state, self.changes, account, rest, half.id, self.now, NEVER)

    # Expiry.

    def _expire_lots(self, command: ExpireLots) -> Verdict:
        """Nothing happens (and nothing is refused) when no unheld lot has expired."""
        account = self.accounts[command.account]
        book = account.book
        takes = take_expired(account, self.now)
        points = sum(amount for _, amount in takes)
        if not points:
            return None
        self._revalue_if_due(command.brand, book)
        pool = self.accounts[stripe(book, command.brand, AccountKind.POOL)]
        assert pool.rate is not None
        deltas = net(
            [
                Posting(
                    command.brand,
                    account.id,
                    stripe(book, command.brand, AccountKind.EXPIRED),
                    points,
                ),
                Posting(MONEY, pool.id, command.beneficiary, points * pool.rate),
            ]
        )
        self._append(
            command.id,
            TransactionKind.EXPIRY,
            max(lot.expires_at for lot, _ in takes),
            points,
            deltas,
            header=(COALITION_CLIENT, "", None, None, None),
        )
        spend(self.state, self.changes, takes, command.id)
        return None
