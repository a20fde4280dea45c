"""What the gateway costs: the wallet query through all of it, beside the bare Strawberry view.

    python -m tests.benchmarks.overhead --help

The same schema, resolvers and database, in one process, through ASGI and no socket; round by round
in turns. Processor time is the process's own: PostgreSQL's is not in it. Ends by itself.
"""

import copy
import json
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import orjson
import typer
import uvloop
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from starlette.types import ASGIApp, Message
from strawberry.asgi import GraphQL
from strawberry.extensions import ParserCache, ValidationCache

from brands.authentication import authenticate
from brands.buckets import Rate
from brands.callers import Caller, CallerKind
from brands.coalition import found
from brands.credentials import NewKey, create_key
from brands.database import migrate
from gateway.app import create_app
from gateway.logs import configure_logs
from gateway.running import quicken
from gateway.settings import Settings
from schema.context import Context, context_for
from schema.cursors import Cursors
from schema.nodes import read_global_id
from schema.root import SCHEMA
from tests.benchmarks.load import Operation, drive
from tests.postgres import running_server

DATABASES = ("sqlite", "postgresql")
BARE = "bare"
IN_FLIGHT = (1, 16)

_PEPPER = b"the pepper of a benchmark"
_OPERATOR = Caller(CallerKind.OPERATOR, "benchmark", frozenset({"pii"}))
_PLENTY = Rate(10**12, 10**9)
_WARM_UP_SECONDS = 0.5
_WIDTH = 120
_WALLET = """query Wallet {
  viewer { member { coalitionNumber memberships {
    number balance { posted available value { amount currency } }
    brand { name pointsName valuation { redemptionRate } }
  } } }
}"""
_BRANDS = """mutation Brand($input: BrandCreateInput!) {
  brandCreate(input: $input) { brand { id } errors { message } }
}"""
_MEMBER = """mutation Member($input: MemberEnrollInput!) {
  memberEnroll(input: $input) { member { id memberships { id } } errors { message } }
}"""
_POINTS = """mutation Points($input: PointsAdjustInput!) {
  pointsAdjust(input: $input) { transaction { id } errors { message } }
}"""


class Run(NamedTuple):
    """What one round came to: milliseconds of an answer, and of processor time for each."""

    p50: float
    cpu: float


Runs = dict[tuple[str, str, int], list[Run]]
"""By database, way, and requests in flight."""


class _Bare(GraphQL[Context, None]):
    """Strawberry's own view; the caller is known beforehand, or told by the credential."""

    def __init__(
        self, schema: Any, make: Callable[[bytes], Awaitable[Context]], *, cached: bool = False
    ) -> None:
        if cached:
            schema = copy.copy(schema)
            schema.extensions = [ParserCache(), ValidationCache()]
        super().__init__(schema, graphql_ide=None)
        self._make = make

    async def get_context(self, request: Any, response: Any) -> Context:
        return await self._make(request.headers["authorization"].encode())


def main(
    seconds: Annotated[float, typer.Option(help="How long each run is.")] = 1.0,
    rounds: Annotated[int, typer.Option(min=1, help="Runs of each kind; medians count.")] = 5,
    databases: Annotated[str, typer.Option()] = ",".join(DATABASES),
    json_file: Annotated[Path | None, typer.Option("--json", help="Write figures there.")] = None,
) -> None:
    """Measures the gateway beside the bare view, and prints a table."""
    console, runs = Console(), Runs()
    with Path(os.devnull).open("wb") as log, Progress(console=console, transient=True) as progress:
        configure_logs(log)
        for database in databases.split(","):
            with _fresh(database) as url:
                uvloop.run(_measure(url, database, seconds, rounds, runs, progress))
    _show(console if console.is_terminal else Console(width=_WIDTH), runs)
    if json_file is not None:
        cells = [
            {"cell": cell, "runs": [run._asdict() for run in each]} for cell, each in runs.items()
        ]
        json_file.write_text(json.dumps(cells, indent=1) + "\n")


@contextmanager
def _fresh(database: str) -> Iterator[str]:
    """The URL of an empty database, gone in the end."""
    with tempfile.TemporaryDirectory(prefix="coalition-benchmark-") as name:
        if database == "sqlite":
            yield f"sqlite:///{name}/books.db"
        else:
            with running_server(fsync=True) as server:
                yield server.databases.fresh_database()


async def _measure(
    url: str, database: str, seconds: float, rounds: int, runs: Runs, progress: Progress
) -> None:
    await migrate(url)
    await found(url, name="Benchmark", books=None)
    async with _ways(url) as ways:
        quicken()
        for operation in ways.values():
            await drive(operation, max(IN_FLIGHT), _WARM_UP_SECONDS)
        task = progress.add_task(f"Measuring on {database}", total=rounds * len(IN_FLIGHT))
        for _ in range(rounds):
            for number in IN_FLIGHT:
                for way, operation in ways.items():
                    run = await _run(operation, number, seconds)
                    runs.setdefault((database, way, number), []).append(run)
                progress.advance(task)


async def _run(operation: Operation, in_flight: int, seconds: float) -> Run:
    began = time.process_time()
    figures = await drive(operation, in_flight, seconds)
    answered = figures.rate * seconds
    return Run(figures.p50, (time.process_time() - began) * 1e3 / answered)


