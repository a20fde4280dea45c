"""`coalition agency`: loading a file, printing a booking, and the report."""

import asyncio
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from brands.agencies import AgencyStatus, set_status
from brands.callers import Caller
from brands.coalition import Coalition, open_coalition
from brands.errors import LedgerUnavailable
from brands.travel.attaching import attach, detach
from brands.travel.bookings import SegmentStatus
from brands.travel.claims import ClaimStatus
from gateway.files import agency_import
from gateway.running import INTERRUPTED
from gateway.settings import read_settings
from tests.brands.booked import LAST_WEEK, Scene, scene
from tests.brands.stage import OPERATOR
from tests.gateway.importing import HEADER, bookings, row
from tests.gateway.test_cli import Command, coalition, environment, failed

__all__ = ["coalition"]


@pytest.fixture
def founded(coalition: Command) -> tuple[Command, Scene]:
    """The command, and the scene of bookings."""
    assert coalition("migrate").exit_code == 0

    async def make() -> Scene:
        made = await open_coalition(read_settings().database)
        try:
            return await scene(made)
        finally:
            await made.close()

    return coalition, asyncio.run(make())


def test_the_command(founded: tuple[Command, Scene]) -> None:
    """It prints a line for each row and sums up; its status is 1 if anything is wrong."""
    command, it = founded
    Path("good.csv").write_text(HEADER + row(it))
    Path("bad.csv").write_text(HEADER + row(it) + row(it, surname=""))
    number = it.ada.named["AERO"].number
    done = command("agency", "import", "good.csv", "--agency", "SKY")
    said = f"2\tAE {number} LOVELACE/BEA MS AB12CD AE117 {LAST_WEEK} LIS\tMATCH\tattached\t\n"
    assert (done.exit_code, done.stdout) == (0, said)
    assert "1 rows: 1 attached." in done.stderr
    done = command("agency", "import", "bad.csv", "--agency", "SKY", "--csv")
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        "line,program,number,surname,given_name,record_locator,what,status,result,why",
        f"2,AE,{number},LOVELACE,BEA MS,AB12CD,AE117 {LAST_WEEK} LIS,MATCH,already there,",
        "3,,,,,,,,bad,there is no surname",
    ]
    done = command("agency", "import", "good.csv", "--agency", "SKY", "--verify-only")
    assert (done.exit_code, done.stdout.split("\t")[3]) == (0, "verified")


def test_what_stops_the_command(founded: tuple[Command, Scene]) -> None:
    """An agency that there is not or that is suspended, and a file that cannot be read, are told
    in one line."""
    command, it = founded
    Path("good.csv").write_text(HEADER + row(it))
    Path("odd.xml").write_text("<a><b></a>")
    failed(command("agency", "import", "good.csv", "--agency", "NOWHERE"), "NOWHERE")
    failed(command("agency", "import", "none.csv", "--agency", "SKY"), "none.csv")
    failed(command("agency", "import", "odd.xml", "--agency", "SKY"), "nothing was loaded")

    async def suspend() -> None:
        made = await open_coalition(read_settings().database)
        try:
            await set_status(made, OPERATOR, "SKY", AgencyStatus.SUSPENDED)
        finally:
            await made.close()

    asyncio.run(suspend())
    failed(command("agency", "import", "good.csv", "--agency", "SKY"), "suspended")


def test_a_file_with_nothing_in_it(founded: tuple[Command, Scene]) -> None:
    """A file without a row is no success, whatever its form; what is passed over in it is told."""
    command, _ = founded
    for text in ("", HEADER, "ABC123\n1.GARCIA/MARIA MS\n"):
        Path("empty").write_text(text)
        failed(command("agency", "import", "empty", "--agency", "SKY"), "no loyalty number in it")
    Path("odd.csv").write_text(HEADER.replace("date", "departure\x85day"))
    done = command("agency", "import", "odd.csv", "--agency", "SKY")
    assert "\x85" not in done.output
    Path("odd.csv").write_text(HEADER.strip() + ",colour\n")
    done = command("agency", "import", "odd.csv", "--agency", "SKY")
    assert "columns that are not read: colour" in done.stderr


def test_what_is_printed_is_harmless(founded: tuple[Command, Scene]) -> None:
    """Nothing that a terminal would obey comes out of a file into a report."""
    command, it = founded
    for name, text in (
        ("name.csv", row(it, surname="LOVE\u202eLACE")),
        ("bad.csv", row(it, date="\u2066tomorrow")),
    ):
        Path(name).write_text(HEADER + text)
        for more in ((), ("--csv",)):
            done = command("agency", "import", name, "--agency", "SKY", *more)
            assert "\\u20" in done.stdout
            assert done.stdout.isascii()


