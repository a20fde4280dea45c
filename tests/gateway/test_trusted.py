"""Trusted documents: stored operations run by their names, and nothing else where so configured."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from gateway.app import create_app
from gateway.settings import BadSetting, Settings
from tests.gateway.live import live
from tests.gateway.stage import PEPPER, Json, Stage, open_bare

VIEWER = "query Viewer { viewer { kind } }"
BRANDS = "query Brands($n: Int!) { brands(first: $n) { edges { node { code } } } }"
ADJUST = """mutation Adjust($input: PointsAdjustInput!) {
    pointsAdjust(input: $input) { errors { code } }
}"""


def hashed(text: str) -> str:
    """The hash of a document, as clients send it."""
    return sha256(text.encode()).hexdigest()


def apollo(*texts: str) -> Json:
    """A manifest as Apollo's tools write it."""
    operations = [
        {"id": hashed(text), "name": text.split()[1], "type": text.split()[0], "body": text}
        for text in texts
    ]
    return {"format": "apollo-persisted-query-manifest", "version": 1, "operations": operations}


def relay(*texts: str) -> Json:
    """A manifest as relay-compiler writes it, by ids of any kind."""
    return {f"op-{number}": text for number, text in enumerate(texts)}


def written(path: Path, manifest: Any) -> str:
    """The path of a manifest."""
    file = path / "manifest.json"
    file.write_text(manifest if isinstance(manifest, str) else json.dumps(manifest))
    return str(file)


def by_hash(text: str, **more: Any) -> Json:
    """A request as Apollo's clients send it."""
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": hashed(text)}}, **more}


async def codes(stage: Stage, body: Json, who: str | None = "operator") -> list[str]:
    """The codes of the errors of an answer."""
    errors = (await stage.post(body, who)).json().get("errors", [])
    return [error["extensions"]["code"] for error in errors]


async def test_operations_by_id_and_by_hash(sqlite_url: str, tmp_path: Path) -> None:
    """A stored operation runs by the id of its manifest, by its hash as an id, and as Apollo's
    clients name it, with variables, over POST and GET."""
    manifest = written(tmp_path, relay(VIEWER, BRANDS))
    async with open_bare(sqlite_url, documents=manifest) as stage:
        expected = {"viewer": {"kind": "OPERATOR"}}
        named: list[Json] = [
            {"documentId": "op-0"},
            {"documentId": f"sha256:{hashed(VIEWER)}"},
            by_hash(VIEWER),
            by_hash(VIEWER, query=VIEWER),
            by_hash(VIEWER, operationName="Viewer"),
            {"query": VIEWER},
        ]
        for body in named:
            assert (await stage.post(body)).json()["data"] == expected, body
        answer = await stage.post({"documentId": "op-1", "variables": {"n": 1}})
        assert answer.json()["data"] == {"brands": {"edges": []}}
        headers = {"authorization": f"Bearer {stage.tokens['operator']}"}
        for parameters in (
            {"documentId": "op-0"},
            {"extensions": json.dumps(by_hash(VIEWER)["extensions"])},
        ):
            got = await stage.client.get("/graphql", params=parameters, headers=headers)
            assert got.json()["data"] == expected


async def test_stored_operations_over_streams(sqlite_url: str, tmp_path: Path) -> None:
    """A stored operation is named over WebSockets and event streams as it is over POST."""
    manifest = written(tmp_path, relay(VIEWER))
    async with (
        open_bare(sqlite_url, documents=manifest, trusted_only=True) as stage,
        live(stage) as at,
        at.client("operator") as socket,
    ):
        for named in ({"documentId": "op-0"}, by_hash(VIEWER)):
            await socket.send("subscribe", id="1", payload=named)
            assert await socket.next("1") == {"viewer": {"kind": "OPERATOR"}}
            assert (await socket.message())["type"] == "complete"
            response = await stage.post(named, headers={"accept": "text/event-stream"})
            assert b'data: {"data":{"viewer":{"kind":"OPERATOR"}}' in response.content
        for other, code in (
            ({"query": BRANDS}, "DOCUMENT_NOT_TRUSTED"),
            (by_hash(BRANDS), "PERSISTED_QUERY_NOT_FOUND"),
        ):
            await socket.send("subscribe", id="1", payload=other)
            message = await socket.message()
            assert message["type"] == "error"
            assert message["payload"][0]["extensions"]["code"] == code


async def test_apollo_manifests(sqlite_url: str, tmp_path: Path) -> None:
    """Apollo's manifest is understood as well."""
    manifest = written(tmp_path, apollo(VIEWER, ADJUST))
    async with open_bare(sqlite_url, documents=manifest) as stage:
        answer = await stage.post({"documentId": hashed(VIEWER)})
        assert answer.json()["data"] == {"viewer": {"kind": "OPERATOR"}}


