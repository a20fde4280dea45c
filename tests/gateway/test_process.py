"""The process itself: probes, the page, what it logs, what it hides, and its settings."""

import asyncio
import gc
import io
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import orjson
import pytest
from tortoise.exceptions import OperationalError

from brands.buckets import Rate
from brands.coalition import Coalition, open_coalition
from brands.database import Transaction
from brands.errors import LedgerUnavailable
from brands.ledger.writer import Ledger
from gateway.app import create_app
from gateway.callers.member_tokens import MemberTokens
from gateway.graphql.documents import BYTES_TO_A_TOKEN, MAX_SEEN, Documents
from gateway.instruments import Instruments
from gateway.settings import BadSetting, Settings, read_settings
from gateway.web.explorer import STATIC
from schema.root import SCHEMA
from tests.gateway.stage import PEPPER, Json, Stage, key, open_bare, open_stage


@pytest.fixture
async def bare(sqlite_url: str) -> AsyncIterator[Stage]:
    """A gateway without brands."""
    async with open_bare(sqlite_url) as stage:
        yield stage


def events(lines: io.BytesIO) -> list[Json]:
    """The log, line by line."""
    return [orjson.loads(line) for line in lines.getvalue().splitlines()]


async def test_probes(bare: Stage) -> None:
    """A gateway that is up over a migrated database is live and ready."""
    for probe in ("/livez", "/readyz"):
        response = await bare.client.get(probe)
        assert response.status_code == 200


async def test_not_ready_without_database(
    bare: Stage, monkeypatch: pytest.MonkeyPatch, lines: io.BytesIO
) -> None:
    """A gateway that cannot reach its database is live, but not ready, and does not say more."""

    async def broken(*_: object) -> None:
        raise OSError("no route to 10.1.2.3")

    monkeypatch.setattr(Transaction, "fetch", broken)
    assert (await bare.client.get("/livez")).status_code == 200
    response = await bare.client.get("/readyz")
    assert response.status_code == 503
    assert "10.1.2.3" not in response.text + lines.getvalue().decode()


