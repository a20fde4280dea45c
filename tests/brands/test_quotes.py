"""Quotes: figures locked for one client, to be executed once and in time."""

import asyncio
from decimal import Decimal

import pytest

from brands.clock import from_micros
from brands.coalition import Coalition
from brands.errors import IdempotencyKeyReused, QuoteNotFound
from brands.ids import new_id
from brands.money import MAX_POINTS
from brands.moving import quotes
from brands.moving.quotes import Quote, quote, quotes_by_id
from brands.moving.routes import TransferRequest
from brands.moving.transferring import create
from brands.publishing import publish
from brands.rejections import (
    AmountTooLarge,
    InsufficientPoints,
    PointsInBelowMinimum,
    QuoteExpired,
    QuoteUsed,
    TransferTooSmall,
)
from brands.valuations import rates_of
from tests.brands.stage import (
    AGENCY,
    OPERATOR,
    Person,
    acting_for,
    balances,
    enrol,
    everything,
    give,
    key,
    money,
    open_brands,
)


async def quoted(coalition: Coalition, points: int = 1_000) -> tuple[Person, Quote]:
    """A member with 1,000 points at AERO, and a quote to convert some to HOTEL."""
    await open_brands(coalition)
    person = await enrol(coalition, "AERO", "HOTEL")
    await give(coalition, person, "AERO", 1_000)
    request = TransferRequest(person.at["AERO"], person.at["HOTEL"], points_out=points)
    return person, await quote(coalition, person.caller, request)


async def test_a_quote_says_what_would_arrive_and_until_when(coalition: Coalition) -> None:
    """A quote has the figures, the rates behind them, and five minutes."""
    _, offer = await quoted(coalition)
    assert (offer.terms.points_out, offer.terms.points_in) == (1_000, 640)
    assert (offer.terms.base_points, offer.terms.bonus_points, offer.terms.fee) == (640, 0, None)
    assert (offer.terms.rates.transfer_out_rate, offer.terms.rates.transfer_in_rate) == (
        8_000,
        12_500,
    )
    assert (offer.expires_at - offer.created_at).total_seconds() == 300


async def test_a_quote_moves_nothing(coalition: Coalition) -> None:
    """A quote leaves every account as it was, whatever the balance."""
    person, _ = await quoted(coalition, points=10_000_000)
    assert await balances(coalition, [person.at["AERO"], person.at["HOTEL"]]) == [1_000, 0]


async def test_a_quote_is_executed_at_its_figures(coalition: Coalition) -> None:
    """Executed in time, a quote gives exactly its figures, whatever was published since; the pools
    are whole at the values in force, and the brands bear what changed."""
    person, offer = await quoted(coalition)
    await publish(coalition, OPERATOR, "AERO", rates_of(Decimal("0.020")), None)
    await publish(coalition, OPERATOR, "HOTEL", rates_of(Decimal("0.010")), None)
    before = await money(coalition, person, "AERO", "HOTEL")
    made = await create(coalition, person.caller, offer.id, 640, key())
    after = await money(coalition, person, "AERO", "HOTEL")
    assert made.transfer.terms == offer.terms
    assert made.transfer.quote_id == offer.id
    assert await balances(coalition, [person.at["AERO"], person.at["HOTEL"]]) == [0, 640]
    assert {name: after[name] - before[name] for name in after} == {
        "AERO.POOL": -1_000 * 20_000,
        "AERO.SETTLEMENT": 1_000 * (20_000 - 10_000),
        "HOTEL.POOL": 640 * 10_000,
        "HOTEL.SETTLEMENT": 640 * (12_000 - 10_000),
        "MARGIN": 1_000 * 10_000 - 640 * 12_000,
    }


async def test_a_quote_is_used_once(coalition: Coalition) -> None:
    """Of ten simultaneous executions under keys of their own one is made, and the others are told
    that the quote is used; each answer sticks to its key."""
    person, offer = await quoted(coalition, points=100)
    keys = [key() for _ in range(10)]
    first, again = [
        await asyncio.gather(
            *(create(coalition, person.caller, offer.id, None, each) for each in keys),
            return_exceptions=True,
        )
        for _ in range(2)
    ]
    used = [isinstance(answer, QuoteUsed) for answer in first]
    assert used.count(False) == 1
    assert used == [isinstance(answer, QuoteUsed) for answer in again]
    assert await balances(coalition, [person.at["AERO"], person.at["HOTEL"]]) == [900, 64]


