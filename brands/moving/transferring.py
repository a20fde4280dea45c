"""Making transfers, calling them off while they are under way, and taking them back.

Whether there are points enough, whether a limit leaves room, whether a quote is spent or expired,
whether a membership is closed: the books decide that, in the one command that also writes the
transfer's own row.
"""

from dataclasses import astuple, dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from brands.callers import Caller
from brands.clock import from_micros, now_micros, to_micros
from brands.coalition import Coalition
from brands.errors import NotPermitted, TransferNotFound
from brands.ids import book_of, new_id
from brands.intents import claim_of, wording_of
from brands.ledger.chart import COALITION, AccountKind, TransactionKind, stripe
from brands.ledger.commands import (
    Arrival,
    Claim,
    Outcome,
    Post,
    Posting,
    Record,
    RecordKind,
    Refuse,
    Reverse,
    Token,
)
from brands.money import positive_points
from brands.moving.arriving import ARRIVAL_RECORD, arrival_of, strike_off, token_of
from brands.moving.conversions import conversion, departure
from brands.moving.quotes import Quote, quote_of_client, terms_of
from brands.moving.routes import (
    TransferRequest,
    located,
    objection_of,
    route_of,
    veiled,
    veiled_for,
)
from brands.moving.terms import Terms, caps_of_terms, terms_as_text
from brands.moving.transfers import Transfer, TransferStatus, transfer_of_posting, transfers_by_id
from brands.rejections import (
    MembershipClosed,
    PointsInBelowMinimum,
    QuoteUsed,
    Rejection,
    TokenSpent,
    TransferLimitReached,
    TransferNotCancellable,
    TransferNotCompleted,
)
from brands.reversals import reversed_outcome
from brands.suspension import suspension


@dataclass(frozen=True, slots=True)
class Made:
    """The answer to a request for a transfer, for its cancellation or its reversal."""

    transfer: Transfer
    replayed: bool


TRANSFER_RECORD = RecordKind(
    "transfers",
    (
        *(("book", "smallint"), ("id", "uuid"), ("client", "text")),
        *(("source_id", "uuid"), ("destination_id", "uuid")),
        *(("points_out", "bigint"), ("points_in", "bigint")),
        *(("base_points", "bigint"), ("bonus_points", "bigint"), ("fee", "bigint")),
        *(("terms", "text"), ("quote_id", "uuid"), ("transaction_id", "uuid")),
        *(("created_at", "bigint"), ("arrives_at", "bigint")),
        *(("arrival_book", "smallint"), ("arrival_id", "uuid")),
    ),
)


async def create(
    coalition: Coalition,
    caller: Caller,
    order: UUID | TransferRequest,
    minimum_points_in: int | None,
    idempotency_key: str,
) -> Made:
    """Makes a transfer: the one that a quote (by its id) has locked, or one by today's rules.

    Raises `QuoteNotFound` or what `route_of` raises. Refused for good, whenever the key comes
    again: `BrandSuspended`, `RecipientNotFound`, what `terms_of` raises, `PointsInBelowMinimum`,
    `QuoteExpired`, `QuoteUsed`, `TransferLimitReached`, `MembershipClosed`,
    `RecipientCannotReceive`, `InsufficientPoints`.
    """
    if minimum_points_in is not None:
        positive_points(minimum_points_in, path="minimumPointsIn")
    try:
        return await _create(coalition, caller, order, minimum_points_in, idempotency_key)
    except Rejection as rejection:
        raise located(rejection, order) from None


async def _create(
    coalition: Coalition,
    caller: Caller,
    order: UUID | TransferRequest,
    minimum_points_in: int | None,
    idempotency_key: str,
) -> Made:
    if isinstance(order, UUID):
        claim = claim_of(
            caller, idempotency_key, "transferCreate", quote=order, minimum=minimum_points_in
        )
        quote = await quote_of_client(coalition, caller, order)
        for brand_id in (quote.terms.rates.source_brand, quote.terms.rates.destination_brand):
            refusal = suspension(coalition.registry.snapshot.brand_by_id(brand_id), "quote")
            if refusal is not None:
                outcome = await _refused(coalition, claim, quote.terms.source, refusal)
                return await _answer_again(coalition, quote.terms, outcome)
        return await _make(coalition, caller, claim, quote.terms, minimum_points_in, quote)
    claim = _claim_of_request(caller, idempotency_key, order, minimum_points_in)
    try:
        return await _create_now(coalition, caller, claim, order, minimum_points_in)
    except (MembershipClosed, TransferLimitReached) as rejection:
        raise await veiled_for(coalition, order, rejection) from None


