"""Taking back what was posted: the one way in which a mistake in the books is corrected."""

from uuid import UUID

from brands.callers import Caller
from brands.clock import now_micros
from brands.coalition import Coalition
from brands.ids import book_of, new_id
from brands.ledger.commands import Claim, Outcome, Reverse, Shortfall


async def take_back(
    coalition: Coalition,
    caller: Caller,
    claim: Claim,
    original: UUID,
    points: int | None,
    reason: str,
) -> Outcome:
    """Mirrors a transaction at its original figures: `points` of it, or all that is left.

    The transaction exists. Raises `AlreadyReversed`, `ReversalExceedsOriginal`, `NotReversible`,
    and `InsufficientPoints` where points that are to be taken back are spent.
    """
    command = Reverse(
        id=new_id(book_of(original)),
        claim=claim,
        original=original,
        points=points,
        event_at=now_micros(),
        shortfall=Shortfall.REJECT,
        description=reason,
        request_id=caller.request_id,
    )
    return (await coalition.ledger.submit(command)).accepted()
