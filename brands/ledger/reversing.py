"""Reversal: the mirror of an earlier transaction, whole or in part, at its original figures.

Parts add up: after K of N points are reversed, K/N of every leg is mirrored, so the last part makes
the whole exact. Of a conversion, what had arrived is taken back rounded up, so that no part leaves
the member better off. Pure, like the core it serves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from brands.clock import Micros
from brands.ids import book_of
from brands.ledger.chart import COALITION, MONEY, AccountKind, TransactionKind, stripe
from brands.ledger.commands import Shortfall
from brands.ledger.lots import Take, spendable, take, take_at_most
from brands.ledger.state import Account, Original, State
from brands.rejections import (
    AlreadyReversed,
    InsufficientPoints,
    NotReversible,
    Rejection,
    ReversalExceedsOriginal,
)

_FINAL = (
    TransactionKind.REVERSAL,
    TransactionKind.REVALUATION,
    TransactionKind.TRANSFER_OUT,
    TransactionKind.TRANSFER_IN,
)


@dataclass(frozen=True, slots=True)
class Mirror:
    """What a reversal posts: `points` of the original, and which lots pay what is taken back."""

    points: int
    deltas: dict[UUID, int]
    takes: list[Take]
    overdrafts: list[tuple[Account, int]]


def mirror(
    original: Original,
    state: State,
    points: int | None,
    shortfall: Shortfall,
    now: Micros,
) -> Mirror | Rejection:
    """The mirror of `points` of the original (all that is left, if None), or why not."""
    if original.kind in _FINAL:
        return NotReversible(kind=original.kind)
    primary, total = _primary(original.entries, state.accounts)
    remaining = total - original.reversed
    if remaining == 0:
        return AlreadyReversed()
    points = remaining if points is None else points
    if points > remaining:
        return ReversalExceedsOriginal(points=points, remaining=remaining)
    return _taken_back(original, state, primary, total, points, shortfall, now)


def _taken_back(
    original: Original,
    state: State,
    primary: Account,
    total: int,
    points: int,
    shortfall: Shortfall,
    now: Micros,
) -> Mirror | Rejection:
    deltas = _deltas(original, state.accounts, primary, total, points)
    takes: list[Take] = []
    overdrafts: list[tuple[Account, int]] = []
    for account_id, amount in deltas.items():
        account = state.accounts[account_id]
        if not account.is_points or amount >= 0:
            continue
        found = take(account, -amount, now, first=state.lots.get((account_id, original.id)))
        if found is not None:
            takes.extend(found)
            continue
        available = spendable(account, now)
        if shortfall is Shortfall.ALLOW_NEGATIVE:
            found = take_at_most(account, -amount)
            takes.extend(found)
            overdrafts.append((account, -amount - sum(taken for _, taken in found)))
        elif shortfall is Shortfall.UP_TO_BALANCE and account is primary and available:
            return _taken_back(original, state, primary, total, available, Shortfall.REJECT, now)
        else:
            return InsufficientPoints(available=available, required=-amount)
    return Mirror(points, deltas, takes, overdrafts)


def _primary(
    entries: Sequence[tuple[UUID, int]], accounts: Mapping[UUID, Account]
) -> tuple[Account, int]:
    """The member account that the original's points are counted on: the one debited, if any."""
    _, account_id, amount = min(
        (amount > 0, account_id, amount)
        for account_id, amount in entries
        if accounts[account_id].is_points
    )
    return accounts[account_id], abs(amount)


def _deltas(
    original: Original,
    accounts: Mapping[UUID, Account],
    primary: Account,
    total: int,
    points: int,
) -> dict[UUID, int]:
    before, after = original.reversed, original.reversed + points
    arrived = {
        accounts[account_id].unit: abs(amount)
        for account_id, amount in original.entries
        if accounts[account_id].is_points and accounts[account_id].unit != primary.unit
    }
    deltas: dict[UUID, int] = {}
    for account_id, amount in original.entries:
        account = accounts[account_id]
        brand = account.owner if account.unit == MONEY else account.unit
        whole = arrived.get(brand)
        if whole is None:
            deltas[account_id] = _part(amount, before, total) - _part(amount, after, total)
        else:
            done = -(-whole * before // total)
            goal = -(-whole * after // total)
            deltas[account_id] = _part(amount, done, whole) - _part(amount, goal, whole)
    _balance(deltas, original, accounts)
    return deltas


def _part(amount: int, numerator: int, denominator: int) -> int:
    """That fraction of an amount, rounded towards zero; exact for legs that are points x rate."""
    part = abs(amount) * numerator // denominator
    return part if amount > 0 else -part


def _balance(deltas: dict[UUID, int], original: Original, accounts: Mapping[UUID, Account]) -> None:
    """Gives what rounding leaves over in a unit to one account, the same for every part: so the
    parts add up there too."""
    for unit in {accounts[account_id].unit for account_id in deltas}:
        rest = sum(amount for id, amount in deltas.items() if accounts[id].unit == unit)
        if rest:
            bearer = _bearer(unit, original, accounts)
            deltas[bearer] = deltas.get(bearer, 0) - rest


def _bearer(unit: UUID, original: Original, accounts: Mapping[UUID, Account]) -> UUID:
    """For money the coalition's margin, for points the original's largest system leg."""
    if unit == MONEY:
        return stripe(book_of(original.id), COALITION, AccountKind.MARGIN)
    _, bearer = max(
        (abs(amount), account_id)
        for account_id, amount in original.entries
        if accounts[account_id].unit == unit and not accounts[account_id].is_points
    )
    return bearer
