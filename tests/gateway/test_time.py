"""Time: nothing takes for ever, and nobody is worked for who has gone."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from brands.database import Transaction, open_database
from brands.ledger.postgres import PostgresLane
from brands.ledger.sqlite import SqliteLane
from tests.gateway.stage import Stage, key, open_stage

MEMBER = "query ($id: ID!) { member(by: {id: $id}) { coalitionNumber } }"
ADJUST = """mutation ($input: PointsAdjustInput!) {
    pointsAdjust(input: $input) { transaction { id } replayed errors { code } }
}"""


class Asked:
    """One POST, spoken by hand."""

    def __init__(self, stage: Stage, *messages: dict[str, Any]) -> None:
        self.sent: list[dict[str, Any]] = []
        self._messages: Iterator[dict[str, Any]] = iter(messages)
        authorization = f"Bearer {stage.tokens['operator']}".encode()
        self.scope: dict[str, Any] = {
            "type": "http",
            "method": "POST",
            "path": "/graphql",
            "raw_path": b"/graphql",
            "root_path": "",
            "scheme": "http",
            "query_string": b"",
            "headers": [(b"content-type", b"application/json"), (b"authorization", authorization)],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
            "http_version": "1.1",
            "app": stage.app,
        }

    async def receive(self) -> dict[str, Any]:
        """The next message; after the last there is silence."""
        message = next(self._messages, None)
        if message is None:
            await asyncio.Event().wait()
        assert message is not None
        return message

    async def send(self, message: Any) -> None:
        """Kept."""
        self.sent.append(message)


def slow(monkeypatch: pytest.MonkeyPatch, seconds: float) -> list[str]:
    """Has the database take its time over members. What came of each look is noted."""
    fetch, noted = Transaction.fetch, []

    async def slowly(self: Transaction, sql: str, *values: Any) -> Any:
        if "members" in sql:
            try:
                await asyncio.sleep(seconds)
            except asyncio.CancelledError:
                noted.append("cancelled")
                raise
            noted.append("done")
        return await fetch(self, sql, *values)

    monkeypatch.setattr(Transaction, "fetch", slowly)
    return noted


async def test_a_query_is_given_up_in_time(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes too long ends, with 503 and when to come again, in either media type."""
    async with open_stage(url, timeout=0.3) as stage:
        ada = await stage.enrol("AERO")
        noted = slow(monkeypatch, 30)
        for accept in ("application/json", "application/graphql-response+json"):
            asked = {"query": MEMBER, "variables": {"id": ada.id}}
            response = await stage.post(asked, headers={"accept": accept})
            assert response.status_code == 503
            assert int(response.headers["retry-after"]) > 0
            assert response.json()["errors"][0]["extensions"]["code"] == "TIMEOUT"
        await asyncio.sleep(0.05)
        assert noted == ["cancelled"] * 2