async def test_an_execution_sent_again_is_one(coalition: Coalition) -> None:
    """The same execution under the same key gets the same transfer again."""
    person, offer = await quoted(coalition)
    once = key()
    first = await create(coalition, person.caller, offer.id, None, once)
    again = await create(coalition, person.caller, offer.id, None, once)
    assert (first.replayed, again.replayed) == (False, True)
    assert again.transfer == first.transfer


async def test_a_key_tells_a_quote_from_a_request(coalition: Coalition) -> None:
    """A key that executed a quote does not answer for a request with the same figures."""
    person, offer = await quoted(coalition)
    once = key()
    await create(coalition, person.caller, offer.id, None, once)
    request = TransferRequest(person.at["AERO"], person.at["HOTEL"], points_out=1_000)
    with pytest.raises(IdempotencyKeyReused):
        await create(coalition, person.caller, request, None, once)


async def test_a_refused_execution_leaves_the_quote(coalition: Coalition) -> None:
    """A quote for which there were too few points can be executed once there are enough."""
    person, offer = await quoted(coalition, points=5_000)
    with pytest.raises(InsufficientPoints):
        await create(coalition, person.caller, offer.id, None, key())
    await give(coalition, person, "AERO", 4_000)
    await create(coalition, person.caller, offer.id, None, key())
    assert await balances(coalition, [person.at["AERO"], person.at["HOTEL"]]) == [0, 3_200]


async def test_an_expired_quote_is_refused(
    coalition: Coalition, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its time a quote is refused with the instant at which it expired, and that sticks."""
    monkeypatch.setattr(quotes, "QUOTE_LASTS", 0)
    person, offer = await quoted(coalition)
    once = key()
    for replayed in (False, True):
        with pytest.raises(QuoteExpired) as refusal:
            await create(coalition, person.caller, offer.id, None, once)
        assert refusal.value.expired_at == offer.expires_at
        assert refusal.value.replayed is replayed
    assert await balances(coalition, [person.at["AERO"], person.at["HOTEL"]]) == [1_000, 0]


async def test_a_minimum_holds_for_quotes(coalition: Coalition) -> None:
    """A quote that brings less than the minimum asked for is refused, and stays good."""
    person, offer = await quoted(coalition)
    with pytest.raises(PointsInBelowMinimum):
        await create(coalition, person.caller, offer.id, 641, key())
    await create(coalition, person.caller, offer.id, 640, key())


async def test_a_quote_is_for_the_client_it_was_made_for(coalition: Coalition) -> None:
    """To any other client, even the operator, there is no such quote to execute; nothing moves."""
    person, offer = await quoted(coalition)
    brands = coalition.registry.snapshot
    before = await everything(coalition)
    for caller in (OPERATOR, AGENCY, acting_for(brands.brand("AERO"))):
        with pytest.raises(QuoteNotFound):
            await create(coalition, caller, offer.id, None, key())
    with pytest.raises(QuoteNotFound):
        await create(coalition, person.caller, new_id(0), None, key())
    assert await everything(coalition) == before


async def test_quotes_are_read_by_their_client(coalition: Coalition) -> None:
    """A quote is read back as it was given, by its client and by operators only."""
    person, offer = await quoted(coalition)
    for caller in (person.caller, OPERATOR):
        assert await quotes_by_id(coalition, caller, [offer.id]) == {offer.id: offer}
    hotel = acting_for(coalition.registry.snapshot.brand("HOTEL"))
    for caller in (AGENCY, hotel):
        assert await quotes_by_id(coalition, caller, [offer.id]) == {}


async def test_what_cannot_be_figured_is_not_quoted(coalition: Coalition) -> None:
    """A quote is refused as the transfer would be: too small to arrive, or too large to hold."""
    person, offer = await quoted(coalition)
    source, destination = person.at["AERO"], person.at["HOTEL"]
    assert offer.expires_at > from_micros(0)
    with pytest.raises(TransferTooSmall):
        await quote(coalition, person.caller, TransferRequest(source, destination, points_out=1))
    huge = TransferRequest(source, destination, points_in=MAX_POINTS)
    with pytest.raises(AmountTooLarge):
        await quote(coalition, person.caller, huge)
