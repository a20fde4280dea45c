"""The scene of the tests of lookups: José at AERO, an agency, and guesses."""

from itertools import count

from brands.agencies import NewAgency, create_agency
from brands.callers import Caller, CallerKind
from brands.coalition import Coalition
from brands.members import Profile
from brands.memberships import close_membership
from brands.verification import NumberAndName, RowStatus
from tests.brands.cast import (
    OPERATOR,
    aero,
    somebody,
)

MATCH, REVIEW, NO_MATCH, MALFORMED, FORMAT_UNKNOWN = (
    RowStatus.MATCH,
    RowStatus.REVIEW,
    RowStatus.NO_MATCH,
    RowStatus.MALFORMED,
    RowStatus.FORMAT_UNKNOWN,
)

JOSE = Profile("José María", "García Márquez", "jose@example.org")
_names = count(1)


async def agency(coalition: Coalition, code: str = "SKYTRIP") -> Caller:
    """A key of an agency; every call makes another key."""
    made = await create_agency(coalition, OPERATOR, NewAgency(code, code.title()))
    client = f"agency/{code}/{next(_names)}"
    return Caller(CallerKind.AGENCY, client, agency_id=made.id, request_id="r-1")


def row(number: str, surname: str = "GARCIA MARQUEZ", given: str | None = "JOSE") -> NumberAndName:
    """A traveller at AERO."""
    return NumberAndName("AERO", number, surname, given)


def guess() -> NumberAndName:
    """What nobody has guessed before, and is wrong."""
    return row(f"X-{next(_names)}", f"Nobody{next(_names)}")


async def scene(coalition: Coalition) -> Caller:
    """José at AERO, open under A-1 and closed under A-2; an agency."""
    await aero(coalition)
    await somebody(coalition, ("AERO", "A-1"), profile=JOSE)
    gone = await somebody(coalition, ("AERO", "A-2"), profile=JOSE)
    await close_membership(coalition, OPERATOR, gone.memberships[0].id)
    await somebody(coalition, ("AERO", "A-3"), profile=None)
    return await agency(coalition)
