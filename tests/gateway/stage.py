"""The stage of the stories: a gateway that is up, its clients, and a look at the books."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID

import httpx
from starlette.applications import Starlette

from brands.agencies import NewAgency, create_agency
from brands.callers import Caller, CallerKind
from brands.coalition import Coalition
from brands.credentials import NewKey, create_key
from brands.ledger.audit import audit
from gateway.app import create_app
from gateway.settings import Settings
from schema.nodes import read_global_id

PEPPER = b"a pepper for the tests"
OPERATOR = Caller(CallerKind.OPERATOR, "operator/stage", frozenset({"pii"}))

Json = dict[str, Any]

BRANDS = {
    "AERO": ("0.010", "0.012", "0.008", "0.010"),
    "HOTEL": ("0.012", "0.012", "0.012", "0.0125"),
    "GROCER": ("0.005", "0.006", "0.0045", "0.005"),
    "COFFEE": ("0.006", "0.006", "0.006", "0.0061"),
}
"""Brands by code: redemptionRate, issuePrice, transferOutRate, transferInRate."""

_keys = count(1)


def key() -> str:
    """An idempotency key that never came before."""
    return f"key-{next(_keys)}"


@dataclass(slots=True)
class Person:
    """A member: her global ids, and a credential of her own."""

    id: str
    number: str
    memberships: dict[str, str]
    token: str = field(repr=False)


class Stage:
    """A gateway that is up, and the credentials of its clients by name."""

    def __init__(self, app: Starlette, client: httpx.AsyncClient) -> None:
        self.app = app
        self.client = client
        self.tokens: dict[str, str] = {}

    @property
    def coalition(self) -> Coalition:
        """The gateway's own."""
        coalition: Coalition = self.app.state.coalition
        return coalition

    async def post(
        self, body: Any = None, who: str | None = "operator", **more: Any
    ) -> httpx.Response:
        """A POST to /graphql, with the credential of a client unless `who` is None."""
        headers = dict(more.pop("headers", {}))
        if who is not None:
            headers.setdefault("authorization", f"Bearer {self.tokens.get(who, who)}")
        if body is not None:
            more["json"] = body
        return await self.client.post("/graphql", headers=headers, **more)

    async def ask(
        self, query: str, variables: Mapping[str, Any] | None = None, who: str = "operator"
    ) -> Json:
        """The whole answer to an operation."""
        response = await self.post({"query": query, "variables": variables or {}}, who)
        answer: Json = response.json()
        return answer

    async def data(
        self, query: str, variables: Mapping[str, Any] | None = None, who: str = "operator"
    ) -> Json:
        """The data of an operation that has no errors."""
        answer = await self.ask(query, variables, who)
        assert "errors" not in answer, answer["errors"]
        data: Json = answer["data"]
        return data

    async def do(self, mutation: str, given: Json, fields: str = "", who: str = "operator") -> Json:
        """The payload of a mutation of one input."""
        name = mutation[0].upper() + mutation[1:]
        query = f"""mutation Do($input: {name}Input!) {{
            {mutation}(input: $input) {{
                {fields} errors {{ __typename code message path }}
            }}
        }}"""
        payload: Json = (await self.data(query, {"input": given}, who))[mutation]
        return payload

    async def enrol(self, *codes: str) -> Person:
        """A member with a membership at each of these brands."""
        made = await self.do(
            "memberEnroll",
            {
                "profile": {"givenName": "Ada", "familyName": "Lovelace", "email": "ada@ada.test"},
                "brands": list(codes),
                "idempotencyKey": key(),
            },
            "member { id coalitionNumber memberships { id brand { code } } }",
        )
        member = made["member"]
        name = read_global_id(member["id"])
        assert name is not None
        token = await self.token(NewKey(CallerKind.MEMBER, "app", member_id=name.id))
        held = {each["brand"]["code"]: each["id"] for each in member["memberships"]}
        return Person(member["id"], member["coalitionNumber"], held, token)

    async def give(self, membership: str, points: int) -> Json:
        """Points given by hand; the transaction and the membership."""
        given = {
            "membership": membership,
            "points": points,
            "reason": "a gift",
            "idempotencyKey": key(),
        }
        payload = await self.do(
            "pointsAdjust", given, "transaction { id } membership { balance { posted } }"
        )
        assert payload["errors"] == []
        return payload

    async def token(self, new: NewKey) -> str:
        """A new credential."""
        return (await create_key(self.coalition, OPERATOR, new, PEPPER)).token

    async def books(self) -> list[tuple[str, Any]]:
        """All that a refused request must leave as it was."""
        fetch = self.coalition.database.fetch
        state: list[tuple[str, Any]] = [
            (str(row["id"]), (row["balance"], row["held"], row["version"], row["closed"]))
            for row in await fetch("SELECT * FROM accounts ORDER BY id")
        ]
        for table in _TABLES:
            rows = await fetch(f"SELECT count(*) AS n FROM {table}")
            state.append((table, rows[0]["n"]))
        return state

    async def audit(self) -> list[str]:
        """The laws of the books that are broken."""
        return [
            f"{finding.law}: {finding.where}" for finding in await audit(self.coalition.database)
        ]


_TABLES = (
    *("brands", "valuations", "members", "profiles", "memberships", "transactions", "entries"),
    *("lots", "lot_uses", "quotes", "transfers", "holds", "actions", "agencies", "program_terms"),
    *("notes", "bookings", "booking_segments", "booking_steps", "flown"),
)


@asynccontextmanager
async def open_bare(
    url: str, *, web: httpx.AsyncBaseTransport | None = None, **settings: Any
) -> AsyncIterator[Stage]:
    """A gateway over whatever is in a database, with an operator's credential."""
    app = create_app(Settings(database=url, pepper=PEPPER, worker=False, **settings), transport=web)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://gateway") as client,
    ):
        stage = Stage(app, client)
        scopes = frozenset({"pii"})
        stage.tokens["operator"] = await stage.token(
            NewKey(CallerKind.OPERATOR, "stage", scopes=scopes)
        )
        yield stage


@asynccontextmanager
async def open_stage(url: str, **settings: Any) -> AsyncIterator[Stage]:
    """A gateway over four brands, with credentials `operator`, `agency`, `aero`, `hotel` …"""
    async with open_bare(url, **settings) as stage:
        for code, (v, p, o, i) in BRANDS.items():
            valuation = {
                "redemptionRate": v,
                "issuePrice": p,
                "transferOutRate": o,
                "transferInRate": i,
            }
            payload = await stage.do(
                "brandCreate",
                {
                    "code": code,
                    "name": code.title(),
                    "pointsName": f"{code.title()} Points",
                    "timeZone": "Europe/Lisbon",
                    "valuation": valuation,
                },
            )
            assert payload["errors"] == []
            token = await stage.token(NewKey(CallerKind.BRAND, "till", brand_code=code))
            stage.tokens[code.lower()] = token
        await create_agency(stage.coalition, OPERATOR, NewAgency("SKYTRIP", "Sky Trip", "9999999"))
        stage.tokens["agency"] = await stage.token(
            NewKey(CallerKind.AGENCY, "desk", agency_code="SKYTRIP")
        )
        yield stage


def uuid_of(identifier: str) -> UUID:
    """The id within a global id."""
    name = read_global_id(identifier)
    assert name is not None
    return name.id
