"""What a batch of commands needs to know, and how its verdicts become answers.

Shared by the two lanes (`postgres`, `sqlite`) that load, judge and store a batch in one database
transaction.
"""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias
from uuid import UUID

import orjson

from brands.clock import Micros
from brands.errors import IdempotencyKeyReused
from brands.ids import book_of, home_book
from brands.ledger.chart import COALITION, MONEY, AccountKind, stripe
from brands.ledger.commands import (
    Claim,
    Command,
    EndHold,
    ExpireLots,
    Note,
    Outcome,
    PlaceHold,
    Post,
    Posting,
    Revalue,
    Reverse,
    Token,
)
from brands.ledger.core import Verdict
from brands.rejections import Rejection, rejection_from_fields, rejection_to_fields

Answer: TypeAlias = Outcome | Exception

Posted: TypeAlias = Callable[[Set[int]], None]
"""Is told in which books something has been posted, once it is committed."""

LOTS_AT_FIRST = 64
"""How many open lots of an account are loaded before it is known that more are needed."""

Place: TypeAlias = tuple[int, UUID]
"""A row of a table that is spread over the books: its book and its id."""


class KeyRow(NamedTuple):
    """An idempotency key as stored."""

    book: int
    client: str
    key: str
    fingerprint: bytes
    command_id: UUID
    rejection: str | None
    recorded_at: Micros


@dataclass(slots=True)
class Needs:
    """What is to be locked and loaded before a batch can be judged."""

    accounts: set[Place] = field(default_factory=set)
    lots: set[Place] = field(default_factory=set)
    """Accounts whose open lots are needed, the first ones at least."""
    all_lots: set[Place] = field(default_factory=set)
    holds: set[Place] = field(default_factory=set)
    originals: set[Place] = field(default_factory=set)
    tokens: set[Token] = field(default_factory=set)
    caps: set[tuple[int, UUID, str]] = field(default_factory=set)
    """(book, account, name) of limits that are counted."""
    counted: set[tuple[int, UUID, UUID]] = field(default_factory=set)
    """(book, account, original) of limits on which a transaction to be reversed may be counted."""

    def pool_of(self, book: int, brand: UUID) -> None:
        """A brand's points may move: its pool and settlement account with them."""
        self.accounts.add((book, stripe(book, brand, AccountKind.POOL)))
        self.accounts.add((book, stripe(book, brand, AccountKind.SETTLEMENT)))

    def original_touches(self, original: UUID, account: Place, unit: UUID) -> None:
        """An account of a transaction that is to be reversed."""
        self.accounts.add(account)
        if is_member_account(account[1]):
            self.counted.add((*account, original))
            self.all_lots.add(account)
            self.pool_of(account[0], unit)
            margin = stripe(account[0], COALITION, AccountKind.MARGIN)
            self.accounts.add((account[0], margin))  # it bears what rounding leaves over


class NotInTheBooks(LookupError):
    """A command names an account, a hold or a transaction that is not in its book."""


def require(what: str, asked: Set[Place], found: Mapping[UUID, object]) -> None:
    """Raises `NotInTheBooks` unless everything that was asked for was found."""
    if len(found) < len(asked):
        missing = ", ".join(str(id) for _, id in asked if id not in found)
        raise NotInTheBooks(f"no such {what} in the book of the command: {missing}")


def is_member_account(account: UUID) -> bool:
    """Whether an account id is a membership's (UUID version 7) and no stripe's (version 8)."""
    return account.int >> 76 & 0xF == 7


def needs_of(commands: Sequence[Command]) -> Needs:
    """What these commands name. Reversals add what their originals touched once that is read."""
    needs = Needs()
    placed: set[Place] = set()
    for command in commands:
        book = book_of(command.id)
        match command:
            case Post():
                _needs_of_post(needs, command, book)
            case Reverse():
                needs.originals.add((book, command.original))
                if command.arrival is not None:
                    _, arrival = command.arrival
                    needs.originals.add((book_of(arrival), arrival))
                needs.tokens.update(command.tokens)
                needs.counted |= {(book_of(id), id, command.original) for id in command.counted}
            case Note():
                needs.tokens.update(command.tokens)
            case PlaceHold():
                needs.accounts.add((book, command.account))
                needs.lots.add((book, command.account))
                placed.add((book, command.id))
            case EndHold():
                needs.accounts.add((book, command.account))
                needs.all_lots.add((book, command.account))
                needs.holds.add((book, command.hold))
            case ExpireLots():
                needs.accounts.add((book, command.account))
                needs.all_lots.add((book, command.account))
                needs.accounts.add((book, command.beneficiary))
                needs.accounts.add((book, stripe(book, command.brand, AccountKind.EXPIRED)))
                needs.pool_of(book, command.brand)
            case Revalue():
                needs.pool_of(book, command.brand)
    needs.holds -= placed
    return needs


