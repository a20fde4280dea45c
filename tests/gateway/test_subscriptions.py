"""Subscriptions through the whole gateway: who sees what happens, in which order, from where on."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from brands.buckets import Rate
from brands.callers import CallerKind
from brands.credentials import NewKey
from tests.gateway.live import BRAND, MEMBERSHIP, TRANSFER, Live, live
from tests.gateway.stage import Json, Person, Stage, key, open_stage


@pytest.fixture
async def at(stage: Stage) -> AsyncIterator[Live]:
    """The stage behind a server, on each database in turn."""
    async with live(stage) as served:
        yield served


async def _ada(stage: Stage) -> Person:
    person = await stage.enrol("AERO", "HOTEL")
    stage.tokens["ada"] = person.token
    return person


async def test_every_posting_once_in_order(at: Live) -> None:
    """Whoever follows a membership gets each posting to it once, in the order in which they were
    posted, with the balance of that moment or later; over either transport."""
    ada = await _ada(at.stage)
    watched = {"id": ada.memberships["AERO"]}
    async with at.client("ada") as socket, at.events(MEMBERSHIP, watched, "ada") as stream:
        await socket.subscribe(MEMBERSHIP, watched)
        await asyncio.sleep(0.3)
        posted = []
        for points in range(1, 8):
            await at.stage.give(ada.memberships["HOTEL"], 1_000)
            given = await at.stage.give(ada.memberships["AERO"], points)
            posted.append((given["transaction"]["id"], points))
        for follower in (socket, stream):
            got = [(await follower.next())["membershipActivity"] for _ in posted]
            assert [(e["transaction"]["id"], e["transaction"]["points"]) for e in got] == posted
            sums = [sum(points for _, points in posted[: i + 1]) for i in range(len(posted))]
            assert all(
                event["membership"]["balance"]["posted"] >= least
                for event, least in zip(got, sums, strict=True)
            )


async def test_resuming_misses_nothing(at: Live) -> None:
    """Who comes back with the cursor of the last event gets all that came after it, and nothing
    that came before; a cursor can be used again."""
    ada = await _ada(at.stage)
    watched: Json = {"id": ada.memberships["AERO"]}
    async with at.client("ada") as socket:
        await socket.subscribe(MEMBERSHIP, watched)
        await asyncio.sleep(0.3)
        for points in (1, 2, 3):
            await at.stage.give(ada.memberships["AERO"], points)
        seen = [(await socket.next())["membershipActivity"] for _ in range(2)]
    for points in (4, 5):
        await at.stage.give(ada.memberships["AERO"], points)
    again = watched | {"after": seen[-1]["cursor"]}
    for _ in range(2):
        async with at.client("ada") as socket:
            await socket.subscribe(MEMBERSHIP, again)
            got = [(await socket.next())["membershipActivity"] for _ in range(3)]
            assert [event["transaction"]["points"] for event in got] == [3, 4, 5]


async def test_last_event_id(at: Live) -> None:
    """An event source that comes back by itself goes on where it was: what it says it has seen
    counts before what it asked for at first."""
    ada = await _ada(at.stage)
    watched: Json = {"id": ada.memberships["AERO"]}
    async with at.events(MEMBERSHIP, watched, "ada") as stream:
        await asyncio.sleep(0.3)
        for points in (1, 2, 3):
            await at.stage.give(ada.memberships["AERO"], points)
        got = [(await stream.next())["membershipActivity"] for _ in range(3)]
        assert stream.ids == [event["cursor"] for event in got]
    again = watched | {"after": stream.ids[0]}
    async with at.events(MEMBERSHIP, again, "ada", last_event_id=stream.ids[1]) as stream:
        assert (await stream.next())["membershipActivity"]["transaction"]["points"] == 3
    async with at.events(MEMBERSHIP, again, "ada") as stream:
        assert (await stream.next())["membershipActivity"]["transaction"]["points"] == 2


async def test_a_brand_follows_itself(at: Live) -> None:
    """A brand gets whatever moves its points or its money, with all members, and nothing of what
    moves others' alone."""
    members = [await at.stage.enrol("AERO", "HOTEL") for _ in range(3)]
    async with at.client("aero") as socket:
        await socket.subscribe(BRAND, {"code": "AERO"})
        await asyncio.sleep(0.3)
        posted = []
        for member in members:
            await at.stage.give(member.memberships["HOTEL"], 7)
            given = await at.stage.give(member.memberships["AERO"], 7)
            posted.append(given["transaction"]["id"])
        got = [(await socket.next())["brandActivity"] for _ in posted]
        assert sorted(event["transaction"]["id"] for event in got) == sorted(posted)
        assert {event["brand"]["code"] for event in got} == {"AERO"}


async def test_a_transfer_is_followed(at: Live) -> None:
    """Whoever follows a transfer is told when it is taken back, and sees it as it stands."""
    ada = await _ada(at.stage)
    await at.stage.give(ada.memberships["AERO"], 1_000)
    meant = {
        "source": ada.memberships["AERO"],
        "destination": ada.memberships["HOTEL"],
        "pointsOut": 100,
    }
    given = {"transfer": meant, "idempotencyKey": key()}
    made = await at.stage.do("transferCreate", given, "transfer { id status }", "ada")
    transfer = made["transfer"]["id"]
    async with at.events(TRANSFER, {"id": transfer}, "ada") as stream:
        await asyncio.sleep(0.3)
        undo = {"transfer": transfer, "reason": "a mistake", "idempotencyKey": key()}
        assert (await at.stage.do("transferReverse", undo))["errors"] == []
        update = (await stream.next())["transferUpdated"]
        assert update["transfer"]["status"] == "REVERSED"
        assert update["transaction"]["kind"] == "REVERSAL"


