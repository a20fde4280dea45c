"""What tools of others, for Node.js, have to say of the API: GraphQL over HTTP, Relay, linting, and
federation, by two composers and through a gateway with a partner's subgraph."""

import asyncio
import os
import select
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from strawberry.printer import print_schema

from tests.gateway import node, partner
from tests.gateway.stage import PEPPER, Person, open_stage

pytestmark = pytest.mark.skipif(not node.is_there(), reason="there is no npm on this machine")

CONTRACT = node.ROOT / "schema" / "schema.graphql"
LINT = ("node_modules/eslint/bin/eslint.js", "--config", node.NODE / "eslint.config.js")
_UP_SECONDS = 30
_DOWN_SECONDS = 25


@dataclass(frozen=True, slots=True)
class Scene:
    """A gateway and a partner's subgraph that are up, and who is known to them."""

    urls: dict[str, str]
    ada: Person
    bob: Person
    numbers: dict[str, str]
    tokens: dict[str, str]


@pytest.fixture(scope="session")
def installed() -> None:
    """The tools."""
    node.install()


@pytest.fixture(scope="module")
def scene(
    installed: None, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    """Ada at AERO, Bob at COFFEE, both with an airport that they like; the gateway and the
    partner's subgraph as processes of their own."""
    file = tmp_path_factory.mktemp("gateway") / "coalition.db"
    shutil.copy(sqlite_template, file)
    url = f"sqlite:///{file}"
    ada, bob, numbers, tokens = asyncio.run(_prepared(url))
    airports = orjson.dumps({ada.number: "LIS", bob.number: "OPO"}).decode()
    settings = {"COALITION_DATABASE": url, "COALITION_PEPPER": PEPPER.decode()}
    with (
        serving(["gateway", "serve", "--port", "0"], settings, file.parent) as gateway,
        serving(["tests.gateway.partner", airports], {}, file.parent) as other,
    ):
        yield Scene({"coalition": gateway, "partner": other}, ada, bob, numbers, tokens)


async def _prepared(url: str) -> tuple[Person, Person, dict[str, str], dict[str, str]]:
    async with open_stage(url) as stage:
        ada, bob = await stage.enrol("AERO", "HOTEL"), await stage.enrol("COFFEE")
        await stage.give(ada.memberships["AERO"], 500)
        query = "{ viewer { member { memberships { number brand { code } } } } }"
        held = (await stage.data(query, who=ada.token))["viewer"]["member"]["memberships"]
        numbers = {each["brand"]["code"]: each["number"] for each in held}
        return ada, bob, numbers, stage.tokens | {"ada": ada.token, "bob": bob.token}


@contextmanager
def serving(module: list[str], settings: dict[str, str], logs: Path) -> Iterator[str]:
    """A process that serves, until it is told to stop; its address, which is the end of the first
    line that it prints."""
    log = logs / f"{module[0]}.log"
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            [sys.executable, "-m", *module],
            cwd=node.ROOT,
            env={"PATH": os.environ["PATH"], **settings},
            stdout=subprocess.PIPE,
            stderr=errors,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            select.select([process.stdout], [], [], _UP_SECONDS)
            os.set_blocking(process.stdout.fileno(), False)
            line = process.stdout.readline().decode()
            assert line, log.read_text()
            yield line.split()[-1]
        finally:
            process.terminate()
            try:
                process.wait(_DOWN_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


@pytest.fixture(scope="module")
def subgraphs(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The SDL of both subgraphs, as each of them tells it itself."""
    directory = tmp_path_factory.mktemp("subgraphs")
    headers = {"authorization": f"Bearer {scene.tokens['operator']}"}
    files = {}
    for name, url in scene.urls.items():
        answer = httpx.post(url, json={"query": "{ _service { sdl } }"}, headers=headers)
        files[name] = directory / f"{name}.graphql"
        files[name].write_text(answer.json()["data"]["_service"]["sdl"])
    return files


@pytest.fixture(scope="module")
def supergraph(scene: Scene, subgraphs: dict[str, Path]) -> Path:
    """Both together."""
    file = subgraphs["coalition"].with_name("supergraph.graphql")
    composed = node.run("compose.js", file, *_services(scene, subgraphs))
    assert composed.returncode == 0, composed.stderr
    assert composed.stdout.splitlines() == [
        "apollo composes coalition and partner",
        "guild composes coalition and partner",
    ]
    return file


def _services(scene: Scene, files: dict[str, Path]) -> list[str]:
    return [f"{name}={file}={scene.urls[name]}" for name, file in files.items()]


def test_graphql_over_http(scene: Scene) -> None:
    """A gateway that is up passes every audit of GraphQL over HTTP."""
    audited = node.run(
        "audits.js", scene.urls["coalition"], more={"TOKEN": scene.tokens["operator"]}
    )
    assert audited.returncode == 0, audited.stderr
    assert audited.stdout == "61 of 61 audits passed\n"


def test_failed_audits_would_be_seen(scene: Scene) -> None:
    """Where an audit fails, they all have failed."""
    audited = node.run("audits.js", scene.urls["coalition"], more={"TOKEN": "nobodys"})
    assert audited.returncode == 1
    assert "have to pass" in audited.stderr


@pytest.mark.parametrize(
    ("subgraph", "before", "after"),
    [
        ("coalition", "type PageInfo @shareable", "type PageInfo"),
        ("coalition", "type Money @shareable", "type Money"),
        ("coalition", ' @key(fields: "coalitionNumber")', ""),
        ("partner", "amount: Decimal!", "amount: Int!"),
    ],
)
def test_what_does_not_compose_would_be_seen(
    scene: Scene, subgraphs: dict[str, Path], tmp_path: Path, subgraph: str, before: str, after: str
) -> None:
    """Both composers refuse subgraphs that do not fit."""
    files = {name: tmp_path / file.name for name, file in subgraphs.items()}
    for name, file in files.items():
        text = subgraphs[name].read_text()
        assert name != subgraph or before in text
        file.write_text(text.replace(before, after) if name == subgraph else text)
    composed = node.run("compose.js", tmp_path / "super.graphql", *_services(scene, files))
    assert composed.returncode == 1
    for composer in ("apollo", "guild"):
        assert f"{composer} does not compose" in composed.stderr


def test_joined_queries(scene: Scene, supergraph: Path, tmp_path: Path) -> None:
    """A query of both subgraphs is answered for whoever asks: whom he may not see is null,
    whichever subgraph names her first."""
    viewer = "{ viewer { member { coalitionNumber favouriteAirport } } }"
    flyers = (
        "{ frequentFlyers { coalitionNumber favouriteAirport memberships { brand { code } } } }"
    )
    card = (
        f'{{ card(brand: "AERO", number: "{scene.numbers["AERO"]}")'
        " { balance { posted } member { favouriteAirport } } }"
    )
    airports = "{ airports { edges { node { lounge { amount } } } pageInfo { hasNextPage } } }"
    ada = {"coalitionNumber": scene.ada.number, "favouriteAirport": "LIS"}
    bob = {"coalitionNumber": scene.bob.number, "favouriteAirport": "OPO"}
    hers = ada | {"memberships": [{"brand": {"code": code}} for code in ("AERO", "HOTEL")]}
    at_aero = ada | {"memberships": hers["memberships"][:1]}
    his = bob | {"memberships": [{"brand": {"code": "COFFEE"}}]}
    shown = {"balance": {"posted": 500}, "member": {"favouriteAirport": "LIS"}}
    lounges = {"edges": [{"node": {"lounge": {"amount": "25.50"}}}] * 2}

    def those(hers: Any, his: Any) -> list[Any]:
        return [hers, his] if scene.ada.number < scene.bob.number else [his, hers]

    asked: list[tuple[str, str, Any]] = [
        ("ada", viewer, {"viewer": {"member": ada}}),
        ("bob", viewer, {"viewer": {"member": bob}}),
        ("aero", viewer, {"viewer": {"member": None}}),
        ("operator", flyers, {"frequentFlyers": those(hers, his)}),
        ("ada", flyers, {"frequentFlyers": those(hers, None)}),
        ("bob", flyers, {"frequentFlyers": those(None, his)}),
        ("aero", flyers, {"frequentFlyers": those(at_aero, None)}),
        ("agency", flyers, {"frequentFlyers": [None, None]}),
        ("ada", card, {"card": shown}),
        ("aero", card, {"card": shown}),
        ("bob", card, {"card": None}),
        ("hotel", card, {"card": None}),
        ("bob", airports, {"airports": lounges | {"pageInfo": {"hasNextPage": False}}}),
    ]
    cases = [
        {"name": f"{who}: {query}", "query": query, "token": scene.tokens[who], "data": data}
        for who, query, data in asked
    ]
    file = tmp_path / "cases.json"
    file.write_bytes(orjson.dumps(cases))
    joined = node.run("joined.js", supergraph, file)
    assert joined.returncode == 0, joined.stderr
    assert len(joined.stdout.splitlines()) == len(cases)

    file.write_bytes(orjson.dumps([cases[0] | {"token": scene.tokens["bob"]}]))
    assert node.run("joined.js", supergraph, file).returncode == 1


def test_the_partner_is_a_subgraph(subgraphs: dict[str, Path]) -> None:
    """What the partner tells of itself is its schema."""
    assert subgraphs["partner"].read_text() == print_schema(partner.SCHEMA)


def test_relay(installed: None) -> None:
    """The Relay compiler compiles an application's fragments and queries against the contract."""
    compiled = node.run("relay.js", CONTRACT)
    assert compiled.returncode == 0, compiled.stderr
    assert "WalletHistoryQuery.graphql.ts" in compiled.stdout


def test_lint(installed: None) -> None:
    """graphql-eslint finds nothing in the contract, with its rules for Relay."""
    linted = node.run(*LINT, CONTRACT)
    assert linted.returncode == 0, linted.stdout + linted.stderr


@pytest.mark.parametrize(
    ("before", "after", "rule"),
    [
        ("  hasNextPage: Boolean!\n", "  hasNextPage: Boolean\n", "relay-page-info"),
        ("  cursor: String!\n", "  cursor: [String!]!\n", "relay-edge-types"),
        ("  edges: [BrandEdge!]!\n", "  edges: BrandEdge!\n", "relay-connection-types"),
    ],
)
def test_what_is_not_relays_would_be_seen(
    installed: None, tmp_path: Path, before: str, after: str, rule: str
) -> None:
    """A contract that is not as Relay has it is refused by the linter."""
    text = CONTRACT.read_text()
    assert before in text
    (tmp_path / "schema").mkdir()
    (tmp_path / "schema" / "schema.graphql").write_text(text.replace(before, after))
    linted = node.run(*LINT, "schema/schema.graphql", at=tmp_path)
    assert linted.returncode == 1
    assert f"@graphql-eslint/{rule}" in linted.stdout