async def test_what_is_not_stored(sqlite_url: str, tmp_path: Path) -> None:
    """An unknown name has its own code, as its kind of client expects it, and registers nothing."""
    manifest = written(tmp_path, relay(VIEWER))
    async with open_bare(sqlite_url, documents=manifest) as stage:
        assert await codes(stage, {"documentId": "op-9"}) == ["DOCUMENT_NOT_FOUND"]
        assert await codes(stage, {"documentId": "sha256:"}) == ["DOCUMENT_NOT_FOUND"]
        answer = (await stage.post(by_hash(BRANDS))).json()
        assert answer["errors"][0]["message"] == "PersistedQueryNotFound"
        assert answer["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
        sent = by_hash(BRANDS, query=BRANDS, variables={"n": 1})
        assert (await stage.post(sent)).json()["data"] == {"brands": {"edges": []}}
        assert await codes(stage, by_hash(BRANDS)) == ["PERSISTED_QUERY_NOT_FOUND"]
        assert await codes(stage, {"documentId": "op-0"}, None) == ["UNAUTHENTICATED"]


WRONG: list[Json] = [
    {},
    {"query": ""},
    {"query": VIEWER, "documentId": "op-0"},
    {"documentId": 5},
    {"documentId": "op-0", **by_hash(VIEWER)},
    by_hash(BRANDS, query=VIEWER),
    {"extensions": {"persistedQuery": {"version": 1}}},
    {"extensions": {"persistedQuery": {"sha256Hash": 5}}},
    {"extensions": {"persistedQuery": {"sha256Hash": "A" * 64}}},
    {"extensions": {"persistedQuery": []}},
    by_hash(VIEWER, query=5),
]


@pytest.mark.parametrize("body", WRONG)
async def test_requests_that_contradict_themselves(
    body: Json, sqlite_url: str, tmp_path: Path
) -> None:
    """A request names its document in one way, and a hash with a text is the text's."""
    async with open_bare(sqlite_url, documents=written(tmp_path, relay(VIEWER))) as stage:
        response = await stage.post(body)
        assert response.status_code == 400
        assert response.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


async def test_nothing_else_is_run(sqlite_url: str, tmp_path: Path) -> None:
    """Where only stored operations are trusted, others are refused, however right they are, and
    change nothing."""
    manifest = written(tmp_path, relay(VIEWER))
    async with open_bare(sqlite_url, documents=manifest, trusted_only=True) as stage:
        before = await stage.books()
        for text in (BRANDS, "{ __schema { types { name } } }", "{ nonsense", ADJUST):
            assert await codes(stage, {"query": text}) == ["DOCUMENT_NOT_TRUSTED"]
        assert await codes(stage, by_hash(BRANDS, query=BRANDS)) == ["DOCUMENT_NOT_TRUSTED"]
        for body in ({"documentId": "op-0"}, {"query": VIEWER}, by_hash(VIEWER)):
            assert await codes(stage, body) == []
        assert await stage.books() == before


BAD: dict[str, tuple[Any, str]] = {
    "no JSON": ("{", "is not JSON"),
    "no object": ([VIEWER], "is a JSON object"),
    "an unknown format": ({"format": "x", "operations": []}, "'x' is not known"),
    "another version": ({**apollo(VIEWER), "version": 2}, "has version 1"),
    "no body": ({**apollo(), "operations": [{"id": "a"}]}, "has an id and a document"),
    "no text": ({"a": 5}, "has an id and a document"),
    "an id that is there twice": (
        {**apollo(), "operations": [{"id": "a", "body": VIEWER}, {"id": "a", "body": BRANDS}]},
        "'a' is there twice",
    ),
    "what does not parse": ({"a": "{ viewer"}, "'a' cannot be run: Syntax Error"),
    "what does not fit": ({"a": "{ viewer { colour } }"}, "'a' cannot be run: Cannot query field"),
    "what is beyond a bound": ({"a": "{" + " __typename" * 101 + "}"}, "'a' cannot be run: The"),
}


@pytest.mark.parametrize(("manifest", "said"), BAD.values(), ids=BAD.keys())
def test_a_bad_manifest_stops_the_start(manifest: Any, said: str, tmp_path: Path) -> None:
    """A manifest that makes no sense, or does not fit the schema, is one clear line at start."""
    with pytest.raises(BadSetting) as raised:
        create_app(Settings("sqlite:///x.db", PEPPER, documents=written(tmp_path, manifest)))
    message = str(raised.value)
    assert message.startswith("COALITION_DOCUMENTS: ")
    assert said in message
    assert "\n" not in message


def test_settings_that_do_not_go_together(tmp_path: Path) -> None:
    """Without a manifest, or with one that is not there, nothing starts."""
    missing = str(tmp_path / "none.json")
    for settings in (
        Settings("sqlite:///x.db", PEPPER, trusted_only=True),
        Settings("sqlite:///x.db", PEPPER, documents=missing),
    ):
        with pytest.raises(BadSetting):
            create_app(settings)
