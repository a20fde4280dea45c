"""Holds: points set aside in lots until captured, voided or expired, exactly once.

Pure, like the core it serves. Nothing is posted by placing or releasing; a capture is a posting
that the held lots pay for.
"""

from uuid import UUID

from brands.clock import Micros
from brands.ledger.commands import EndHold, PlaceHold
from brands.ledger.lots import Take, spendable, take
from brands.ledger.state import Changes, Hold, State
from brands.rejections import (
    CaptureExceedsHold,
    HoldNotPending,
    InsufficientPoints,
    MembershipClosed,
    Rejection,
)


def place_hold(state: State, changes: Changes, command: PlaceHold, now: Micros) -> Rejection | None:
    """Reserves lots in the order in which a debit would use them."""
    account = state.accounts[command.account]
    if account.closed:
        return MembershipClosed(membership_id=account.id)
    found = take(account, command.points, now)
    if found is None:
        available = spendable(account, now)
        return InsufficientPoints(available=available, required=command.points)
    lots = [(lot.origin, amount) for lot, amount in found]
    hold = Hold(command.id, account.id, command.points, "PENDING", command.expires_at, lots)
    for lot, amount in found:
        lot.held += amount
        _touch_lot(state, changes, lot.account, lot.origin)
        changes.hold_lots.append((account.book, hold.id, lot.origin, amount))
    account.held += command.points
    changes.accounts[account.id] = account
    changes.new_holds[hold.id] = state.holds[hold.id] = hold
    return None


def end_hold(state: State, changes: Changes, command: EndHold, now: Micros) -> Rejection | None:
    """Releases a pending hold; an expiry not before its time."""
    hold = state.holds[command.hold]
    if hold.status != "PENDING":
        return HoldNotPending(status=hold.status)
    if command.expiry and now < hold.expires_at:
        return HoldNotPending(status="not expired")
    status = "EXPIRED" if command.expiry else "VOIDED"
    close_hold(state, changes, hold, status, command.id, now)
    return None


def capture(
    state: State, hold: Hold, points: int, takes: list[Take], now: Micros
) -> Rejection | None:
    """The lots of a hold pay for the debit of its account, which may be less than was held."""
    assert points > 0
    if hold.status == "PENDING" and now >= hold.expires_at:
        return HoldNotPending(status="EXPIRED")
    if hold.status != "PENDING":
        return HoldNotPending(status=hold.status)
    if points > hold.points:
        return CaptureExceedsHold(points=points, held=hold.points)
    reserved = [(state.lots[hold.account, origin], amount) for origin, amount in hold.lots]
    for lot, amount in sorted(reserved, key=lambda each: each[0].order):
        part = min(amount, points)
        if part:
            takes.append((lot, part))
            points -= part
    return None


def close_hold(
    state: State,
    changes: Changes,
    hold: Hold,
    status: str,
    ended_by: UUID,
    now: Micros,
    captured: int = 0,
) -> None:
    """Releases all that the hold reserves; a capture then spends what it needs."""
    account = state.accounts[hold.account]
    for origin, amount in hold.lots:
        state.lots[hold.account, origin].held -= amount
        _touch_lot(state, changes, hold.account, origin)
    account.held -= hold.points
    changes.accounts[account.id] = account
    hold.status = status
    hold.captured = captured
    hold.ended_at = now
    hold.ended_by = ended_by
    if hold.id not in changes.new_holds:
        changes.holds[hold.id] = hold


def _touch_lot(state: State, changes: Changes, account: UUID, origin: UUID) -> None:
    if (account, origin) not in changes.new_lots:
        changes.lots[account, origin] = state.lots[account, origin]
