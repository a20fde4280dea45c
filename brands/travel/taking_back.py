"""Taking back what a claim for missing credit has credited, and with it the segment of a booking
that it was credited by.

As reversals do, that gives the supplier its money back; where the points are spent, the policy of
the brand whose points they are decides. What a key was answered with stands, though that brand has
another policy since.
"""

from dataclasses import replace
from uuid import UUID

from brands.callers import Caller, CallerKind
from brands.clock import Micros, now_micros
from brands.coalition import Coalition
from brands.errors import NotPermitted
from brands.ids import book_of, new_id
from brands.intents import claim_of, wording_of
from brands.ledger.commands import (
    Claim,
    Command,
    Note,
    Outcome,
    Record,
    Refuse,
    Reverse,
    Shortfall,
    Token,
)
from brands.rejections import AlreadyReversed, InsufficientPoints, Rejection
from brands.travel.booking_steps import nothing_left, part_of, points_spent, step_records, stepped
from brands.travel.booking_steps import token_of as token_of_segment
from brands.travel.bookings import SegmentStatus
from brands.travel.claim_records import accepted, token_of, voiding_record
from brands.travel.claim_segments import segment_credited
from brands.travel.claiming import Claimed
from brands.travel.claims import ClaimStatus, CreditClaim, claim_by_id, whole_claim
from brands.travel.flown import credits_by
from brands.travel.rejections import ClaimNotCredited

VOID = "missingCreditVoid"


async def void(
    coalition: Coalition, caller: Caller, claim_id: UUID, reason: str, idempotency_key: str
) -> Claimed:
    """Takes back what was credited by a claim, as far as the clawback of the program's brand goes.

    For the brand that supplied the journey, the one whose program it is, and operators. Raises
    `ClaimNotFound`, `NotPermitted`, `InvalidInput`. Refused for good: `ClaimNotCredited`,
    `ClaimChanged`, `PointsSpent`.
    """
    words = wording_of(reason, "reason")
    key = claim_of(caller, idempotency_key, VOID, claim=claim_id, reason=words)
    claim = await whole_claim(coalition, caller, claim_id)
    if caller.kind not in (CallerKind.BRAND, CallerKind.OPERATOR):
        raise NotPermitted
    work = _TakingBack(coalition, caller, key, claim, words)
    try:
        outcome = accepted(await work.done())
    except InsufficientPoints as refused:
        raise points_spent(caller, claim.brand_id, refused) from None
    return Claimed(await claim_by_id(coalition, caller, claim_id), outcome.replayed)


class _TakingBack:
    """One request on one claim, made into commands."""

    def __init__(
        self, coalition: Coalition, caller: Caller, key: Claim, claim: CreditClaim, reason: str
    ) -> None:
        self._coalition = coalition
        self._caller = caller
        self._key = key
        self._claim = claim
        self._reason = reason
        self._at: Micros = now_micros()
        self._tokens: tuple[Token, ...] = ()
        self._records: tuple[Record, ...] = ()

    async def done(self) -> Outcome:
        """Reverses the transaction, and opens the journey for another credit."""
        submit = self._coalition.ledger.submit
        if self._claim.status is ClaimStatus.APPROVED:
            await self._lay_out()
            outcome = await submit(self._reverse())
        else:
            # Refused; but a key that was answered before is answered so again, be it with what has
            # taken the claim back, or with what was in the way of that.
            outcome = await submit(self._not_credited(self._key))
        if isinstance(outcome.rejection, AlreadyReversed | InsufficientPoints):
            refused = replace(outcome.rejection, replayed=outcome.replayed)
            outcome = await submit(self._instead(refused))
        return outcome

    async def _lay_out(self) -> None:
        """What is written of it, and what that spends."""
        claim = self._claim
        credit = (await credits_by(self._coalition, [claim.id])).get(claim.id)
        undone = () if credit is None else credit.undone(claim.id, self._at)
        step = voiding_record(claim, self._reason, self._caller.client, self._at)
        self._records, self._tokens = (step, *undone), (token_of(claim),)
        segment = await segment_credited(self._coalition, claim)
        if segment is not None:
            voided = stepped(segment, SegmentStatus.VOIDED, reason=self._reason)
            self._records += tuple(step_records(voided, self._caller.client, self._at))
            self._tokens += (token_of_segment(segment),)

    def _reverse(self) -> Reverse:
        claim = self._claim
        assert claim.transaction_id is not None
        return Reverse(
            id=new_id(book_of(claim.transaction_id)),
            claim=self._key,
            original=claim.transaction_id,
            points=None,
            event_at=self._at,
            shortfall=self._clawback,
            tokens=self._tokens,
            description=self._reason,
            records=self._records,
            request_id=self._caller.request_id,
        )

    def _instead(self, rejection: Rejection) -> Command:
        """What is done where nothing can be taken back: under a key of its own, so that whoever
        asks again is answered as she was; cut off before that, she is refused for good."""
        part = part_of(self._key, VOID, self._claim.id)
        if self._claim.status is not ClaimStatus.APPROVED:
            return self._not_credited(part)
        if not nothing_left(rejection, self._clawback):
            return Refuse(new_id(book_of(self._claim.id)), part, rejection)
        # The journey counts no more all the same.
        return Note(
            id=new_id(book_of(self._claim.id)),
            claim=part,
            operation=VOID,
            subject=self._claim.id,
            tokens=self._tokens,
            records=self._records,
            request_id=self._caller.request_id,
        )

    def _not_credited(self, key: Claim) -> Refuse:
        met = ClaimNotCredited(status=self._claim.status.value)
        return Refuse(new_id(book_of(self._claim.id)), key, met)

    @property
    def _clawback(self) -> Shortfall:
        """The policy of the brand whose points they are."""
        return self._coalition.registry.snapshot.brand_by_id(self._claim.brand_id).clawback
