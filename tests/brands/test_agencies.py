"""Travel agencies: taking one in, suspending it, and who sees it."""

import asyncio

import pytest

from brands.agencies import (
    Agency,
    AgencyStatus,
    NewAgency,
    agencies_by_id,
    codes_of_agencies,
    create_agency,
    find_agency,
    set_status,
)
from brands.callers import Caller, CallerKind
from brands.coalition import Coalition
from brands.errors import AgencyCodeTaken, AgencyNotFound, InvalidInput, NotPermitted
from brands.ids import new_id
from tests.brands.cast import (
    AGENCY,
    OPERATOR,
    aero,
    brand_caller,
    connect_all,
    count_rows,
    member_caller,
)

SKY = NewAgency("SKYTRIP", "Sky Trip", "9999999")


def itself(agency: Agency) -> Caller:
    """The key of an agency."""
    return Caller(CallerKind.AGENCY, f"agency/{agency.id}/desk", agency_id=agency.id)


async def test_an_agency_joins_once(coalition: Coalition) -> None:
    """An agency taken in again with the same figures is the one that is there, by whomever and
    however often at once; with others it is refused, and nothing has changed."""
    await connect_all(coalition)
    made = await asyncio.gather(*(create_agency(coalition, OPERATOR, SKY) for _ in range(8)))
    assert len({agency.id for agency in made}) == 1
    assert made[0].status is AgencyStatus.ACTIVE
    spaced = NewAgency("SKYTRIP", " Sky Trip ", "9999999")
    assert await create_agency(coalition, OPERATOR, spaced) == made[0]
    for other in (
        NewAgency("SKYTRIP", "Another", "9999999"),
        NewAgency("SKYTRIP", "Sky Trip"),
        NewAgency("SKYTRIP", "Sky Trip", "1111111"),
    ):
        with pytest.raises(AgencyCodeTaken):
            await create_agency(coalition, OPERATOR, other)
    assert await count_rows(coalition, "agencies") == 1
    assert await count_rows(coalition, "actions") == 1


@pytest.mark.parametrize(
    "new",
    [
        NewAgency("", "Sky Trip"),
        NewAgency("S", "Sky Trip"),
        NewAgency("skytrip", "Sky Trip"),
        NewAgency("S" * 17, "Sky Trip"),
        NewAgency("SKY TRIP", "Sky Trip"),
        NewAgency("SKYTRIP\n", "Sky Trip"),
        NewAgency("SKYTRIP", ""),
        NewAgency("SKYTRIP", "x" * 201),
        NewAgency("SKYTRIP", "\0"),
        NewAgency("SKYTRIP", "Sky Trip", ""),
        NewAgency("SKYTRIP", "Sky Trip", "123456"),
        NewAgency("SKYTRIP", "Sky Trip", "123456789"),
        NewAgency("SKYTRIP", "Sky Trip", "12-34567"),
        NewAgency("SKYTRIP", "Sky Trip", "١٢٣٤٥٦٧"),
    ],
    ids=lambda new: f"{new.code[:8]!r} {new.name[:8]!r} {new.iata_number!r}",
)
async def test_an_agency_in_bad_form(coalition: Coalition, new: NewAgency) -> None:
    """A code, a name or a number that is not in due form is refused."""
    with pytest.raises(InvalidInput):
        await create_agency(coalition, OPERATOR, new)
    assert await count_rows(coalition, "agencies") == 0


async def test_an_agency_is_suspended_and_taken_back(coalition: Coalition) -> None:
    """What is so already stays so and is not written down again; an unknown agency is not there."""
    await create_agency(coalition, OPERATOR, SKY)
    for status in (AgencyStatus.SUSPENDED, AgencyStatus.SUSPENDED, AgencyStatus.ACTIVE):
        assert (await set_status(coalition, OPERATOR, "SKYTRIP", status)).status is status
    assert await count_rows(coalition, "actions") == 3
    for unknown in ("NONE", "", "\0", "x" * 10_000):
        with pytest.raises(AgencyNotFound):
            await set_status(coalition, OPERATOR, unknown, AgencyStatus.SUSPENDED)


async def test_who_sees_an_agency(coalition: Coalition) -> None:
    """The operator and the agency itself; for everybody else it does not exist."""
    sky = await create_agency(coalition, OPERATOR, SKY)
    other = await create_agency(coalition, OPERATOR, NewAgency("FARAWAY", "Far Away"))
    airline = await aero(coalition)
    for caller in (OPERATOR, itself(sky)):
        assert await find_agency(coalition, caller, "SKYTRIP") == sky
        assert await agencies_by_id(coalition, caller, [sky.id, sky.id, new_id(0)]) == {sky.id: sky}
    strangers = (itself(other), AGENCY, brand_caller(airline), member_caller(new_id(0)))
    for caller in strangers:
        assert await find_agency(coalition, caller, "SKYTRIP") is None
        assert await agencies_by_id(coalition, caller, [sky.id]) == {}
    for unknown in ("NONE", "", "\0", "x" * 10_000):
        assert await find_agency(coalition, OPERATOR, unknown) is None
    assert await codes_of_agencies(coalition, OPERATOR) == {sky.id: "SKYTRIP", other.id: "FARAWAY"}


async def test_agencies_are_the_operators_business(coalition: Coalition) -> None:
    """Nobody but the operator takes one in, suspends one, or lists them; nothing has changed."""
    sky = await create_agency(coalition, OPERATOR, SKY)
    airline = await aero(coalition)
    before = await count_rows(coalition, "actions")
    for caller in (itself(sky), AGENCY, brand_caller(airline), member_caller(new_id(0))):
        with pytest.raises(NotPermitted):
            await create_agency(coalition, caller, NewAgency("FARAWAY", "Far Away"))
        with pytest.raises(NotPermitted):
            await set_status(coalition, caller, "SKYTRIP", AgencyStatus.SUSPENDED)
        with pytest.raises(NotPermitted):
            await codes_of_agencies(coalition, caller)
    assert await count_rows(coalition, "actions") == before
    assert await count_rows(coalition, "agencies") == 1
