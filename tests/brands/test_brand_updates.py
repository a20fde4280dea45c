"""Changing what is said of a brand: who may, what is written down, and when it holds."""

import asyncio

import orjson
import pytest

from brands.callers import Caller
from brands.coalition import Coalition, open_coalition
from brands.errors import BrandNotFound, InvalidInput, NotPermitted
from brands.ids import new_id
from brands.ledger.commands import Shortfall
from brands.publishing import BrandChanges, update_brand
from brands.registry import BrandStatus
from tests.brands.cast import (
    AGENCY,
    OPERATOR,
    aero,
    bean,
    brand_caller,
    connect_all,
    count_all,
    enrolment,
    member_caller,
    somebody,
)

RENAME = BrandChanges(name="C")
SUSPEND = BrandChanges(status=BrandStatus.SUSPENDED)


async def stored(coalition: Coalition) -> list[dict[str, object]]:
    """Every brand and the epoch, as they are written."""
    rows = await coalition.database.fetch(
        "SELECT b.code, b.name, b.points_name, b.time_zone, b.clawback, b.status, b.number_format,"
        " c.epoch FROM brands b JOIN coalition c ON c.id = 1 ORDER BY b.code"
    )
    return [dict(row) for row in rows]


async def test_what_is_said_of_a_brand_changes(url: str, coalition: Coalition) -> None:
    """What is given is so from then on, in every process; what is left out stays as it is, and so
    does every other brand."""
    made = await aero(coalition)
    other = await bean(coalition)
    elsewhere = await open_coalition(url)
    try:
        for changes, changed in (
            (BrandChanges(name=" Aerolinea "), {"name": "Aerolinea"}),
            (BrandChanges(points_name="Miles"), {"points_name": "Miles"}),
            (BrandChanges(clawback=Shortfall.UP_TO_BALANCE), {"clawback": Shortfall.UP_TO_BALANCE}),
            (SUSPEND, {"status": BrandStatus.SUSPENDED}),
            (
                BrandChanges("Aero", "Points", Shortfall.ALLOW_NEGATIVE, BrandStatus.ACTIVE),
                {"name": "Aero", "points_name": "Points", "clawback": Shortfall.ALLOW_NEGATIVE}
                | {"status": BrandStatus.ACTIVE},
            ),
        ):
            before = {name: getattr(made, name) for name in made.__slots__}
            made = await update_brand(coalition, OPERATOR, "AERO", changes)
            assert {name: getattr(made, name) for name in made.__slots__} == before | changed
            assert coalition.registry.snapshot.brand("AERO") == made
            assert (await elsewhere.registry.refresh()).brand("AERO") == made
    finally:
        await elsewhere.close()
    assert coalition.registry.snapshot.brand("BEAN") == other
    generated = await somebody(coalition, ("AERO", None))
    assert made.number_format.accepts(generated.memberships[0].number)


async def test_a_change_is_on_record_once(coalition: Coalition) -> None:
    """The record says who changed what, from what and to what; the same again changes nothing, is
    not recorded, and no process reads anything anew for it."""
    brand = await aero(coalition)
    changes = BrandChanges(name="Aerolinea", points_name=brand.points_name, status=brand.status)
    await update_brand(coalition, OPERATOR, "AERO", changes)
    (row,) = await coalition.database.fetch("SELECT * FROM actions WHERE action = 'brand.update'")
    assert (row["client"], row["subject"]) == (OPERATOR.client, "AERO")
    assert row["request_id"] == OPERATOR.request_id
    assert orjson.loads(row["details"]) == {"name": {"from": "Aero", "to": "Aerolinea"}}
    before = (await count_all(coalition), await stored(coalition))
    for again in (changes, BrandChanges(), BrandChanges(name=" Aerolinea")):
        assert (await update_brand(coalition, OPERATOR, "AERO", again)).name == "Aerolinea"
    assert (await count_all(coalition), await stored(coalition)) == before


async def test_who_may_change_what(coalition: Coalition) -> None:
    """The operator may change everything, a brand all of itself but its status; for others nothing
    has changed."""
    brand, other = await aero(coalition), await bean(coalition)
    itself = brand_caller(brand)
    kept = await update_brand(
        coalition, itself, "AERO", BrandChanges("A", "B", Shortfall.ALLOW_NEGATIVE)
    )
    assert (kept.name, kept.points_name, kept.clawback) == ("A", "B", Shortfall.ALLOW_NEGATIVE)
    before = (await count_all(coalition), await stored(coalition))
    refused: list[tuple[Caller, BrandChanges, str | None]] = [
        (itself, BrandChanges(status=BrandStatus.ACTIVE), "status"),
        (itself, BrandChanges(name="C", status=BrandStatus.SUSPENDED), "status"),
    ]
    strangers = (brand_caller(other), AGENCY, member_caller(new_id(0)))
    refused += [(each, changes, None) for each in strangers for changes in (RENAME, SUSPEND)]
    for caller, changes, path in refused:
        with pytest.raises(NotPermitted) as denied:
            await update_brand(coalition, caller, "AERO", changes)
        assert denied.value.path == path
    assert (await count_all(coalition), await stored(coalition)) == before


@pytest.mark.parametrize(
    ("path", "changes"),
    [
        ("name", BrandChanges(name="")),
        ("name", BrandChanges(name=" \t")),
        ("name", BrandChanges(name="x" * 201, status=BrandStatus.SUSPENDED)),
        ("name", BrandChanges(name="x\0")),
        ("pointsName", BrandChanges(points_name="")),
        ("pointsName", BrandChanges(name="Good", points_name="\ud800")),
    ],
)
async def test_what_is_in_bad_form_is_refused(
    coalition: Coalition, path: str, changes: BrandChanges
) -> None:
    """A name that is not in due form is refused with the field that it came in, and all else that
    was asked with it."""
    await aero(coalition)
    before = (await count_all(coalition), await stored(coalition))
    with pytest.raises(InvalidInput) as refused:
        await update_brand(coalition, OPERATOR, "AERO", changes)
    assert refused.value.path == path
    with pytest.raises(BrandNotFound) as unknown:
        await update_brand(coalition, OPERATOR, "NONE", RENAME)
    assert unknown.value.path == "brand"
    assert (await count_all(coalition), await stored(coalition)) == before


async def test_changes_at_one_moment_are_all_made(coalition: Coalition) -> None:
    """Of changes made side by side, while members are enrolled there, none is lost."""
    await aero(coalition)
    await connect_all(coalition)
    await asyncio.gather(
        update_brand(coalition, OPERATOR, "AERO", BrandChanges(name="A")),
        update_brand(coalition, OPERATOR, "AERO", BrandChanges(points_name="B")),
        update_brand(coalition, OPERATOR, "AERO", BrandChanges(clawback=Shortfall.ALLOW_NEGATIVE)),
        *(somebody(coalition, *enrolment(("AERO", None)).memberships) for _ in range(4)),
    )
    brand = (await coalition.registry.refresh()).brand("AERO")
    assert (brand.name, brand.points_name) == ("A", "B")
    assert brand.clawback is Shortfall.ALLOW_NEGATIVE
    rows = await coalition.database.fetch("SELECT number FROM memberships")
    assert len({row["number"] for row in rows}) == 4
