"""Throttling: who asks for too much at once has to wait, and nothing of it is done."""

import asyncio
import time
from itertools import pairwise
from typing import Any

import httpx
import pytest
from graphql import get_introspection_query

from brands.buckets import Rate
from brands.callers import CallerKind
from brands.credentials import NewKey
from brands.database import open_database
from gateway.callers.attempts import address_of
from gateway.graphql.documents import Document, Documents
from gateway.graphql.throttle import SHARE_ALONE, Shared, Throttled
from tests.gateway.live import live
from tests.gateway.stage import Json, Stage, key, open_bare, open_stage

VIEWER = "{ viewer { kind } }"
ADJUST = """mutation ($input: PointsAdjustInput!) {
    pointsAdjust(input: $input) { transaction { id } errors { code } }
}"""
ACCEPTED = ("application/json", "application/graphql-response+json")


def gift(membership: str) -> Json:
    """A gift of a point, never given before."""
    given = {"membership": membership, "points": 1, "reason": "test", "idempotencyKey": key()}
    return {"query": ADJUST, "variables": {"input": given}}


@pytest.mark.parametrize("accept", ACCEPTED)
async def test_who_has_to_wait_is_told_how_long(url: str, accept: str) -> None:
    """Beyond the bucket a request gets 429 and changes nothing; after the wait it succeeds."""
    async with open_stage(url, max_cost=60) as stage:
        membership = (await stage.enrol("AERO")).memberships["AERO"]
    async with open_bare(url, rate_operator=Rate(60, 40)) as stage:
        stage.tokens["other"] = await stage.token(NewKey(CallerKind.OPERATOR, "other"))
        headers = {"accept": accept}
        while True:
            before = await stage.books()
            asked = gift(membership)
            response = await stage.post(asked, "other", headers=headers)
            if response.status_code != 200:
                break
            assert response.json()["data"]["pointsAdjust"]["errors"] == []
        assert response.status_code == 429
        assert response.headers["retry-after"] == "1"
        (error,) = response.json()["errors"]
        assert error["extensions"]["code"] == "THROTTLED"
        cost = error["extensions"]["cost"]
        assert cost["throttle"]["available"] < cost["requested"] <= cost["throttle"]["maximum"]
        assert await stage.books() == before
        assert (await stage.post({"query": VIEWER})).status_code == 200
        await asyncio.sleep(int(response.headers["retry-after"]))
        assert (await stage.post(asked, "other", headers=headers)).status_code == 200
        assert await stage.audit() == []


async def test_what_can_never_be_paid_is_too_dear(url: str) -> None:
    """What no bucket of the client's size ever holds is refused for good, not put off."""
    async with open_bare(url, rate_operator=Rate(10, 1_000)) as stage:
        answer = await stage.ask("{ brands(first: 50) { edges { node { code } } } }")
        assert answer["errors"][0]["extensions"]["code"] == "COST_LIMIT_EXCEEDED"
        assert answer["errors"][0]["extensions"]["cost"] == {"requested": 52, "maximum": 10}


async def test_what_cannot_be_run_is_not_free(url: str) -> None:
    """Documents that do not fit are paid for by their length, and in the end refused as well."""
    async with open_bare(url, rate_operator=Rate(120, 1)) as stage:
        wrong = {"query": "{ nothing }" + " " * 20_000}
        statuses = [(await stage.post(wrong)).status_code for _ in range(2)]
        assert statuses == [200, 429]


