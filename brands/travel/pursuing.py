"""What who has claimed does with a claim that is made: withdraws it while nobody has decided, or
appeals once against a refusal."""

from uuid import UUID

from brands.callers import Caller, CallerKind
from brands.clock import now_micros
from brands.coalition import Coalition
from brands.errors import NotPermitted
from brands.ids import book_of, new_id
from brands.intents import claim_of, wording_of
from brands.ledger.commands import Claim, Note, Outcome, Record
from brands.travel.claim_records import EVIDENCE_RECORD, accepted, refuse, step_record, token_of
from brands.travel.claiming import Claimed
from brands.travel.claims import APPEAL, ClaimStatus, CreditClaim, claim_by_id, whole_claim
from brands.travel.rejections import AppealNotPossible, WithdrawalNotPossible

APPEALING = "missingCreditAppeal"
WITHDRAWING = "missingCreditWithdraw"


async def appeal(
    coalition: Coalition, caller: Caller, claim_id: UUID, statement: str, idempotency_key: str
) -> Claimed:
    """Asks the brand to decide once more on a claim that it has rejected. For who has claimed.

    Raises `ClaimNotFound`, `NotPermitted`, `InvalidInput`. Refused for good: `AppealNotPossible`,
    `ClaimChanged`.
    """
    words = wording_of(statement, "statement")
    key = claim_of(caller, idempotency_key, APPEALING, claim=claim_id, statement=words)
    one = await _own(coalition, caller, claim_id)
    if one.status is not ClaimStatus.REJECTED or one.is_appealed:
        met = AppealNotPossible(status=one.status.value)
        outcome = await refuse(coalition, key, book_of(claim_id), met)
    else:
        said = Record(
            EVIDENCE_RECORD, (book_of(claim_id), claim_id, len(one.evidence), APPEAL, words)
        )
        outcome = await _step(coalition, caller, key, one, ClaimStatus.APPEALED, APPEALING, said)
    return Claimed(await claim_by_id(coalition, caller, claim_id), outcome.replayed)


async def withdraw(
    coalition: Coalition, caller: Caller, claim_id: UUID, idempotency_key: str
) -> Claimed:
    """Withdraws a claim that the brand has not decided on: the journey can be claimed again. For
    who has claimed.

    Raises `ClaimNotFound`, `NotPermitted`. Refused for good: `WithdrawalNotPossible`,
    `ClaimChanged`.
    """
    key = claim_of(caller, idempotency_key, WITHDRAWING, claim=claim_id)
    one = await _own(coalition, caller, claim_id)
    if one.status is not ClaimStatus.OPEN:
        met = WithdrawalNotPossible(status=one.status.value)
        outcome = await refuse(coalition, key, book_of(claim_id), met)
    else:
        outcome = await _step(coalition, caller, key, one, ClaimStatus.WITHDRAWN, WITHDRAWING)
    return Claimed(await claim_by_id(coalition, caller, claim_id), outcome.replayed)


async def _own(coalition: Coalition, caller: Caller, claim_id: UUID) -> CreditClaim:
    """A claim of the caller's own, whole. Raises `ClaimNotFound`, `NotPermitted`."""
    one = await whole_claim(coalition, caller, claim_id)
    if caller.kind is CallerKind.AGENCY:
        is_own = one.agency_id is not None and one.agency_id == caller.agency_id
    else:
        is_own = caller.kind is CallerKind.MEMBER and one.member_id == caller.member_id
    if not is_own:
        raise NotPermitted
    return one


async def _step(
    coalition: Coalition,
    caller: Caller,
    key: Claim,
    one: CreditClaim,
    status: ClaimStatus,
    operation: str,
    *more: Record,
) -> Outcome:
    """Has the books write the next step of a claim, which moves no points."""
    step = step_record(one.id, one.step + 1, status, caller.client, now_micros())
    note = Note(
        id=new_id(book_of(one.id)),
        claim=key,
        operation=operation,
        subject=one.id,
        tokens=(token_of(one),),
        records=(step, *more),
        request_id=caller.request_id,
    )
    return accepted(await coalition.ledger.submit(note))
