"""Transfers: their figures, their money, and that each is made once."""

import asyncio
from decimal import Decimal

import pytest

from brands.coalition import Coalition, open_coalition
from brands.errors import BrandNotFound, DomainError, IdempotencyKeyReused, SameBrand
from brands.ledger.chart import TransactionKind
from brands.memberships import close_membership
from brands.moving import quotes, transfers
from brands.moving.exchange import exchange_rate
from brands.moving.figures import Figures
from brands.moving.routes import TransferRequest
from brands.moving.transferring import create
from brands.moving.transfers import TransferStatus
from brands.publishing import publish
from brands.rejections import (
    InsufficientPoints,
    MembershipClosed,
    PointsInBelowMinimum,
    TransferTooSmall,
)
from brands.transactions import transactions_by_id
from brands.valuations import rates_of
from tests.brands.stage import (
    OPERATOR,
    Person,
    balance,
    balances,
    enrol,
    everything,
    give,
    key,
    money,
    open_brands,
)


async def traveller(coalition: Coalition, points: int = 1_000) -> Person:
    """A member with points at AERO and at GROCER, and none at HOTEL and COFFEE."""
    await open_brands(coalition)
    person = await enrol(coalition, "AERO", "HOTEL", "GROCER", "COFFEE")
    await give(coalition, person, "AERO", points)
    await give(coalition, person, "GROCER", points)
    return person


def leaving(person: Person, points: int, to: str = "HOTEL", by: str = "AERO") -> TransferRequest:
    """A request to convert so many points."""
    return TransferRequest(person.at[by], person.at[to], points_out=points)


@pytest.mark.parametrize(
    ("source", "destination", "points_in"), [("AERO", "HOTEL", 640), ("GROCER", "COFFEE", 737)]
)
async def test_points_arrive_by_the_rates(
    coalition: Coalition, source: str, destination: str, points_in: int
) -> None:
    """1,000 points arrive as the worked table says, and the source is 1,000 points poorer."""
    person = await traveller(coalition)
    order = leaving(person, 1_000, destination, source)
    made = await create(coalition, person.caller, order, None, key())
    transfer = made.transfer
    assert transfer.terms.figures == Figures(1_000, points_in, points_in, 0, 0)
    assert (transfer.status, made.replayed) == (TransferStatus.COMPLETED, False)
    accounts = [person.at[source], person.at[destination]]
    assert await balances(coalition, accounts) == [0, points_in]


async def test_the_money_moves_with_the_points(coalition: Coalition) -> None:
    """One pool gives up 1,000 times its value, the other gets 737 times its own, and the margin
    takes the rest."""
    person = await traveller(coalition)
    before = await money(coalition, person, "GROCER", "COFFEE")
    await create(coalition, person.caller, leaving(person, 1_000, "COFFEE", "GROCER"), None, key())
    after = await money(coalition, person, "GROCER", "COFFEE")
    assert {name: after[name] - before[name] for name in after if after[name] != before[name]} == {
        "GROCER.POOL": -1_000 * 5_000,
        "COFFEE.POOL": 737 * 6_000,
        "MARGIN": 1_000 * 5_000 - 737 * 6_000,
    }


async def test_points_asked_for_are_brought_by_the_fewest(coalition: Coalition) -> None:
    """Asked for 640 points in, 1,000 leave."""
    person = await traveller(coalition)
    order = TransferRequest(person.at["AERO"], person.at["HOTEL"], points_in=640)
    made = await create(coalition, person.caller, order, None, key())
    assert (made.transfer.terms.points_out, made.transfer.terms.points_in) == (1_000, 640)


async def test_a_conversion_is_one_transaction(coalition: Coalition) -> None:
    """The transfer names its transaction, a conversion whose figure is the points that left."""
    person = await traveller(coalition)
    made = await create(coalition, person.caller, leaving(person, 500), None, key())
    (id,) = made.transfer.transactions
    transaction = (await transactions_by_id(coalition, OPERATOR, [id]))[id]
    assert (transaction.kind, transaction.points) == (TransactionKind.CONVERSION, 500)


