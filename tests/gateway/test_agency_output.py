"""What `coalition agency import` prints, where that goes, and what is told of it when it ends."""

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from contextlib import suppress
from pathlib import Path

import pytest

from gateway.commands.agency import OUTPUT_CLOSED
from gateway.files import bookings_file
from gateway.signals import TERMINATED
from tests.brands.booked import Scene
from tests.gateway.importing import HEADER, row
from tests.gateway.test_agency_command import founded
from tests.gateway.test_cli import Command, coalition, environment, failed

__all__ = ["coalition", "founded"]

IMPORT = (sys.executable, "-m", "gateway", "agency", "import", "--agency", "SKY")


def buffered() -> dict[str, str]:
    """The environment of a process whose output is kept back as far as it may be, and that knows
    of its terminal what that says itself."""
    sizes = {"COLUMNS", "LINES"}
    known = {name: value for name, value in environment().items() if name not in sizes}
    return {**known, "PYTHONUNBUFFERED": ""}


def many(it: Scene, count: int, name: str = "many.csv") -> str:
    """A file with so many rows of bookings."""
    rows = (row(it, f"LOC{n}", n) for n in range(1, count + 1))
    Path(name).write_text(HEADER + "".join(rows))
    return name


@pytest.mark.parametrize("more", [(), ("--csv",)])
def test_a_reader_that_has_enough(founded: tuple[Command, Scene], more: tuple[str, ...]) -> None:
    """When nobody reads on, an import ends behind the rows under way, quietly, and sums up what it
    has done."""
    _, it = founded
    command = (*IMPORT, many(it, 300), *more)
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=buffered(), stdout=pipe, stderr=pipe) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read().decode().splitlines()
        assert process.wait(60) == OUTPUT_CLOSED
    (done,) = {line for line in said if "rows" in line}
    count = int(done.split()[0])
    assert 0 < count < 300
    assert said[-1] == f"{count} rows: {count} attached."


@pytest.mark.parametrize("more", [(), ("--csv",)])
def test_output_that_has_no_room(founded: tuple[Command, Scene], more: tuple[str, ...]) -> None:
    """Where the report cannot be written, that is an error, and what was done is summed up."""
    _, it = founded
    with Path("/dev/full").open("w") as full:
        command = (*IMPORT, many(it, 30), *more)
        done = subprocess.run(
            command, env=buffered(), stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 1
    assert done.stderr.decode().splitlines()[1:] == [
        "10 rows: 10 attached.",
        "error: standard output: No space left on device",
    ]


def test_a_wait_is_told_and_can_be_terminated(founded: tuple[Command, Scene]) -> None:
    """Before an import waits, it says so, what for and until when, on standard error; told to
    terminate, it sums up and ends with its own status."""
    _, it = founded
    rows = (row(it, number=f"AERO{n:08}", surname=f"B{n}") for n in range(60))
    Path("wrong.csv").write_text(HEADER + "".join(rows))
    pipe = subprocess.PIPE
    command = (*IMPORT, "wrong.csv")
    with subprocess.Popen(command, env=buffered(), stdout=pipe, stderr=pipe) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        while not (line := process.stderr.readline()).startswith(b"waiting"):
            assert process.poll() is None
        assert line.startswith(b"waiting 60 s, until ")
        assert line.endswith(b" UTC: too many lookups of the agency did not match\n")
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == TERMINATED
        lines = process.stdout.read().decode().splitlines()
        said = process.stderr.read().decode().splitlines()
    assert said == [f"{len(lines)} rows: {len(lines)} not attached.", "error: terminated"]


@pytest.mark.parametrize("width", [40, 120])
def test_on_a_terminal(founded: tuple[Command, Scene], width: int) -> None:
    """On a terminal there is one heading, however the rows come, and on a narrow one none; the
    values are whole."""
    _, it = founded
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    command = (*IMPORT, many(it, 120))
    with subprocess.Popen(command, env=buffered(), stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # which is how a terminal ends
            while block := os.read(ours, 65536):
                shown += block
        assert process.wait(60) == 0
    os.close(ours)
    text = shown.decode()
    assert text.count("result") == (0 if width < 80 else 1)
    assert text.count("attached") == 121
    assert "\u2026" not in text
    assert text.count(it.ada.named["AERO"].number) == 120


@pytest.mark.parametrize("through", ["-", "/dev/stdin"])
def test_input_through_a_pipe(founded: tuple[Command, Scene], through: str) -> None:
    """A file may come through a pipe, which cannot be read twice."""
    _, it = founded
    done = subprocess.run(
        (*IMPORT, through),
        env=buffered(),
        input=(HEADER + row(it)).encode(),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout.count(b"attached")) == (0, 1)


def test_too_much_through_a_pipe(
    founded: tuple[Command, Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes through a pipe is bounded."""
    command, it = founded
    monkeypatch.setattr(bookings_file, "MAX_PIPED", 100)
    os.mkfifo("pipe")
    many(it, 30)
    with subprocess.Popen(("cp", "many.csv", "pipe")):
        failed(command("agency", "import", "pipe", "--agency", "SKY"), "load it from a file")
