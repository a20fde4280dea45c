"""Lots: which credit a debit uses up. Earliest expiry first, ties by age; a reversal gives back
to the very lots it took from. Pure, like the core it serves.
"""

from bisect import insort
from collections.abc import Sequence
from operator import attrgetter
from typing import TypeAlias
from uuid import UUID

from brands.clock import Micros
from brands.ledger.state import Account, Changes, Lot, State

Take: TypeAlias = tuple[Lot, int]

_ORDER = attrgetter("order")


class LotsNotLoaded(Exception):
    """The state does not hold enough of an account's lots to judge: load them all, judge again."""


def take(
    account: Account, points: int, now: Micros, *, first: Lot | None = None
) -> list[Take] | None:
    """The lots that pay `points`, in order (`first` before all others), or None if they do not
    suffice. Expired and held points do not count; nor does what covers a debt."""
    if account.floor:
        if spendable(account, now) < points:
            return None
    elif account.balance - account.held < points:
        return None
    takes: list[Take] = []
    needed = points
    candidates = account.lots
    if first is not None and first.remaining:
        candidates = [first, *(lot for lot in account.lots if lot is not first)]
    for lot in candidates:
        if lot.expires_at <= now:
            continue
        part = min(lot.remaining - lot.held, needed)
        if part:
            takes.append((lot, part))
            needed -= part
            if needed == 0:
                return takes
    if not account.all_lots:
        raise LotsNotLoaded
    return None


def take_at_most(account: Account, points: int) -> list[Take]:
    """What there is towards `points`, unheld, expired or not: a clawback into debt begins here."""
    if not account.all_lots:
        raise LotsNotLoaded
    takes: list[Take] = []
    for lot in account.lots:
        part = min(lot.remaining - lot.held, points)
        if part:
            takes.append((lot, part))
            points -= part
    return takes


def take_expired(account: Account, now: Micros) -> list[Take]:
    """What is left, unheld, of the lots that have expired by now."""
    return [
        (lot, lot.remaining - lot.held)
        for lot in account.lots
        if lot.expires_at <= now and lot.remaining > lot.held
    ]


def spendable(account: Account, now: Micros) -> int:
    """Points that could be spent now: neither held nor expired, less a debt."""
    if not account.all_lots:
        raise LotsNotLoaded
    free = sum(lot.remaining - lot.held for lot in account.lots if lot.expires_at > now)
    return max(0, free + (account.floor or 0))


def spend(state: State, changes: Changes, takes: Sequence[Take], transaction: UUID) -> None:
    """Uses up what was taken from lots, and records it."""
    for lot, amount in takes:
        _move(changes, state.accounts[lot.account], lot, -amount, transaction)


def keep(
    state: State,
    changes: Changes,
    account: Account,
    points: int,
    transaction: UUID,
    earned_at: Micros,
    expires_at: Micros,
) -> None:
    """Makes the lot of a credit. A debt is paid from it first."""
    lot = Lot(account.id, transaction, points, points, 0, earned_at, expires_at)
    changes.new_lots[account.id, transaction] = lot
    state.lots[account.id, transaction] = lot
    debt = _repay(account, points)
    if debt < points:
        lots = account.lots
        if not lots or lots[-1].order < lot.order:
            # Behind lots that are not loaded it must not be reached before them.
            if account.all_lots:
                lots.append(lot)
        else:
            insort(lots, lot, key=_ORDER)
    if debt:
        _move(changes, account, lot, -debt, transaction)


def give_back(
    state: State,
    changes: Changes,
    account: Account,
    points: int,
    uses: dict[tuple[UUID, UUID], int],
    transaction: UUID,
) -> int:
    """Gives points back to the lots in `uses`, last used first; returns what none of them took.

    A debt is paid from what comes back before a lot is filled again.
    """
    rest = points
    for key in reversed(list(uses)):
        part = min(uses[key], rest) if key[0] == account.id else 0
        if part <= 0:
            continue
        rest -= part
        back = part - _repay(account, part)
        uses[key] -= back
        if back:
            lot = state.lots[key]
            if lot.remaining == 0:
                insort(account.lots, lot, key=_ORDER)
            _move(changes, account, lot, back, transaction)
    return rest


def _repay(account: Account, points: int) -> int:
    """How much of a credit pays a debt; the account's floor rises by it."""
    assert account.floor is not None
    if account.floor == 0:
        return 0
    paid = min(points, -account.floor)
    account.floor += paid
    return paid


def _move(changes: Changes, account: Account, lot: Lot, amount: int, transaction: UUID) -> None:
    lot.remaining += amount
    key = (lot.account, lot.origin)
    if key not in changes.new_lots:
        changes.lots[key] = lot
    if lot.remaining == 0 and account.lots:
        if account.lots[0] is lot:
            del account.lots[0]
        else:
            account.lots = [other for other in account.lots if other is not lot]
    changes.uses.append((account.book, transaction, lot.account, lot.origin, -amount))
