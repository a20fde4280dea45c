"""What is written of a claim for missing credit, and what its transitions spend.

As with segments of bookings: a token is of the state that is left, so of two that would leave one
state at the same moment, one does.
"""

from typing import Any
from uuid import UUID

from brands.clock import Micros
from brands.coalition import Coalition
from brands.ids import book_of, new_id
from brands.ledger.commands import Claim, Outcome, Record, RecordKind, Refuse, Token
from brands.rejections import Rejection, TokenSpent
from brands.travel.claims import ClaimStatus, CreditClaim
from brands.travel.flown import TOKEN as FLOWN_TOKEN
from brands.travel.rejections import ClaimChanged, FlightAlreadyCredited

CLAIM_RECORD = RecordKind(
    "credit_claims",
    (
        *(("book", "smallint"), ("id", "uuid"), ("agency_id", "uuid"), ("member_id", "uuid")),
        *(("brand_id", "uuid"), ("number", "text"), ("membership_id", "uuid")),
        *(("supplier_id", "uuid"), ("facts", "text"), ("created_at", "bigint")),
    ),
)
TRAVELLER_RECORD = RecordKind(
    "credit_claim_travellers",
    (("book", "smallint"), ("claim_id", "uuid"), ("surname", "text"), ("given_name", "text")),
)
EVIDENCE_RECORD = RecordKind(
    "credit_claim_evidence",
    (
        *(("book", "smallint"), ("claim_id", "uuid"), ("place", "bigint")),
        *(("kind", "text"), ("words", "text")),
    ),
)
_LINK_RECORD = RecordKind(
    "credit_claim_links",
    (
        *(("book", "smallint"), ("claim_id", "uuid"), ("membership_id", "uuid")),
        ("created_at", "bigint"),
    ),
)
_STEP_RECORD = RecordKind(
    "credit_claim_steps",
    (
        *(("book", "smallint"), ("claim_id", "uuid"), ("step", "bigint"), ("status", "text")),
        *(("points", "bigint"), ("reason", "text"), ("transaction_id", "uuid")),
        *(("client", "text"), ("recorded_at", "bigint")),
    ),
)


def token_of(claim: CreditClaim) -> Token:
    """What the next step of a claim spends."""
    return Token(book_of(claim.id), f"claim:{claim.id}/{claim.step}")


def step_record(
    claim: UUID,
    step: int,
    status: ClaimStatus,
    client: str,
    at: Micros,
    *,
    points: int | None = None,
    reason: str | None = None,
    transaction: UUID | None = None,
) -> Record:
    """The row of a step of a claim."""
    state: tuple[Any, ...] = (status.value, points, reason, transaction)
    return Record(_STEP_RECORD, (book_of(claim), claim, step, *state, client, at))


def link_record(claim: UUID, membership: UUID, at: Micros) -> Record:
    """The row that says whose a claim is that was linked to nobody."""
    return Record(_LINK_RECORD, (book_of(claim), claim, membership, at))


def voiding_record(claim: CreditClaim, reason: str, client: str, at: Micros) -> Record:
    """The row of the step by which what a claim has credited is taken back."""
    return step_record(
        claim.id,
        claim.step + 1,
        ClaimStatus.VOIDED,
        client,
        at,
        points=claim.points,
        reason=reason,
        transaction=claim.transaction_id,
    )


async def refuse(coalition: Coalition, claim: Claim, book: int, rejection: Rejection) -> Outcome:
    """Makes a refusal stick to its key; what the key was first answered with stands, if it was."""
    return accepted(await coalition.ledger.submit(Refuse(new_id(book), claim, rejection)))


def accepted(outcome: Outcome) -> Outcome:
    """What was accepted; a refusal is raised in words of claims."""
    if isinstance(outcome.rejection, TokenSpent):
        raise _said(outcome.rejection.token, outcome.replayed)
    return outcome.accepted()


def _said(token: str, replayed: bool) -> Rejection:
    met = FlightAlreadyCredited if token.startswith(FLOWN_TOKEN) else ClaimChanged
    return met(replayed=replayed)
