"""What falls due by itself: revaluations, expired holds, expired lots.

Each function finds what is due and has the books do it; the books judge by the database's clock
whether it really is. Any number of processes may do so at once: what one has done is no longer due
to the next.
"""

from brands.clock import now_micros
from brands.coalition import Coalition
from brands.database import as_uuid
from brands.errors import DomainError
from brands.ids import new_id
from brands.ledger.chart import AccountKind, stripe
from brands.ledger.commands import Claim, EndHold, ExpireLots, Outcome, Revalue, fingerprint

AT_ONCE = 500
"""Holds or lots looked up in one statement, at most; the rest waits for the next round."""

CLIENT = "system/upkeep"
"""In whose name holds expire."""


async def revalue_pools(coalition: Coalition) -> int:
    """Brings every pool to the value in force; how many were not at it.

    Whoever posts next would do so anyway. This is for brands of which nothing is posted.
    """
    snapshot = await coalition.registry.refresh()
    rows = await coalition.database.fetch(
        "SELECT book, owner_id, rate FROM accounts"
        " WHERE owner_id = ANY($1::uuid[]) AND kind = 'POOL'",
        [brand.id for brand in snapshot.brands],
    )
    values = {
        brand.id: snapshot.valuation(brand.id).rates.redemption_rate for brand in snapshot.brands
    }
    due = [
        Revalue(new_id(row["book"]), as_uuid(row["owner_id"]))
        for row in rows
        if row["rate"] != values[as_uuid(row["owner_id"])]
    ]
    _check(await coalition.ledger.submit_many(due))
    return len(due)


async def expire_holds(coalition: Coalition) -> int:
    """Ends pending holds whose time is over, and releases their points; how many were due."""
    rows = await coalition.database.fetch(
        "SELECT book, id, account_id FROM holds"
        " WHERE book = ANY($1) AND status = 'PENDING' AND expires_at <= $2"
        " ORDER BY expires_at LIMIT $3",
        *(list(range(coalition.books)), now_micros(), AT_ONCE),
    )
    due = [
        EndHold(
            id=new_id(row["book"]),
            claim=Claim(CLIENT, f"expire-hold/{row['id']}", fingerprint("expire", hold=row["id"])),
            hold=as_uuid(row["id"]),
            account=as_uuid(row["account_id"]),
            expiry=True,
        )
        for row in rows
    ]
    _check(await coalition.ledger.submit_many(due))
    return len(due)


async def expire_lots(coalition: Coalition) -> int:
    """Takes out what is left, unheld, of expired lots; on how many accounts there were any.

    What backed the points goes to the brand.
    """
    rows = await coalition.database.fetch(
        "SELECT a.book, a.id, a.unit FROM accounts a WHERE (a.book, a.id) IN ("
        "SELECT l.book, l.account_id FROM lots l WHERE l.book = ANY($1) AND l.spent = 0"
        " AND l.expires_at < 9223372036854775807 AND l.expires_at <= $2 AND l.remaining > l.held"
        " LIMIT $3)",
        *(list(range(coalition.books)), now_micros(), AT_ONCE),
    )
    due = [
        ExpireLots(
            id=new_id(row["book"]),
            account=as_uuid(row["id"]),
            brand=as_uuid(row["unit"]),
            beneficiary=stripe(row["book"], as_uuid(row["unit"]), AccountKind.SETTLEMENT),
        )
        for row in rows
    ]
    _check(await coalition.ledger.submit_many(due))
    return len(due)


def _check(answers: list[Outcome | DomainError]) -> None:
    """Raises what is no answer. A refusal is one: somebody else was faster."""
    for answer in answers:
        if isinstance(answer, DomainError):
            raise answer
