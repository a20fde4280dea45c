"""The same over HTTP: the gateway in a process of its own, and the callers in another."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import orjson

from brands.callers import CallerKind
from brands.credentials import NewKey, create_key
from schema.nodes import Tag, global_id
from tests.benchmarks.load import PATIENCE_SECONDS, Figures
from tests.benchmarks.town import OPERATOR, Town

_PEPPER = "the pepper of a benchmark"
_START_SECONDS = 30
_STOP_SECONDS = 30
_ADDRESS = re.compile(rb"http://127\.0\.0\.1:(\d+)")
_CALLERS_KNOW = 20_000
"""So many members are picked from."""


class Web:
    """A gateway that serves a town, and what its callers are told about it."""

    def __init__(self, port: int, told: Path) -> None:
        self._port = port
        self._told = told

    async def run(self, in_flight: int, seconds: int) -> Figures:
        """Conversions per second over so many connections, one request under way on each."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.benchmarks.web_callers"),
            *(str(self._port), str(self._told), str(in_flight), str(seconds)),
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(seconds + 2 * PATIENCE_SECONDS):
                said, _ = await process.communicate()
        finally:
            await _end(process)
        if process.returncode:
            raise RuntimeError(f"the callers ended with {process.returncode}")
        return Figures(**orjson.loads(said))


@asynccontextmanager
async def serving(town: Town, url: str, directory: Path, lanes: int | None) -> AsyncIterator[Web]:
    """Serves the town from a process of its own, on a free port of 127.0.0.1."""
    told = directory / "told.json"
    told.write_bytes(await _told(town))
    environment = os.environ | {
        "COALITION_DATABASE": url,
        "COALITION_PEPPER": _PEPPER,
        "COALITION_WORKER": "no",
    }
    if lanes is not None:
        environment["COALITION_LANES"] = str(lanes)
    with (directory / "gateway.log").open("w") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway", "serve", "--host", "127.0.0.1", "--port", "0"),
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            env=environment,
        )
    try:
        yield Web(await _port(process), told)
    finally:
        await _end(process)


async def _told(town: Town) -> bytes:
    """What the callers need to know: a credential, and members' memberships by their global ids."""
    new = NewKey(CallerKind.OPERATOR, "benchmark")
    created = await create_key(town.coalition, OPERATOR, new, _PEPPER.encode())
    memberships = [
        (global_id(Tag.MEMBERSHIP, resident.one.id), global_id(Tag.MEMBERSHIP, resident.other.id))
        for resident in town.residents[:_CALLERS_KNOW]
    ]
    return orjson.dumps({"token": created.token, "memberships": memberships})


async def _port(process: asyncio.subprocess.Process) -> int:
    assert process.stdout is not None
    async with asyncio.timeout(_START_SECONDS):
        async for line in process.stdout:
            if found := _ADDRESS.search(line):
                return int(found[1])
    raise RuntimeError("the gateway did not start")


async def _end(process: asyncio.subprocess.Process) -> None:
    """Asks a process to end, and ends it if it does not."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
