"""The write path: operations per second and latencies, beside pgbench on the same server.

    python -m tests.benchmarks.posting --help

Starts its own PostgreSQL (fsync on), which serves the baseline and us in turns, round by round:
what else the machine is doing befalls both. Figures are medians of the rounds. Ends by itself.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import asyncpg
import typer
import uvloop
from rich.console import Console
from rich.progress import Progress

from gateway.running import quicken
from tests.benchmarks.load import Figures, Operation, drive
from tests.benchmarks.pgbench import Pgbench
from tests.benchmarks.report import Cell, Report
from tests.benchmarks.town import Town, build
from tests.benchmarks.web import Web, serving
from tests.benchmarks.work import Commands, through_the_services, through_the_writer
from tests.postgres import running_server

SERVER_SETTINGS = {
    "shared_buffers": "256MB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "30min",
    "max_connections": "300",
}
"""One server for both sides. No checkpoint falls into the run: one side would pay for both."""

WAYS = ("pgbench", "writer", "service", "http")
KINDS = ("payment", "conversion", "accrual", "ruled", "gift")
DATABASES = ("sqlite", "postgresql")

_WIDTH = 140
"""Of the table where there is no terminal to fit it to, in characters."""

_WARM_UP_SECONDS = 0.5
_WARM_UP_IN_FLIGHT = 64


@dataclass(frozen=True, slots=True)
class Settings:
    """What to run."""

    seconds: int
    rounds: int
    members: int
    databases: Sequence[str]
    in_flight: Sequence[int]
    books: int | None
    lanes: int | None
    only: Sequence[str]


def main(
    seconds: Annotated[int, typer.Option(min=1, help="How long each run is.")] = 1,
    rounds: Annotated[int, typer.Option(min=1, help="Runs of each kind; medians count.")] = 3,
    members: Annotated[int, typer.Option(min=100, help="Member accounts.")] = 100_000,
    databases: Annotated[str, typer.Option()] = ",".join(DATABASES),
    in_flight: Annotated[str, typer.Option(help="Callers at once.")] = "1,16,64,256",
    books: Annotated[int | None, typer.Option(help="On PostgreSQL; SQLite has one.")] = None,
    lanes: Annotated[int | None, typer.Option(help="Writing connections.")] = None,
    only: Annotated[str, typer.Option(help="Ways or kinds of work.")] = ",".join(WAYS),
    json: Annotated[Path | None, typer.Option(help="Write every figure there.")] = None,
) -> None:
    """Measures the write path beside its baseline, and prints a table."""
    settings = Settings(
        seconds,
        rounds,
        members,
        databases.split(","),
        [int(number) for number in in_flight.split(",")],
        books,
        lanes,
        only.split(","),
    )
    for name in settings.databases:
        if name not in DATABASES:
            raise typer.BadParameter(f"no such database: {name}")
    for name in settings.only:
        if name not in (*WAYS, *KINDS):
            raise typer.BadParameter(f"neither a way nor a kind of work: {name}")
    console = Console()
    report = Report(asdict(settings))
    with Progress(console=console, transient=True) as progress:
        for database in settings.databases:
            with _fresh(database) as place:
                uvloop.run(_Bench(settings, database, report, progress).run(*place))
    report.show(console if console.is_terminal else Console(width=_WIDTH))
    if json is not None:
        report.write(json)


@contextmanager
def _fresh(database: str) -> Iterator[tuple[str, Path]]:
    """The URL of an empty database, and a directory for whatever else; both gone in the end."""
    with tempfile.TemporaryDirectory(prefix="coalition-benchmark-") as name:
        directory = Path(name)
        if database == "sqlite":
            yield f"sqlite:///{directory}/books.db", directory
        else:
            with running_server(fsync=True, **SERVER_SETTINGS) as server:
                yield server.databases.fresh_database(), directory


class _Bench:
    """All that is measured on one database."""

    def __init__(
        self, settings: Settings, database: str, report: Report, progress: Progress
    ) -> None:
        self._settings = settings
        self._database = database
        self._report = report
        self._progress = progress

    async def run(self, url: str, directory: Path) -> None:
        """Builds a town, then measures whatever is wanted of it in rounds."""
        on_sqlite = self._database == "sqlite"
        wants_baseline = not on_sqlite and self._wanted("pgbench", "transfer")
        baseline = Pgbench(url, self._settings.members) if wants_baseline else None
        if baseline is not None:
            await baseline.prepare()
        async with AsyncExitStack() as stack:
            town = await build(
                url,
                accounts=self._settings.members,
                books=None if on_sqlite else self._settings.books,
                lanes=self._settings.lanes,
                progress=self._progress,
            )
            stack.push_async_callback(town.coalition.close)
            if not on_sqlite:
                await _settle(url)
            web = None
            if self._wanted("http", "conversion"):
                serve = serving(town, url, directory, self._settings.lanes)
                web = await stack.enter_async_context(serve)
            operations = self._operations(town)
            quicken()
            await self._warm_up(operations, web)
            await self._rounds(baseline, operations, web)

    def _operations(self, town: Town) -> dict[tuple[str, str], Operation]:
        made: dict[tuple[str, str], Operation] = {}
        for name, work in Commands(town).kinds().items():
            made["writer", name] = through_the_writer(town, work)
        for name, operation in through_the_services(town).items():
            made["service", name] = operation
        return {names: operation for names, operation in made.items() if self._wanted(*names)}

    def _wanted(self, way: str, work: str) -> bool:
        ways = [name for name in self._settings.only if name in WAYS] or WAYS
        kinds = [name for name in self._settings.only if name in KINDS] or KINDS
        return way in ways and (way == "pgbench" or work in kinds)

    async def _warm_up(self, operations: dict[tuple[str, str], Operation], web: Web | None) -> None:
        for operation in operations.values():
            await drive(operation, _WARM_UP_IN_FLIGHT, _WARM_UP_SECONDS)
        if web is not None:
            await web.run(_WARM_UP_IN_FLIGHT, 1)

    async def _rounds(
        self,
        baseline: Pgbench | None,
        operations: dict[tuple[str, str], Operation],
        web: Web | None,
    ) -> None:
        """Round by round, and within a round side by side for each number in flight."""
        seconds, in_flight = self._settings.seconds, self._settings.in_flight
        runs = self._settings.rounds * len(in_flight)
        task = self._progress.add_task(f"Measuring on {self._database}", total=runs)
        for _ in range(self._settings.rounds):
            for number in in_flight:
                if baseline is not None:
                    self._note("pgbench", "transfer", number, await baseline.run(number, seconds))
                for (way, work), operation in operations.items():
                    self._note(way, work, number, await drive(operation, number, seconds))
                if web is not None:
                    self._note("http", "conversion", number, await web.run(number, seconds))
                self._progress.advance(task)

    def _note(self, way: str, work: str, in_flight: int, figures: Figures) -> None:
        self._report.add(Cell(self._database, way, work, in_flight), figures)


async def _settle(url: str) -> None:
    """Tables as they are once the server has had time to look after them."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


if __name__ == "__main__":
    typer.run(main)
