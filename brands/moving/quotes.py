"""What a transfer would come to: asked for (a preview), or locked for a while (a quote).

A quote is executed, once and by the client it was made for, at exactly its figures, whatever has
been published since; `brands.moving.transfers` does that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from brands.callers import Caller
from brands.clock import from_micros, now
from brands.coalition import Coalition
from brands.database import as_uuid
from brands.errors import QuoteNotFound
from brands.ids import book_of, new_id
from brands.moving.figures import for_points_in, for_points_out
from brands.moving.limits import check_limits
from brands.moving.routes import Route, TransferRequest, check_open, located, route_of, veiled
from brands.moving.terms import Terms, caps_of_terms, learn_rules, terms_as_text, terms_of_row
from brands.rejections import MembershipClosed, Rejection

QUOTE_LASTS = 5 * 60 * 1_000_000
"""How long a quote is good for, in microseconds."""


@dataclass(frozen=True, slots=True)
class Quote:
    """Terms that are locked, for one client, until `expires_at`."""

    id: UUID
    terms: Terms
    created_at: datetime
    expires_at: datetime


async def preview(coalition: Coalition, caller: Caller, request: TransferRequest) -> Terms:
    """What a transfer would come to now. Locks nothing.

    Raises what `route_of` and `terms_of` raise, and `TransferLimitReached` where a limit leaves no
    room for it now. What is wrong on another member's side is not told before she is given points.
    """
    at = now()
    route = await route_of(coalition, caller, request, at)
    return await _previewed(coalition, request, route, at)


async def quote(coalition: Coalition, caller: Caller, request: TransferRequest) -> Quote:
    """Locks what a transfer comes to now, for five minutes.

    Raises what `preview` raises, and `MembershipClosed` for what could never be executed. Whether
    there are points enough is asked when the quote is executed: they may be on their way.
    """
    at = now()
    route = await route_of(coalition, caller, request, at)
    terms = await _previewed(coalition, request, route, at)
    for row in await coalition.database.fetch(
        "SELECT id FROM accounts WHERE book = ANY($1::smallint[]) AND id = ANY($2::uuid[])"
        " AND closed = 1",
        [book_of(terms.source), book_of(terms.destination)],
        [terms.source, terms.destination],
    ):
        raise veiled(MembershipClosed(membership_id=as_uuid(row["id"])), route.recipient)
    id = new_id(book_of(terms.source))
    async with coalition.database.transaction() as tx:
        written = await tx.now()  # the clock that its expiry will be judged by
        expires = written + QUOTE_LASTS
        await tx.fetch(
            "INSERT INTO quotes (book, id, client, source_id, destination_id, points_out, "
            "points_in, base_points, bonus_points, fee, terms, created_at, expires_at) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            *(book_of(id), id, caller.client, terms.source, terms.destination, *terms.columns),
            *(terms_as_text(terms), written, expires),
        )
    return Quote(id, terms, from_micros(written), from_micros(expires))


async def terms_of(
    coalition: Coalition, request: TransferRequest, route: Route, at: datetime
) -> Terms:
    """A request's figures by a route's rule and rates.

    Raises what `check_open` raises, and `TransferBelowMinimum`, `TransferAboveMaximum`,
    `TransferNotInIncrement`, `TransferTooSmall`, `AmountTooLarge`.
    """
    await check_open(coalition, route, at)
    if request.points_out is not None:
        figures = for_points_out(request.points_out, route.rates, route.terms, at)
    else:
        assert request.points_in is not None
        figures = for_points_in(request.points_in, route.rates, route.terms, at)
    return Terms(
        source=route.source.id,
        destination=route.destination.id,
        figures=figures,
        rates=route.rates,
        currency=coalition.currency,
        rule=route.rule,
        is_gift=route.is_gift,
    )


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


async def _previewed(
    coalition: Coalition, request: TransferRequest, route: Route, at: datetime
) -> Terms:
    """What there is to be said beforehand; of what concerns a recipient, nothing."""
    try:
        terms = await terms_of(coalition, request, route, at)
        caps = caps_of_terms(coalition.registry.snapshot, terms, at)
        await check_limits(
            coalition, [cap for cap in caps if not (route.is_gift and cap.direction == "IN")]
        )
    except Rejection as rejection:
        raise located(rejection, request) from None
    return terms


async def _stored_quotes(coalition: Coalition, ids: Sequence[UUID]) -> list[tuple[Quote, str]]:
    """The quotes of these ids, each with the client that it was made for."""
    rows = await coalition.database.fetch(
        "SELECT id, client, source_id, destination_id, points_out, points_in, base_points, "
        "bonus_points, fee, terms, created_at, expires_at FROM quotes "
        "WHERE book = ANY($1::smallint[]) AND id = ANY($2::uuid[])",
        list({book_of(id) for id in ids}),
        list(ids),
    )
    await learn_rules(coalition, rows)
    return [
        (
            Quote(
                as_uuid(row["id"]),
                terms_of_row(row, coalition),
                from_micros(row["created_at"]),
                from_micros(row["expires_at"]),
            ),
            row["client"],
        )
        for row in rows
    ]
