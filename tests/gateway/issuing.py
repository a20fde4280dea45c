"""Issuers of members' tokens, for tests: their keys, what they publish, and tokens good and bad."""

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from gateway.issuers import Issuer, MemberName
from tests.gateway.stage import Json, Stage, key, open_stage

AUDIENCE = "coalition"
LOGIN = "https://login.test"
AERO_LOGIN = "https://login.aero.test"
VIEWER = "{ viewer { kind client member { coalitionNumber externalId } } }"

MODELS = {**JWSRegistry.algorithms, "EdDSA": JWSRegistry.algorithms["Ed25519"]}


def coded(value: Any) -> str:
    """What a part of a token says, as it is written there."""
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(content).decode().rstrip("=")


class TestIssuer:
    """An issuer with a key of each kind, and its site on the web."""

    __test__ = False

    def __init__(self, url: str = LOGIN) -> None:
        self.url = url
        self.keys: dict[str, Any] = {
            "ES256": ECKey.generate_key("P-256"),
            "RS256": RSAKey.generate_key(2048),
            "EdDSA": OKPKey.generate_key("Ed25519"),
        }
        self.published = [self.public(name) for name in self.keys]
        self.asked: list[str] = []
        self.answer: httpx.Response | Exception | None = None

    def trusted(self, **more: Any) -> Issuer:
        """As a deployment trusts it."""
        given: dict[str, Any] = {
            "issuer": self.url,
            "audience": AUDIENCE,
            "member": MemberName.COALITION_NUMBER,
            "jwks_uri": f"{self.url}/jwks.json",
        }
        return Issuer(**(given | more))

    def public(self, name: str, **more: Any) -> Json:
        """A public key of this issuer as it is published."""
        return {**self.keys[name].as_dict(private=False), "kid": f"{self.url}#{name}", **more}

    def respond(self, request: httpx.Request) -> httpx.Response:
        """What the site answers."""
        self.asked.append(request.url.path)
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer is not None:
            return self.answer
        if request.url.path == "/jwks.json":
            return httpx.Response(200, json={"keys": self.published})
        if request.url.path == "/.well-known/openid-configuration":
            told = {"issuer": self.url, "jwks_uri": f"{self.url}/jwks.json"}
            return httpx.Response(200, json=told)
        return httpx.Response(404)

    def claims(self, sub: str, **more: Any) -> Json:
        """Good claims; what is None is left out."""
        now = int(time.time())
        given = {"iss": self.url, "aud": AUDIENCE, "sub": sub, "iat": now, "exp": now + 600}
        return {name: value for name, value in (given | more).items() if value is not None}

    def header(self, alg: str = "ES256", **more: Any) -> Json:
        """A good header; what is None is left out."""
        given = {"alg": alg, "kid": f"{self.url}#{alg}", "typ": "JWT"}
        return {name: value for name, value in (given | more).items() if value is not None}

    def token(
        self, sub: str, alg: str = "ES256", *, header: Json | None = None, **more: Any
    ) -> str:
        """A token for a member, good but for what is given."""
        return self.signed(self.header(alg, **(header or {})), self.claims(sub, **more), alg)

    def signed(self, header: Any, claims: Any, alg: str = "ES256") -> str:
        """Any header and claims at all, signed by the key of an algorithm."""
        said = f"{coded(header)}.{coded(claims)}"
        return f"{said}.{coded(MODELS[alg].sign(said.encode(), self.keys[alg]))}"


def web(*issuers: TestIssuer) -> httpx.MockTransport:
    """The web, in which there are these sites and no others."""
    sites: Mapping[str, TestIssuer] = {httpx.URL(each.url).host: each for each in issuers}

    async def answer(request: httpx.Request) -> httpx.Response:
        return sites[request.url.host].respond(request)

    return httpx.MockTransport(answer)


@dataclass(frozen=True, slots=True)
class Scene:
    """Ada, enrolled by AERO as crm-1 and a member of HOTEL too; Bob, of HOTEL alone; and the
    issuers: the coalition's, and AERO's own."""

    stage: Stage
    login: TestIssuer
    aero: TestIssuer
    ada: str
    bob: str

    async def admitted(self, token: str) -> Json | None:
        """The viewer of a request with a token; None if it is refused, as everything is."""
        response = await self.stage.post({"query": VIEWER}, token)
        if response.status_code == 200:
            viewer: Json = response.json()["data"]["viewer"]
            return viewer
        bare = await self.stage.client.post("/graphql", json={"query": VIEWER})
        assert (response.status_code, response.content) == (401, bare.content)
        assert response.headers["www-authenticate"] == bare.headers["www-authenticate"]
        return None


@asynccontextmanager
async def open_scene(url: str, login: TestIssuer, aero: TestIssuer) -> AsyncIterator[Scene]:
    """A gateway that trusts both issuers."""
    trusted = (login.trusted(), aero.trusted(brand="AERO", member=MemberName.EXTERNAL_ID))
    async with open_stage(url, web=web(login, aero), issuers=trusted) as stage:
        made = await stage.do(
            "memberEnroll",
            {"externalId": "crm-1", "brands": ["AERO"], "idempotencyKey": key()},
            "member { id coalitionNumber }",
            "aero",
        )
        opened = {"member": {"id": made["member"]["id"]}, "brand": "HOTEL"}
        assert (await stage.do("membershipOpen", opened))["errors"] == []
        bob = await stage.enrol("HOTEL")
        yield Scene(stage, login, aero, made["member"]["coalitionNumber"], bob.number)
