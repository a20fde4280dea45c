"""Accruals: points that a brand issues to a member, and the money that it puts behind them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from brands.callers import Caller
from brands.clock import to_micros
from brands.coalition import Coalition
from brands.errors import DomainError, MembershipNotFound, NotPermitted
from brands.ids import book_of, new_id
from brands.intents import claim_of, happened_at, reference_of, wording_of
from brands.ledger.chart import COALITION, MONEY, AccountKind, TransactionKind, stripe
from brands.ledger.commands import Command, Outcome, Post, Posting
from brands.money import positive_points
from brands.parties import Party
from brands.suspension import unless_suspended
from brands.valuations import Rates


@dataclass(frozen=True, slots=True)
class Accrual:
    """Points earned at a brand by one of its memberships. `event_at` None means now."""

    membership_id: UUID
    brand_id: UUID
    points: int
    reference: str | None
    description: str | None
    event_at: datetime | None
    idempotency_key: str


async def accrue(coalition: Coalition, caller: Caller, accrual: Accrual) -> Outcome:
    """Issues points to a member, paid for by the brand. For the brand, and for operators.

    Raises `NotPermitted`, `MembershipNotFound`, `PointsNotPositive`, `PointsOutOfRange`,
    `EventInFuture`, `InvalidInput`, `InvalidIdempotencyKey`; sticky are `BrandSuspended`,
    `MembershipClosed` and `AmountTooLarge`.
    """
    found = await coalition.parties.find((accrual.membership_id,))
    command = _command(coalition, caller, accrual, found.get(accrual.membership_id))
    return (await coalition.ledger.submit(command)).accepted()


async def accrue_many(
    coalition: Coalition, caller: Caller, accruals: Sequence[Accrual]
) -> list[Outcome | DomainError]:
    """Accrues side by side: for each, in order, the books' acceptance or what was wrong with it."""
    found = await coalition.parties.find([accrual.membership_id for accrual in accruals])
    results: list[Outcome | DomainError | None] = [None] * len(accruals)
    places: list[int] = []
    commands: list[Command] = []
    for place, accrual in enumerate(accruals):
        try:
            command = _command(coalition, caller, accrual, found.get(accrual.membership_id))
        except DomainError as error:
            results[place] = error
        else:
            places.append(place)
            commands.append(command)
    answers = await coalition.ledger.submit_many(commands)
    for place, answer in zip(places, answers, strict=True):
        refused = isinstance(answer, Outcome) and answer.rejection
        results[place] = refused or answer
    return [result for result in results if result is not None]


def credit(
    origin: AccountKind, party: Party, sponsor: UUID, points: int, rates: Rates
) -> tuple[Posting, ...]:
    """Points that come to a member out of `origin`, and the sponsor's money: their value into the
    brand's pool, and what the issue price is above it to the margin."""
    book, brand = book_of(party.id), party.brand_id
    payer = stripe(book, sponsor, AccountKind.SETTLEMENT)
    pool = stripe(book, brand, AccountKind.POOL)
    value = rates.redemption_rate
    backed = (
        Posting(brand, stripe(book, brand, origin), party.id, points),
        Posting(MONEY, payer, pool, points * value),
    )
    if rates.issue_price == value:
        return backed
    margin = stripe(book, COALITION, AccountKind.MARGIN)
    return (*backed, Posting(MONEY, payer, margin, points * (rates.issue_price - value)))


def _command(
    coalition: Coalition, caller: Caller, accrual: Accrual, party: Party | None
) -> Command:
    if party is None or party.brand_id != accrual.brand_id:
        raise MembershipNotFound(path="membership", name=str(accrual.membership_id))
    if not caller.acts_for_brand(party.brand_id):
        if caller.sees_membership(party.brand_id, party.member_id):
            raise NotPermitted
        raise MembershipNotFound(path="membership", name=str(accrual.membership_id))
    points = positive_points(accrual.points)
    event_at = happened_at(accrual.event_at)
    snapshot = coalition.registry.snapshot
    valuation = snapshot.valuation(party.brand_id, accrual.event_at)
    command = Post(
        id=new_id(book_of(party.id)),
        claim=claim_of(
            caller,
            accrual.idempotency_key,
            "accrue",
            membership=accrual.membership_id,
            points=points,
            reference=accrual.reference,
            description=accrual.description,
            event_at=None if accrual.event_at is None else to_micros(accrual.event_at),
        ),
        kind=TransactionKind.ACCRUAL,
        postings=credit(AccountKind.ISSUED, party, party.brand_id, points, valuation.rates),
        points=points,
        event_at=event_at,
        reference=reference_of(accrual.reference),
        description=accrual.description and wording_of(accrual.description, "description"),
        request_id=caller.request_id,
    )
    return unless_suspended(snapshot.brand_by_id(party.brand_id), command)
