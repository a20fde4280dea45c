"""Reversal: the mirror of an earlier transaction, whole or in part, at its original figures.

Parts add up: after K of N points are reversed, K/N of every leg is mirrored, so the last part makes
the whole exact. Of a transfer, what had arrived is taken back rounded up, so that no part leaves
the member better off. Pure, like the core it serves.
"""

from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from brands.clock import Micros
from brands.ids import book_of
from brands.ledger.chart import COALITION, MONEY, AccountKind, TransactionKind, stripe
from brands.ledger.commands import Reverse, Shortfall
from brands.ledger.lots import Take, spendable, take, take_at_most
from brands.ledger.state import Account, Original, State
from brands.rejections import (
    AlreadyReversed,
    InsufficientPoints,
    NotReversible,
    Rejection,
    ReversalExceedsOriginal,
)

_FINAL = (TransactionKind.REVERSAL, TransactionKind.REVALUATION, TransactionKind.TRANSFER_IN)
"""What is never reversed by itself."""


class Share(NamedTuple):
    """How much of a whole is reversed before and after this reversal."""

    before: int
    after: int
    whole: int

    def of(self, amount: int) -> int:
        """What this reversal mirrors of an amount: its sign is turned."""
        return _part(amount, self.before, self.whole) - _part(amount, self.after, self.whole)