async def test_one_key_sent_fifty_times_at_once_does_it_once(coalition: Coalition) -> None:
    """Fifty simultaneous requests with one key move the points once and get one answer."""
    person = await traveller(coalition)
    order, once = leaving(person, 100), key()
    answers = await asyncio.gather(
        *(create(coalition, person.caller, order, None, once) for _ in range(50))
    )
    first = answers[0].transfer
    assert all(answer.transfer == first for answer in answers)
    assert [answer.replayed for answer in answers].count(False) == 1
    assert await balance(coalition, person.at["AERO"]) == 900


async def test_one_key_sent_to_two_gateways_does_it_once(url: str, coalition: Coalition) -> None:
    """Requests with one key through two writers at once move the points once, to one answer."""
    person = await traveller(coalition)
    order, once = leaving(person, 100), key()
    other = await open_coalition(url)
    try:
        answers = await asyncio.gather(
            *(
                create(through, person.caller, order, None, once)
                for through in (coalition, other) * 25
            )
        )
    finally:
        await other.close()
    assert len({answer.transfer.id for answer in answers}) == 1
    assert [answer.replayed for answer in answers].count(False) == 1
    assert await balance(coalition, person.at["AERO"]) == 900


async def test_a_balance_that_suffices_for_one_is_converted_once(
    url: str, coalition: Coalition
) -> None:
    """Of twenty simultaneous conversions of a whole balance, through two writers, one is made and
    nineteen are told what there was and what they needed."""
    person = await traveller(coalition)
    other = await open_coalition(url)
    try:
        answers = await asyncio.gather(
            *(
                create(through, person.caller, leaving(person, 1_000), None, key())
                for through in (coalition, other) * 10
            ),
            return_exceptions=True,
        )
    finally:
        await other.close()
    refusals = [answer for answer in answers if isinstance(answer, InsufficientPoints)]
    assert len(refusals) == 19
    assert {(refusal.available, refusal.required) for refusal in refusals} == {(0, 1_000)}
    assert await balances(coalition, [person.at["AERO"], person.at["HOTEL"]]) == [0, 640]


async def test_a_key_answers_the_same_for_ever(coalition: Coalition) -> None:
    """A key that comes again gets the same transfer, even where the same request would now be
    refused."""
    person = await traveller(coalition)
    order, once = leaving(person, 1_000), key()
    made = await create(coalition, person.caller, order, 640, once)
    await close_membership(coalition, OPERATOR, person.at["HOTEL"])
    dearer = rates_of(Decimal(900), transfer_out_rate=Decimal("0.000001"))
    await publish(coalition, OPERATOR, "HOTEL", dearer, None)
    again = await create(coalition, person.caller, order, 640, once)
    assert (again.transfer, again.replayed) == (made.transfer, True)


async def test_a_key_is_for_one_intent(coalition: Coalition) -> None:
    """A key that comes again with another intent is refused, and nothing moves."""
    person = await traveller(coalition)
    once = key()
    await create(coalition, person.caller, leaving(person, 100), None, once)
    for other, minimum in ((leaving(person, 101), None), (leaving(person, 100), 1)):
        before = await everything(coalition)
        with pytest.raises(IdempotencyKeyReused):
            await create(coalition, person.caller, other, minimum, once)
        assert await everything(coalition) == before


async def test_two_clients_do_not_share_their_keys(coalition: Coalition) -> None:
    """The same key of another client is another key."""
    person = await traveller(coalition)
    once = key()
    first = await create(coalition, person.caller, leaving(person, 100), None, once)
    second = await create(coalition, OPERATOR, leaving(person, 100), None, once)
    assert first.transfer.id != second.transfer.id


