"""The log: hostile and personal data go in everywhere, and none of it comes out."""

import asyncio
import io
import logging

import orjson
import pytest

from tests.gateway.live import MEMBERSHIP, live
from tests.gateway.stage import Json, Stage, key, open_stage

PERSONAL = "Zebedee-Quux"
HOSTILE = f'{PERSONAL}\\n{{"event":"forged"}}\r\n<script>'


def events(lines: io.BytesIO) -> list[Json]:
    """The log, line by line."""
    return [orjson.loads(line) for line in lines.getvalue().splitlines()]


async def everywhere(stage: Stage) -> None:
    """Sends it wherever something can be sent."""
    ask, post = stage.ask, stage.post
    for who in ("operator", "aero", "agency", PERSONAL, None):
        await post({"query": f'{{ brand(code: "{PERSONAL}") {{ id }} }}'}, who)
        await post({"query": f"{{ {PERSONAL.replace('-', '')} }}"}, who)
        await post({"query": HOSTILE, "operationName": HOSTILE}, who)
        await post({"query": "{ __typename }", "operationName": PERSONAL}, who)
        await post({"query": "{ __typename }", "variables": {"x": PERSONAL}}, who)
        await post({"query": "{ __typename }", "extensions": {PERSONAL: PERSONAL}}, who)
        await post(content=HOSTILE.encode(), headers={"content-type": "application/json"}, who=who)
        await post(content=b"{}", headers={"content-type": PERSONAL}, who=who)
        await post({"query": "{ __typename }"}, who, headers={"x-request-id": f"{PERSONAL}!"})
        await post({"query": "{ __typename }"}, who, headers={"traceparent": PERSONAL})
    await stage.client.get(f"/{PERSONAL}?{PERSONAL}={PERSONAL}")
    await stage.client.get("/graphql", params={"query": f"{{ {PERSONAL} }}"})
    await stage.client.get("/metrics", headers={"authorization": f"Basic {PERSONAL}"})
    given = {
        "profile": {"givenName": PERSONAL, "familyName": HOSTILE, "email": f"{PERSONAL}@x.test"},
        "externalId": PERSONAL,
        "brands": ["AERO"],
        "idempotencyKey": f"{PERSONAL}{key()}",
    }
    await stage.do("memberEnroll", given)
    await stage.do("memberEnroll", {**given, "externalId": None, "brands": [PERSONAL]})
    await ask("query Q($id: ID!) { node(id: $id) { id } }", {"id": HOSTILE})
    await ask("query Q($id: ID!) { node(id: $id) { id } }", {"id": {"name": PERSONAL}})


async def test_nothing_of_it_is_logged(url: str, lines: io.BytesIO) -> None:
    """Of documents, variables, names, headers, paths and credentials nothing is logged, and each
    line is one JSON object."""
    async with open_stage(url) as stage:
        await everywhere(stage)
        tokens = [token.partition(".")[2] for token in stage.tokens.values()]
    text = lines.getvalue().decode()
    assert len(events(lines)) > 50
    assert "forged" not in {event["event"] for event in events(lines)}
    for private in (PERSONAL, PERSONAL.replace("-", ""), "<script>", *tokens):
        assert private not in text


async def test_errors_inside_quote_nothing(
    stage: Stage, lines: io.BytesIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception that quotes what somebody typed is logged by its class and its place, wherever
    it is raised."""

    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError(PERSONAL) from ValueError(HOSTILE)

    for place in (
        "gateway.callers.auth.Gate.admit",
        "gateway.graphql.operations.Operations.execute",
    ):
        with monkeypatch.context() as patched:
            patched.setattr(place, broken)
            response = await stage.post({"query": "{ viewer { kind } }"})
            assert response.status_code == 500
            assert PERSONAL not in response.text
    logged = [event for event in events(lines) if event["event"] == "unexpected"]
    assert [event["error"][0]["class"] for event in logged] == ["builtins.RuntimeError"] * 2
    assert PERSONAL not in lines.getvalue().decode()


async def test_one_line_an_operation(stage: Stage, lines: io.BytesIO) -> None:
    """Each operation has one line with its id, client, type, name, status, codes and duration."""
    await stage.post({"query": "query Who { viewer { kind } }"}, headers={"x-request-id": "a" * 8})
    (line,) = [event for event in events(lines) if event["event"] == "request"]
    assert line.pop("milliseconds") > 0
    assert line.pop("timestamp")
    line.pop("cost", None)
    assert line == {
        "event": "request",
        "level": "info",
        "request_id": "a" * 8,
        "transport": "http",
        "client": "operator/stage",
        "type": "query",
        "operation": "Who",
        "status": 200,
        "errors": [],
        "method": "POST",
    }


async def test_what_libraries_log(lines: io.BytesIO) -> None:
    """What libraries log is JSON too: constants of those that are known to have them, the place and
    the classes of all, and never what was put in."""
    try:
        raise ValueError(PERSONAL)
    except ValueError:
        logging.getLogger("uvicorn.error").exception("It broke: %s\n%s", PERSONAL, PERSONAL)
        logging.getLogger("elsewhere").warning(f"It broke: {PERSONAL}")
    logging.getLogger("uvicorn.error").info("not loud enough")
    known, unknown = events(lines)
    assert (known["library"], known["message"]) == ("uvicorn.error", "It broke: %s")
    assert known["error"][0]["class"] == "builtins.ValueError"
    assert (unknown["library"], "message" in unknown) == ("elsewhere", False)
    assert "test_logs.py" in unknown["at"]
    assert PERSONAL not in lines.getvalue().decode()


async def test_tasks_that_fail_alone(lines: io.BytesIO) -> None:
    """A task whose failure nobody asks for is logged without its message."""

    async def broken() -> None:
        raise ValueError(PERSONAL)

    task = asyncio.create_task(broken())
    await asyncio.wait([task])
    del task
    await asyncio.sleep(0)
    (event,) = events(lines)
    assert event["message"] == "Task exception was never retrieved"
    assert event["error"][0]["class"] == "builtins.ValueError"
    assert PERSONAL not in lines.getvalue().decode()


async def test_streams(sqlite_url: str, lines: io.BytesIO) -> None:
    """A stream is logged when it opens, and with the number of its events when it ends, over
    whatever it comes, and with nothing of what it brings."""
    async with open_stage(sqlite_url) as stage, live(stage) as at:
        ada = await stage.enrol("AERO")
        watched = {"id": ada.memberships["AERO"]}
        async with at.events(MEMBERSHIP, watched) as stream, at.client("operator") as client:
            await client.subscribe(MEMBERSHIP, watched)
            for _ in range(500):
                if [event["event"] for event in events(lines)].count("stream") == 2:
                    break
                await asyncio.sleep(0.01)
            await stage.give(ada.memberships["AERO"], 77_177)
            await stream.next()
            await client.next()
    logged = [event for event in events(lines) if event["event"] in ("stream", "request")]
    for transport in ("event-stream", "websocket"):
        opened, ended = [event for event in logged if event["transport"] == transport]
        assert (opened["event"], ended["event"]) == ("stream", "request")
        assert opened["request_id"] == ended["request_id"]
        assert (ended["type"], ended["operation"]) == ("subscription", "M")
        assert (ended["client"], ended["events"]) == ("operator/stage", 1)
    assert "77177" not in lines.getvalue().decode()
    assert ada.token not in lines.getvalue().decode()
