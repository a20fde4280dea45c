"""Transfers that are nobody's to make, or make no sense: refused, and nothing has changed."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from uuid import UUID

import pytest

from brands.callers import Caller
from brands.coalition import Coalition
from brands.errors import (
    DifferentMembers,
    DomainError,
    InvalidIdempotencyKey,
    InvalidInput,
    MembershipNotFound,
    PointsNotPositive,
    PointsOutOfRange,
    SameBrand,
    SameMembership,
)
from brands.ids import new_id
from brands.money import MAX_POINTS
from brands.moving.quotes import preview, quote
from brands.moving.routes import TransferRequest
from brands.moving.transferring import create
from brands.moving.transfers import transfers_by_id
from brands.registry import Brand
from brands.rejections import AmountTooLarge
from tests.brands.stage import (
    AGENCY,
    OPERATOR,
    Person,
    acting_for,
    balance,
    enrol,
    everything,
    give,
    key,
    open_brands,
)


@dataclass(frozen=True)
class Scene:
    """Two members with points at AERO, and the brands."""

    brands: dict[str, Brand]
    ada: Person
    bob: Person

    def request(self) -> TransferRequest:
        """What Ada may well ask for."""
        return TransferRequest(self.ada.at["AERO"], self.ada.at["HOTEL"], points_out=100)


async def scene(coalition: Coalition) -> Scene:
    """The scene, set."""
    brands = await open_brands(coalition)
    ada = await enrol(coalition, "AERO", "HOTEL", "COFFEE")
    bob = await enrol(coalition, "AERO", "HOTEL", "COFFEE")
    await give(coalition, ada, "AERO", 1_000)
    await give(coalition, bob, "AERO", 1_000)
    return Scene(brands, ada, bob)


Change = Callable[[Scene, TransferRequest], TransferRequest]
NOBODY = new_id(0)

MALFORMED: dict[str, tuple[Change, type[DomainError], str | None]] = {
    "no points": (
        lambda _, it: replace(it, points_out=None),
        InvalidInput,
        "pointsOut",
    ),
    "both points": (lambda _, it: replace(it, points_in=5), InvalidInput, "pointsOut"),
    "zero out": (lambda _, it: replace(it, points_out=0), PointsNotPositive, "pointsOut"),
    "negative out": (lambda _, it: replace(it, points_out=-1), PointsNotPositive, "pointsOut"),
    "huge out": (
        lambda _, it: replace(it, points_out=MAX_POINTS + 1),
        PointsOutOfRange,
        "pointsOut",
    ),
    "zero in": (
        lambda _, it: replace(it, points_out=None, points_in=0),
        PointsNotPositive,
        "pointsIn",
    ),
    "huge in": (
        lambda _, it: replace(it, points_out=None, points_in=MAX_POINTS + 1),
        PointsOutOfRange,
        "pointsIn",
    ),
    "no destination": (lambda _, it: replace(it, destination=None), InvalidInput, "destination"),
    "same membership": (
        lambda _, it: replace(it, destination=it.source),
        SameMembership,
        "destination",
    ),
    "unknown source": (lambda _, it: replace(it, source=NOBODY), MembershipNotFound, "source"),
    "unknown destination": (
        lambda _, it: replace(it, destination=NOBODY),
        MembershipNotFound,
        "destination",
    ),
    "a stranger's points": (
        lambda it, asked: replace(asked, source=it.bob.at["AERO"]),
        MembershipNotFound,
        "source",
    ),
    "to a stranger": (
        lambda it, asked: replace(asked, destination=it.bob.at["HOTEL"]),
        MembershipNotFound,
        "destination",
    ),
    "to a stranger at the same brand": (
        lambda it, asked: replace(asked, destination=it.bob.at["AERO"]),
        MembershipNotFound,
        "destination",
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
async def test_what_makes_no_sense_is_refused(coalition: Coalition, name: str) -> None:
    """A malformed request is refused by name and field, in a preview, a quote and a transfer; it
    changes nothing and does not use up its key."""
    change, error, path = MALFORMED[name]
    setting = await scene(coalition)
    request = change(setting, setting.request())
    before = await everything(coalition)
    once = key()

    async def transfer() -> object:
        return await create(coalition, setting.ada.caller, request, None, once)

    ways: list[Callable[[], Awaitable[object]]] = [
        lambda: preview(coalition, setting.ada.caller, request),
        lambda: quote(coalition, setting.ada.caller, request),
        transfer,
    ]
    for way in ways:
        with pytest.raises(error) as refusal:
            await way()
        assert type(refusal.value) is error
        assert refusal.value.path == path
    assert await everything(coalition) == before
    made = await create(coalition, setting.ada.caller, setting.request(), None, once)
    assert not made.replayed


@pytest.mark.parametrize("bad", ["", "k" * 256, "nul\0", "half \ud800"])
async def test_a_key_has_1_to_255_characters(coalition: Coalition, bad: str) -> None:
    """A key that is empty, too long or cannot be stored is refused; one of 255 is not."""
    setting = await scene(coalition)
    before = await everything(coalition)
    with pytest.raises((InvalidIdempotencyKey, InvalidInput)) as refusal:
        await create(coalition, setting.ada.caller, setting.request(), None, bad)
    assert refusal.value.path == "idempotencyKey"
    assert await everything(coalition) == before
    await create(coalition, setting.ada.caller, setting.request(), None, "ü" * 255)


@pytest.mark.parametrize(
    ("minimum", "error"),
    [(0, PointsNotPositive), (-5, PointsNotPositive), (MAX_POINTS + 1, PointsOutOfRange)],
)
async def test_a_minimum_is_a_number_of_points(
    coalition: Coalition, minimum: int, error: type[DomainError]
) -> None:
    """A minimum below one point, or beyond what can be said, is refused."""
    setting = await scene(coalition)
    with pytest.raises(error) as refusal:
        await create(coalition, setting.ada.caller, setting.request(), minimum, key())
    assert refusal.value.path == "minimumPointsIn"


async def test_points_that_cannot_be_held_are_refused(coalition: Coalition) -> None:
    """Points whose value is more than the books can hold do not move."""
    setting = await scene(coalition)
    huge = TransferRequest(setting.ada.at["AERO"], setting.ada.at["HOTEL"], points_in=MAX_POINTS)
    with pytest.raises(AmountTooLarge):
        await create(coalition, setting.ada.caller, huge, None, key())
    assert await balance(coalition, setting.ada.at["AERO"]) == 1_000


async def test_who_may_convert(coalition: Coalition) -> None:
    """The member, the brand that her points leave, and an operator may convert; to every other
    caller her membership does not exist, and nothing changes."""
    setting = await scene(coalition)
    for caller in (setting.ada.caller, acting_for(setting.brands["AERO"]), OPERATOR):
        made = await create(coalition, caller, setting.request(), None, key())
        assert made.transfer.terms.points_in == 64
    before = await everything(coalition)
    others = (acting_for(setting.brands["HOTEL"]), acting_for(setting.brands["COFFEE"]), AGENCY)
    for caller in (*others, setting.bob.caller):
        with pytest.raises(MembershipNotFound) as refusal:
            await create(coalition, caller, setting.request(), None, key())
        assert refusal.value.path == "source"
    assert await everything(coalition) == before


async def test_points_stay_with_their_member(coalition: Coalition) -> None:
    """Between members an operator learns that it is no conversion; within a brand that it is the
    same brand; a brand learns of no membership elsewhere but its own member's."""
    setting = await scene(coalition)
    aero = acting_for(setting.brands["AERO"])
    cases: list[tuple[Caller, UUID, type[DomainError]]] = [
        (OPERATOR, setting.bob.at["HOTEL"], DifferentMembers),
        (OPERATOR, setting.bob.at["AERO"], SameBrand),
        (aero, setting.bob.at["HOTEL"], MembershipNotFound),
        (aero, setting.bob.at["AERO"], SameBrand),
    ]
    before = await everything(coalition)
    for caller, destination, error in cases:
        request = replace(setting.request(), destination=destination)
        with pytest.raises(error):
            await create(coalition, caller, request, None, key())
    assert await everything(coalition) == before


async def test_who_sees_a_transfer(coalition: Coalition) -> None:
    """A transfer is seen by its member, the brands on both sides and operators; to all others it
    does not exist."""
    setting = await scene(coalition)
    id = (await create(coalition, OPERATOR, setting.request(), None, key())).transfer.id
    aero, hotel, coffee = (acting_for(setting.brands[c]) for c in ("AERO", "HOTEL", "COFFEE"))
    for caller in (setting.ada.caller, aero, hotel, OPERATOR):
        assert list(await transfers_by_id(coalition, caller, [id])) == [id]
    for caller in (setting.bob.caller, coffee, AGENCY):
        assert await transfers_by_id(coalition, caller, [id]) == {}
