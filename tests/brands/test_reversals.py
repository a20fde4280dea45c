"""Reversals of transfers and of transactions: the mirror, once."""

import asyncio

import pytest

from brands.coalition import Coalition
from brands.errors import (
    DomainError,
    IdempotencyKeyReused,
    InvalidInput,
    NotPermitted,
    PointsNotPositive,
    TransactionNotFound,
    TransferNotFound,
)
from brands.ids import new_id
from brands.ledger.chart import TransactionKind
from brands.moving.routes import TransferRequest
from brands.moving.transferring import create, reverse
from brands.moving.transfers import Transfer, TransferStatus, transfers_by_id
from brands.rejections import (
    AlreadyReversed,
    InsufficientPoints,
    NotReversible,
    ReversalExceedsOriginal,
)
from brands.transactions import reverse as reverse_transaction
from brands.transactions import transactions_by_id
from tests.brands.stage import (
    AGENCY,
    OPERATOR,
    Person,
    acting_for,
    balance,
    balances,
    enrol,
    everything,
    give,
    key,
    money,
    open_brands,
)


async def converted(coalition: Coalition) -> tuple[Person, Transfer]:
    """A member who converted 1,000 of her 1,500 points."""
    await open_brands(coalition)
    person = await enrol(coalition, "AERO", "HOTEL")
    await give(coalition, person, "AERO", 1_500)
    request = TransferRequest(person.at["AERO"], person.at["HOTEL"], points_out=1_000)
    return person, (await create(coalition, person.caller, request, None, key())).transfer


async def test_a_reversed_transfer_leaves_things_as_they_were(coalition: Coalition) -> None:
    """A reversal gives back the points and the money, and the transfer says so."""
    await open_brands(coalition)
    person = await enrol(coalition, "AERO", "HOTEL")
    await give(coalition, person, "AERO", 1_500)
    before = await money(coalition, person, "AERO", "HOTEL")
    request = TransferRequest(person.at["AERO"], person.at["HOTEL"], points_out=1_000)
    transfer = (await create(coalition, person.caller, request, None, key())).transfer
    made = await reverse(coalition, OPERATOR, transfer.id, None, "wrong brand", key())
    assert await balances(coalition, [person.at["AERO"], person.at["HOTEL"]]) == [1_500, 0]
    assert await money(coalition, person, "AERO", "HOTEL") == before
    assert made.transfer.status is TransferStatus.REVERSED
    assert made.transfer.terms == transfer.terms
    original, reversal = made.transfer.transactions
    assert transfer.transactions == (original,)
    found = await transactions_by_id(coalition, OPERATOR, [original, reversal])
    assert found[reversal].kind is TransactionKind.REVERSAL
    assert (found[reversal].reverses, found[reversal].description) == (original, "wrong brand")
    assert found[original].reversed_by == (reversal,)


async def test_a_transfer_is_reversed_once(coalition: Coalition) -> None:
    """Ten simultaneous reversals under keys of their own give the points back once; the same key
    sent again gets the same answer."""
    person, transfer = await converted(coalition)
    keys = [key() for _ in range(10)]
    for replayed in (False, True):
        answers = await asyncio.gather(
            *(reverse(coalition, OPERATOR, transfer.id, None, "oops", each) for each in keys),
            return_exceptions=True,
        )
        refused = [isinstance(answer, AlreadyReversed) for answer in answers]
        assert refused.count(True) == 9
        answer = answers[refused.index(False)]
        assert not isinstance(answer, BaseException)
        assert answer.replayed is replayed
    assert await balances(coalition, [person.at["AERO"], person.at["HOTEL"]]) == [1_500, 0]


async def test_points_spent_since_cannot_be_taken_back(coalition: Coalition) -> None:
    """Where the points that arrived are spent, the reversal is refused with the figures."""
    person, transfer = await converted(coalition)
    back = TransferRequest(person.at["HOTEL"], person.at["AERO"], points_out=600)
    await create(coalition, person.caller, back, None, key())
    before = await everything(coalition)
    with pytest.raises(InsufficientPoints) as refusal:
        await reverse(coalition, OPERATOR, transfer.id, None, "oops", key())
    assert (refusal.value.available, refusal.value.required) == (40, 640)
    assert await everything(coalition) == before
    found = await transfers_by_id(coalition, OPERATOR, [transfer.id])
    assert found[transfer.id].status is TransferStatus.COMPLETED