@pytest.mark.parametrize(
    ("query", "who"),
    [(MEMBERSHIP, "bob"), (MEMBERSHIP, "hotel"), (MEMBERSHIP, "agency"), (TRANSFER, "bob")],
)
async def test_what_one_may_not_see(at: Live, query: str, who: str) -> None:
    """What a caller may not see cannot be followed: the answer is the same as to an id of nothing,
    and comes before any event."""
    ada = await _ada(at.stage)
    bob = await at.stage.enrol("AERO")
    at.stage.tokens["bob"] = bob.token
    await at.stage.give(ada.memberships["AERO"], 1_000)
    ways = {
        "source": ada.memberships["AERO"],
        "destination": ada.memberships["HOTEL"],
        "pointsOut": 100,
    }
    given = {"transfer": ways, "idempotencyKey": key()}
    made = await at.stage.do("transferCreate", given, "transfer { id }", "ada")
    id = ada.memberships["AERO"] if query is MEMBERSHIP else made["transfer"]["id"]
    async with at.client(who) as socket, at.client("ada") as hers:
        await hers.subscribe(query, {"id": id})
        told = []
        for number, identifier in enumerate((id, id[:-4] + "AAAA")):
            await socket.subscribe(query, {"id": identifier}, str(number))
            message = await socket.message()
            assert message["type"] == "error"
            told.append(str(message["payload"]).replace(identifier, "…"))
        assert told[0] == told[1]
        assert "BAD_USER_INPUT" in told[0]


async def test_another_brand_is_not_followed(at: Live) -> None:
    """Only the brand itself and the operator follow a brand: for others there is none of the
    name."""
    await _ada(at.stage)
    for who in ("hotel", "agency", "ada"):
        async with at.events(BRAND, {"code": "AERO"}, who) as stream:
            name, body = await stream.event()
            assert (name, body["errors"][0]["extensions"]["code"]) == ("next", "BAD_USER_INPUT")
            assert "data" not in body
            assert await stream.event() == ("complete", None)


@pytest.mark.parametrize("cursor", ["", "x", "é", "A" * 30, "A" * 60_000])
async def test_a_bad_cursor(at: Live, cursor: str) -> None:
    """A cursor that was never given out is refused by name, before any event."""
    ada = await _ada(at.stage)
    watched = {"id": ada.memberships["AERO"], "after": cursor}
    async with at.client("ada") as socket:
        await socket.subscribe(MEMBERSHIP, watched)
        message = await socket.message()
        assert message["type"] == "error", message
        assert message["payload"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_the_membership_as_others_see_it(at: Live) -> None:
    """The brand of a membership and the operator follow it too, each by what it may see."""
    ada = await _ada(at.stage)
    aero = await at.stage.token(NewKey(CallerKind.BRAND, "desk", brand_code="AERO"))
    watched = {"id": ada.memberships["AERO"]}
    async with at.client(aero) as brand, at.client("operator") as operator:
        for client in (brand, operator):
            await client.subscribe(MEMBERSHIP, watched)
        await asyncio.sleep(0.3)
        await at.stage.give(ada.memberships["AERO"], 5)
        for client in (brand, operator):
            event = (await client.next())["membershipActivity"]
            assert event["transaction"]["points"] == 5
            assert event["transaction"]["entries"]


async def test_each_event_looks_anew(at: Live) -> None:
    """What hangs on an event is read for that event: nothing of it is remembered from the one
    before."""
    ada = await _ada(at.stage)
    query = """subscription S($id: ID!) { membershipActivity(membership: $id) {
        transaction { id } membership { transactions(first: 1) { edges { node { id } } } }
    } }"""
    async with at.client("ada") as socket:
        await socket.subscribe(query, {"id": ada.memberships["AERO"]})
        await asyncio.sleep(0.3)
        for points in (1, 2, 3):
            given = await at.stage.give(ada.memberships["AERO"], points)
            event = (await socket.next())["membershipActivity"]
            (edge,) = event["membership"]["transactions"]["edges"]
            assert edge["node"] == event["transaction"] == given["transaction"]


async def test_events_are_paid_for(url: str) -> None:
    """Each event costs what the operation does, and says so; while the bucket is empty events wait,
    and none is left out."""
    async with open_stage(url, rate_brand=Rate(30, 20)) as stage, live(stage) as served:
        ada = await stage.enrol("AERO")
        async with served.client("aero") as socket:
            await socket.subscribe(BRAND, {"code": "AERO"})
            await asyncio.sleep(0.3)
            began = asyncio.get_running_loop().time()
            posted = []
            for points in range(1, 6):
                given = await stage.give(ada.memberships["AERO"], points)
                posted.append(given["transaction"])
            got = [(await socket.message())["payload"] for _ in posted]
            assert [each["data"]["brandActivity"]["transaction"] for each in got] == posted
            spent = sum(each["extensions"]["cost"]["actual"] for each in got)
            assert spent > 50
            assert asyncio.get_running_loop().time() - began > (spent - 30) / 20 - 0.5