async def cancel(
    coalition: Coalition, caller: Caller, transfer_id: UUID, idempotency_key: str
) -> Made:
    """Calls a transfer off whose points have not arrived: all of it is as if it had not been.

    For whoever could make it: the member, the brand that the points leave, operators. Raises
    `TransferNotFound`, `NotPermitted`. Refused for good: `TransferNotCancellable`.
    """
    claim = claim_of(caller, idempotency_key, "transferCancel", transfer=transfer_id)
    transfer = await _transfer(coalition, caller, transfer_id)
    source = (await coalition.parties.find((transfer.terms.source,)))[transfer.terms.source]
    if not caller.sees_membership(source.brand_id, source.member_id):
        raise NotPermitted
    if transfer.arrives_at == transfer.created_at:
        return await _refuse_again(coalition, claim, transfer, _too_late(transfer))
    command = Reverse(
        id=new_id(book_of(transfer.departure)),
        claim=claim,
        original=transfer.departure,
        points=None,
        event_at=now_micros(),
        departed_only=True,
        counted=(transfer.terms.destination,),
        tokens=(token_of(transfer.id),),
        deadline=to_micros(transfer.arrives_at),
        request_id=caller.request_id,
    )
    outcome = await coalition.ledger.submit(command)
    if isinstance(outcome.rejection, TokenSpent | TransferNotCancellable):
        now_so = await _transfer(coalition, caller, transfer_id)
        raise replace(_too_late(now_so), replayed=outcome.replayed)
    outcome.accepted()
    await strike_off(coalition, [transfer_id])
    return Made(await _transfer(coalition, caller, transfer_id), outcome.replayed)


async def reverse(
    coalition: Coalition,
    caller: Caller,
    transfer_id: UUID,
    points: int | None,
    reason: str,
    idempotency_key: str,
) -> Made:
    """Takes a transfer back at its original figures: `points` of those that left, or all that is
    left of it. For operators.

    Where points that arrived are spent, the policy of the brand that received them decides: it
    refuses, lets the member owe them, or takes back as much as there is. Raises `NotPermitted`,
    `TransferNotFound`, `InvalidInput`, `PointsNotPositive`, `PointsOutOfRange`. Refused for good:
    `TransferNotCompleted`, `AlreadyReversed`, `ReversalExceedsOriginal`, `InsufficientPoints`.
    """
    caller.require_operator()
    claim = claim_of(
        caller,
        idempotency_key,
        "transferReverse",
        transfer=transfer_id,
        reason=reason,
        **({} if points is None else {"points": points}),
    )
    if points is not None:
        positive_points(points)
    reason = wording_of(reason, "reason")
    transfer = await _transfer(coalition, caller, transfer_id)
    if transfer.status in (TransferStatus.PENDING, TransferStatus.CANCELLED):
        refusal = TransferNotCompleted(path="transfer", status=transfer.status.value)
        return await _refuse_again(coalition, claim, transfer, refusal)
    brand = coalition.registry.snapshot.brand_by_id(transfer.terms.rates.destination_brand)
    arrival = transfer.arrival
    command = Reverse(
        id=new_id(book_of(transfer.departure)),
        claim=claim,
        original=transfer.departure,
        points=points,
        event_at=now_micros(),
        shortfall=brand.clawback,
        arrival=None if arrival is None else (new_id(book_of(arrival)), arrival),
        counted=(transfer.terms.destination,),
        description=reason,
        request_id=caller.request_id,
    )
    outcome = reversed_outcome(await coalition.ledger.submit(command), "transfer")
    return Made(await _transfer(coalition, caller, transfer_id), outcome.replayed)


def _too_late(transfer: Transfer) -> TransferNotCancellable:
    status, arrives_at = transfer.status.value, transfer.arrives_at
    return TransferNotCancellable(path="transfer", status=status, arrives_at=arrives_at)


async def _create_now(
    coalition: Coalition,
    caller: Caller,
    claim: Claim,
    order: TransferRequest,
    minimum: int | None,
) -> Made:
    """By the rules and rates of this moment."""
    at = from_micros(now_micros())
    try:
        route = await route_of(coalition, caller, order, at)
        terms = await terms_of(coalition, order, route, at)
    except Rejection as rejection:
        outcome = (await _refused(coalition, claim, order.source, rejection)).accepted()
        return Made(await transfer_of_posting(coalition, order.source, outcome.id), replayed=True)
    return await _make(coalition, caller, claim, terms, minimum)


def _claim_of_request(
    caller: Caller, idempotency_key: str, order: TransferRequest, minimum: int | None
) -> Claim:
    recipient = order.recipient
    named = {} if recipient is None else {"recipient": astuple(recipient)}
    return claim_of(
        caller,
        idempotency_key,
        "transferCreate",
        source=order.source,
        destination=order.destination,
        points_out=order.points_out,
        points_in=order.points_in,
        minimum=minimum,
        **named,
    )


async def _make(
    coalition: Coalition,
    caller: Caller,
    claim: Claim,
    terms: Terms,
    minimum: int | None,
    quote: Quote | None = None,
) -> Made:
    if minimum is not None and terms.points_in < minimum:
        refusal = PointsInBelowMinimum(points_in=terms.points_in, minimum=minimum)
        outcome = await _refused(coalition, claim, terms.source, refusal)
        return await _answer_again(coalition, terms, outcome)
    made = _new_transfer(terms, quote)
    command = _command(coalition, caller, claim, made, quote)
    if terms.is_gift:
        objection = await objection_of(
            coalition, terms.destination, terms.laid_down, made.created_at
        )
        command = replace(command, objection=objection) if objection else command
    outcome = await coalition.ledger.submit(command)
    if outcome.replayed or outcome.rejection is not None:
        return await _answer_again(coalition, terms, outcome)
    return Made(made, replayed=False)