def test_an_import_that_ends_early(
    founded: tuple[Command, Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was done before an import ends early is told row by row and summed up: its status is 1,
    or 130 if it was interrupted from the keyboard."""
    command, it = founded
    Path("many.csv").write_text(HEADER + "".join(row(it, f"LOC{n}", n) for n in range(1, 251)))
    ends: list[tuple[type[BaseException], int]] = [
        (OSError, 1),
        (LedgerUnavailable, 1),
        (KeyboardInterrupt, INTERRUPTED),
    ]
    for error, status in ends:
        answered = 0

        async def dying(
            coalition: Coalition,
            caller: Caller,
            given: Any,
            error: type[BaseException] = error,
        ) -> Any:
            nonlocal answered
            answered += 1
            if answered > 150:
                raise error
            return await attach(coalition, caller, given)

        monkeypatch.setattr(agency_import, "attach", dying)
        done = command("agency", "import", "many.csv", "--agency", "SKY")
        lines = done.stdout.splitlines()
        assert (done.exit_code, done.stderr.count("error:")) == (status, 1)
        assert [line.split("\t")[0] for line in lines[:100]] == [str(n) for n in range(2, 102)]
        assert f"{len(lines)} rows: {len(lines)} a" in done.stderr


def test_an_interrupt(founded: tuple[Command, Scene], tmp_path: Path) -> None:
    """Ctrl-C tells what is settled, and the next time that is found again."""
    command, it = founded
    Path("many.csv").write_text(HEADER + "".join(row(it, f"LOC{n}", n) for n in range(1, 601)))
    arguments = ("agency", "import", "many.csv", "--agency", "SKY")
    with Path("told").open("w") as told, Path("errors").open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway", *arguments],
            env=environment(),
            cwd=tmp_path,
            stdout=told,
            stderr=errors,
        )
        while process.poll() is None and not Path("told").read_text():
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == INTERRUPTED
    lines = Path("told").read_text().splitlines()
    assert 0 < len(lines) < 600
    said = Path("errors").read_text().splitlines()[-2:]
    assert said == [f"{len(lines):,} rows: {len(lines):,} attached.", "error: interrupted"]
    done = command(*arguments)
    assert done.exit_code == 0
    fates = [line.split("\t")[3] for line in done.stdout.splitlines()]
    assert fates[: len(lines)] == ["already there"] * len(lines)
    assert len(fates) == 600


def test_printing_a_booking(founded: tuple[Command, Scene]) -> None:
    """A booking is printed as remarks, one to each airline of its flights, and what these cannot
    say is told beside them; as they are, they can be loaded again."""
    command, it = founded
    hotel = {"carrier": "", "program": "HOTEL", "number": it.ada.named["HOTEL"].number}
    rows = row(it), row(it, flight_carrier="GR", flight="5"), row(it, **hotel, flight="9")
    Path("good.csv").write_text(HEADER + "".join(rows))
    assert command("agency", "import", "good.csv", "--agency", "SKY").exit_code == 0
    number = it.ada.named["AERO"].number
    done = command("agency", "print", "ab12cd", "--agency", "SKY", "--as", "remark")
    assert (done.exit_code, done.stdout.splitlines()) == (
        0,
        [
            f"SSR FQTV AE HK1 AE{number}-1LOVELACE/BEA MS",
            f"SSR FQTV GR HK1 AE{number}-1LOVELACE/BEA MS",
        ],
    )
    assert (
        "LOVELACE at HOTEL, not said: no remark to AE: HOTEL has no airline's code" in done.stderr
    )
    Path("remarks").write_text(done.stdout)
    read = command("agency", "import", "remarks", "--agency", "SKY", "--verify-only")
    assert [line.split("\t")[2] for line in read.stdout.splitlines()] == ["MATCH"] * 2
    alone = ("agency", "print", "AB12CD", "--agency", "SKY", "--brand", "HOTEL")
    failed(command(*alone, "--as", "remark"), "nothing of AB12CD can be said")
    stays = ("agency", "print", "AB12CD", "--agency", "SKY", "--stays")
    failed(command(*stays, "--as", "remark"), "nothing of AB12CD can be said")
    failed(command("agency", "print", "ZZ", "--agency", "SKY", "--as", "ndc"), "ZZ")
    failed(command("agency", "print", "ZZ", "--agency", "NOWHERE", "--as", "ndc"), "NOWHERE")
    failed(command("agency", "print", "AB12CD", "--agency", "SEA", "--as", "ndc"), "AB12CD")


def test_what_has_ended_is_not_printed(founded: tuple[Command, Scene]) -> None:
    """A number that was taken from a booking is no longer printed with it."""
    command, it = founded
    Path("good.csv").write_text(HEADER + row(it))
    assert command("agency", "import", "good.csv", "--agency", "SKY").exit_code == 0

    async def take_away() -> None:
        made = await open_coalition(read_settings().database)
        try:
            (booking,) = await bookings(made, it.sky)
            await detach(made, it.sky, booking.id, None, "over")
        finally:
            await made.close()

    asyncio.run(take_away())
    failed(command("agency", "print", "AB12CD", "--agency", "SKY", "--as", "remark"), "AB12CD")


@pytest.mark.parametrize("form", ["ndc", "opentravel"])
def test_printing_a_message(founded: tuple[Command, Scene], form: str) -> None:
    """A message has one number and its flights, and can be loaded; what it leaves out is told."""
    command, it = founded
    who = f"HOTEL,{it.ada.named['HOTEL'].number},Lovelace,Bea"
    day, after = LAST_WEEK, LAST_WEEK + timedelta(days=2)
    Path("good.csv").write_text(
        "program,number,surname,given_name,record_locator,flight,operating_carrier,operating_flight,"
        "class,fare_basis,ticket,origin,destination,date,property,check_in,check_out,chain\n"
        f"{who},AB12CD,GR6135,AE,117,J,JFLEX,,LIS,LHR,{day},,,,\n"
        f"{who},EF34GH,,,,,,,,,,Lisbon 1,{day},{after},HOTEL\n"
        f"AERO,{it.ada.named['AERO'].number},Lovelace,Bea,AB12CD,AE9,,,,,,LIS,,{day},,,,\n"
    )
    assert command("agency", "import", "good.csv", "--agency", "SKY").exit_code == 0
    of = ("agency", "print", "--agency", "SKY", "--as", form)
    failed(command(*of, "AB12CD"), "Lovelace at HOTEL, Lovelace at AERO")
    done = command(*of, "AB12CD", "--brand", "HOTEL", "--surname", "lovelace")
    assert (done.exit_code, "not said" in done.stderr) == (0, False)
    Path("message.xml").write_text(done.stdout)
    loaded = command("agency", "import", "message.xml", "--agency", "SKY", "--again")
    told = loaded.stdout.split("\t")[2:]
    assert told == ["MATCH", "already there", "\n"]
    mixed = f"{who},IJ56KL,AE3,,,,,,LIS,,{day},Porto 2,{day},{after},HOTEL\n"
    Path("mixed.csv").write_text(Path("good.csv").read_text().splitlines()[0] + "\n" + mixed)
    assert command("agency", "import", "mixed.csv", "--agency", "SKY").exit_code == 0
    done = command(*of, "IJ56KL")
    assert (done.exit_code, "PORTO" in done.stdout) == (0, False)
    assert "Lovelace at HOTEL, not said: the stay PORTO 2" in done.stderr
    stays = command(*of, "IJ56KL", "--stays")
    if form == "ndc":
        failed(stays, "nothing of IJ56KL")
    else:
        Path("message.xml").write_text(stays.stdout)
        loaded = command("agency", "import", "message.xml", "--agency", "SKY")
        assert f"PORTO 2 {day}..{after}\tMATCH\tattached" in loaded.stdout


def test_the_report(founded: tuple[Command, Scene]) -> None:
    """It has a line for flights, stays and claims of each brand, with what became of them."""
    command, it = founded
    Path("good.csv").write_text(HEADER + row(it) + row(it, flight=118))
    assert command("agency", "import", "good.csv", "--agency", "SKY").exit_code == 0
    period = ("--from", LAST_WEEK.isoformat(), "--to", LAST_WEEK.isoformat())
    done = command("agency", "report", "--agency", "SKY", *period, "--csv")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[:3] == ["brand,of,became,count", "AERO,flights,all,2", "AERO,flights,pending,2"]
    assert "AERO,flights,credited,0" in lines
    assert len(lines) == 1 + 2 * (1 + len(SegmentStatus)) + 1 + len(ClaimStatus)
    done = command("agency", "report", "--agency", "SKY", *period)
    assert done.stdout == "AERO\tflights\tall\t2\nAERO\tflights\tpending\t2\n"
    failed(command("agency", "report", "--agency", "NOWHERE", *period), "NOWHERE")
