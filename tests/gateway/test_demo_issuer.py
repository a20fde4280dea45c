"""The demo's own issuer: a member's token to try, and nothing of it without the demo."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from gateway.app import create_app
from gateway.demo.issuer import AUDIENCE, FILE, DemoIssuer, issuer_key
from gateway.settings import Settings
from tests.gateway.issuing import VIEWER
from tests.gateway.stage import PEPPER, Stage, open_bare, open_stage

URL = "http://127.0.0.1:8000"


@pytest.fixture
async def ada(sqlite_url: str) -> str:
    """The coalition number of a member."""
    async with open_stage(sqlite_url) as stage:
        return (await stage.enrol("AERO")).number


@asynccontextmanager
async def a_demo(url: str, number: str, key: ECKey | None = None) -> AsyncIterator[Stage]:
    """A gateway with an issuer, at which Ada can log in by her name and her number."""
    members = {"ada": number, number.lower(): number}
    issuer = DemoIssuer(URL, key or ECKey.generate_key("P-256"), members)
    app = create_app(Settings(url, PEPPER, worker=False), demo_issuer=issuer)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=URL) as client,
    ):
        yield Stage(app, client)


async def test_a_members_token(sqlite_url: str, ada: str) -> None:
    """Whoever asks for a member of the cast, by name or number, gets a token that is hers."""
    async with a_demo(sqlite_url, ada) as demo:
        for name in ("Ada", "ada", ada):
            answer = await demo.client.post("/demo/issuer/token", data={"member": name})
            assert answer.status_code == 200
            assert answer.headers["cache-control"] == "no-store"
            viewer = (await demo.data(VIEWER, who=answer.text.strip()))["viewer"]
            assert (viewer["kind"], viewer["member"]["coalitionNumber"]) == ("MEMBER", ada)
        for bad in ({"member": "Bob"}, {"member": ""}, {}, {"name": "Ada"}, {"member": "\0"}):
            answer = await demo.client.post("/demo/issuer/token", data=bad)
            assert answer.status_code == 400
        for content in (b"{}", b"\xff", b"x" * 10_000):
            answer = await demo.client.post("/demo/issuer/token", content=content)
            assert answer.status_code == 400
        assert (await demo.client.get("/demo/issuer/token")).status_code == 405


async def test_what_it_publishes(sqlite_url: str, ada: str) -> None:
    """It can be discovered like any other issuer, and any library reads its tokens by its public
    key, which is all of its key that it publishes."""
    async with a_demo(sqlite_url, ada) as demo:
        get = demo.client.get
        told = (await get("/demo/issuer/.well-known/openid-configuration")).json()
        assert told["issuer"] == f"{URL}/demo/issuer"
        keys = (await get(told["jwks_uri"])).json()
        assert [sorted(key) for key in keys["keys"]] == [["crv", "kid", "kty", "use", "x", "y"]]
        token = (
            await demo.client.post(told["token_endpoint"], data={"member": "ada"})
        ).text.strip()
        read = jwt.decode(token, KeySet.import_key_set(keys), algorithms=["ES256"])
        assert read.header["alg"] == "ES256"
        assert (read.claims["iss"], read.claims["aud"]) == (told["issuer"], AUDIENCE)
        assert read.claims["exp"] - read.claims["iat"] == 3_600


async def test_nothing_of_it_without_the_demo(sqlite_url: str, ada: str) -> None:
    """A gateway without the demo has none of its paths, and takes none of its tokens."""
    token = DemoIssuer(URL, ECKey.generate_key("P-256"), {}).token(ada)
    async with open_bare(sqlite_url) as stage:
        for path in ("", "/token", "/jwks.json", "/.well-known/openid-configuration"):
            for method in ("GET", "POST"):
                answer = await stage.client.request(method, f"/demo/issuer{path}")
                assert answer.status_code == 404
        assert (await stage.post({"query": VIEWER}, token)).status_code == 401


async def test_anothers_token(sqlite_url: str, ada: str) -> None:
    """A token that another demo's issuer signed is no good here."""
    async with a_demo(sqlite_url, ada) as demo:
        token = DemoIssuer(URL, ECKey.generate_key("P-256"), {}).token(ada)
        assert (await demo.post({"query": VIEWER}, token)).status_code == 401


def test_the_key_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key lies beside the database, or in `var`, for its owner alone, and is made once."""
    monkeypatch.chdir(tmp_path)
    for url, place in (
        (f"sqlite:///{tmp_path}/data/coalition.db", tmp_path / "data"),
        ("postgresql://postgres@localhost/coalition", tmp_path / "var"),
    ):
        key = issuer_key(url)
        assert key.is_private
        assert issuer_key(url).thumbprint() == key.thumbprint()
        file = place / FILE
        assert file.stat().st_mode & 0o777 == 0o600
        assert json.loads(file.read_text())["d"]
        assert [each.name for each in place.iterdir()] == [FILE]
