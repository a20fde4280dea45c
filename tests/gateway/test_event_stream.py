"""Event streams: what is sent, in which form, and how a stream begins and ends."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from brands.callers import CallerKind
from brands.credentials import NewKey, list_keys, revoke_key
from gateway.subscriptions import event_stream, streams
from tests.gateway.live import MEMBERSHIP, Live, live, settled
from tests.gateway.stage import OPERATOR, Json, key, open_stage

HELLO = "{ viewer { kind } }"
EVENTS = {"accept": "text/event-stream"}


@pytest.fixture
async def at(sqlite_url: str) -> AsyncIterator[Live]:
    """A gateway behind a server."""
    async with open_stage(sqlite_url) as stage, live(stage) as served:
        yield served


async def test_the_form(at: Live) -> None:
    """A query is one event and its end, byte for byte as the protocol has them, and nobody on the
    way is to keep it."""
    response = await at.stage.post({"query": HELLO}, "aero", headers=EVENTS)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert "no-cache" in response.headers["cache-control"]
    assert response.headers["x-accel-buffering"] == "no"
    assert response.headers["x-request-id"]
    told = b'event: next\ndata: {"data":{"viewer":{"kind":"BRAND"}}'
    assert response.content.startswith(told)
    assert response.content.endswith(b"}\n\nevent: complete\ndata:\n\n")


async def test_a_mutation(at: Live) -> None:
    """A mutation is carried out and answered like a query."""
    mutation = """mutation E($key: String!) {
        memberEnroll(input: {brands: ["AERO"], idempotencyKey: $key}) { errors { code } }
    }"""
    async with at.events(mutation, {"key": key()}, "aero") as stream:
        assert await stream.next() == {"memberEnroll": {"errors": []}}
        assert await stream.event() == ("complete", None)
        assert await stream.event() == ("", None)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("query Q($n: Int!) { brands(first: $n) { edges { cursor } } }", "BAD_USER_INPUT"),
        ('subscription S { brandActivity(brand: "NONE") { cursor } }', "BAD_USER_INPUT"),
    ],
)
async def test_what_is_not_run(at: Live, query: str, code: str) -> None:
    """What is wrong with a document, or what it names, is told in the stream."""
    async with at.events(query, {}, "aero") as stream:
        name, body = await stream.event()
        assert name == "next"
        assert body["errors"][0]["extensions"]["code"] == code
        assert await stream.event() == ("complete", None)


@pytest.mark.parametrize(
    ("status", "who", "sent"),
    [
        (401, None, {"json": {"query": HELLO}}),
        (401, "ck_o_nobody", {"json": {"query": HELLO}}),
        (400, "aero", {"content": b"{"}),
        (400, "aero", {"json": [{"query": HELLO}]}),
        (400, "aero", {"json": {"query": 7}}),
    ],
)
async def test_what_is_no_request(at: Live, status: int, who: str | None, sent: Json) -> None:
    """What is wrong with a request as such has a status and a body as elsewhere."""
    headers = EVENTS | {"content-type": "application/json"}
    response = await at.stage.post(None, who, headers=headers, **sent)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert response.json()["errors"]


async def test_with_get(at: Live) -> None:
    """An event source sends GET: queries and subscriptions are answered, mutations are not."""
    ada = await at.stage.enrol("AERO")
    headers = EVENTS | {"authorization": at.bearer("aero")}
    watched = f'membershipActivity(membership: "{ada.memberships["AERO"]}")'
    query = f"subscription {{ {watched} {{ cursor }} }}"
    async with (
        httpx.AsyncClient(base_url=f"http://{at.host}", headers=headers, timeout=10) as http,
        http.stream("GET", "/graphql", params={"query": query}) as response,
    ):
        assert response.status_code == 200
        lines = response.aiter_lines()
        await anext(lines)
        await asyncio.sleep(0.3)
        await at.stage.give(ada.memberships["AERO"], 5)
        async with asyncio.timeout(5):
            while not (await anext(lines)).startswith("data: "):
                pass
        leave = 'mutation { householdLeave(input: {household: "x"}) { errors { code } } }'
        assert (await http.get("/graphql", params={"query": leave})).status_code == 405


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("application/json, text/event-stream", "application/json"),
        ("application/graphql-response+json, text/event-stream", "application/graphql-response"),
        ("text/event-stream, application/json", "text/event-stream"),
        ("application/json;q=0.5, text/event-stream", "text/event-stream"),
    ],
)
async def test_what_one_would_rather_have(at: Live, accept: str, media_type: str) -> None:
    """A query is answered in what the client would rather have; a subscription as events if they
    are among what it understands."""
    response = await at.stage.post({"query": HELLO}, "aero", headers={"accept": accept})
    assert response.headers["content-type"].startswith(media_type)
    ada = await at.stage.enrol("AERO")
    watched = {"id": ada.memberships["AERO"]}
    async with at.events(MEMBERSHIP, watched, "aero", accept=accept) as stream:
        assert stream.response.headers["content-type"].startswith("text/event-stream")


async def test_a_subscription_in_json(at: Live) -> None:
    """A subscription has no answer in plain JSON."""
    query = 'subscription { brandActivity(brand: "AERO") { cursor } }'
    response = await at.stage.post({"query": query}, "aero")
    assert response.status_code == 406
    assert "event-stream" in response.json()["errors"][0]["message"]


async def test_keeping_alive(at: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """While nothing happens something is sent that is nothing, beginning at once."""
    monkeypatch.setattr(event_stream, "KEEP_ALIVE_SECONDS", 0.05)
    ada = await at.stage.enrol("AERO")
    async with at.events(MEMBERSHIP, {"id": ada.memberships["AERO"]}, "aero") as stream:
        await asyncio.sleep(0.5)
        await at.stage.give(ada.memberships["AERO"], 5)
        await stream.next()
        assert stream.comments >= 3


async def test_a_revoked_key(at: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that is revoked ends its streams, and they say why."""
    monkeypatch.setattr(streams, "RECHECK_SECONDS", 0.2)
    ada = await at.stage.enrol("AERO")
    token = await at.stage.token(NewKey(CallerKind.BRAND, "passing", brand_code="AERO"))
    async with at.events(MEMBERSHIP, {"id": ada.memberships["AERO"]}, token) as stream:
        made = next(
            each for each in await list_keys(at.stage.coalition, OPERATOR) if each.name == "passing"
        )
        await revoke_key(at.stage.coalition, OPERATOR, made.id)
        name, body = await stream.event()
        assert (name, body["errors"][0]["extensions"]["code"]) == ("next", "UNAUTHENTICATED")
        assert await stream.event() == ("complete", None)
        assert await stream.event() == ("", None)