@asynccontextmanager
async def _ways(url: str) -> AsyncIterator[dict[str, Operation]]:
    """The ways to ask for the wallet, by name; each answers the same."""
    rates: dict[str, Any] = {f"rate_{kind.lower()}": _PLENTY for kind in CallerKind}
    app = create_app(Settings(url, _PEPPER, worker=False, **rates))
    async with app.router.lifespan_context(app):
        coalition = app.state.coalition
        operator = await create_key(
            coalition, _OPERATOR, NewKey(CallerKind.OPERATOR, "benchmark"), _PEPPER
        )
        token = await _populate(app, coalition, operator.token)
        caller = await authenticate(coalition, token, _PEPPER)
        assert caller is not None
        cursors = Cursors(_PEPPER)

        async def known(_: bytes) -> Context:
            return context_for(coalition, caller, cursors)

        async def told(header: bytes) -> Context:
            who = await authenticate(coalition, header.removeprefix(b"Bearer ").decode(), _PEPPER)
            assert who is not None
            return context_for(coalition, who, cursors)

        views: dict[str, ASGIApp] = {
            BARE: _Bare(SCHEMA, known),
            "bare, documents cached": _Bare(SCHEMA, known, cached=True),
            "bare, authenticated": _Bare(SCHEMA, told),
            "bare, both": _Bare(SCHEMA, told, cached=True),
            "gateway": app,
        }
        answers = [(await _ask(view, token, _WALLET))["data"] for view in views.values()]
        assert all(answer == answers[0] for answer in answers)
        yield {name: _asker(view, token) for name, view in views.items()}


async def _populate(app: ASGIApp, coalition: Any, token: str) -> str:
    """Four brands, and a member with points at each; her credential."""
    codes = [f"BRAND{number}" for number in range(4)]
    for code in codes:
        valuation = {"redemptionRate": "0.01", "issuePrice": "0.012"}
        names = {"code": code, "name": code, "pointsName": "points", "timeZone": "UTC"}
        await _ask(app, token, _BRANDS, names | {"valuation": valuation})
    made = await _ask(app, token, _MEMBER, {"brands": codes, "idempotencyKey": "member"})
    member = made["data"]["memberEnroll"]["member"]
    for held in member["memberships"]:
        given = {"membership": held["id"], "points": 1_000, "reason": "a gift"}
        await _ask(app, token, _POINTS, given | {"idempotencyKey": held["id"]})
    name = read_global_id(member["id"])
    assert name is not None
    key = NewKey(CallerKind.MEMBER, "app", member_id=name.id)
    return (await create_key(coalition, _OPERATOR, key, _PEPPER)).token


def _asker(app: ASGIApp, token: str) -> Operation:
    request = _request(token, _WALLET, None)

    async def ask() -> None:
        status, _ = await _send(app, *request)
        if status != 200:
            raise RuntimeError(f"the answer is {status}")

    return ask


async def _ask(app: ASGIApp, token: str, query: str, given: Any = None) -> dict[str, Any]:
    status, body = await _send(app, *_request(token, query, given))
    answer: dict[str, Any] = orjson.loads(body)
    if status != 200 or "errors" in answer:
        raise RuntimeError(body.decode())
    return answer


def _request(token: str, query: str, given: Any) -> tuple[dict[str, Any], bytes]:
    body = orjson.dumps({"query": query, "variables": {} if given is None else {"input": given}})
    headers = {
        "host": "gateway",
        "content-type": "application/json",
        "content-length": str(len(body)),
        "accept": "application/json",
        "authorization": f"Bearer {token}",
    }
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/graphql",
        "raw_path": b"/graphql",
        "root_path": "",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("gateway", 80),
    }
    return scope, body


async def _send(app: ASGIApp, scope: dict[str, Any], body: bytes) -> tuple[int, bytes]:
    status, parts = 0, []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status
        status = message.get("status", status)
        parts.append(message.get("body", b""))

    await app(dict(scope), receive, send)
    return status, b"".join(parts)


def _show(console: Console, runs: Runs) -> None:
    table = Table(
        title="The wallet query, in milliseconds; in brackets, as a share of the bare view"
    )
    for name in ("database", "way"):
        table.add_column(name, no_wrap=True)
    for number in IN_FLIGHT:
        table.add_column(f"p50, {number} in flight", justify="right", no_wrap=True)
        table.add_column("processor time", justify="right", no_wrap=True)
    for database, way in dict.fromkeys(cell[:2] for cell in runs):
        cells = []
        for number in IN_FLIGHT:
            ours, bare = runs[database, way, number], runs[database, BARE, number]
            cells += [_text([r.p50 for r in ours], [r.p50 for r in bare])]
            cells += [_text([r.cpu for r in ours], [r.cpu for r in bare])]
        table.add_row(database, way, *cells)
    console.print(table)


def _text(ours: Sequence[float], bare: Sequence[float]) -> str:
    """The median, and the median of what it is to the bare view in the same round."""
    share = statistics.median(one / other for one, other in zip(ours, bare, strict=True))
    return f"{statistics.median(ours):.2f} ({share:.2f})"


if __name__ == "__main__":
    typer.run(main)