@dataclass(frozen=True, slots=True)
class Half:
    """The mirror of one transaction: which lots pay what is taken back, which caps are given back.

    `points` are the original's; `caps` are (account, name, points, count).
    """

    id: UUID
    original: Original
    points: int
    deltas: dict[UUID, int]
    caps: list[tuple[UUID, str, int, int]]
    takes: list[Take] = field(default_factory=list)
    overdrafts: list[tuple[Account, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Mirror:
    """What a reversal posts: one half, or, of a transfer that was posted as two, both."""

    halves: tuple[Half, ...]


def mirror(command: Reverse, state: State, now: Micros) -> Mirror | Rejection:
    """What the command posts, or why not."""
    original = state.originals[command.original]
    if original.kind in _FINAL or (
        original.kind == TransactionKind.TRANSFER_OUT
        and command.arrival is None
        and not command.departed_only
    ):
        return NotReversible(kind=original.kind)
    sides = _sides(command, state)
    remaining = sides.total - original.reversed
    if remaining == 0:
        return AlreadyReversed()
    points = remaining if command.points is None else command.points
    if points > remaining:
        return ReversalExceedsOriginal(points=points, remaining=remaining)
    return _taken_back(command, sides, points, command.shortfall, state, now)


@dataclass(frozen=True, slots=True)
class _Sides:
    """A transaction to be reversed (or two) as the movement of points that it was."""

    departure: Original
    primary: Account
    """The member account that the original's points are counted on: the one debited, if any."""
    total: int
    arrival: Original | None
    arrived: int | None
    """How many points arrived elsewhere, if any did."""
    brand: UUID | None
    """The brand at which they arrived, if that was the same transaction."""


def _sides(command: Reverse, state: State) -> _Sides:
    departure = state.originals[command.original]
    points = sorted(
        (amount > 0, account_id, amount)
        for account_id, amount in departure.entries
        if state.accounts[account_id].is_points
    )
    _, primary, total = points[0]
    arrival = None if command.arrival is None else state.originals[command.arrival[1]]
    arrived, brand = None, None
    if arrival is not None:
        (arrived,) = (
            amount for account, amount in arrival.entries if state.accounts[account].is_points
        )
    elif len(points) > 1:
        _, other, arrived = points[1]
        brand = state.accounts[other].unit
    account = state.accounts[primary]
    return _Sides(departure, account, abs(total), arrival, arrived, brand)


def _taken_back(
    command: Reverse,
    sides: _Sides,
    points: int,
    shortfall: Shortfall,
    state: State,
    now: Micros,
) -> Mirror | Rejection:
    halves = _halves(command, sides, points, state)
    for half in halves:
        for account_id, amount in half.deltas.items():
            account = state.accounts[account_id]
            if not account.is_points or amount >= 0:
                continue
            first = state.lots.get((account_id, half.original.id))
            found = take(account, -amount, now, first=first)
            if found is not None:
                half.takes.extend(found)
                continue
            available = spendable(account, now)
            if shortfall is Shortfall.ALLOW_NEGATIVE:
                found = take_at_most(account, -amount)
                half.takes.extend(found)
                debt = -amount - sum(taken for _, taken in found)
                half.overdrafts.append((account, debt))
            elif shortfall is Shortfall.UP_TO_BALANCE and (
                covered := _covered(sides, account, available)
            ):
                return _taken_back(command, sides, covered, Shortfall.REJECT, state, now)
            else:
                return InsufficientPoints(available=available, required=-amount)
    return Mirror(halves)


def _covered(sides: _Sides, account: Account, available: int) -> int:
    """How many of the original's points can be reversed with so many available."""
    if account is sides.primary or sides.arrived is None:
        return available
    done = -(-sides.arrived * sides.departure.reversed // sides.total)
    return sides.total * (done + available) // sides.arrived - sides.departure.reversed


def _halves(command: Reverse, sides: _Sides, points: int, state: State) -> tuple[Half, ...]:
    departure, arrival = sides.departure, sides.arrival
    leaving = Share(departure.reversed, departure.reversed + points, sides.total)
    arriving = leaving
    if sides.arrived is not None:
        done, goal = (-(-sides.arrived * part // sides.total) for part in leaving[:2])
        arriving = Share(done, goal, sides.arrived)
    out = Half(
        command.id,
        departure,
        points,
        _deltas(departure, sides, leaving, arriving, state),
        _caps(departure, sides, leaving, arriving),
    )
    if arrival is None:
        return (out,)
    assert command.arrival is not None
    if arriving.before == arriving.after:  # rounded up, an earlier part has taken back all this
        return (out,)
    deltas = _deltas(arrival, sides, arriving, arriving, state)
    return out, Half(command.arrival[0], arrival, arriving.after - arriving.before, deltas, [])


def _deltas(
    original: Original, sides: _Sides, leaving: Share, arriving: Share, state: State
) -> dict[UUID, int]:
    book = book_of(original.id)
    carriers = {
        stripe(book, COALITION, kind) for kind in (AccountKind.CLEARING, AccountKind.TRANSIT)
    }
    deltas: dict[UUID, int] = {}
    for account_id, amount in original.entries:
        account = state.accounts[account_id]
        brand = account.owner if account.unit == MONEY else account.unit
        # What stands behind the points that arrived goes back in step with them.
        arrives = account_id in carriers or brand == sides.brand
        deltas[account_id] = (arriving if arrives else leaving).of(amount)
    _balance(deltas, original, state)
    return deltas


def _caps(
    original: Original, sides: _Sides, leaving: Share, arriving: Share
) -> list[tuple[UUID, str, int, int]]:
    """What the reversal gives back: points in step, and the count with the last of them."""
    back = []
    for account_id, name, points, count in original.caps:
        share = leaving if account_id == sides.primary.id else arriving
        times = count if leaving.after == leaving.whole else 0
        if points or times:
            back.append((account_id, name, -share.of(points), times))
    return back


def _part(amount: int, numerator: int, denominator: int) -> int:
    """That fraction of an amount, rounded towards zero; exact for legs that are points x rate."""
    part = abs(amount) * numerator // denominator
    return part if amount > 0 else -part


def _balance(deltas: dict[UUID, int], original: Original, state: State) -> None:
    """Gives what rounding leaves over in a unit to one account, the same for every part: so the
    parts add up there too."""
    accounts = state.accounts
    for unit in {accounts[account_id].unit for account_id in deltas}:
        rest = sum(amount for id, amount in deltas.items() if accounts[id].unit == unit)
        if rest:
            bearer = _bearer(unit, original, state)
            deltas[bearer] = deltas.get(bearer, 0) - rest


def _bearer(unit: UUID, original: Original, state: State) -> UUID:
    """For money the coalition's margin, for points the original's largest system leg."""
    if unit == MONEY:
        return stripe(book_of(original.id), COALITION, AccountKind.MARGIN)
    _, bearer = max(
        (abs(amount), account_id)
        for account_id, amount in original.entries
        if state.accounts[account_id].unit == unit and not state.accounts[account_id].is_points
    )
    return bearer