def books_of(command: Command) -> set[int]:
    """The books whose accounts a command names: its own, and of a transfer the other side's."""
    books = {book_of(command.id)}
    if isinstance(command, Post):
        books.update(book_of(cap.account) for cap in command.caps)
        if command.arrival is not None:
            books.add(book_of(command.arrival.id))
    return books


def _needs_of_post(needs: Needs, command: Post, book: int) -> None:
    _needs_of_postings(needs, command.postings, book)
    if command.arrival is not None:
        _needs_of_postings(needs, command.arrival.postings, book_of(command.arrival.id))
    if command.captures is not None:
        needs.holds.add((book, command.captures))
        needs.all_lots |= {
            (book, posting.source)
            for posting in command.postings
            if is_member_account(posting.source)
        }
    needs.tokens.update(command.tokens)
    for cap in command.caps:
        counted = book_of(cap.account)
        needs.accounts.add((counted, cap.account))
        needs.caps.add((counted, cap.account, cap.name))


def _needs_of_postings(needs: Needs, postings: Sequence[Posting], book: int) -> None:
    accounts = needs.accounts
    for unit, source, destination, _ in postings:
        accounts.add((book, source))
        accounts.add((book, destination))
        if unit != MONEY:
            needs.pool_of(book, unit)
            if is_member_account(source):
                needs.lots.add((book, source))


def claim_of(command: Command) -> Claim | None:
    """A command's idempotency key. What falls due by itself has none: done twice, it does nothing
    the second time."""
    return None if isinstance(command, Revalue | ExpireLots) else command.claim


def key_rows(commands: Sequence[Command], books: int, now: Micros) -> list[KeyRow]:
    """The keys that the commands claim, in the order in which every writer inserts them: so two
    writers with the same keys wait for one another and do not deadlock."""
    rows = []
    for command in commands:
        claim = claim_of(command)
        if claim is not None:
            home = home_book(f"{claim.client}/{claim.key}", books)
            rows.append(
                KeyRow(home, claim.client, claim.key, claim.fingerprint, command.id, None, now)
            )
    rows.sort(key=lambda row: row[:3])
    return rows


def stored_answer(command: Command, stored: KeyRow) -> Answer:
    """The answer to a command whose key was there already."""
    claim = claim_of(command)
    assert claim is not None
    if stored.fingerprint != claim.fingerprint:
        return IdempotencyKeyReused(path="idempotencyKey")
    rejection = None if stored.rejection is None else orjson.loads(stored.rejection)
    return Outcome(
        stored.command_id,
        None if rejection is None else rejection_from_fields(rejection),
        # Our own retry after a lost reply to COMMIT finds the key with our own id: no replay.
        replayed=stored.command_id != command.id,
    )


def rejected_keys(
    commands: Sequence[Command], verdicts: Sequence[Verdict], keys: Sequence[KeyRow]
) -> list[tuple[int, str, str, str]]:
    """(book, client, key, rejection) of the refused commands."""
    by_command = {row.command_id: row for row in keys}
    return [
        (*by_command[command.id][:3], rejection_text(verdict))
        for command, verdict in zip(commands, verdicts, strict=True)
        if verdict is not None and command.id in by_command
    ]


def rejection_text(rejection: Rejection) -> str:
    """A rejection as stored with its key."""
    return orjson.dumps(rejection_to_fields(rejection)).decode()


def spent_tokens(
    commands: Sequence[Command], verdicts: Sequence[Verdict], now: Micros
) -> list[KeyRow]:
    """The tokens of accepted commands, as rows of the key table, in the order of all writers."""
    rows = [
        KeyRow(token.book, TOKENS, token.name, b"", command.id, None, now)
        for command, verdict in zip(commands, verdicts, strict=True)
        if isinstance(command, Post | Reverse | Note) and verdict is None
        for token in command.tokens
    ]
    rows.sort(key=lambda row: row[:3])
    return rows


TOKENS = "token"
"""The namespace of single-use tokens in the key table; no client is called that."""


def answers_of(commands: Sequence[Command], verdicts: Sequence[Verdict]) -> list[Answer]:
    """What each caller is told once the batch is committed."""
    return [
        Outcome(command.id, verdict) for command, verdict in zip(commands, verdicts, strict=True)
    ]