async def test_not_ready_without_the_newest_schema(
    bare: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gateway whose database lacks migrations is not ready."""

    async def behind(_: object) -> bool:
        return False

    monkeypatch.setattr("gateway.telemetry.health.is_migrated", behind)
    response = await bare.client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["reason"] == "migrations are missing"


async def test_the_page_is_ours(bare: Stage) -> None:
    """GraphiQL and all that its page loads come from this process, and the page names no other."""
    page = await bare.client.get("/")
    assert page.status_code == 200
    assert "http" not in page.text
    assert 'data-credential=""' in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]
    loaded = [part.split('"')[0] for part in page.text.split('"/static/')[1:]]
    assert len(loaded) == 6
    for name in loaded:
        assert (await bare.client.get(f"/static/{name}")).status_code == 200
    assert (await bare.client.post("/")).status_code == 405


async def test_the_demos_credential(sqlite_url: str) -> None:
    """Only a demo's page comes with a credential, and it cannot break out of its attribute."""
    settings = Settings(database=sqlite_url, pepper=PEPPER, worker=False)
    app = create_app(settings, demo_credential='ck_"><script>')
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        page = await client.get("/")
    assert 'data-credential="ck_&quot;&gt;&lt;script&gt;"' in page.text


async def test_no_page_when_not_enabled(sqlite_url: str) -> None:
    """A deployment may do without the page."""
    async with open_bare(sqlite_url, graphiql=False) as stage:
        for path in ("/", "/static/graphiql.js"):
            assert (await stage.client.get(path)).status_code == 404


def test_vendored_files_have_their_licences() -> None:
    """What is not ours lies beside its licence."""
    for name in ("graphiql", "react"):
        assert "MIT License" in (STATIC / f"{name}.LICENSE").read_text()


async def test_unexpected_errors_are_masked(
    bare: Stage, monkeypatch: pytest.MonkeyPatch, lines: io.BytesIO
) -> None:
    """What goes wrong inside is told by a request id alone, which the log has as well, with the
    place where it went wrong, but without the words of the exception."""

    def broken(*_: object) -> None:
        raise RuntimeError("the secret is swordfish")

    monkeypatch.setattr("brands.registry.Snapshot.brand", broken)
    response = await bare.post({"query": '{ brand(code: "X") { id } }'})
    assert response.status_code == 200
    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert error["path"] == ["brand"]
    request_id = error["extensions"]["requestId"]
    assert request_id == response.headers["x-request-id"]
    (logged,) = [event for event in events(lines) if event["event"] == "unexpected"]
    assert logged["request_id"] == request_id
    assert logged["error"][0]["class"] == "builtins.RuntimeError"
    assert "test_process.py" in logged["error"][0]["at"][-1]
    assert "swordfish" not in response.text + lines.getvalue().decode()


async def test_errors_outside_the_executor_are_masked(
    bare: Stage, monkeypatch: pytest.MonkeyPatch, lines: io.BytesIO
) -> None:
    """What goes wrong before anything is executed is masked in the same way, with status 500."""

    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the secret is swordfish")

    monkeypatch.setattr("gateway.callers.auth.authenticate", broken)
    response = await bare.post({"query": "{ __typename }"})
    assert response.status_code == 500
    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert "swordfish" not in response.text + lines.getvalue().decode()


async def test_the_books_out_of_reach(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, lines: io.BytesIO
) -> None:
    """When nobody knows whether a command was posted, that is no answer but a top-level error."""
    async with open_stage(sqlite_url) as stage:
        ada = await stage.enrol("AERO")

        async def unreachable(*_: object) -> None:
            raise LedgerUnavailable

        monkeypatch.setattr(Ledger, "submit", unreachable)
        answer = await stage.ask(
            "mutation M($i: PointsAdjustInput!) { pointsAdjust(input: $i) { replayed } }",
            {
                "i": {
                    "membership": ada.memberships["AERO"],
                    "points": 1,
                    "reason": "x",
                    "idempotencyKey": key(),
                }
            },
        )
    assert [each["extensions"]["code"] for each in answer["errors"]] == ["SERVICE_UNAVAILABLE"]


async def test_logs_hold_nothing_personal(sqlite_url: str, lines: io.BytesIO) -> None:
    """Requests are logged with their id, client, status and duration, and with no personal data,
    no input and no credential."""
    async with open_stage(sqlite_url) as stage:
        ada = await stage.enrol("AERO")
        await stage.post(
            {"query": "query Wallet { viewer { member { profile { email } } } }"}, ada.token
        )
        await stage.post({"query": "{ secretField }"})
        tokens = [token.partition(".")[2] for token in (*stage.tokens.values(), ada.token)]
    text = lines.getvalue().decode()
    for private in ("Lovelace", "ada@ada.test", ada.number, "secretField", *tokens):
        assert private not in text
    logged = [event for event in events(lines) if event["event"] == "request"]
    assert logged[-1]["errors"] == ["GRAPHQL_VALIDATION_FAILED"]
    assert {"request_id", "client", "status", "milliseconds"} <= set(logged[-1])


def test_documents_are_remembered_from_the_second_time_on() -> None:
    """What is asked for again is remembered; the invalid is not, nor what comes but once, which
    pushes nothing out."""
    documents = Documents(SCHEMA._schema)
    assert documents.read("{ __typename }") is not documents.read("{ __typename }")
    known = documents.read("{ __typename }")
    assert documents.knows("{ __typename }")
    for _ in range(3):
        assert documents.read("{ nothing }").errors
    assert len(documents) == 1
    for number in range(300):
        documents.read(f"{{ a{number}: __typename }}")
    assert len(documents) == 1
    assert documents.read("{ __typename }") is known
    assert MAX_SEEN > 300


def test_documents_are_bounded_by_what_they_take(monkeypatch: pytest.MonkeyPatch) -> None:
    """However large documents are, together they take no more than is allowed; the oldest go."""
    monkeypatch.setattr("gateway.graphql.documents.MAX_REMEMBERED", 200_000)
    documents = Documents(SCHEMA._schema)
    small = "{ __typename }"
    large = "{ viewer {" + " kind" * 50 + " } }"
    for text in (small, *(f"query Q{number} {large}" for number in range(20))):
        for _ in range(2):
            assert documents.read(text).errors == ()
    assert not documents.knows(small)
    assert documents.knows(f"query Q19 {large}")
    assert 2 <= len(documents) <= 5
    huge = "{ __typename }" + " " * 60_000
    tracemalloc.start()
    try:
        kept = [documents.understand(f"query Q{number} {large}") for number in range(50)]
        tokens = sum(each.ast.token_count for each in kept if each.ast is not None)
        gc.collect()  # what validation leaves behind is not kept
        took = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert took / tokens <= BYTES_TO_A_TOKEN
    for number in range(8):
        documents.read(f"# {number}\n{huge}")
        documents.read(f"# {number}\n{huge}")
    assert len(documents) <= 3


PEPPERED = {"COALITION_PEPPER": "0123456789abcdef"}


def test_settings_from_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With no settings at all a gateway runs on an embedded database, whose pepper is kept beside
    it and is nobody else's to read."""
    monkeypatch.chdir(tmp_path)
    first, second = read_settings({}), read_settings({})
    assert first.database == "sqlite:///var/coalition.db"
    assert first.pepper == second.pepper
    assert len(first.pepper) >= 32
    kept = tmp_path / "var" / "coalition.db.pepper"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert list(kept.parent.iterdir()) == [kept]
    assert first.pepper.decode() not in repr(first)


def test_settings_from_the_environment() -> None:
    """Every setting can be given by the environment."""
    given = PEPPERED | {
        "COALITION_DATABASE": "postgresql://db/coalition",
        "COALITION_HOST": "0.0.0.0",
        "COALITION_PORT": "80",
        "COALITION_LANES": "4",
        "COALITION_GRAPHIQL": "no",
        "COALITION_WORKER": "off",
        "COALITION_PUBLIC_INTROSPECTION": "yes",
        "COALITION_MAX_BODY": "2048",
        "COALITION_MAX_COST": "700",
        "COALITION_RATE_OPERATOR": "10/1",
        "COALITION_RATE_BRAND": "20/2",
        "COALITION_RATE_AGENCY": "30/3",
        "COALITION_RATE_MEMBER": "40/4",
        "COALITION_RATE_ANONYMOUS": "50/5",
        "COALITION_TIMEOUT": "9",
        "COALITION_DOCUMENTS": "manifest.json",
        "COALITION_TRUSTED_ONLY": "yes",
        "COALITION_DRAIN_SECONDS": "3",
        "COALITION_PUBLIC_METRICS": "yes",
        "COALITION_PROXIES": "10.0.0.0/8, ::1",
        "COALITION_WORKER_PORT": "9000",
        "COALITION_TEST_POSTGRES": "for the tests",
    }
    assert read_settings(given) == Settings(
        database="postgresql://db/coalition",
        pepper=b"0123456789abcdef",
        host="0.0.0.0",
        port=80,
        lanes=4,
        graphiql=False,
        public_introspection=True,
        worker=False,
        max_body=2048,
        max_cost=700,
        rate_operator=Rate(10, 1),
        rate_brand=Rate(20, 2),
        rate_agency=Rate(30, 3),
        rate_member=Rate(40, 4),
        rate_anonymous=Rate(50, 5),
        timeout=9,
        documents="manifest.json",
        trusted_only=True,
        drain_seconds=3,
        public_metrics=True,
        proxies="10.0.0.0/8, ::1",
        worker_port=9000,
    )


@pytest.mark.parametrize(
    "given",
    [
        {"COALITION_DATABASE": "mysql://db"},
        {"COALITION_DATABASE": "postgresql://db"},
        {"COALITION_PORT": "0"},
        {"COALITION_PORT": "http"},
        {"COALITION_PORT": "65536"},
        {"COALITION_LANES": "-1"},
        {"COALITION_GRAPHIQL": "maybe"},
        {"COALITION_PEPPER": "short"},
        {"COALITION_MAX_BODY": "1"},
        {"COALITION_MAX_COST": "0"},
        {"COALITION_RATE_BRAND": "100"},
        {"COALITION_RATE_BRAND": "100/0"},
        {"COALITION_RATE_BRAND": "many/5"},
        {"COALITION_TIMEOUT": "0"},
        {"COALITION_TRUSTED_ONLY": "perhaps"},
        {"COALITION_DRAIN_SECONDS": "-1"},
        {"COALITION_PUBLIC_METRICS": "some"},
        {"COALITION_PROXIES": "the proxy"},
        {"COALITION_WORKER_PORT": "0"},
        {"COALITION_DATABSE": "sqlite:///x.db"},
    ],
)
def test_settings_that_make_no_sense(given: dict[str, str], tmp_path: Path) -> None:
    """A setting that makes no sense, or that nobody knows, stops the process with its name."""
    base = {"COALITION_DATABASE": f"sqlite:///{tmp_path / 'x.db'}"}
    with pytest.raises(BadSetting, match=r"COALITION_") as refused:
        read_settings(base | given)
    assert "short" not in str(refused.value)


async def test_the_last_use_of_keys(sqlite_url: str) -> None:
    """When a key was last used is written down when the gateway goes down, and not by reads."""
    async with open_bare(sqlite_url) as stage:
        await stage.data("{ viewer { kind } }")
        used = "SELECT count(*) AS n FROM credentials WHERE last_used_at IS NOT NULL"
        rows = await stage.coalition.database.fetch(used)
        assert rows[0]["n"] == 0
    opened = await open_coalition(sqlite_url)
    try:
        rows = await opened.database.fetch(used)
    finally:
        await opened.close()
    assert rows[0]["n"] == 1


async def test_what_is_held_is_let_go(sqlite_url: str) -> None:
    """When the gateway goes down its worker ends and its coalition is closed."""
    settings = Settings(database=sqlite_url, pepper=PEPPER, worker=True)
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        assert isinstance(app.state.coalition, Coalition)
        assert "worker" in {task.get_name() for task in asyncio.all_tasks()}
    assert "worker" not in {task.get_name() for task in asyncio.all_tasks()}


async def test_what_does_not_open_is_closed(tmp_path: Path) -> None:
    """If the coalition cannot be opened, what was opened before it is closed."""
    app = create_app(Settings(database=f"sqlite:///{tmp_path / 'none.db'}", pepper=PEPPER))
    closed: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        for place, name in ((MemberTokens, "tokens"), (Instruments, "instruments")):

            async def close(_: object, name: str = name) -> None:
                closed.append(name)

            patch.setattr(place, "close", close)
        with pytest.raises(OperationalError):
            async with app.router.lifespan_context(app):
                pass
    assert closed == ["tokens", "instruments"]
