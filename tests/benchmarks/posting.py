"""The write path: operations per second and latencies, beside pgbench on the same server.

    python -m tests.benchmarks.posting --help

Starts its own PostgreSQL (fsync on), which serves the baseline and us in turns, round by round: what
else the machine is doing befalls both. Figures are medians of the rounds. Ends by itself.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from rich.console import Console
from rich.progress import Progress

from tests.benchmarks.load import Operation, drive
from tests.benchmarks.pgbench import Pgbench
from tests.benchmarks.report import BASELINE, Cell, Report
from tests.benchmarks.town import Town, build
from tests.benchmarks.work import Commands, through_the_services, through_the_writer
from tests.postgres import running_server

SERVER_SETTINGS = {
    "shared_buffers": "256MB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "30min",
    "max_connections": "300",
}
"""One server for both sides. No checkpoint falls into the run: one side would pay for both."""

WAYS = ("pgbench", "writer", "service")
DATABASES = ("sqlite", "postgresql")

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
    seconds: Annotated[int, typer.Option(help="How long each run is.")] = 1,
    rounds: Annotated[int, typer.Option(help="Runs of each kind; medians count.")] = 3,
    members: Annotated[int, typer.Option(help="Member accounts.")] = 100_000,
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
    console = Console()
    report = Report(asdict(settings))
    with Progress(console=console, transient=True) as progress:
        for database in settings.databases:
            with _fresh(database) as url:
                uvloop.run(_Bench(settings, database, url, report, progress).run())
    report.show(console)
    if json is not None:
        report.write(json)


@contextmanager
def _fresh(database: str) -> Iterator[str]:
    """An empty database that is gone in the end."""
    if database == "sqlite":
        with tempfile.TemporaryDirectory(prefix="coalition-benchmark-") as directory:
            yield f"sqlite:///{directory}/books.db"
    else:
        with running_server(fsync=True, **SERVER_SETTINGS) as server:
            yield server.databases.fresh_database()


class _Bench:
    """All that is measured on one database."""

    def __init__(
        self, settings: Settings, database: str, url: str, report: Report, progress: Progress
    ) -> None:
        self._settings = settings
        self._database = database
        self._url = url
        self._report = report
        self._progress = progress

    async def run(self) -> None:
        baseline = await self._baseline()
        town = await build(
            self._url,
            accounts=self._settings.members,
            books=None if self._database == "sqlite" else self._settings.books,
            lanes=self._settings.lanes,
            progress=self._progress,
        )
        try:
            operations = self._operations(town)
            for operation in operations.values():
                await drive(operation, _WARM_UP_IN_FLIGHT, _WARM_UP_SECONDS)
            await self._rounds(baseline, operations)
        finally:
            await town.coalition.close()

    async def _baseline(self) -> Pgbench | None:
        if self._database == "sqlite" or not self._wanted("pgbench", "transfer"):
            return None
        baseline = Pgbench(self._url, self._settings.members)
        await baseline.prepare()
        return baseline

    def _operations(self, town: Town) -> dict[tuple[str, str], Operation]:
        writer = {
            ("writer", name): through_the_writer(town, work)
            for name, work in Commands(town).kinds().items()
        }
        services = {
            ("service", name): operation for name, operation in through_the_services(town).items()
        }
        return {
            names: operation
            for names, operation in (writer | services).items()
            if self._wanted(*names)
        }

    def _wanted(self, way: str, work: str) -> bool:
        only = self._settings.only
        kinds = [name for name in only if name not in WAYS]
        ways = [name for name in only if name in WAYS] or WAYS
        return way in ways and (way == "pgbench" or not kinds or work in kinds)

    async def _rounds(
        self, baseline: Pgbench | None, operations: dict[tuple[str, str], Operation]
    ) -> None:
        """Round by round, and within a round side by side for each number in flight."""
        settings = self._settings
        runs = settings.rounds * len(settings.in_flight)
        task = self._progress.add_task(f"Measuring on {self._database}", total=runs)
        for _ in range(settings.rounds):
            for number in settings.in_flight:
                if baseline is not None:
                    figures = await baseline.run(number, settings.seconds)
                    self._report.add(Cell(*BASELINE, number), figures)
                for (way, work), operation in operations.items():
                    figures = await drive(operation, number, settings.seconds)
                    self._report.add(Cell(self._database, way, work, number), figures)
                self._progress.advance(task)


if __name__ == "__main__":
    typer.run(main)
