"""Parties: many askers, few statements, and nobody's trouble is another's."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from brands.coalition import Coalition
from brands.database import Row, Transaction
from brands.ids import new_id
from brands.parties import Party
from tests.brands.stage import enrol, open_brands


async def test_those_who_ask_at_once_are_answered_at_once(
    coalition: Coalition, statements: list[str]
) -> None:
    """A hundred simultaneous questions take one statement, and each gets its answer."""
    brands = await open_brands(coalition)
    people = [await enrol(coalition, "AERO", "HOTEL") for _ in range(10)]
    statements.clear()
    answers = await asyncio.gather(
        *(coalition.parties.find([each.at["AERO"], each.at["HOTEL"]]) for each in people * 10)
    )
    assert len(statements) == 1
    for person, found in zip(people * 10, answers, strict=True):
        for code, id in person.at.items():
            assert found[id] == Party(id, person.id, brands[code].id)


async def test_who_asks_alone_is_answered_alone(
    coalition: Coalition, statements: list[str]
) -> None:
    """Questions one after the other are answered one by one; what is not there is left out."""
    await open_brands(coalition)
    person = await enrol(coalition, "AERO")
    statements.clear()
    nobody = new_id(0)
    assert list(await coalition.parties.find([person.at["AERO"], nobody])) == [person.at["AERO"]]
    assert await coalition.parties.find([nobody]) == {}
    assert await coalition.parties.find([]) == {}
    assert len(statements) == 2


async def test_who_gives_up_waiting_fails_nobody(coalition: Coalition) -> None:
    """An asker that is cancelled leaves the others their answers."""
    await open_brands(coalition)
    person = await enrol(coalition, "AERO")
    asked = [asyncio.ensure_future(coalition.parties.find([person.at["AERO"]])) for _ in range(9)]
    await asyncio.sleep(0)
    for impatient in asked[::2]:
        impatient.cancel()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [isinstance(answer, asyncio.CancelledError) for answer in answers] == [
        True,
        False,
    ] * 4 + [True]
    assert all(person.at["AERO"] in answer for answer in answers if isinstance(answer, dict))


async def test_a_failure_is_told_and_forgotten(
    coalition: Coalition, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the database fails, all who asked are told so, and the next question is asked anew."""
    await open_brands(coalition)
    person = await enrol(coalition, "AERO")

    async def fail(self: Transaction, sql: str, *values: Any) -> Sequence[Row]:
        raise ConnectionError

    with monkeypatch.context() as patched:
        patched.setattr(Transaction, "fetch", fail)
        answers = await asyncio.gather(
            *(coalition.parties.find([person.id]) for _ in range(3)), return_exceptions=True
        )
    assert [type(answer) for answer in answers] == [ConnectionError] * 3
    assert person.at["AERO"] in await coalition.parties.find([person.at["AERO"]])
