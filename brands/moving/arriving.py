"""Points under way: they arrive when they are due, once, however often and by whomever it is tried.

A transfer that takes its time is on a list of arrivals from the moment its points have left. One
token decides whether it arrives or is called off; the list only says where to look.
"""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from brands.clock import NEVER, Micros, now_micros
from brands.coalition import Coalition
from brands.database import Row, as_uuid
from brands.ids import book_of, new_id
from brands.ledger.chart import COALITION, AccountKind, TransactionKind, stripe
from brands.ledger.commands import (
    Arrival,
    Claim,
    Post,
    RecordKind,
    Reverse,
    Token,
    fingerprint,
)
from brands.moving.conversions import arrival
from brands.moving.terms import Terms, learn_rules, terms_of_row
from brands.rejections import TokenSpent, TransferNotCompleted

AT_ONCE = 500
"""Arrivals looked up in one statement, at most; the rest waits for the next round."""

CLIENT = "system/arrivals"
"""In whose name points go back that cannot arrive."""

ARRIVAL_RECORD = RecordKind(
    "pending_arrivals", (("book", "smallint"), ("transfer_id", "uuid"), ("arrives_at", "bigint"))
)


def token_of(transfer: UUID) -> Token:
    """What a transfer under way has one of: it is spent by arriving, or by being called off."""
    return Token(book_of(transfer), f"transfer:{transfer}")


def arrival_of(id: UUID, terms: Terms, carrier: AccountKind) -> Arrival:
    """The transaction by which a transfer's points arrive."""
    book = book_of(terms.destination)
    account = stripe(book, COALITION, carrier)
    postings = arrival(book, terms.destination, terms.rates, terms.figures, account)
    return Arrival(id, TransactionKind.TRANSFER_IN, postings, terms.points_in)


async def complete_transfers(coalition: Coalition) -> int:
    """Lets arrive all that is due; how many transfers that were. What cannot arrive goes back.

    One that the books cannot digest holds up no other: it stays on the list, and its error is
    raised when all the others have been seen to.
    """
    settled, failures = 0, []
    page = await _due(coalition, (0, UUID(int=0)))
    while page:
        await learn_rules(coalition, page)
        answers = await _tried(coalition, page)
        failures += [answer for answer in answers if isinstance(answer, BaseException)]
        done = [as_uuid(row["id"]) for row, it in zip(page, answers, strict=True) if it is True]
        if done:
            await strike_off(coalition, done)
        settled += len(done)
        last = page[-1]["arrives_at"], as_uuid(page[-1]["id"])
        page = await _due(coalition, last) if len(page) == AT_ONCE else ()
    if failures:
        raise failures[0]
    return settled


async def _due(coalition: Coalition, after: tuple[Micros, UUID]) -> Sequence[Row]:
    """Transfers whose time has come, in the order of their arrival and id, from there on."""
    return await coalition.database.fetch(
        "SELECT t.id, t.source_id, t.destination_id, t.points_out, t.points_in, t.base_points,"
        " t.bonus_points, t.fee, t.terms, t.transaction_id, t.arrives_at, t.arrival_id"
        " FROM pending_arrivals p JOIN transfers t ON t.book = p.book AND t.id = p.transfer_id"
        " WHERE p.book = ANY($1::smallint[]) AND p.arrives_at <= $2"
        " AND (p.arrives_at, p.transfer_id) > ($3::bigint, $4::uuid)"
        " ORDER BY p.arrives_at, p.transfer_id LIMIT $5",
        *(list(range(coalition.books)), now_micros(), *after, AT_ONCE),
    )


async def _tried(coalition: Coalition, rows: Sequence[Row]) -> list[bool | BaseException]:
    """Whether each is settled now, or what went wrong with it."""
    due = [(row, terms_of_row(row, coalition)) for row in rows]
    earliest = await _earliest_expiries(coalition, due)
    return await asyncio.gather(
        *(_try(coalition, row, terms, earliest[as_uuid(row["id"])]) for row, terms in due),
        return_exceptions=True,
    )


async def _try(coalition: Coalition, row: Row, terms: Terms, expires_at: Micros) -> bool:
    """Whether nothing is left to do: the points are there, or have gone back, now or before."""
    outcome = await coalition.ledger.submit(_arrive(row, terms, expires_at))
    if outcome.rejection is None or isinstance(outcome.rejection, TokenSpent):
        return True
    if isinstance(outcome.rejection, TransferNotCompleted):  # the database's clock is behind ours
        return False
    # The membership was closed meanwhile, say: the points are the sender's again.
    outcome = await coalition.ledger.submit(_return(row))
    return outcome.rejection is None or isinstance(outcome.rejection, TokenSpent)


async def strike_off(coalition: Coalition, settled: Sequence[UUID]) -> None:
    """Takes transfers off the list of arrivals: they have arrived, or never will."""
    await coalition.database.fetch(
        "DELETE FROM pending_arrivals"
        " WHERE book = ANY($1::smallint[]) AND transfer_id = ANY($2::uuid[])",
        list({book_of(id) for id in settled}),
        list(settled),
    )


def _arrive(row: Row, terms: Terms, expires_at: Micros) -> Post:
    transfer = as_uuid(row["id"])
    half = arrival_of(as_uuid(row["arrival_id"]), terms, AccountKind.TRANSIT)
    return Post(
        id=half.id,
        claim=None,
        kind=half.kind,
        postings=half.postings,
        points=half.points,
        event_at=row["arrives_at"],
        lots_expire_at=expires_at,
        tokens=(token_of(transfer),),
        not_before=row["arrives_at"],
    )


def _return(row: Row) -> Reverse:
    id = new_id(book_of(as_uuid(row["transaction_id"])))
    return Reverse(
        id=id,
        # A key for each attempt: what is refused now may be done later. The token lets one be.
        claim=Claim(CLIENT, f"return/{id}", fingerprint("return", transfer=row["id"])),
        original=as_uuid(row["transaction_id"]),
        points=None,
        event_at=now_micros(),
        departed_only=True,
        counted=(as_uuid(row["destination_id"]),),
        tokens=(token_of(as_uuid(row["id"])),),
        description="The points could not arrive.",
    )


async def _earliest_expiries(
    coalition: Coalition, due: list[tuple[Row, Terms]]
) -> dict[UUID, Micros]:
    """When the arriving points of each transfer expire."""
    earliest = {as_uuid(row["id"]): NEVER for row, _ in due}
    kept = {as_uuid(row["transaction_id"]): row["id"] for row, terms in due if terms.keeps_expiry}
    if not kept:
        return earliest
    rows = await coalition.database.fetch(
        "SELECT u.transaction_id, min(l.expires_at) AS expires_at FROM lot_uses u"
        " JOIN lots l ON l.book = u.book AND l.account_id = u.account_id"
        " AND l.transaction_id = u.lot_id"
        " WHERE u.book = ANY($1::smallint[]) AND u.transaction_id = ANY($2::uuid[])"
        " GROUP BY u.transaction_id",
        list({book_of(id) for id in kept}),
        list(kept),
    )
    for row in rows:
        earliest[as_uuid(kept[as_uuid(row["transaction_id"])])] = row["expires_at"]
    return earliest
