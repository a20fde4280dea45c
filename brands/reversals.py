"""Taking back what was posted: the one way in which a mistake in the books is corrected."""

from dataclasses import replace
from uuid import UUID

from brands.callers import Caller
from brands.clock import now_micros
from brands.coalition import Coalition
from brands.ids import book_of, new_id
from brands.ledger.commands import Claim, Outcome, Reverse, Shortfall
from brands.rejections import AlreadyReversed, NotReversible, ReversalExceedsOriginal


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
    return reversed_outcome(await coalition.ledger.submit(command), "transaction")


def reversed_outcome(outcome: Outcome, path: str) -> Outcome:
    """A reversal's outcome; if it was refused, that is raised with the field concerned: the points,
    or what was to be reversed, which the field at `path` names."""
    try:
        return outcome.accepted()
    except ReversalExceedsOriginal as rejection:
        raise replace(rejection, path="points") from None
    except (AlreadyReversed, NotReversible) as rejection:
        raise replace(rejection, path=path) from None
