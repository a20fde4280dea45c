"""Caps: how much of a limit is used, counted on a membership's account. Pure, like the core.

A use is appended with the transaction that it is for, and taken back with it; what is used is the
sum. The account's revision rises with each use, so two writers cannot both find room.
"""

from collections.abc import Sequence
from uuid import UUID

from brands.clock import from_micros
from brands.ids import book_of
from brands.ledger.commands import Cap
from brands.ledger.state import Changes, State
from brands.rejections import TransferLimitReached


def exceeded(cap: Cap, used_points: int, used_count: int) -> TransferLimitReached | None:
    """The refusal, if so much is used already that the cap's own use does not fit."""
    most, times = cap.max_points, cap.max_count
    if (most is None or used_points + cap.points <= most) and (
        times is None or used_count + cap.count <= times
    ):
        return None
    for unit, limit, used, more in (
        ("POINTS", most, used_points, cap.points),
        ("COUNT", times, used_count, cap.count),
    ):
        if limit is not None and used + more > limit:
            return TransferLimitReached(
                period=cap.period,
                direction=cap.direction,
                unit=unit,
                limit=limit,
                used=used,
                remaining=max(0, limit - used),
                resets_at=from_micros(cap.resets_at),
            )
    raise AssertionError("one of the two does not fit")


def first_exceeded(
    state: State, caps: Sequence[Cap], direction: str
) -> TransferLimitReached | None:
    """The refusal for the first of the caps of a direction for which there is no room."""
    for cap in caps:
        if cap.direction != direction:
            continue
        refusal = exceeded(cap, *state.accounts[cap.account].caps[cap.name])
        if refusal is not None:
            return refusal
    return None


def use(
    state: State,
    changes: Changes,
    account_id: UUID,
    name: str,
    points: int,
    count: int,
    transaction: UUID,
) -> None:
    """Records a use (below zero: its being given back), and moves the account's revision."""
    account = state.accounts[account_id]
    used_points, used_count = account.caps.get(name, (0, 0))
    account.caps[name] = (used_points + points, used_count + count)
    changes.accounts[account_id] = account
    changes.cap_uses.append((book_of(account_id), account_id, name, transaction, points, count))
