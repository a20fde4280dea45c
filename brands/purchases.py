"""Purchases that a brand brings along from its own systems, loaded as accruals.

One point for each whole unit of the settlement currency, until earning rules say otherwise. A
purchase is known by its brand and reference: loaded twice, it counts once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias

import orjson

from brands.accruals import credit
from brands.actions import Action, record
from brands.callers import Caller
from brands.clock import to_micros
from brands.coalition import Coalition
from brands.database import as_uuid
from brands.enrolment import Enrolled, Enrolment, enroll_many
from brands.errors import (
    DomainError,
    InvalidInput,
    LedgerUnavailable,
    MemberNotFound,
    MembershipNotFound,
    NotPermitted,
)
from brands.ids import book_of, new_id
from brands.intents import claim_of, happened_at, reference_of
from brands.ledger.chart import AccountKind, TransactionKind
from brands.ledger.commands import Outcome, Post
from brands.members import namespace_of
from brands.money import MICRO, positive_points
from brands.parties import Party
from brands.registry import Brand
from brands.suspension import require_active

_IMPORTED = "purchases.import"


@dataclass(frozen=True, slots=True)
class Purchase:
    """A purchase at one brand. `amount` is in micro-units of the settlement currency.

    The buyer is named by the brand's own name for her (`customer`, her external id) or by her
    loyalty number there; with both, the number is the one that the brand has given the customer.
    """

    customer: str | None
    number: str | None
    event_at: datetime
    amount: int
    reference: str


class Fate(StrEnum):
    """What became of a purchase that nothing was wrong with."""

    LOADED = "LOADED"
    ALREADY_THERE = "ALREADY_THERE"
    NO_POINTS = "NO_POINTS"
    """It was of less than one whole unit of the currency. Nothing is posted."""


Answer: TypeAlias = Fate | DomainError


class Buyer(NamedTuple):
    """A membership at the brand, and its number."""

    party: Party
    number: str


Buyers: TypeAlias = Sequence[Buyer | DomainError]


def points_of(purchase: Purchase) -> int:
    """The points that a purchase earns."""
    return purchase.amount // MICRO


async def identify(
    coalition: Coalition,
    caller: Caller,
    brand_code: str,
    purchases: Sequence[Purchase],
    *,
    enrol: bool = False,
) -> Buyers:
    """For each purchase, in order, its buyer, or why there is none.

    With `enrol`, customers that the brand has not named before become members, with a membership
    at the brand. Raises `BrandNotFound`, `NotPermitted`, `BrandSuspended`.
    """
    brand = await _brand(coalition, caller, brand_code)
    by_customer = await _by_customer(coalition, caller, brand, purchases)
    by_number = await _by_number(coalition, brand, purchases)
    unknown: dict[str, DomainError] = {}
    if enrol:
        new = {p.customer: p for p in reversed(purchases) if p.customer not in by_customer}
        made = await _enrol(coalition, caller, brand, [*reversed(new.values())])
        by_customer |= {name: it for name, it in made.items() if isinstance(it, Buyer)}
        unknown = {name: it for name, it in made.items() if isinstance(it, DomainError)}
    return [_buyer(purchase, by_customer, by_number, unknown) for purchase in purchases]


async def load(
    coalition: Coalition,
    caller: Caller,
    brand_code: str,
    purchases: Sequence[Purchase],
    buyers: Buyers,
) -> list[Answer]:
    """Accrues the points of purchases whose buyers were identified; one answer each, in order.

    Raises `BrandNotFound`, `NotPermitted`, `BrandSuspended` (which sticks to no purchase: load
    them when that is over), `LedgerUnavailable` (load the same again).
    """
    brand = await _brand(coalition, caller, brand_code)
    answers: list[Answer] = [Fate.NO_POINTS] * len(purchases)
    places: list[int] = []
    commands: list[Post] = []
    for place, (purchase, buyer) in enumerate(zip(purchases, buyers, strict=True)):
        if isinstance(buyer, DomainError):
            answers[place] = buyer
        elif points_of(purchase) > 0:
            try:
                commands.append(_accrual(coalition, caller, brand, purchase, buyer.party))
                places.append(place)
            except DomainError as error:
                answers[place] = error
    for place, outcome in zip(places, await coalition.ledger.submit_many(commands), strict=True):
        answers[place] = _answer(outcome)
    return answers


async def note_import(
    coalition: Coalition, caller: Caller, brand_code: str, digest: str, counts: Mapping[str, int]
) -> None:
    """Records that a file of purchases, known by its digest, was read to its end."""
    async with coalition.database.transaction() as tx:
        action = Action(_IMPORTED, brand_code, {"file": digest, **counts})
        await record(tx, caller, await tx.now(), [action])


async def was_imported(coalition: Coalition, brand_code: str, digest: str) -> bool:
    """Whether the file of this digest was read to its end before."""
    rows = await coalition.database.fetch(
        "SELECT details FROM actions WHERE action = $1 AND subject = $2", _IMPORTED, brand_code
    )
    return any(orjson.loads(row["details"])["file"] == digest for row in rows)


async def _brand(coalition: Coalition, caller: Caller, code: str) -> Brand:
    # A file takes long to load, and whoever loads it hears of nothing else meanwhile.
    brand = (await coalition.registry.refresh()).brand(code)
    if not caller.acts_for_brand(brand.id):
        raise NotPermitted
    require_active(brand)
    return brand


async def _by_customer(
    coalition: Coalition, caller: Caller, brand: Brand, purchases: Sequence[Purchase]
) -> dict[str, Buyer]:
    rows = await coalition.database.fetch(
        "SELECT m.external_id, s.id, s.member_id, s.number FROM members m"
        " JOIN memberships s ON s.book = m.book AND s.member_id = m.id AND s.brand_id = $1"
        " WHERE m.external_owner = $2 AND m.external_id = ANY($3)",
        brand.id,
        namespace_of(caller),
        list({purchase.customer for purchase in purchases if purchase.customer}),
    )
    return {row["external_id"]: _buyer_of_row(row, brand) for row in rows}


async def _by_number(
    coalition: Coalition, brand: Brand, purchases: Sequence[Purchase]
) -> dict[str, Buyer]:
    numbers = {p.number for p in purchases if p.number and not p.customer}
    if not numbers:
        return {}
    rows = await coalition.database.fetch(
        "SELECT id, member_id, number FROM memberships WHERE brand_id = $1 AND number = ANY($2)",
        brand.id,
        list(numbers),
    )
    return {row["number"]: _buyer_of_row(row, brand) for row in rows}


def _buyer_of_row(row: Mapping[str, Any], brand: Brand) -> Buyer:
    return Buyer(Party(as_uuid(row["id"]), as_uuid(row["member_id"]), brand.id), row["number"])


async def _enrol(
    coalition: Coalition, caller: Caller, brand: Brand, newcomers: Sequence[Purchase]
) -> dict[str, Buyer | DomainError]:
    enrolments = {
        purchase.customer: Enrolment(
            external_id=purchase.customer,
            profile=None,
            memberships=((brand.code, purchase.number),),
            idempotency_key=f"customer/{brand.code}/{purchase.customer}",
        )
        for purchase in newcomers
        if purchase.customer
    }
    if not enrolments:
        return {}
    made = await enroll_many(coalition, caller, list(enrolments.values()))
    return {
        customer: _buyer_of_enrolled(answer, brand) if isinstance(answer, Enrolled) else answer
        for customer, answer in zip(enrolments, made, strict=True)
    }


def _buyer_of_enrolled(enrolled: Enrolled, brand: Brand) -> Buyer:
    membership = next(it for it in enrolled.memberships if it.brand_id == brand.id)
    return Buyer(Party(membership.id, membership.member_id, brand.id), membership.number)


def _buyer(
    purchase: Purchase,
    by_customer: Mapping[str, Buyer],
    by_number: Mapping[str, Buyer],
    unknown: Mapping[str, DomainError],
) -> Buyer | DomainError:
    if not purchase.customer:
        number = purchase.number or ""
        return by_number.get(number) or MembershipNotFound(path="number", name=number)
    buyer = by_customer.get(purchase.customer)
    if buyer is None:
        missing = MemberNotFound(path="customer", name=purchase.customer)
        return unknown.get(purchase.customer, missing)
    if purchase.number not in (None, buyer.number):
        return InvalidInput(
            path="number",
            reason=f"Customer {purchase.customer} has another number than {purchase.number}.",
        )
    return buyer


def _accrual(
    coalition: Coalition, caller: Caller, brand: Brand, purchase: Purchase, party: Party
) -> Post:
    points = positive_points(points_of(purchase))
    rates = coalition.registry.snapshot.valuation(brand.id, purchase.event_at).rates
    return Post(
        id=new_id(book_of(party.id)),
        claim=claim_of(
            caller,
            f"purchase/{brand.code}/{purchase.reference}",
            "purchase",
            membership=party.id,
            amount=purchase.amount,
            event_at=to_micros(purchase.event_at),
        ),
        kind=TransactionKind.ACCRUAL,
        postings=credit(AccountKind.ISSUED, party, brand.id, points, rates),
        points=points,
        event_at=happened_at(purchase.event_at),
        reference=reference_of(purchase.reference),
        request_id=caller.request_id,
    )


def _answer(outcome: Outcome | DomainError) -> Answer:
    if isinstance(outcome, LedgerUnavailable):
        raise outcome
    if isinstance(outcome, DomainError):
        return outcome
    if outcome.rejection is not None:
        return outcome.rejection
    return Fate.ALREADY_THERE if outcome.replayed else Fate.LOADED
