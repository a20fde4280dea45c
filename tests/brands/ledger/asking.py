"""Commands as the services give them to the books, money legs and all."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from brands.clock import NEVER, Micros, now_micros
from brands.ids import book_of, new_id
from brands.ledger.chart import COALITION, MONEY, AccountKind, TransactionKind, stripe
from brands.ledger.commands import (
    Arrival,
    Cap,
    Claim,
    EndHold,
    ExpireLots,
    Note,
    PlaceHold,
    Post,
    Posting,
    Record,
    RecordKind,
    Refuse,
    Revalue,
    Reverse,
    Shortfall,
    Token,
    fingerprint,
)
from brands.rejections import Rejection
from tests.brands.ledger.books import Brand

FAR = 2**62
"""An instant that no test reaches."""


def claim(key: str | None = None, *, client: str = "tests", meant: str = "this") -> Claim:
    """An idempotency key, a fresh one unless given, and what is meant by it."""
    return Claim(client, key or str(uuid4()), fingerprint("test", meant=meant))


def accrual(
    brand: Brand,
    account: UUID,
    points: int,
    *,
    expires: Micros = NEVER,
    sponsor: Brand | None = None,
    **more: Any,
) -> Post:
    """Points earned, paid for by the sponsor: the brand itself unless another is given."""
    book = book_of(account)
    payer = stripe(book, (sponsor or brand).id, AccountKind.SETTLEMENT)
    margin = points * (brand.price - brand.value)
    postings = [
        Posting(brand.id, stripe(book, brand.id, AccountKind.ISSUED), account, points),
        Posting(MONEY, payer, _pool(book, brand), points * brand.value),
        Posting(MONEY, payer, stripe(book, COALITION, AccountKind.MARGIN), margin),
    ]
    return _post(TransactionKind.ACCRUAL, book, postings, points, lots_expire_at=expires, **more)


def redemption(
    brand: Brand, account: UUID, points: int, *, at_brand: Brand | None = None, **more: Any
) -> Post:
    """Points spent at a brand: their own unless another is given."""
    book = book_of(account)
    redeemer = stripe(book, (at_brand or brand).id, AccountKind.SETTLEMENT)
    postings = [
        Posting(brand.id, account, stripe(book, brand.id, AccountKind.REDEEMED), points),
        Posting(MONEY, _pool(book, brand), redeemer, points * brand.value),
    ]
    return _post(TransactionKind.REDEMPTION, book, postings, points, **more)


def adjustment(brand: Brand, account: UUID, points: int, **more: Any) -> Post:
    """Points given (above zero) or taken (below) by hand."""
    book = book_of(account)
    other = stripe(book, brand.id, AccountKind.ADJUSTED)
    settlement = stripe(book, brand.id, AccountKind.SETTLEMENT)
    money = abs(points) * brand.value
    if points > 0:
        postings = [
            Posting(brand.id, other, account, points),
            Posting(MONEY, settlement, _pool(book, brand), money),
        ]
    else:
        postings = [
            Posting(brand.id, account, other, -points),
            Posting(MONEY, _pool(book, brand), settlement, money),
        ]
    return _post(TransactionKind.ADJUSTMENT, book, postings, points, **more)


def arriving(source: Brand, destination: Brand, points: int) -> int:
    """How many points arrive when so many leave: floor(n * o / i), exactly."""
    return points * source.out // destination.into


def conversion(
    source: Brand,
    from_account: UUID,
    destination: Brand,
    to_account: UUID,
    points: int,
    **more: Any,
) -> Post:
    """One member's points of one brand become points of another."""
    book = book_of(from_account)
    arrive = arriving(source, destination, points)
    margin = stripe(book, COALITION, AccountKind.MARGIN)
    postings = [
        Posting(source.id, from_account, stripe(book, source.id, AccountKind.CONVERTED), points),
        Posting(
            destination.id,
            stripe(book, destination.id, AccountKind.CONVERTED),
            to_account,
            arrive,
        ),
        Posting(MONEY, _pool(book, source), margin, points * source.value),
        Posting(MONEY, margin, _pool(book, destination), arrive * destination.value),
    ]
    return _post(TransactionKind.CONVERSION, book, postings, points, **more)