async def test_a_refusal_sticks_to_its_key(coalition: Coalition) -> None:
    """What was refused for want of points stays refused, in the same words, when there are some."""
    person = await traveller(coalition, points=10)
    order, once = leaving(person, 1_000), key()
    with pytest.raises(InsufficientPoints) as first:
        await create(coalition, person.caller, order, None, once)
    assert (first.value.available, first.value.required, first.value.replayed) == (10, 1_000, False)
    await give(coalition, person, "AERO", 5_000)
    with pytest.raises(InsufficientPoints) as again:
        await create(coalition, person.caller, order, None, once)
    assert (again.value.available, again.value.replayed) == (10, True)
    assert await balance(coalition, person.at["AERO"]) == 5_010


async def test_a_refusal_by_the_figures_sticks_too(coalition: Coalition) -> None:
    """Too few points to arrive, and fewer than the minimum asked for, are refused for good, even
    when the rates have become better."""
    person = await traveller(coalition)
    small, short = key(), key()
    for replayed in (False, True):
        with pytest.raises(TransferTooSmall) as refusal:
            await create(coalition, person.caller, leaving(person, 1), None, small)
        assert (refusal.value.minimum, refusal.value.replayed) == (2, replayed)
        with pytest.raises(PointsInBelowMinimum) as below:
            await create(coalition, person.caller, leaving(person, 1_000), 641, short)
        assert (below.value.points_in, below.value.minimum) == (640, 641)
        assert below.value.replayed is replayed
        await publish(coalition, OPERATOR, "AERO", rates_of(Decimal("0.1")), None)
    assert await balance(coalition, person.at["AERO"]) == 1_000


async def test_nothing_moves_on_a_closed_membership(coalition: Coalition) -> None:
    """Points neither leave nor enter a closed membership."""
    person = await traveller(coalition)
    await close_membership(coalition, OPERATOR, person.at["HOTEL"])
    with pytest.raises(MembershipClosed):
        await create(coalition, person.caller, leaving(person, 100), None, key())
    assert await balance(coalition, person.at["AERO"]) == 1_000


async def test_rates_count_from_the_moment_they_are_published(coalition: Coalition) -> None:
    """A conversion is reckoned by the rates in force when it is made."""
    person = await traveller(coalition)
    await publish(coalition, OPERATOR, "AERO", rates_of(Decimal("0.0125")), None)
    made = await create(coalition, person.caller, leaving(person, 1_000), None, key())
    assert made.transfer.terms.points_in == 1_000


async def test_a_preview_changes_nothing(coalition: Coalition) -> None:
    """A preview gives the figures of the transfer, and leaves no trace."""
    person = await traveller(coalition)
    before = await everything(coalition)
    terms = await quotes.preview(coalition, person.caller, leaving(person, 1_000_000))
    assert (terms.points_in, terms.fee, terms.effective_rate) == (640_000, None, Decimal("0.64"))
    assert await everything(coalition) == before


async def test_transfers_are_read_as_they_were_made(coalition: Coalition) -> None:
    """A transfer read back equals the answer that was given when it was made."""
    person = await traveller(coalition)
    made = (await create(coalition, person.caller, leaving(person, 100), None, key())).transfer
    found = await transfers.transfers_by_id(coalition, person.caller, [made.id, person.id])
    assert found == {made.id: made}


async def test_the_rate_of_exchange_is_public(coalition: Coalition) -> None:
    """The rate of exchange is exact, with each side's worth, and needs no membership."""
    await open_brands(coalition)
    rate = exchange_rate(coalition, "AERO", "HOTEL")
    assert (rate.points_out, rate.points_in) == (25, 16)
    assert (rate.value_out.amount, rate.value_in.amount) == (Decimal("0.25"), Decimal("0.192"))


async def test_the_rate_of_exchange_needs_two_brands(coalition: Coalition) -> None:
    """Between unknown brands, or a brand and itself, there is no rate of exchange."""
    await open_brands(coalition)
    cases: list[tuple[str, str, type[DomainError], str]] = [
        ("NOBODY", "HOTEL", BrandNotFound, "from"),
        ("AERO", "NOBODY", BrandNotFound, "to"),
        ("AERO", "AERO", SameBrand, "to"),
    ]
    for source, destination, error, path in cases:
        with pytest.raises(error) as refusal:
            exchange_rate(coalition, source, destination)
        assert refusal.value.path == path
