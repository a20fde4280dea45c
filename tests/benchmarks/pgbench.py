"""The baseline: pgbench, one database transaction per transfer, the barest that keeps the promise.

A key that is unique, a payer who must have the points, two entries, and one of four receivers whom
everybody pays. No money legs, no lots, no answers remembered.
"""

import asyncio
import os
import tempfile
from pathlib import Path

import asyncpg

from tests.benchmarks.load import Figures
from tests.postgres import binary

_SCHEMA = """
CREATE TABLE bare_keys (key uuid PRIMARY KEY);
CREATE TABLE bare_payers (id bigint PRIMARY KEY, balance bigint NOT NULL CHECK (balance >= 0))
    WITH (fillfactor = 70);
CREATE TABLE bare_receivers (id bigint PRIMARY KEY, balance bigint NOT NULL)
    WITH (fillfactor = 10);
CREATE TABLE bare_entries (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account bigint NOT NULL,
    amount bigint NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
"""

_SCRIPT = """\
\\set payer random(1, {payers})
\\set receiver random({payers} + 1, {payers} + 4)
BEGIN;
INSERT INTO bare_keys VALUES (gen_random_uuid());
UPDATE bare_payers SET balance = balance - 1 WHERE id = :payer AND balance >= 1;
INSERT INTO bare_entries (account, amount) VALUES (:payer, -1), (:receiver, 1);
UPDATE bare_receivers SET balance = balance + 1 WHERE id = :receiver;
COMMIT;
"""

_THREADS = 2
_PATIENCE_SECONDS = 60


class Pgbench:
    """The baseline on one database. `prepare` it once, then `run` it as often as you like."""

    def __init__(self, url: str, payers: int) -> None:
        self._url = url
        self._payers = payers

    async def prepare(self) -> None:
        """Makes the tables, with payers who never run out."""
        connection = await asyncpg.connect(self._url)
        try:
            await connection.execute(_SCHEMA)
            await connection.execute(
                "INSERT INTO bare_payers SELECT id, 1000000000 FROM generate_series(1, $1) AS id",
                self._payers,
            )
            await connection.execute(
                "INSERT INTO bare_receivers SELECT $1 + n, 0 FROM generate_series(1, 4) AS n",
                self._payers,
            )
            for table in ("keys", "payers", "receivers", "entries"):
                await connection.execute(f"VACUUM ANALYZE bare_{table}")
        finally:
            await connection.close()

    async def run(self, clients: int, seconds: int) -> Figures:
        """Transfers per second with so many clients, and what each took."""
        with tempfile.TemporaryDirectory(prefix="coalition-pgbench-") as name:
            directory = Path(name)
            script = directory / "transfer.sql"
            script.write_text(_SCRIPT.format(payers=self._payers))
            await self._pgbench(
                *("-n", "-f", str(script), "-M", "prepared"),
                *("-c", str(clients), "-j", str(min(clients, _THREADS)), "-T", str(seconds)),
                *("-l", "--log-prefix", str(directory / "log")),
                patience=seconds + _PATIENCE_SECONDS,
            )
            return _figures(directory)

    async def _pgbench(self, *arguments: str, patience: int) -> None:
        program = binary("pgbench")
        process = await asyncio.create_subprocess_exec(
            *(str(program) if program.exists() else "pgbench", *arguments, self._url),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=os.environ | {"PGOPTIONS": "-c client_min_messages=warning"},
        )
        try:
            async with asyncio.timeout(patience):
                said, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            raise RuntimeError(f"pgbench ended with {process.returncode}: {said.decode()}")


def _figures(directory: Path) -> Figures:
    """From pgbench's log, one line a transaction: its latency is third, then the time it ended."""
    latencies: list[int] = []
    first, last = float("inf"), 0.0
    for log in directory.glob("log*"):
        for line in log.read_text().splitlines():
            _, _, took, _, seconds, micros, *_ = line.split()
            ended = int(seconds) + int(micros) / 1e6
            first, last = min(first, ended - int(took) / 1e6), max(last, ended)
            latencies.append(int(took))
    return Figures.of([micros / 1e3 for micros in latencies], max(last - first, 1e-6))
