"""What a transfer would come to: asked for (a preview), or locked for a while (a quote).

A quote is executed, once and by the client it was made for, at exactly its figures, whatever has
been published since; `brands.transfers` does that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson

from brands.callers import Caller
from brands.clock import from_micros
from brands.coalition import Coalition
from brands.conversions import ConversionRates, Figures, for_points_in, for_points_out
from brands.database import Row, as_uuid
from brands.errors import (
    DifferentMembers,
    InvalidInput,
    MembershipNotFound,
    QuoteNotFound,
    SameBrand,
    SameMembership,
)
from brands.ids import book_of, new_id
from brands.money import Money, positive_points
from brands.parties import Party
from brands.rejections import MembershipClosed

QUOTE_LASTS = 5 * 60 * 1_000_000
"""How long a quote is good for, in microseconds."""


@dataclass(frozen=True, slots=True)
class TransferRequest:
    """What to move from where to where: exactly one of `points_out` and `points_in` is given."""

    source: UUID
    destination: UUID | None
    points_out: int | None = None
    points_in: int | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """A transfer's two memberships, its figures, and the rates behind them."""

    source: UUID
    destination: UUID
    figures: Figures
    rates: ConversionRates
    currency: str

    @property
    def points_out(self) -> int:
        """Points that leave the source."""
        return self.figures.points_out

    @property
    def points_in(self) -> int:
        """Points that arrive at the destination."""
        return self.figures.points_in

    @property
    def base_points(self) -> int:
        """Points that arrive by the rates alone."""
        return self.figures.base_points

    @property
    def bonus_points(self) -> int:
        """Points that arrive beyond the rates."""
        return self.figures.bonus_points

    @property
    def fee(self) -> Money | None:
        """What the transfer costs, or None if nothing."""
        return Money(self.figures.fee, self.currency) if self.figures.fee else None

    @property
    def effective_rate(self) -> Decimal:
        """Points that arrive for one that leaves, to twelve significant digits."""
        return self.figures.effective_rate


@dataclass(frozen=True, slots=True)
class Quote:
    """Terms that are locked, for one client, until `expires_at`."""

    id: UUID
    terms: Terms
    created_at: datetime
    expires_at: datetime


async def preview(coalition: Coalition, caller: Caller, request: TransferRequest) -> Terms:
    """What a transfer would come to now. Locks nothing.

    Raises what `rates_of_request` and `terms_of` raise.
    """
    return terms_of(coalition, request, await rates_of_request(coalition, caller, request))


async def quote(coalition: Coalition, caller: Caller, request: TransferRequest) -> Quote:
    """Locks what a transfer comes to now, for five minutes.

    Raises what `preview` raises, and `MembershipClosed` for what could never be executed. Whether
    there are points enough is asked when the quote is executed: they may be on their way.
    """
    terms = await preview(coalition, caller, request)
    for row in await coalition.database.fetch(
        "SELECT id FROM accounts WHERE book = ANY($1::smallint[]) AND id = ANY($2::uuid[])"
        " AND closed = 1",
        [book_of(terms.source), book_of(terms.destination)],
        [terms.source, terms.destination],
    ):
        raise MembershipClosed(membership_id=as_uuid(row["id"]))
    id = new_id(book_of(terms.source))
    async with coalition.database.transaction() as tx:
        now = await tx.now()  # the clock that its expiry will be judged by
        await tx.fetch(
            "INSERT INTO quotes (book, id, client, source_id, destination_id, points_out, "
            "points_in, base_points, bonus_points, fee, terms, created_at, expires_at) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            *(book_of(id), id, caller.client, terms.source, terms.destination, *terms.figures),
            *(rates_as_text(terms.rates), now, now + QUOTE_LASTS),
        )
    return Quote(id, terms, from_micros(now), from_micros(now + QUOTE_LASTS))


async def quotes_by_id(
    coalition: Coalition, caller: Caller, ids: Sequence[UUID]
) -> dict[UUID, Quote]:
    """Those of the quotes that were made for this client; for an operator, any."""
    return {
        quote.id: quote
        for quote, client in await _stored_quotes(coalition, ids)
        if caller.is_operator or client == caller.client
    }


async def quote_of_client(coalition: Coalition, caller: Caller, id: UUID) -> Quote:
    """A quote to be executed: `QuoteNotFound` unless it was made for this very client."""
    for quote, client in await _stored_quotes(coalition, [id]):
        if client == caller.client:
            return quote
    raise QuoteNotFound(path="quote", name=str(id))


