"""A gateway in a process of its own, as it runs in production."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from tests.gateway.stage import PEPPER, Json

ROOT = Path(__file__).parents[2]


class Gateway:
    """One that is up."""

    def __init__(self, process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
        self.process = process
        self.url = url
        self._log = log

    def events(self) -> list[Json]:
        """What it has logged so far."""
        return [orjson.loads(line) for line in self._log.read_bytes().splitlines()]

    def log(self) -> str:
        """The same, as it stands."""
        return self._log.read_text()

    def signal(self, number: int = signal.SIGTERM) -> None:
        """Sends it a signal."""
        self.process.send_signal(number)

    def wait(self, seconds: float = 30) -> int:
        """Waits for its end; the status that it ended with."""
        return self.process.wait(seconds)


@contextmanager
def started(
    url: str, log: Path, *command: str, **variables: str
) -> Iterator["subprocess.Popen[bytes]"]:
    """A command on the database at `url` that logs there, killed in the end if it has not ended."""
    environment = {
        **{name: value for name, value in os.environ.items() if not _is_ours(name)},
        "PYTHONPATH": str(ROOT),
        "COALITION_DATABASE": url,
        "COALITION_PEPPER": PEPPER.decode(),
        **variables,
    }
    with (
        log.open("wb") as lines,
        subprocess.Popen(
            [sys.executable, "-m", "gateway", *command],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=lines,
            cwd=log.parent,
        ) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def served(url: str, log: Path, **variables: str) -> Iterator[Gateway]:
    """A gateway over the database at `url` that has said where it is."""
    with started(url, log, "serve", "--port", "0", **variables) as process:
        assert process.stdout is not None
        said = process.stdout.readline().decode()
        assert "The gateway serves" in said, log.read_text()
        yield Gateway(process, said.split()[-1].removesuffix("/graphql"), log)


def _is_ours(name: str) -> bool:
    return name.startswith(("COALITION_", "OTEL_"))
