"""Gifts that are refused: in the giver's own words, never in the recipient's."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from uuid import UUID

import pytest

from brands.coalition import Coalition
from brands.errors import (
    BrandNotFound,
    DomainError,
    IdempotencyKeyReused,
    InvalidInput,
    MembershipNotFound,
    SameMembership,
)
from brands.ledger.chart import TransactionKind
from brands.memberships import close_membership
from brands.moving.quotes import preview, quote
from brands.moving.recipients import Recipient
from brands.moving.routes import TransferRequest
from brands.moving.transferring import Made, create
from brands.rejections import (
    BrandSuspended,
    InsufficientPoints,
    RecipientCannotReceive,
    RecipientNotFound,
    Rejection,
    TransferLimitReached,
    TransferPairClosed,
)
from brands.rules import Direction, Limit, Period, RuleTerms
from brands.transactions import transactions_by_id
from tests.brands.sending import (
    Scene,
    scene,
)
from tests.brands.stage import (
    AGENCY,
    OPERATOR,
    Person,
    acting_for,
    balance,
    enrol,
    everything,
    key,
    lay_down,
    require_sound,
)
from tests.brands.suspending import suspend

ONE_IN_A_YEAR = RuleTerms(limits=(Limit(Period.YEAR, Direction.IN, count=1),))


async def rename(coalition: Coalition, person: Person, surname: str | None) -> None:
    """Another surname, or no profile at all."""
    fetch = coalition.database.fetch
    if surname is None:
        await fetch("DELETE FROM profiles WHERE member_id = $1", person.id)
    else:
        sql = "UPDATE profiles SET family_name = $2 WHERE member_id = $1"
        await fetch(sql, person.id, surname)


Unsettle = Callable[[Coalition, Scene], Awaitable[Recipient]]


async def _unknown_number(_: Coalition, it: Scene) -> Recipient:
    return replace(it.bea.named["AERO"], number="nobody's")


async def _another_surname(_: Coalition, it: Scene) -> Recipient:
    return replace(it.bea.named["AERO"], surname="Lovelace")


async def _a_closed_membership(coalition: Coalition, it: Scene) -> Recipient:
    await close_membership(coalition, OPERATOR, it.bea.at["AERO"])
    return it.bea.named["AERO"]


async def _no_profile(coalition: Coalition, it: Scene) -> Recipient:
    await rename(coalition, it.bea, None)
    return it.bea.named["AERO"]


NOT_FOUND: list[Unsettle] = [_unknown_number, _another_surname, _a_closed_membership, _no_profile]


@pytest.mark.parametrize("unsettle", NOT_FOUND)
async def test_who_is_not_found_is_not_found_in_one_way(
    coalition: Coalition, unsettle: Unsettle
) -> None:
    """Whatever is wrong with the recipient named, it is refused in the same words, and nothing
    changes; transfers stay refused under their key when she is found at last."""
    it = await scene(coalition)
    recipient = await unsettle(coalition, it)
    request = replace(it.gift(), recipient=recipient)
    before, once = await everything(coalition), key()
    refusals = []
    for way in (
        lambda: preview(coalition, it.ada.caller, request),
        lambda: quote(coalition, it.ada.caller, request),
        lambda: create(coalition, it.ada.caller, request, None, once),
        lambda: create(coalition, it.ada.caller, request, None, once),
    ):
        with pytest.raises(RecipientNotFound) as refusal:
            await way()
        refusals.append(refusal.value)
    first = RecipientNotFound(path="recipient")
    assert refusals == [first, first, first, replace(first, replayed=True)]
    assert {each.message for each in refusals} == {first.message}
    assert await everything(coalition) == before
    number, surname = recipient.number, recipient.surname
    found = await enrol(coalition, "AERO", surname=surname)
    await coalition.database.fetch(
        "UPDATE memberships SET number = 'old' WHERE number = $1 AND brand_id = $2",
        *(number, it.brands["AERO"].id),
    )
    await coalition.database.fetch(
        "UPDATE memberships SET number = $1 WHERE id = $2", number, found.at["AERO"]
    )
    assert (await preview(coalition, it.ada.caller, request)).destination == found.at["AERO"]
    with pytest.raises(RecipientNotFound):
        await create(coalition, it.ada.caller, request, None, once)


async def test_there_is_no_such_brand(coalition: Coalition) -> None:
    """A recipient at a brand that there is not is refused by that field."""
    it = await scene(coalition)
    request = replace(it.gift(), recipient=Recipient("NONE", "1", "Lovelace"))
    with pytest.raises(BrandNotFound) as refusal:
        await create(coalition, it.ada.caller, request, None, key())
    assert refusal.value.path == "recipient.brand"


async def _closed(coalition: Coalition, it: Scene) -> None:
    await close_membership(coalition, OPERATOR, it.bea.at["AERO"])


async def _renamed(coalition: Coalition, it: Scene) -> None:
    await rename(coalition, it.bea, "Byron")


async def _pair_closed(coalition: Coalition, _: Scene) -> None:
    await lay_down(coalition, "AERO", "AERO", RuleTerms(closed=True))


async def _suspended(coalition: Coalition, _: Scene) -> None:
    await suspend(coalition)


SINCE: list[Callable[[Coalition, Scene], Awaitable[None]]] = [
    _closed,
    _renamed,
    _pair_closed,
    _suspended,
]


@pytest.mark.parametrize("since", SINCE)
async def test_a_key_answers_the_same_for_ever(
    coalition: Coalition, since: Callable[[Coalition, Scene], Awaitable[None]]
) -> None:
    """A gift that was made is answered again, though the recipient could not be named so now, or
    the rule forbids it by now."""
    it = await scene(coalition)
    once = key()
    made = await create(coalition, it.ada.caller, it.gift(), None, once)
    await since(coalition, it)
    again = await create(coalition, it.ada.caller, it.gift(), None, once)
    assert again == Made(made.transfer, replayed=True)
    with pytest.raises((RecipientNotFound, TransferPairClosed, BrandSuspended)):
        await create(coalition, it.ada.caller, it.gift(), None, key())
    assert await balance(coalition, it.ada.at["AERO"]) == 900


@pytest.mark.parametrize("since", SINCE)
async def test_what_concerns_the_recipient_is_never_told(
    coalition: Coalition, since: Callable[[Coalition, Scene], Awaitable[None]]
) -> None:
    """A gift that the recipient's own limit leaves no room for is refused without a figure, not
    before it is given, and only to who could have paid; and in the same words when the key comes
    again, whatever has become of her or of the rule."""
    it = await scene(coalition)
    await lay_down(coalition, "AERO", "AERO", ONE_IN_A_YEAR)
    offer = await quote(coalition, it.ada.caller, it.gift())
    await create(coalition, it.ada.caller, it.gift(), None, key())
    for way in (preview, quote):
        await way(coalition, it.ada.caller, it.gift())
    too_many = replace(it.gift(), points_out=901)
    with pytest.raises(InsufficientPoints):
        await create(coalition, it.ada.caller, too_many, None, key())
    orders: list[tuple[UUID | TransferRequest, str]] = [(it.gift(), key()), (offer.id, key())]
    for replayed in (False, True):
        for order, once in orders:
            with pytest.raises(Rejection) as refusal:
                await create(coalition, it.ada.caller, order, None, once)
            assert refusal.value == RecipientCannotReceive(path="recipient", replayed=replayed)
        if not replayed:
            await since(coalition, it)
    assert await balance(coalition, it.ada.at["AERO"]) == 900
    await require_sound(coalition)


async def test_what_concerns_oneself_is_told(coalition: Coalition) -> None:
    """Whoever names her own membership by its number makes a conversion, and learns of a limit that
    is her own, however late."""
    it = await scene(coalition)
    await lay_down(coalition, "AERO", "HOTEL", ONE_IN_A_YEAR)
    request = replace(it.gift(), recipient=it.ada.named["HOTEL"])
    made = await create(coalition, it.ada.caller, request, None, key())
    assert not made.transfer.terms.is_gift
    (id,) = made.transfer.transactions
    found = await transactions_by_id(coalition, it.ada.caller, [id])
    assert found[id].kind is TransactionKind.CONVERSION
    once = key()
    for replayed in (False, True):
        with pytest.raises(TransferLimitReached) as refusal:
            await create(coalition, it.ada.caller, request, None, once)
        assert (refusal.value.limit, refusal.value.used) == (1, 1)
        assert (refusal.value.direction, refusal.value.replayed) == (Direction.IN, replayed)
        await close_membership(coalition, OPERATOR, it.ada.at["HOTEL"])


async def test_a_key_is_for_one_recipient(coalition: Coalition) -> None:
    """A key that made a gift does not make one to anybody else, nor one by a quote."""
    it = await scene(coalition)
    once, offer = key(), await quote(coalition, it.ada.caller, it.gift())
    await create(coalition, it.ada.caller, it.gift(), None, once)
    other = replace(it.gift(), recipient=replace(it.bea.named["AERO"], surname="obrien mueller"))
    orders: list[UUID | TransferRequest] = [it.gift(to="HOTEL"), it.conversion(), other, offer.id]
    before = await everything(coalition)
    for order in orders:
        with pytest.raises(IdempotencyKeyReused):
            await create(coalition, it.ada.caller, order, None, once)
    assert await everything(coalition) == before


async def test_a_recipient_too_new(coalition: Coalition) -> None:
    """A recipient who has not been a member for as long as the rule asks cannot receive; since when
    she is one is not told, nor anything to who could not pay, and the key keeps that answer."""
    it = await scene(coalition)
    await lay_down(coalition, "AERO", "AERO", RuleTerms(recipient_age_days=30))
    once = key()
    for replayed in (False, True):
        with pytest.raises(Rejection) as refusal:
            await create(coalition, it.ada.caller, it.gift(), None, once)
        assert refusal.value == RecipientCannotReceive(path="recipient", replayed=replayed)
        for way in (preview, quote):
            await way(coalition, it.ada.caller, it.gift())
        too_many = replace(it.gift(), points_out=1_001)
        with pytest.raises(InsufficientPoints):
            await create(coalition, it.ada.caller, too_many, None, key())
        await coalition.database.fetch(
            "UPDATE memberships SET joined_at = joined_at - $2 WHERE id = $1",
            *(it.bea.at["AERO"], 30 * 86_400_000_000),
        )
    await create(coalition, it.ada.caller, it.gift(), None, key())


async def test_a_recipient_who_has_left_since_the_quote(coalition: Coalition) -> None:
    """A quote for a recipient who has closed her membership since is refused without her id, and so
    it is under the same key when the brand is suspended."""
    it = await scene(coalition)
    offer = await quote(coalition, it.ada.caller, it.gift())
    await close_membership(coalition, OPERATOR, it.bea.at["AERO"])
    once, before = key(), await everything(coalition)
    for replayed in (False, True):
        with pytest.raises(Rejection) as refusal:
            await create(coalition, it.ada.caller, offer.id, None, once)
        assert refusal.value == RecipientCannotReceive(path="recipient", replayed=replayed)
    assert await everything(coalition) == before
    await suspend(coalition)
    with pytest.raises(Rejection) as refusal:
        await create(coalition, it.ada.caller, offer.id, None, once)
    assert refusal.value == RecipientCannotReceive(path="recipient", replayed=True)


async def test_who_may_give(coalition: Coalition) -> None:
    """The member, the brand that her points leave and an operator give; to every other caller her
    membership does not exist, and nothing changes."""
    it = await scene(coalition)
    for caller in (it.ada.caller, acting_for(it.brands["AERO"]), OPERATOR):
        await create(coalition, caller, it.gift(), None, key())
    before = await everything(coalition)
    for caller in (it.bea.caller, acting_for(it.brands["HOTEL"]), AGENCY):
        for request in (it.gift(), replace(it.gift(), recipient=Recipient("AERO", "x", "y"))):
            with pytest.raises(MembershipNotFound) as refusal:
                await create(coalition, caller, request, None, key())
            assert refusal.value.path == "source"
    assert await everything(coalition) == before


async def test_a_gift_names_one_recipient(coalition: Coalition) -> None:
    """Both a destination and a recipient, or neither, or the membership that the points leave, are
    refused by field; the key can be used again."""
    it = await scene(coalition)
    request, once = it.gift(), key()
    cases: list[tuple[TransferRequest, type[DomainError], str]] = [
        (replace(request, destination=it.ada.at["HOTEL"]), InvalidInput, "destination"),
        (replace(request, recipient=None), InvalidInput, "destination"),
        (replace(request, recipient=it.ada.named["AERO"]), SameMembership, "recipient"),
    ]
    before = await everything(coalition)
    for malformed, error, path in cases:
        for way in (preview, quote):
            with pytest.raises(error):
                await way(coalition, it.ada.caller, malformed)
        with pytest.raises(error) as refusal:
            await create(coalition, it.ada.caller, malformed, None, once)
        assert refusal.value.path == path
    assert await everything(coalition) == before
    await create(coalition, it.ada.caller, request, None, once)