async def _stored_quotes(coalition: Coalition, ids: Sequence[UUID]) -> list[tuple[Quote, str]]:
    """The quotes of these ids, each with the client that it was made for."""
    rows = await coalition.database.fetch(
        "SELECT id, client, source_id, destination_id, points_out, points_in, base_points, "
        "bonus_points, fee, terms, created_at, expires_at FROM quotes "
        "WHERE book = ANY($1::smallint[]) AND id = ANY($2::uuid[])",
        list({book_of(id) for id in ids}),
        list(ids),
    )
    return [
        (
            Quote(
                as_uuid(row["id"]),
                terms_of_row(row, coalition.currency),
                from_micros(row["created_at"]),
                from_micros(row["expires_at"]),
            ),
            row["client"],
        )
        for row in rows
    ]


async def rates_of_request(
    coalition: Coalition, caller: Caller, request: TransferRequest
) -> ConversionRates:
    """The rates in force for a request that is well-formed and the caller's to make.

    Raises `InvalidInput`, `PointsNotPositive`, `PointsOutOfRange`, `SameMembership`,
    `MembershipNotFound` (either side), `SameBrand` and `DifferentMembers`.
    """
    destination_id = _checked(request)
    found = await coalition.parties.find((request.source, destination_id))
    source, destination = found.get(request.source), found.get(destination_id)
    # Who may convert: the member herself, the brand that the points leave, an operator.
    if source is None or not caller.sees_membership(source.brand_id, source.member_id):
        raise MembershipNotFound(path="source", name=str(request.source))
    if destination is None or not _may_name(caller, source, destination):
        raise MembershipNotFound(path="destination", name=str(destination_id))
    brands = coalition.registry.snapshot
    if source.brand_id == destination.brand_id:
        code = brands.brand_by_id(source.brand_id).code
        raise SameBrand(path="destination", brand=code)
    if source.member_id != destination.member_id:
        raise DifferentMembers(path="destination")
    return rates_between(coalition, source.brand_id, destination.brand_id)


def rates_between(
    coalition: Coalition, source_brand: UUID, destination_brand: UUID, at: datetime | None = None
) -> ConversionRates:
    """What conversions between two brands are reckoned by at an instant, or now."""
    snapshot = coalition.registry.snapshot
    leaving = snapshot.valuation(source_brand, at).rates
    arriving = snapshot.valuation(destination_brand, at).rates
    return ConversionRates(
        source_brand,
        destination_brand,
        leaving.transfer_out_rate,
        arriving.transfer_in_rate,
        leaving.redemption_rate,
        arriving.redemption_rate,
    )


def terms_of(coalition: Coalition, request: TransferRequest, rates: ConversionRates) -> Terms:
    """A request's figures at these rates. Raises `TransferTooSmall` and `AmountTooLarge`."""
    assert request.destination is not None
    if request.points_out is not None:
        figures = for_points_out(request.points_out, rates)
    else:
        assert request.points_in is not None
        figures = for_points_in(request.points_in, rates)
    return Terms(request.source, request.destination, figures, rates, coalition.currency)


def terms_of_row(row: Row, currency: str) -> Terms:
    """The terms that a row of quotes or of transfers holds."""
    return Terms(
        as_uuid(row["source_id"]),
        as_uuid(row["destination_id"]),
        Figures(
            row["points_out"],
            row["points_in"],
            row["base_points"],
            row["bonus_points"],
            row["fee"],
        ),
        _rates_from_text(row["terms"]),
        currency,
    )


@lru_cache(maxsize=1_024)
def rates_as_text(rates: ConversionRates) -> str:
    """Rates as JSON, to be kept with the quote or transfer that they were used for."""
    return orjson.dumps(rates._asdict(), default=str).decode()


@lru_cache(maxsize=1_024)
def _rates_from_text(text: str) -> ConversionRates:
    fields: dict[str, Any] = orjson.loads(text)
    return ConversionRates(
        **fields
        | {
            "source_brand": as_uuid(fields["source_brand"]),
            "destination_brand": as_uuid(fields["destination_brand"]),
        }
    )


def _checked(request: TransferRequest) -> UUID:
    """The destination of a request that is well-formed."""
    if (request.points_out is None) == (request.points_in is None):
        raise InvalidInput(
            path="pointsOut", reason="Give exactly one of the points out and the points in."
        )
    if request.points_out is not None:
        positive_points(request.points_out, path="pointsOut")
    if request.points_in is not None:
        positive_points(request.points_in, path="pointsIn")
    if request.destination is None:
        raise InvalidInput(path="destination", reason="Name the membership to convert into.")
    if request.destination == request.source:
        raise SameMembership(path="destination")
    return request.destination


def _may_name(caller: Caller, source: Party, destination: Party) -> bool:
    """Whether the destination exists for a caller who may convert from the source.

    A brand may name its member's memberships elsewhere, though it may not look into them.
    """
    return source.member_id == destination.member_id or caller.sees_membership(
        destination.brand_id, destination.member_id
    )