TRANSFERS = RecordKind(
    "transfers",
    tuple(
        (name, "text" if name in ("client", "terms") else "uuid" if "id" in name else "bigint")
        for name in (
            *("book", "id", "client", "source_id", "destination_id", "points_out", "points_in"),
            *("base_points", "bonus_points", "fee", "terms", "quote_id", "transaction_id"),
            *("created_at", "arrives_at", "arrival_book", "arrival_id"),
        )
    ),
)
"""The row of a transfer, in which the books find where its points were to arrive."""


def gift(
    source: Brand,
    from_account: UUID,
    destination: Brand,
    to_account: UUID,
    points: int,
    **more: Any,
) -> Post:
    """Points that leave one member and arrive at another's, at once."""
    leaving, landing, arrive = _movement(
        source, from_account, destination, to_account, points, AccountKind.CLEARING
    )
    arrival = Arrival(
        new_id(book_of(to_account)), TransactionKind.TRANSFER_IN, tuple(landing), arrive
    )
    command = _post(
        TransactionKind.TRANSFER_OUT,
        book_of(from_account),
        leaving,
        points,
        arrival=arrival,
        **more,
    )
    return _recorded(command, from_account, to_account, arrive, arrival.id, command.event_at)


def delayed(
    source: Brand,
    from_account: UUID,
    destination: Brand,
    to_account: UUID,
    points: int,
    *,
    arrives_at: Micros = 0,
    **more: Any,
) -> tuple[Post, Post]:
    """Points that leave one member, and the posting by which they arrive at another's, no sooner
    than at `arrives_at`."""
    leaving, landing, arrive = _movement(
        source, from_account, destination, to_account, points, AccountKind.TRANSIT
    )
    book = book_of(from_account)
    sent = _post(TransactionKind.TRANSFER_OUT, book, leaving, points, **more)
    arrival = Post(
        id=new_id(book_of(to_account)),
        claim=None,
        kind=TransactionKind.TRANSFER_IN,
        postings=tuple(landing),
        points=arrive,
        event_at=sent.event_at,
        tokens=(arrival_of(sent.id),),
        not_before=arrives_at,
    )
    return _recorded(sent, from_account, to_account, arrive, arrival.id, arrives_at), arrival


def arrival_of(departure: UUID) -> Token:
    """What is spent by the arrival of points that are under way, or by their being called off."""
    return Token(book_of(departure), f"transfer:{departure}")


def call_off(departure: Post, *, deadline: Micros | None = None, **more: Any) -> Reverse:
    """The end of a transfer whose points have not arrived."""
    return reverse(
        departure.id,
        departed_only=True,
        counted=tuple(cap.account for cap in departure.caps),
        tokens=(arrival_of(departure.id),),
        deadline=deadline,
        **more,
    )


def take_back(
    departure: Post,
    points: int | None = None,
    shortfall: Shortfall = Shortfall.REJECT,
    *,
    arrival: Post | None = None,
    **more: Any,
) -> Reverse:
    """The mirror of a transfer whose points have arrived: with it, or by the `arrival` given."""
    made = departure.arrival or arrival
    assert made is not None
    pair = (new_id(book_of(made.id)), made.id)
    counted = tuple(cap.account for cap in departure.caps)
    return reverse(departure.id, points, shortfall, arrival=pair, counted=counted, **more)


def limit(
    account: UUID,
    points: int,
    *,
    most: int | None = None,
    times: int | None = None,
    name: str = "OUT/2026-11",
) -> Cap:
    """Some use of a limit of so many points, and so many times."""
    return Cap(account, name, points, 1, most, times, "month", "OUT", 1_800_000_000_000_000)


