"""The command line: what it prints, where, and with which status it ends."""

import asyncio
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from brands.agencies import NewAgency, create_agency
from brands.authentication import authenticate
from brands.coalition import open_coalition
from gateway.cli import app
from gateway.commands.keys import KEEPER
from gateway.settings import read_settings
from gateway.web.error_page import error_page
from schema.root import SCHEMA
from tests.brands.stage import open_brand

Command = Callable[..., Result]

UNREACHABLE = "postgresql://postgres@127.0.0.1:1/nothing"


@pytest.fixture
def coalition(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command `coalition`, in an empty directory and with no settings."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("COALITION_")]:
        monkeypatch.delenv(name)
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


@pytest.fixture
def founded(coalition: Command) -> Command:
    """The same, with a coalition that has one brand, TUNE."""
    assert coalition("migrate").exit_code == 0

    async def brand() -> None:
        opened = await open_coalition(read_settings().database)
        try:
            await open_brand(opened, "TUNE", "0.01")
        finally:
            await opened.close()

    asyncio.run(brand())
    return coalition


def failed(result: Result, *words: str) -> None:
    """It ended with status 1 and one line of error that has these words."""
    assert result.exit_code == 1
    assert result.stderr.count("error:") == 1
    line = result.stderr.strip().splitlines()[-1]
    assert line.startswith("error: ")
    assert "Traceback" not in result.output
    for word in words:
        assert word in line


def test_migrating_founds_a_coalition_once(coalition: Command) -> None:
    """Migrating tells what it applied and founded; again, it applies and changes nothing."""
    first = coalition("migrate", "--name", "Ours", "--currency", "JPY")
    assert first.exit_code == 0
    assert first.stdout == "Ours: settles in JPY, books: 1\n"
    assert "applied m0001" in first.stderr
    again = coalition("migrate")
    assert (again.exit_code, again.stdout, again.stderr) == (0, first.stdout, "")
    with closing(sqlite3.connect("var/coalition.db")) as database:
        assert database.execute("SELECT minor_digits FROM coalition").fetchone() == (0,)


def test_a_coalition_keeps_its_currency(founded: Command) -> None:
    """A coalition cannot be founded again in another currency, nor in none."""
    failed(founded("migrate", "--currency", "EUR"), "settles in USD")
    failed(founded("migrate", "--currency", "euros"), "three capital letters")
    failed(founded("migrate", "--books", "2"), "1 books")


@pytest.mark.parametrize(
    "command",
    [
        ("audit",),
        ("worker",),
        ("serve", "--port", "0"),
        ("keys", "list"),
        ("keys", "create", "--kind", "operator", "--name", "x"),
        ("keys", "revoke", "x"),
        ("import", "purchases", "file.csv", "--brand", "TUNE"),
        ("rules", "apply", "file.csv"),
        ("rules", "show"),
    ],
)
def test_what_is_not_prepared(
    coalition: Command, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    """Without a database, or on one that cannot be reached or is none, there is one line that says
    so, and no database is made by the way."""
    Path("file.csv").write_text("customer,date,amount\n")
    failed(coalition(*command), "there is no database var/coalition.db", "coalition migrate")
    assert not Path("var/coalition.db").exists()
    Path("var/coalition.db").touch()
    failed(coalition(*command), "has not the newest schema", "coalition migrate")
    Path("var/coalition.db").write_bytes(b"no database" * 100)
    failed(coalition(*command), "var/coalition.db: file is not a database")
    monkeypatch.setenv("COALITION_PEPPER", "0123456789abcdef")
    monkeypatch.setenv("COALITION_DATABASE", UNREACHABLE)
    failed(coalition(*command), "refused")


def test_migrating_what_cannot_be(coalition: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """A URL of no database that we know, a file that is none, and a server that is not there: one
    line each."""
    Path("notes.db").write_text("not a database, but notes" * 100)
    monkeypatch.setenv("COALITION_DATABASE", "sqlite:///notes.db")
    failed(coalition("migrate"), "notes.db: file is not a database")
    failed(coalition("demo"), "notes.db: file is not a database")
    monkeypatch.setenv("COALITION_DATABASE", "mysql://localhost/x")
    failed(coalition("migrate"), "COALITION_DATABASE", "mysql")
    monkeypatch.setenv("COALITION_PEPPER", "0123456789abcdef")
    monkeypatch.setenv("COALITION_DATABASE", UNREACHABLE)
    failed(coalition("migrate"), "refused")


def test_a_key_is_shown_once(founded: Command) -> None:
    """A new key is all there is on standard output, it is good, and the list does not show it."""
    made = founded("keys", "create", "--kind", "brand", "--name", "till", "--brand", "TUNE")
    assert made.exit_code == 0
    token = made.stdout.strip()
    assert "cannot be shown again" in made.stderr

    async def holder() -> str:
        settings = read_settings()
        opened = await open_coalition(settings.database)
        try:
            caller = await authenticate(opened, token, settings.pepper)
        finally:
            await opened.close()
        return "nobody" if caller is None else caller.kind.value

    assert asyncio.run(holder()) == "BRAND"
    listed = founded("keys", "list")
    (row,) = listed.stdout.splitlines()
    id, kind, name, owner, *_, status = row.split("\t")
    assert (kind, name, owner, status) == ("BRAND", "till", "TUNE", "live")
    assert token.partition(".")[2] not in listed.output

    assert founded("keys", "revoke", id).stdout == f"Key {id} is revoked.\n"
    assert asyncio.run(holder()) == "nobody"
    assert "revoked" in founded("keys", "list").stdout


def test_keys_of_an_agency(founded: Command) -> None:
    """A key of an agency names it, and the list says whose it is."""
    create = ("keys", "create", "--kind", "agency", "--name", "booking")
    failed(founded(*create), "agency")
    failed(founded(*create, "--agency", "SKYTRIP"), "There is no agency SKYTRIP")
    assert founded("keys", "list").stdout == ""

    async def take_in() -> None:
        opened = await open_coalition(read_settings().database)
        try:
            await create_agency(opened, KEEPER, NewAgency("SKYTRIP", "Sky Trip"))
        finally:
            await opened.close()

    asyncio.run(take_in())
    token = founded(*create, "--agency", "SKYTRIP").stdout.strip()
    id, kind, name, owner, *_ = founded("keys", "list").stdout.split("\t")
    assert token.startswith(f"ck_a_{id}.")
    assert (kind, name, owner) == ("AGENCY", "booking", "SKYTRIP")


def test_keys_that_cannot_be(founded: Command) -> None:
    """A key for a brand or member that is not there, or with a scope that there is none of: one
    line, and no key."""
    create = ("keys", "create", "--name", "x", "--kind")
    failed(founded(*create, "brand", "--brand", "NONE"), "There is no brand NONE")
    failed(founded(*create, "brand"), "BRAND key names its brand")
    failed(founded(*create, "member", "--member", "123"), "There is no member 123")
    failed(founded(*create, "agency", "--agency", "SKYTRIP", "--scope", "pii"), "scope")
    failed(founded("keys", "revoke", "x"), "There is no credential x")
    assert founded("keys", "list").stdout == ""


def test_an_audit_of_books_that_are_right(founded: Command) -> None:
    """The audit of books that are right says so and ends with status 0."""
    audited = founded("audit")
    assert audited.exit_code == 0
    assert audited.stdout.startswith("All ")
    assert audited.stdout.endswith("laws hold.\n")


def test_an_audit_of_books_that_are_not(founded: Command) -> None:
    """The audit of books in which one balance was changed names the law and the account, and ends
    with status 1."""
    with closing(sqlite3.connect("var/coalition.db")) as database:
        (account,) = database.execute("SELECT id FROM accounts WHERE kind = 'MARGIN'").fetchone()
        database.execute("UPDATE accounts SET balance = 1 WHERE id = ?", (account,))
        database.commit()
    audited = founded("audit")
    assert audited.exit_code == 1
    assert "broken: a balance is the sum of its entries" in audited.stdout
    assert account in audited.stdout


def test_an_import_sums_up(founded: Command) -> None:
    """An import without bad lines ends with status 0 and what became of its lines."""
    Path("p.csv").write_text("customer,date,amount\na,1997-01-01,5.50\nb,1997-01-01,0.50\n")
    done = founded("import", "purchases", "p.csv", "--brand", "TUNE")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "loaded\t1",
        "already there\t0",
        "no points (less than one whole unit)\t1",
        "refused\t0",
        "bad\t0",
        "5 points were credited.",
    ]


def test_an_import_with_bad_lines(founded: Command) -> None:
    """Bad lines are named on standard error, the others loaded, and the status is 1."""
    Path("p.csv").write_text("customer,date,amount\na,1997-01-01,5.50\nb,someday,1\nc,1997-01-01,2")
    done = founded("import", "purchases", "p.csv", "--brand", "TUNE", "--no-enrol")
    assert done.exit_code == 1
    assert done.stderr.splitlines()[1:] == [
        "line 2: There is no member a.",
        'line 3: "someday" is not a date like 1997-12-31',
        "line 4: There is no member c.",
    ]
    done = founded("import", "purchases", "p.csv", "--brand", "TUNE")
    assert done.exit_code == 1
    assert "loaded\t2" in done.stdout


def test_imports_that_cannot_begin(founded: Command) -> None:
    """A file that is not there, is a directory or has no such columns, and a brand that is not
    there: one line each."""
    Path("p.csv").write_text("customer;date;amount\n")
    failed(founded("import", "purchases", "q.csv", "--brand", "TUNE"), "q.csv: No such file")
    failed(founded("import", "purchases", ".", "--brand", "TUNE"), "Is a directory")
    failed(founded("import", "purchases", "p.csv", "--brand", "TUNE"), "the header (line 1) lacks")
    failed(founded("import", "purchases", "p.csv", "--brand", "NONE"), "There is no brand NONE")


def test_the_schema_is_exported(coalition: Command) -> None:
    """The schema is printed, or written to a file, whole and the same."""
    assert coalition("schema", "export").stdout == SCHEMA.as_str() + "\n"
    assert coalition("schema", "export", "--output", "s.graphql").exit_code == 0
    assert Path("s.graphql").read_text() == SCHEMA.as_str() + "\n"
    assert coalition("schema", "export", "--subgraph").stdout == SCHEMA.subgraph_sdl + "\n"
    failed(coalition("schema", "export", "--output", "no/s.graphql"), "no/s.graphql")


def test_the_error_page_is_made(coalition: Command) -> None:
    """The page of error codes is printed, or written to a file, whole and the same."""
    page = error_page(SCHEMA._schema) + "\n"
    assert coalition("schema", "errors").stdout == page
    assert coalition("schema", "errors", "--output", "e.md").exit_code == 0
    assert Path("e.md").read_text() == page


def test_a_port_that_is_taken(founded: Command) -> None:
    """A gateway whose port is taken says so at once."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        failed(founded("serve", "--port", port), f"port {port}", "in use")
        failed(founded("serve", "--demo", "--port", port), f"port {port}", "in use")
    failed(founded("serve", "--host", "no.such.host.invalid"), "no.such.host.invalid")


def test_settings_that_make_no_sense(coalition: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt setting is one line as well."""
    monkeypatch.setenv("COALITION_PROT", "8000")
    failed(coalition("serve"), "COALITION_PROT")


def test_the_demo_leaves_others_alone(founded: Command) -> None:
    """The demo is not made in a database that holds another coalition."""
    failed(founded("demo"), "holds the coalition 'Coalition'")


def test_usage_errors(coalition: Command) -> None:
    """A command that there is none of, or that lacks an argument, ends with status 2."""
    for command in (("fly",), ("import", "purchases"), ("serve", "--port", "65536")):
        assert coalition(*command).exit_code == 2


def test_the_worker_ends_when_told(founded: Command) -> None:
    """The worker works until SIGTERM, and ends in peace."""
    command = [sys.executable, "-m", "gateway", "worker"]
    with subprocess.Popen(command, env=environment(), stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        assert b"worker is up" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_killed_and_started_again(founded: Command) -> None:
    """An import that is killed again and again, and started once more, ends with exactly the right
    sums."""
    rows = 6_000
    Path("p.csv").write_text(
        "customer,date,amount\n"
        + "".join(f"c{row // 3},1997-01-{row % 28 + 1:02},{row % 50}.99\n" for row in range(rows))
    )
    command = [sys.executable, "-m", "gateway", "import", "purchases", "p.csv", "--brand", "TUNE"]
    loaded = 0
    for _ in range(2):
        process = subprocess.Popen(
            command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        while posted()[0] <= loaded and process.poll() is None:
            time.sleep(0.01)
        process.kill()
        process.communicate()
        loaded = posted()[0]
    assert 0 < loaded < rows
    done = founded("import", "purchases", "p.csv", "--brand", "TUNE")
    earning = [row % 50 for row in range(rows) if row % 50]
    assert f"already there\t{loaded:,}" in done.stdout
    assert f"loaded\t{len(earning) - loaded:,}" in done.stdout
    assert posted() == (len(earning), sum(earning))
    assert founded("audit").exit_code == 0


def posted() -> tuple[int, int]:
    """The accruals in the books, and the points that members have."""
    with closing(sqlite3.connect("var/coalition.db")) as database:
        accruals = database.execute("SELECT count(*) FROM transactions").fetchone()
        points = database.execute("SELECT sum(balance) FROM accounts WHERE kind = 'POINTS'")
        return accruals[0], points.fetchone()[0] or 0


def environment() -> dict[str, str]:
    """The environment of a process of its own, which finds the packages from wherever it runs."""
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
