"""Verifying loyalty numbers: what is told, to whom, at what price."""

import pytest

from brands.coalition import Coalition
from brands.errors import (
    BrandNotFound,
    InvalidInput,
    NotPermitted,
)
from brands.ids import new_id
from brands.naming.check_digits import CheckScheme
from brands.naming.numbers import NumberFormat
from brands.publishing import create_brand
from brands.verification import Lookup, NumberAndName, guarded_lookup, verify
from tests.brands.cast import (
    OPERATOR,
    OPERATOR_WITH_PII,
    bean,
    brand_caller,
    count_rows,
    member_caller,
    new_brand,
    somebody,
)
from tests.brands.verifying import (
    FORMAT_UNKNOWN,
    JOSE,
    MALFORMED,
    MATCH,
    NO_MATCH,
    REVIEW,
    guess,
    row,
    scene,
)


async def test_a_row_has_a_status_and_stays_in_its_place(coalition: Coalition) -> None:
    """Each row is told by itself, in the order of the rows; one that is malformed spoils none."""
    skytrip = await scene(coalition)
    scheme = NumberFormat(r"\d+", None, CheckScheme.LUHN)
    await create_brand(coalition, OPERATOR, new_brand("LUHN", number_format=scheme))
    await somebody(coalition, ("LUHN", "79927398713"), profile=JOSE)
    rows = {
        row("A-1"): MATCH,
        row("a 1", "garcia marquez", "J"): NO_MATCH,  # A1 is another number
        row(" a-1 ", "GARCÍA-MÁRQUEZ", "JOSEMR"): MATCH,
        row("A-1", given=None): MATCH,
        row("A-1", "GARCIA"): REVIEW,
        row("A-1", "MARQUES"): NO_MATCH,
        row("A-2"): NO_MATCH,
        row("A-3"): NO_MATCH,
        row("A-9"): NO_MATCH,
        row("A-1", ""): MALFORMED,
        row("A-1", " - "): MALFORMED,
        row("A-1", "x" * 201): MALFORMED,
        row("A-1", given="x" * 201): MALFORMED,
        row("A-1\0"): MALFORMED,
        row("A-1", "Garc\0ia"): MALFORMED,
        row("\ud800"): MALFORMED,
        row(""): MALFORMED,
        row("x" * 10_000): MALFORMED,
        NumberAndName("LUHN", "7992 7398 713", "Garcia Marquez"): MATCH,
        NumberAndName("LUHN", "79927398714", "Garcia Marquez"): MALFORMED,
    }
    assert await verify(coalition, skytrip, list(rows)) == list(rows.values())


async def test_a_format_that_is_unknown_tells_no_number_apart(coalition: Coalition) -> None:
    """Where the check scheme is unknown what does not match is FORMAT_UNKNOWN, be the number
    somebody's or not; what matches does."""
    skytrip = await scene(coalition)
    scheme = NumberFormat(check=CheckScheme.UNKNOWN)
    await create_brand(coalition, OPERATOR, new_brand("ODD", number_format=scheme))
    await somebody(coalition, ("ODD", "O-1"), profile=JOSE)
    asked = [("O-1", "Garcia Marquez"), ("O-1", "Smith"), ("O-2", "Smith"), ("?", "Smith")]
    rows = [NumberAndName("ODD", number, surname) for number, surname in asked]
    found = await verify(coalition, skytrip, rows)
    assert found == [MATCH, FORMAT_UNKNOWN, FORMAT_UNKNOWN, FORMAT_UNKNOWN]


async def test_a_suspended_brand_has_no_members(coalition: Coalition) -> None:
    """While a brand is suspended nothing matches there."""
    skytrip = await scene(coalition)
    await coalition.database.fetch("UPDATE brands SET status = 'SUSPENDED'")
    await coalition.database.fetch("UPDATE coalition SET epoch = epoch + 1")
    await coalition.registry.refresh()
    assert await verify(coalition, skytrip, [row("A-1")]) == [NO_MATCH]


async def test_what_cannot_tell_anything_costs_nothing(coalition: Coalition) -> None:
    """Where a brand is suspended whatever is asked is NO_MATCH and charged to nobody, however much
    it is, and among rows of other brands as well."""
    skytrip = await scene(coalition)
    await bean(coalition)
    await somebody(coalition, ("BEAN", "B-1"), profile=JOSE)
    await coalition.database.fetch("UPDATE brands SET status = 'SUSPENDED' WHERE code = 'AERO'")
    await coalition.database.fetch("UPDATE coalition SET epoch = epoch + 1")
    await coalition.registry.refresh()
    good = NumberAndName("BEAN", "B-1", "Garcia Marquez", "Jose")
    for _ in range(3):
        rows = [guess() for _ in range(98)]
        told = await verify(coalition, skytrip, [row("A-1"), *rows, good])
        assert told == [NO_MATCH] * 99 + [MATCH]
    assert await verify(coalition, skytrip, [guess() for _ in range(100)]) == [NO_MATCH] * 100
    assert await count_rows(coalition, "lookups_seen") == 1


async def test_who_may_verify(coalition: Coalition) -> None:
    """Agencies and the operator may, a brand its own numbers, a member not; the number of rows has
    bounds, and a brand that there is not is told by its row."""
    skytrip = await scene(coalition)
    other = await bean(coalition)
    brand = coalition.registry.snapshot.brand("AERO")
    for caller in (skytrip, OPERATOR, OPERATOR_WITH_PII, brand_caller(brand)):
        assert await verify(coalition, caller, [row("A-1")]) == [MATCH]
    for caller in (brand_caller(other), member_caller(new_id(0))):
        with pytest.raises(NotPermitted):
            await verify(coalition, caller, [row("A-1")])
    for rows in ([], [row("A-1")] * 101):
        with pytest.raises(InvalidInput) as refused:
            await verify(coalition, skytrip, rows)
        assert refused.value.path == "rows"
    with pytest.raises(BrandNotFound) as unknown:
        await verify(coalition, skytrip, [row("A-1"), NumberAndName("NONE", "1", "X")])
    assert unknown.value.path == "rows.1.brand"


async def test_the_door_for_other_services(coalition: Coalition) -> None:
    """A service is told whose a number is where number and name match, and nothing where a person
    would have to look."""
    skytrip = await scene(coalition)
    rows = [row("A-1"), row("A-1", "Garcia"), row("A-2"), row("?")]
    found = await guarded_lookup(coalition, skytrip, rows, path="stays")
    assert [each.status for each in found] == [MATCH, REVIEW, NO_MATCH, MALFORMED]
    assert [each.party is not None for each in found] == [True, False, False, False]
    party = found[0].party
    assert party is not None
    assert party.brand_id == coalition.registry.snapshot.brand("AERO").id
    assert found[1] == Lookup(REVIEW, None)
    assert await guarded_lookup(coalition, skytrip, []) == []