def _movement(
    source: Brand,
    from_account: UUID,
    destination: Brand,
    to_account: UUID,
    points: int,
    carried_by: AccountKind,
) -> tuple[list[Posting], list[Posting], int]:
    """What leaves, what arrives, and how many points that is."""
    here, there = book_of(from_account), book_of(to_account)
    arrive = points if source.id == destination.id else arriving(source, destination, points)
    margin, money = stripe(here, COALITION, AccountKind.MARGIN), arrive * destination.value
    gone = stripe(here, source.id, AccountKind.CONVERTED)
    come = stripe(there, destination.id, AccountKind.CONVERTED)
    leaving = [
        Posting(source.id, from_account, gone, points),
        Posting(MONEY, _pool(here, source), margin, points * source.value),
        Posting(MONEY, margin, stripe(here, COALITION, carried_by), money),
    ]
    landing = [
        Posting(destination.id, come, to_account, arrive),
        Posting(MONEY, stripe(there, COALITION, carried_by), _pool(there, destination), money),
    ]
    return leaving, landing, arrive


def _recorded(
    command: Post,
    source: UUID,
    destination: UUID,
    points_in: int,
    arrival: UUID,
    arrives_at: Micros,
) -> Post:
    book, points = book_of(command.id), command.points
    row = (
        *(book, new_id(book), "tests", source, destination, points, points_in, points_in, 0, 0, ""),
        *(None, command.id, command.event_at, arrives_at, book_of(arrival), arrival),
    )
    return replace(command, records=(Record(TRANSFERS, row),))


def reverse(
    original: UUID,
    points: int | None = None,
    shortfall: Shortfall = Shortfall.REJECT,
    **more: Any,
) -> Reverse:
    """The mirror of a transaction, whole or in part."""
    return Reverse(
        id=new_id(book_of(original)),
        claim=more.pop("claim", None) or claim(),
        original=original,
        points=points,
        event_at=now_micros(),
        shortfall=shortfall,
        **more,
    )


def hold(account: UUID, points: int, *, expires: Micros = FAR, **more: Any) -> PlaceHold:
    """Points set aside."""
    return PlaceHold(
        new_id(book_of(account)), more.pop("claim", None) or claim(), account, points, expires
    )


def end_hold(placed: PlaceHold, *, expiry: bool = False, **more: Any) -> EndHold:
    """Points released: voided, or expired."""
    return EndHold(
        new_id(book_of(placed.id)),
        more.pop("claim", None) or claim(),
        placed.id,
        placed.account,
        expiry=expiry,
    )


def capture(brand: Brand, placed: PlaceHold, points: int | None = None, **more: Any) -> Post:
    """Points that a hold set aside, spent: all of them unless said otherwise."""
    return redemption(
        brand,
        placed.account,
        placed.points if points is None else points,
        captures=placed.id,
        **more,
    )


def expiry(brand: Brand, account: UUID) -> ExpireLots:
    """What is left of an account's expired lots, taken out; the coalition gains."""
    book = book_of(account)
    return ExpireLots(
        new_id(book), account, brand.id, stripe(book, COALITION, AccountKind.BREAKAGE)
    )


def revaluation(brand: Brand, book: int) -> Revalue:
    """A brand's pool in one book, brought to the value in force."""
    return Revalue(new_id(book), brand.id)


def note(book: int, *tokens: str, **more: Any) -> Note:
    """Something noted beside the books, which spends these tokens."""
    id = new_id(book)
    spent = tuple(Token(book, token) for token in tokens)
    return Note(id, more.pop("claim", None) or claim(), "test", id, spent, **more)


def refusal(book: int, rejection: Rejection, **more: Any) -> Refuse:
    """A refusal that a service has decided on."""
    return Refuse(new_id(book), more.pop("claim", None) or claim(), rejection)


def _pool(book: int, brand: Brand) -> UUID:
    return stripe(book, brand.id, AccountKind.POOL)


def _post(
    kind: TransactionKind, book: int, postings: list[Posting], points: int, **more: Any
) -> Post:
    more["claim"] = more.get("claim") or claim()
    more.setdefault("event_at", now_micros())
    moved = tuple(posting for posting in postings if posting.amount)
    return Post(id=new_id(book), kind=kind, postings=moved, points=points, **more)