@pytest.mark.parametrize("comes_back", [True, False])
async def test_nobody_knows(at: Live, comes_back: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the database does not say whether a credential is good, streams stay open; but not for
    ever, and then they are not complete."""
    monkeypatch.setattr(streams, "RECHECK_SECONDS", 0.1)
    monkeypatch.setattr(streams, "RETRY_SECONDS", 0.1)
    monkeypatch.setattr(streams, "UNKNOWN_SECONDS", 60 if comes_back else 0.3)
    ada = await at.stage.enrol("AERO")
    async with at.events(MEMBERSHIP, {"id": ada.memberships["AERO"]}, "aero") as stream:
        await asyncio.sleep(0.2)
        asked: list[None] = []

        async def away(*_: Any, **__: Any) -> Any:
            asked.append(None)
            raise ConnectionRefusedError

        with monkeypatch.context() as patch:
            patch.setattr("gateway.callers.auth.authenticate", away)
            if not comes_back:
                assert await stream.event() == ("", None)
            await asyncio.sleep(0.5)
        assert len(asked) > 1
        if comes_back:
            await at.stage.give(ada.memberships["AERO"], 5)
            await stream.next()


async def test_a_source_that_breaks(at: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the source of the events breaks, the client is told so, and nothing of our insides; the
    stream is not complete, so that the client comes again."""
    ada = await at.stage.enrol("AERO")

    async def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("secret words")

    async with at.events(MEMBERSHIP, {"id": ada.memberships["AERO"]}, "aero") as stream:
        await asyncio.sleep(0.3)
        monkeypatch.setattr("brands.activity.membership_by_id", broken)
        await at.stage.give(ada.memberships["AERO"], 5)
        name, body = await stream.event()
        assert (name, body["errors"][0]["extensions"]["code"]) == ("next", "INTERNAL_SERVER_ERROR")
        assert "secret" not in str(body)
        assert await stream.event() == ("", None)


async def test_nothing_is_left(at: Live) -> None:
    """When the client goes, so does all that was done for it."""
    ada = await at.stage.enrol("AERO")
    watched = {"id": ada.memberships["AERO"]}
    async with at.events(MEMBERSHIP, watched, "aero"):  # so that what runs for all runs
        await asyncio.sleep(0.3)
        before = len(asyncio.all_tasks())
        for _ in range(5):
            async with at.events(MEMBERSHIP, watched, "aero"):
                await asyncio.sleep(0.05)
        assert await settled(before) <= before
