"""Many requests at once."""

import asyncio
from collections import Counter

from tests.gateway.stage import Stage, key

FIELDS = "transfer { id pointsOut pointsIn } replayed"


async def test_one_key_many_times(stage: Stage) -> None:
    """Fifty simultaneous requests with one key do the thing once and get one answer."""
    ada = await stage.enrol("AERO", "HOTEL")
    await stage.give(ada.memberships["AERO"], 100_000)
    given = {
        "transfer": {
            "source": ada.memberships["AERO"],
            "destination": ada.memberships["HOTEL"],
            "pointsOut": 1_000,
        },
        "idempotencyKey": key(),
    }
    answers = await asyncio.gather(
        *(stage.do("transferCreate", given, FIELDS, ada.token) for _ in range(50))
    )
    assert [answer["errors"] for answer in answers] == [[]] * 50
    assert len({answer["transfer"]["id"] for answer in answers}) == 1
    assert Counter(answer["replayed"] for answer in answers) == {False: 1, True: 49}
    rows = await stage.coalition.database.fetch("SELECT count(*) AS n FROM transfers")
    assert rows[0]["n"] == 1
    assert await stage.audit() == []


async def test_one_balance_many_conversions(stage: Stage) -> None:
    """Of twenty simultaneous conversions of a balance that suffices for one, one happens."""
    ada = await stage.enrol("AERO", "HOTEL")
    await stage.give(ada.memberships["AERO"], 1_000)
    ways = {
        "source": ada.memberships["AERO"],
        "destination": ada.memberships["HOTEL"],
        "pointsOut": 1_000,
    }
    answers = await asyncio.gather(
        *(
            stage.do("transferCreate", {"transfer": ways, "idempotencyKey": key()}, FIELDS)
            for _ in range(20)
        )
    )
    codes = Counter(error["code"] for answer in answers for error in answer["errors"])
    assert codes == {"INSUFFICIENT_POINTS": 19}
    assert sum(answer["transfer"] is not None for answer in answers) == 1
    assert await stage.audit() == []


async def test_one_quote_many_times(stage: Stage) -> None:
    """A quote executed by twenty requests at once, each with its own key, is executed once."""
    ada = await stage.enrol("AERO", "HOTEL")
    await stage.give(ada.memberships["AERO"], 50_000)
    ways = {
        "source": ada.memberships["AERO"],
        "destination": ada.memberships["HOTEL"],
        "pointsOut": 1_000,
    }
    quoted = await stage.do("transferQuote", ways, "quote { id }", ada.token)
    answers = await asyncio.gather(
        *(
            stage.do(
                "transferCreate",
                {"quote": quoted["quote"]["id"], "idempotencyKey": key()},
                FIELDS,
                ada.token,
            )
            for _ in range(20)
        )
    )
    codes = Counter(error["code"] for answer in answers for error in answer["errors"])
    assert codes == {"QUOTE_USED": 19}
    assert await stage.audit() == []
