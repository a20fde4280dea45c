"""Pages of claims: an agency's, a brand's, a membership's; and how far a claim has come."""

from typing import Annotated
from uuid import UUID

import strawberry

from brands.travel.claim_lists import ClaimsOf, page_of_claims
from brands.travel.claims import ClaimStatus, CreditClaim
from schema.connections import Connection, bad_cursor, page, window
from schema.context import Context
from schema.enums import described

described(
    ClaimStatus,
    "How far a claim for missing credit has come.",
    {
        ClaimStatus.OPEN: "The brand has not decided yet.",
        ClaimStatus.APPROVED: "The brand has approved it, and it is credited.",
        ClaimStatus.REJECTED: "The brand has rejected it; `reason` says why.",
        ClaimStatus.APPEALED: "Who has claimed asks the brand to decide once more.",
        ClaimStatus.VOIDED: "It was approved, and what it had credited was taken back.",
        ClaimStatus.WITHDRAWN: "Who has claimed has withdrawn it before it was decided on.",
    },
    name="MissingCreditClaimStatus",
)

Status = Annotated[
    ClaimStatus | None,
    strawberry.argument(description="Only claims of this status; all if left out."),
]


async def claim_list(
    context: Context,
    whose: ClaimsOf,
    first: int | None,
    after: str | None,
    status: ClaimStatus | None,
) -> Connection[CreditClaim]:
    """The first so many claims behind a cursor, the latest first. Raises `BadPage`."""
    wanted = window(first, after)
    found = await page_of_claims(
        context.coalition,
        context.caller,
        whose,
        wanted.size + 1,
        after=_place(wanted.after),
        status=status,
    )
    return page(
        found[: wanted.size],
        lambda claim: claim.id.hex,
        before=wanted.after is not None,
        after=len(found) > wanted.size,
    )


def _place(key: str | None) -> UUID | None:
    if key is None:
        return None
    try:
        return UUID(hex=key)
    except ValueError:
        raise bad_cursor("after") from None