async def test_a_document_is_paid_for_before_it_is_read(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who cannot pay for a document's length is refused unread; what is remembered is free to
    read, and of what is not run, for whatever reason, nothing is for nothing."""
    read = 0
    understand = Documents.understand

    def counted(documents: Documents, text: str) -> Document:
        nonlocal read
        read += 1
        return understand(documents, text)

    monkeypatch.setattr(Documents, "understand", counted)
    async with open_bare(url, rate_operator=Rate(100, 1), max_cost=100) as stage:
        for query, more in (
            ("query A { viewer { kind } }", {"operationName": "B"}),
            ("{ brands(first: 100) { edges { node { code } } } }", {}),
            ("{ viewer { kind } }", {}),
        ):
            read = 0
            statuses = []
            for number in range(6):
                text = f"# {number} {'long ' * 400}\n{query}"
                statuses.append((await stage.post({"query": text, **more})).status_code)
            answered = statuses.count(200)
            assert 0 <= read == answered < 5, statuses


async def left(stage: Stage) -> int:
    """What is left in the operator's bucket, after asking."""
    answer = await stage.ask(VIEWER)
    available: int = answer["extensions"]["cost"]["throttle"]["available"]
    return available


async def test_what_is_remembered_is_read_for_nothing(url: str) -> None:
    """From its third time on a document costs what its operation does."""
    async with open_bare(url, rate_operator=Rate(1_000, 1)) as stage:
        told = [await left(stage) for _ in range(4)]
        assert [one - two for one, two in pairwise(told)] == [3, 2, 2]


NONSENSE: dict[str, Any] = {
    "no JSON": b"{",
    "a batch": b"[]",
    "no query": b"{}",
    "no operation of this name": b'{"query": "{ viewer { kind } }", "operationName": "B"}',
    "no stored operation": b'{"documentId": "nothing"}',
    "no stored hash": b'{"extensions": {"persistedQuery": {"sha256Hash": "%s"}}}' % (b"0" * 64),
}


@pytest.mark.parametrize("body", NONSENSE.values(), ids=NONSENSE.keys())
async def test_nonsense_is_not_free(body: bytes, url: str) -> None:
    """Whatever a client of ours sends costs a point at least, whether it can be understood or
    not."""
    async with open_bare(url, rate_operator=Rate(1_000, 1)) as stage:
        before = [await left(stage) for _ in range(3)][-1]
        headers = {"content-type": "application/json"}
        headers["authorization"] = f"Bearer {stage.tokens['operator']}"
        for _ in range(20):
            await stage.client.post("/graphql", content=body, headers=headers)
        assert await left(stage) <= before - 2 - 20 + 1


@pytest.mark.parametrize("body", NONSENSE.values(), ids=NONSENSE.keys())
async def test_nonsense_has_to_wait_too(body: bytes, sqlite_url: str) -> None:
    """Whoever has nothing left is put off, whatever is sent."""
    async with open_bare(sqlite_url, rate_operator=Rate(10, 1)) as stage:
        headers = {"content-type": "application/json"}
        headers["authorization"] = f"Bearer {stage.tokens['operator']}"
        statuses = []
        for _ in range(20):
            response = await stage.client.post("/graphql", content=body, headers=headers)
            statuses.append(response.status_code)
        assert statuses[-1] == 429


async def test_what_cannot_be_sent_so_is_not_charged_in_full(url: str) -> None:
    """A mutation by GET, and a subscription nobody could be answered, cost a point, not what the
    operation would."""
    cancel = {
        "query": 'mutation { transferCancel(input: {transfer: "t", idempotencyKey: "k"})'
        " { __typename } }"
    }
    watch = 'subscription { brandActivity(brand: "A") { cursor } }'
    async with open_bare(url, rate_operator=Rate(1_000, 1)) as stage:
        headers = {"authorization": f"Bearer {stage.tokens['operator']}"}
        before = [await left(stage) for _ in range(3)][-1]
        for _ in range(20):
            response = await stage.client.get("/graphql", params=cancel, headers=headers)
            assert response.status_code == 405
            assert (await stage.post({"query": watch})).status_code == 406
        assert await left(stage) >= before - 2 - 2 * 20 - 4


async def test_more_is_never_given_back_than_there_could_be(postgres_url: str) -> None:
    """A process has no more in hand than the bucket holds, whatever it is given back."""
    database = await open_database(postgres_url, pool_size=1)
    bucket = Shared(Rate(100, 1), "one", database)
    try:
        await bucket.spend(90)
        bucket.refund(1_000)
        await bucket.spend(100)
        with pytest.raises(Throttled):
            await bucket.spend(20)
    finally:
        await database.close()


async def test_gateways_share_a_bucket(postgres_url: str) -> None:
    """Two gateways over one database together let a client do no more than its bucket holds."""
    rate = Rate(400, 1)
    async with (
        open_bare(postgres_url, rate_operator=rate) as one,
        open_bare(postgres_url, rate_operator=rate) as other,
    ):
        other.tokens = one.tokens
        began = time.monotonic()
        answers = await asyncio.gather(
            *((one, other)[n % 2].post({"query": VIEWER}) for n in range(300))
        )
        served = [answer for answer in answers if answer.status_code == 200]
        assert {answer.status_code for answer in answers} == {200, 429}
        spent = sum(answer.json()["extensions"]["cost"]["actual"] for answer in served)
        elapsed = time.monotonic() - began
        # Short of it by no more than what the other has in hand.
        assert rate.maximum - 40 <= spent <= rate.maximum + rate.restore * elapsed


async def test_processes_with_refunds_never_overspend(postgres_url: str) -> None:
    """However leases, refunds and refusals fall, all processes together keep to the rate."""
    rate = Rate(3_000, 500)
    databases = [await open_database(postgres_url, pool_size=2) for _ in range(3)]
    buckets = [Shared(rate, "one", database) for database in databases]
    began = time.monotonic()

    async def lean(number: int) -> int:
        spent = 0
        for turn in range(60):
            points, back = 20 + (number * 31 + turn * 17) % 90, (number + turn) % 20
            try:
                await buckets[number % 3].spend(points)
            except Throttled:
                continue
            await asyncio.sleep(0)
            buckets[number % 3].refund(back)
            spent += points - back
        return spent

    try:
        total = sum(await asyncio.gather(*(lean(number) for number in range(12))))
        elapsed = time.monotonic() - began
    finally:
        for database in databases:
            await database.close()
    assert rate.maximum // 2 < total <= rate.maximum + rate.restore * elapsed


async def test_most_requests_cost_no_statement(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lease is spent without asking the database, and a refusal is not asked for twice."""
    database = await open_database(postgres_url, pool_size=1)
    asked = 0
    fetch = database.fetch

    async def counted(sql: str, *values: Any) -> Any:
        nonlocal asked
        asked += 1
        return await fetch(sql, *values)

    monkeypatch.setattr(database, "fetch", counted)
    bucket = Shared(Rate(1_000, 1), "one", database)
    try:
        for _ in range(25):
            await bucket.spend(2)
        assert asked == 1
        with pytest.raises(Throttled):
            await bucket.spend(1_000)
        asked = 0
        for _ in range(10):
            with pytest.raises(Throttled):
                await bucket.spend(1_000)
        assert asked == 0
    finally:
        await database.close()


async def test_a_database_out_of_reach_opens_no_gate(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While buckets cannot be asked for, a client goes on with a part of its rate, and no more."""
    database = await open_database(postgres_url, pool_size=1)

    async def broken(sql: str, *values: Any) -> Any:
        raise OSError("no route")

    rate = Rate(1_000, 10)
    bucket = Shared(rate, "one", database)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(database, "fetch", broken)
            for _ in range(rate.maximum // SHARE_ALONE // 10):
                await bucket.spend(10)
            with pytest.raises(Throttled):
                await bucket.spend(10)
        await asyncio.sleep(1.1)
        await bucket.spend(500)
    finally:
        await database.close()


async def knock(stage: Stage, token: str, address: str) -> int:
    """The status of a request with this credential, from this address."""
    transport = httpx.ASGITransport(stage.app, client=(address, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        headers = {"authorization": f"Bearer {token}"}
        return (await client.post("/graphql", json={"query": VIEWER}, headers=headers)).status_code


async def test_credentials_cannot_be_tried_at_will(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After many wrong credentials an address is put off, but whoever was let in goes on."""
    monkeypatch.setattr("gateway.callers.attempts.WRONG", Rate(20, 1))
    async with open_bare(sqlite_url) as stage:
        known = stage.tokens["operator"]
        assert await knock(stage, known, "10.0.0.1") == 200
        statuses = [await knock(stage, f"coa_x{n}_y", "10.0.0.1") for n in range(40)]
        assert statuses[:20] == [401] * 20
        assert statuses[-1] == 429
        assert await knock(stage, known, "10.0.0.1") == 200
        assert await knock(stage, "coa_x_y", "10.0.0.2") == 401


async def test_the_metrics_are_behind_the_same_door(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Credentials cannot be tried at the page of metrics either."""
    monkeypatch.setattr("gateway.callers.attempts.WRONG", Rate(20, 1))
    async with open_bare(sqlite_url) as stage:
        statuses = []
        for number in range(30):
            headers = {"authorization": f"Bearer coa_x{number}_y"}
            statuses.append((await stage.client.get("/metrics", headers=headers)).status_code)
        assert statuses[:20] == [401] * 20
        assert statuses[-1] == 429


async def test_whoever_asks_for_a_public_schema_is_bounded_too(sqlite_url: str) -> None:
    """Without a credential each address has a bucket of its own."""
    async with open_bare(
        sqlite_url, public_introspection=True, rate_anonymous=Rate(1_000, 1)
    ) as stage:
        asked = {"query": get_introspection_query()}
        statuses = [(await stage.post(asked, None)).status_code for _ in range(3)]
        assert statuses == [200] * 2 + [429]
    async with open_bare(
        sqlite_url, public_introspection=True, rate_anonymous=Rate(50, 1)
    ) as stage:
        asked = {"query": "{ __typename }"}
        statuses = [(await stage.post(asked, None)).status_code for _ in range(6)]
        assert statuses == [200] * 5 + [429]
        assert (await stage.post(asked)).status_code == 200


@pytest.mark.parametrize(
    ("given", "address"),
    [
        (("192.0.2.1", 5), "192.0.2.1"),
        (("::ffff:192.0.2.1", 5), "192.0.2.1"),
        (("2001:db8:1:2:3:4:5:6", 5), "2001:db8:1:2::"),
        (("testclient", 5), "testclient"),
        (None, ""),
    ],
)
def test_addresses(given: tuple[str, int] | None, address: str) -> None:
    """An address is itself; of IPv6 the network that one customer has; a socket's is none."""
    assert address_of({"client": given}) == address


async def test_throttling_over_streams(sqlite_url: str) -> None:
    """Over a WebSocket who has to wait is told so by an error; an event stream has the status."""
    async with open_bare(sqlite_url, rate_operator=Rate(6, 1)) as stage, live(stage) as at:
        async with at.client("operator") as socket:
            for _ in range(2):
                await socket.subscribe(VIEWER)
                assert await socket.next() == {"viewer": {"kind": "OPERATOR"}}
                assert (await socket.message())["type"] == "complete"
            await socket.subscribe(VIEWER)
            message = await socket.message()
            assert message["type"] == "error"
            assert message["payload"][0]["extensions"]["code"] == "THROTTLED"
        events = {"accept": "text/event-stream"}
        response = await stage.post({"query": VIEWER}, headers=events)
        assert response.status_code == 429
        assert response.json()["errors"][0]["extensions"]["code"] == "THROTTLED"