async def test_only_operators_reverse(coalition: Coalition) -> None:
    """Nobody but an operator reverses a transfer or a transaction, and nothing changes."""
    person, transfer = await converted(coalition)
    aero = acting_for(coalition.registry.snapshot.brand("AERO"))
    before = await everything(coalition)
    for caller in (person.caller, aero, AGENCY):
        with pytest.raises(NotPermitted):
            await reverse(coalition, caller, transfer.id, None, "oops", key())
        with pytest.raises(NotPermitted):
            await reverse_transaction(
                coalition, caller, transfer.transactions[0], None, "oops", key()
            )
    assert await everything(coalition) == before


@pytest.mark.parametrize("reason", ["", "r" * 501, "nul\0"])
async def test_a_reversal_has_a_reason(coalition: Coalition, reason: str) -> None:
    """A reversal without a reason of 1 to 500 characters is refused."""
    _, transfer = await converted(coalition)
    with pytest.raises(InvalidInput) as refusal:
        await reverse(coalition, OPERATOR, transfer.id, None, reason, key())
    assert refusal.value.path == "reason"


async def test_what_is_not_there_cannot_be_reversed(coalition: Coalition) -> None:
    """An unknown transfer or transaction is not found."""
    await converted(coalition)
    with pytest.raises(TransferNotFound):
        await reverse(coalition, OPERATOR, new_id(0), None, "oops", key())
    with pytest.raises(TransactionNotFound):
        await reverse_transaction(coalition, OPERATOR, new_id(0), None, "oops", key())


async def test_a_transaction_is_reversed_in_parts(coalition: Coalition) -> None:
    """Parts of an accrual are taken back until nothing is left of it, and never more."""
    await open_brands(coalition)
    person = await enrol(coalition, "AERO")
    before = await money(coalition, person, "AERO")
    earned = await give(coalition, person, "AERO", 100)
    refusals: list[tuple[int | None, type[DomainError]]] = [
        (0, PointsNotPositive),
        (41, ReversalExceedsOriginal),
    ]
    parts = [await reverse_transaction(coalition, OPERATOR, earned, 60, "returned", key())]
    for points, error in refusals:
        with pytest.raises(error):
            await reverse_transaction(coalition, OPERATOR, earned, points, "returned", key())
    parts.append(await reverse_transaction(coalition, OPERATOR, earned, None, "returned", key()))
    with pytest.raises(AlreadyReversed):
        await reverse_transaction(coalition, OPERATOR, earned, 1, "returned", key())
    found = await transactions_by_id(coalition, OPERATOR, [earned, *(part.id for part in parts)])
    assert [found[part.id].points for part in parts] == [60, 40]
    assert found[earned].reversed_by == tuple(sorted(part.id for part in parts))
    assert await money(coalition, person, "AERO") == before
    assert await balance(coalition, person.at["AERO"]) == 0


async def test_a_transfer_reversed_in_part_still_stands(coalition: Coalition) -> None:
    """A transfer is reversed when all of it is: a part taken back leaves it completed."""
    _, transfer = await converted(coalition)
    (original,) = transfer.transactions
    for points, status in ((400, TransferStatus.COMPLETED), (600, TransferStatus.REVERSED)):
        await reverse_transaction(coalition, OPERATOR, original, points, "bit by bit", key())
        found = await transfers_by_id(coalition, OPERATOR, [transfer.id])
        assert found[transfer.id].status is status


async def test_a_reversal_is_final(coalition: Coalition) -> None:
    """A reversal cannot be reversed, and that refusal sticks to its key."""
    _, transfer = await converted(coalition)
    made = await reverse(coalition, OPERATOR, transfer.id, None, "oops", key())
    once = key()
    for replayed in (False, True):
        with pytest.raises(NotReversible) as refusal:
            await reverse_transaction(
                coalition, OPERATOR, made.transfer.transactions[1], None, "oops", once
            )
        assert refusal.value.replayed is replayed


async def test_a_reversals_key_is_for_one_intent(coalition: Coalition) -> None:
    """A key that reversed a transfer does not reverse another, nor for another reason."""
    _, transfer = await converted(coalition)
    once = key()
    await reverse(coalition, OPERATOR, transfer.id, None, "oops", once)
    with pytest.raises(IdempotencyKeyReused):
        await reverse(coalition, OPERATOR, transfer.id, None, "another reason", once)
