"""Opening accounts: a stripe in every book for a brand and the coalition, one for a membership.

An account exists before anything is posted to it: a row that is not there cannot be locked.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from brands.clock import Micros
from brands.database import Transaction
from brands.ids import book_of
from brands.ledger.chart import (
    BRAND_MONEY_KINDS,
    BRAND_POINTS_KINDS,
    COALITION,
    COALITION_MONEY_KINDS,
    AccountKind,
    stripe,
    unit_of,
)

_INSERT = (
    "INSERT INTO accounts (book, id, owner_id, kind, unit, balance, held, floor, version, rate,"
    " closed, posted_at) VALUES ($1, $2, $3, $4, $5, 0, 0, $6, 0, $7, 0, $8)"
)


async def open_coalition_accounts(tx: Transaction, books: int, now: Micros) -> None:
    """Opens the coalition's own accounts in each of its books."""
    await tx.execute_many(
        _INSERT,
        [
            _stripe(book, COALITION, kind, None, now)
            for book in range(books)
            for kind in COALITION_MONEY_KINDS
        ],
    )


async def open_brand_accounts(
    tx: Transaction, brand_id: UUID, books: int, redemption_rate: int, now: Micros
) -> None:
    """Opens a brand's accounts in each book; its pools are carried at `redemption_rate`."""
    await tx.execute_many(
        _INSERT,
        [
            _stripe(book, brand_id, kind, redemption_rate, now)
            for book in range(books)
            for kind in (*BRAND_POINTS_KINDS, *BRAND_MONEY_KINDS)
        ],
    )


async def open_points_accounts(
    tx: Transaction, memberships: Iterable[tuple[UUID, UUID, UUID]], now: Micros
) -> None:
    """Opens the points account of each (membership, member, brand). Its floor is zero."""
    kind = AccountKind.POINTS.value
    await tx.execute_many(
        _INSERT,
        [
            (book_of(membership_id), membership_id, member_id, kind, brand_id, 0, None, now)
            for membership_id, member_id, brand_id in memberships
        ],
    )


def _stripe(
    book: int, owner: UUID, kind: AccountKind, pool_rate: int | None, now: Micros
) -> tuple[Any, ...]:
    rate = pool_rate if kind is AccountKind.POOL else None
    return book, stripe(book, owner, kind), owner, kind.value, unit_of(owner, kind), None, rate, now