def _new_transfer(terms: Terms, quote: Quote | None) -> Transfer:
    """The transfer as it will be, if the books accept it."""
    here, now = book_of(terms.source), from_micros(now_micros())
    takes = terms.laid_down.arrives_after_seconds
    departs = new_id(here)
    arrives = new_id(book_of(terms.destination)) if terms.is_gift or takes else None
    return Transfer(
        id=new_id(here),
        terms=terms,
        status=TransferStatus.PENDING if takes else TransferStatus.COMPLETED,
        quote_id=quote.id if quote else None,
        departure=departs,
        arrival=arrives,
        transactions=(departs,) if takes or arrives is None else (departs, arrives),
        reversed_points=0,
        created_at=now,
        arrives_at=now + timedelta(seconds=takes) if takes else now,
    )


def _command(
    coalition: Coalition,
    caller: Caller,
    claim: Claim,
    made: Transfer,
    quote: Quote | None,
) -> Post:
    """What is posted for a transfer when it is made; what is under way arrives later."""
    terms = made.terms
    under_way = made.status is TransferStatus.PENDING
    records = [_record(made, caller.client)]
    if under_way:
        due = (book_of(made.id), made.id, to_micros(made.arrives_at))
        records.append(Record(ARRIVAL_RECORD, due))
    kind, postings, arrival = _legs(made)
    return Post(
        id=made.departure,
        claim=claim,
        kind=kind,
        postings=postings,
        points=terms.points_out,
        event_at=to_micros(made.created_at),
        arrival=arrival,
        keep_earliest=terms.keeps_expiry and not under_way,
        caps=caps_of_terms(coalition.registry.snapshot, terms, made.created_at),
        tokens=(Token(book_of(quote.id), f"quote:{quote.id}"),) if quote else (),
        deadline=to_micros(quote.expires_at) if quote else None,
        records=tuple(records),
        request_id=caller.request_id,
    )


def _legs(made: Transfer) -> tuple[TransactionKind, tuple[Posting, ...], Arrival | None]:
    """One transaction for a conversion at once; else one for each side, as far as it has come."""
    terms = made.terms
    book = book_of(terms.source)
    if made.arrival is None:
        postings = conversion(
            *(book, terms.source, terms.destination, terms.rates, terms.figures), terms.sponsor
        )
        return TransactionKind.CONVERSION, postings, None
    under_way = made.status is TransferStatus.PENDING
    carrier = stripe(book, COALITION, AccountKind.TRANSIT if under_way else AccountKind.CLEARING)
    postings = departure(book, terms.source, terms.rates, terms.figures, terms.sponsor, carrier)
    arrival = None if under_way else arrival_of(made.arrival, terms, AccountKind.CLEARING)
    return TransactionKind.TRANSFER_OUT, postings, arrival


def _record(made: Transfer, client: str) -> Record:
    terms, created_at = made.terms, to_micros(made.created_at)
    on_its_way = made.status is TransferStatus.PENDING
    values: tuple[Any, ...] = (
        book_of(made.id),
        made.id,
        client,
        terms.source,
        terms.destination,
        *terms.columns,
        terms_as_text(terms),
        made.quote_id,
        made.departure,
        created_at,
        to_micros(made.arrives_at) if on_its_way else created_at,
        None if made.arrival is None else book_of(made.arrival),
        made.arrival,
    )
    return Record(TRANSFER_RECORD, values)


async def _refused(coalition: Coalition, claim: Claim, source: UUID, why: Rejection) -> Outcome:
    """Makes a refusal stick to its key; what the key was first answered with stands, if it was."""
    return await coalition.ledger.submit(Refuse(new_id(book_of(source)), claim, why))


async def _refuse_again(
    coalition: Coalition, claim: Claim, transfer: Transfer, rejection: Rejection
) -> Made:
    """The same of what is done to a transfer that is there."""
    (await _refused(coalition, claim, transfer.id, rejection)).accepted()
    return Made(transfer, replayed=True)


async def _answer_again(coalition: Coalition, terms: Terms, outcome: Outcome) -> Made:
    """What a key was answered with before: the transfer as it stands now, or the refusal."""
    if isinstance(outcome.rejection, TokenSpent):
        raise QuoteUsed(path="quote", replayed=outcome.replayed)
    if outcome.rejection is not None:
        raise veiled(
            replace(outcome.rejection, replayed=outcome.replayed),
            terms.destination if terms.is_gift else None,
        )
    return Made(await transfer_of_posting(coalition, terms.source, outcome.id), replayed=True)


async def _transfer(coalition: Coalition, caller: Caller, id: UUID) -> Transfer:
    found = (await transfers_by_id(coalition, caller, [id])).get(id)
    if found is None:
        raise TransferNotFound(path="transfer", name=str(id))
    return found
