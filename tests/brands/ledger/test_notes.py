"""Notes: what is written beside the books under a key, once, and posts nothing."""

import asyncio
from dataclasses import replace

from brands.errors import IdempotencyKeyReused
from brands.ids import new_id
from brands.ledger.commands import Command, Outcome, Record, RecordKind, Token
from brands.ledger.writer import Ledger
from brands.rejections import TokenSpent
from tests.brands.ledger.asking import accrual, claim, note
from tests.brands.ledger.books import Books

KIND = RecordKind(
    "pending_arrivals", (("book", "smallint"), ("transfer_id", "uuid"), ("arrives_at", "bigint"))
)


def record() -> Record:
    """A row of a table beside the books."""
    return Record(KIND, (0, new_id(0), 1))


async def test_a_note_writes_its_rows_and_posts_nothing(books: Books, ledger: Ledger) -> None:
    """What a note brings is written with it, under its key, and nothing else is."""
    outcome = await ledger.submit(note(0, "a", records=(record(), record()), request_id="r"))
    assert outcome == Outcome(outcome.id)
    (row,) = await books.fetch("SELECT * FROM notes")
    assert (str(row["id"]), row["operation"], row["request_id"]) == (str(outcome.id), "test", "r")
    assert row["recorded_at"] > 1_600_000_000_000_000
    assert await books.count_of("pending_arrivals") == 2
    assert await books.count_of("transactions") == await books.count_of("entries") == 0
    assert await books.broken_laws() == []


async def test_a_key_notes_once(books: Books, ledger: Ledger) -> None:
    """A note that comes again is answered as before, and its key is good for nothing else."""
    same = claim("once")
    answers = await asyncio.gather(
        *(ledger.submit(note(0, records=(record(),), claim=same)) for _ in range(20))
    )
    assert len({each.id for each in answers}) == 1
    assert [each.replayed for each in answers].count(False) == 1
    other = same._replace(fingerprint=b"another intent")
    (error,) = await ledger.submit_many([note(0, claim=other)])
    assert isinstance(error, IdempotencyKeyReused)
    assert await books.count_of("pending_arrivals") == await books.count_of("notes") == 1
    assert await books.broken_laws() == []


async def test_a_token_is_spent_by_one(books: Books) -> None:
    """Of notes and postings that need one token, from several writers at once, one is accepted; the
    others are refused for good and leave nothing."""
    brand, account = books.brands[0], books.members[0].accounts[0]
    token = Token(0, "once")
    notes = [note(n % books.count, records=(record(),)) for n in range(10)]
    commands: list[Command] = [replace(each, tokens=(token,)) for each in notes]
    commands += [accrual(brand, account, 7, tokens=(token,)) for _ in range(10)]
    ledgers = [await books.ledger() for _ in range(3)]
    try:
        answers = await asyncio.gather(
            *(ledgers[n % 3].submit(command) for n, command in enumerate(commands))
        )
        later = await ledgers[0].submit(commands[0])
    finally:
        for ledger in ledgers:
            await ledger.close()
    accepted = [each for each in answers if each.rejection is None]
    assert len(accepted) == 1
    assert [each.rejection for each in answers].count(TokenSpent(token="once")) == 19
    assert later.rejection == answers[0].rejection
    written = await books.count_of("notes") + await books.count_of("transactions")
    assert written == 1
    assert await books.count_of("pending_arrivals") == await books.count_of("notes")
    assert await books.broken_laws() == []