async def test_a_mutation_is_found_again(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutation that took too long goes on in the books, and its key gives the answer later."""
    async with open_stage(url, timeout=0.5) as stage:
        ada = await stage.enrol("AERO")
        given = {
            "membership": ada.memberships["AERO"],
            "points": 70,
            "reason": "test",
            "idempotencyKey": key(),
        }
        asked = {"query": ADJUST, "variables": {"input": given}}
        with monkeypatch.context() as patch:
            for lane in (SqliteLane, PostgresLane):
                patch.setattr(lane, "commit", _delayed(lane.commit))
            assert (await stage.post(asked)).status_code == 503
            await asyncio.sleep(1)
        answer = (await stage.post(asked)).json()["data"]["pointsAdjust"]
        assert answer["replayed"] is True
        assert answer["transaction"] is not None
        query = "query ($id: ID!) { node(id: $id) { ... on Membership { balance { posted } } } }"
        data = await stage.data(query, {"id": ada.memberships["AERO"]})
        assert data["node"]["balance"]["posted"] == 70
        assert await stage.audit() == []


async def test_finding_out_who_asks_is_bounded(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the table of credentials is locked, say, requests are given up in time."""
    async with open_stage(url, timeout=0.3) as stage:
        fetch, ended = Transaction.fetch, []

        async def locked(self: Transaction, sql: str, *values: Any) -> Any:
            if "credentials" in sql:
                try:
                    await asyncio.sleep(30)
                finally:
                    ended.append(sql)
            return await fetch(self, sql, *values)

        monkeypatch.setattr(Transaction, "fetch", locked)
        asked = [stage.post({"query": "{ viewer { kind } }"}) for _ in range(20)]
        responses = await asyncio.wait_for(asyncio.gather(*asked), 5)
        for response in responses:
            assert response.status_code == 503
            assert int(response.headers["retry-after"]) > 0
            assert response.json()["errors"][0]["extensions"]["code"] == "SERVICE_UNAVAILABLE"
        assert len(ended) == 20
        monkeypatch.undo()  # the last use of keys is written down at the end


@pytest.mark.parametrize("what", ["credentials", "members"])
async def test_the_database_is_away(url: str, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the database is away clients are told so, and nothing of its insides."""
    async with open_stage(url) as stage:
        ada = await stage.enrol("AERO")
        fetch = Transaction.fetch

        async def away(self: Transaction, sql: str, *values: Any) -> Any:
            if what in sql:
                raise ConnectionRefusedError("secret words")
            return await fetch(self, sql, *values)

        monkeypatch.setattr(Transaction, "fetch", away)
        response = await stage.post({"query": MEMBER, "variables": {"id": ada.id}})
        assert response.status_code == (503 if what == "credentials" else 200)
        assert response.json()["errors"][0]["extensions"]["code"] == "SERVICE_UNAVAILABLE"
        assert "secret" not in response.text


async def test_a_statement_is_given_up(postgres_url: str) -> None:
    """A statement takes no longer than the database is opened for."""
    database = await open_database(postgres_url, patience=0.2)
    try:
        began = asyncio.get_running_loop().time()
        with pytest.raises(TimeoutError):
            await database.fetch("SELECT pg_sleep(5)")
        assert asyncio.get_running_loop().time() - began < 3
        assert len(await database.fetch("SELECT 1")) == 1
    finally:
        await database.close()


def _delayed(commit: Any) -> Any:
    async def delayed(self: Any, commands: Any) -> Any:
        await asyncio.sleep(1)
        return await commit(self, commands)

    return delayed


async def test_a_body_that_does_not_come(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that sends its body drop by drop is answered 408, and its connection closed."""
    monkeypatch.setattr("gateway.graphql.requests.BODY_SECONDS", 0.1)
    async with open_stage(sqlite_url) as stage:
        drop = {"type": "http.request", "body": b"{", "more_body": True}
        asked = Asked(stage, drop, drop)
        await asyncio.wait_for(stage.app(asked.scope, asked.receive, asked.send), 5)
        assert asked.sent[0]["status"] == 408
        assert (b"connection", b"close") in asked.sent[0]["headers"]


async def test_nobody_is_worked_for_who_has_gone(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the client closes the connection, what it asked for ends, and nothing is sent."""
    monkeypatch.setattr("gateway.wire.presence.WATCHED_AFTER_SECONDS", 0.05)
    async with open_stage(url) as stage:
        ada = await stage.enrol("AERO")
        noted = slow(monkeypatch, 30)
        body = b'{"query": "{ member(by: {id: \\"%b\\"}) { coalitionNumber } }"}' % ada.id.encode()
        whole = {"type": "http.request", "body": body, "more_body": False}
        asked = Asked(stage, whole, {"type": "http.disconnect"})
        await asyncio.wait_for(stage.app(asked.scope, asked.receive, asked.send), 5)
        assert noted == ["cancelled"]
        assert asked.sent == []
        assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]
