"""The chart of accounts: kinds, units, and the fixed ids of the accounts that belong to no member.

Every book holds a complete set of accounts: its own stripe of each brand's and of the coalition's.
A stripe's id follows from its book, owner and kind, so nobody has to look one up. Credit (a
positive amount) on a points account is what a member can spend; on a `settlement` account, what the
coalition owes the brand.
"""

from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b
from uuid import UUID

from brands.ids import BOOK_SHIFT, MAX_BOOKS, compiled


class AccountKind(StrEnum):
    """What an account is for."""

    POINTS = "POINTS"
    """What a member can spend at one brand. The only kind with a floor, and with lots."""
    ISSUED = "ISSUED"
    REDEEMED = "REDEEMED"
    EXPIRED = "EXPIRED"
    CONVERTED = "CONVERTED"
    ADJUSTED = "ADJUSTED"
    SETTLEMENT = "SETTLEMENT"
    POOL = "POOL"
    """The money behind a brand's outstanding points: always outstanding x redemptionRate."""
    MARGIN = "MARGIN"
    ROUNDING = "ROUNDING"
    BREAKAGE = "BREAKAGE"
    CLEARING = "CLEARING"
    """Between books: what has left one and arrived in another. Over all books it sums to zero."""
    TRANSIT = "TRANSIT"
    """Under way: what will stand behind points that have left and are yet to arrive. Over all books
    it sums to just that."""


class TransactionKind(StrEnum):
    """Why a transaction was posted."""

    ACCRUAL = "ACCRUAL"
    REDEMPTION = "REDEMPTION"
    TRANSFER_OUT = "TRANSFER_OUT"
    TRANSFER_IN = "TRANSFER_IN"
    CONVERSION = "CONVERSION"
    EXPIRY = "EXPIRY"
    ADJUSTMENT = "ADJUSTMENT"
    REVERSAL = "REVERSAL"
    REVALUATION = "REVALUATION"
    FEE = "FEE"
    SETTLEMENT = "SETTLEMENT"


BRAND_POINTS_KINDS = (
    AccountKind.ISSUED,
    AccountKind.REDEEMED,
    AccountKind.EXPIRED,
    AccountKind.CONVERTED,
    AccountKind.ADJUSTED,
)
"""A brand's accounts in its own points, in each book."""

BRAND_MONEY_KINDS = (AccountKind.SETTLEMENT, AccountKind.POOL)
"""A brand's accounts in money, in each book."""

COALITION_MONEY_KINDS = (
    AccountKind.MARGIN,
    AccountKind.ROUNDING,
    AccountKind.BREAKAGE,
    AccountKind.CLEARING,
    AccountKind.TRANSIT,
)
"""The coalition's own accounts in money, in each book."""

COALITION = UUID(int=0)
"""The owner of the accounts that belong to no brand."""

MONEY = UUID(int=0)
"""The unit of money accounts, the settlement currency; points have their brand's id as unit."""


@lru_cache(maxsize=65_536)
def stripe(book: int, owner: UUID, kind: AccountKind) -> UUID:
    """The id of `owner`'s account of this kind in `book` (UUID version 8, RFC 9562)."""
    assert 0 <= book < MAX_BOOKS
    noise = int.from_bytes(blake2b(owner.bytes + kind.encode(), digest_size=16).digest())
    book_mask = (MAX_BOOKS - 1) << BOOK_SHIFT
    fixed = (0xF << 76) | (0x3 << 62) | book_mask
    number = noise & ~fixed | 8 << 76 | 2 << 62 | book << BOOK_SHIFT
    return compiled(number.to_bytes(16))


def unit_of(owner: UUID, kind: AccountKind) -> UUID:
    """The unit of a stripe: its brand's points, or money."""
    return owner if owner != COALITION and kind in BRAND_POINTS_KINDS else MONEY
