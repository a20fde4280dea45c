"""Adjustments: points given or taken back by an operator, with a reason."""

from datetime import datetime
from uuid import UUID

from brands.accruals import credit
from brands.callers import Caller
from brands.clock import to_micros
from brands.coalition import Coalition
from brands.errors import BrandNotFound, InvalidInput
from brands.ids import book_of, new_id
from brands.intents import claim_of, happened_at, wording_of
from brands.ledger.chart import MONEY, AccountKind, TransactionKind, stripe
from brands.ledger.commands import Outcome, Post, Posting
from brands.money import positive_points
from brands.parties import Party, seen_party
from brands.valuations import Rates


async def adjust(
    coalition: Coalition,
    caller: Caller,
    membership_id: UUID,
    points: int,
    reason: str,
    event_at: datetime | None,
    sponsor_code: str | None,
    idempotency_key: str,
) -> Outcome:
    """Gives a member points (above zero) or takes some (below). For operators.

    The sponsor, the membership's own brand unless another is named, pays for what is given and
    gets back the value of what is taken. Raises `NotPermitted`, `MembershipNotFound`,
    `BrandNotFound`, `InvalidInput`, `PointsOutOfRange`, `EventInFuture`, `InvalidIdempotencyKey`;
    sticky are `InsufficientPoints`, `MembershipClosed` and `AmountTooLarge`.
    """
    caller.require_operator()
    claim = claim_of(
        caller,
        idempotency_key,
        "pointsAdjust",
        membership=membership_id,
        points=points,
        reason=reason,
        event_at=None if event_at is None else to_micros(event_at),
        sponsor=sponsor_code,
    )
    if points == 0:
        raise InvalidInput(path="points", reason="An adjustment is of 1 point or -1 at least.")
    positive_points(abs(points))
    happened = happened_at(event_at)
    party = await seen_party(coalition.parties, caller, membership_id)
    sponsor = _sponsor(coalition, sponsor_code, party)
    valuation = coalition.registry.snapshot.valuation(party.brand_id, event_at)
    command = Post(
        id=new_id(book_of(membership_id)),
        claim=claim,
        kind=TransactionKind.ADJUSTMENT,
        postings=_postings(party, sponsor, points, valuation.rates),
        points=points,
        event_at=happened,
        description=wording_of(reason, "reason"),
        request_id=caller.request_id,
    )
    return (await coalition.ledger.submit(command)).accepted()


def _sponsor(coalition: Coalition, code: str | None, party: Party) -> UUID:
    if code is None:
        return party.brand_id
    try:
        return coalition.registry.snapshot.brand(code).id
    except BrandNotFound as error:
        error.path = "sponsor"
        raise


def _postings(party: Party, sponsor: UUID, points: int, rates: Rates) -> tuple[Posting, ...]:
    if points > 0:
        return credit(AccountKind.ADJUSTED, party, sponsor, points, rates)
    book, brand, taken = book_of(party.id), party.brand_id, -points
    pool = stripe(book, brand, AccountKind.POOL)
    payee = stripe(book, sponsor, AccountKind.SETTLEMENT)
    return (
        Posting(brand, party.id, stripe(book, brand, AccountKind.ADJUSTED), taken),
        Posting(MONEY, pool, payee, taken * rates.redemption_rate),
    )
