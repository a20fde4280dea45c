"""What the page for agencies shows, done with the demo coalition."""

import asyncio
import gzip
import re
from pathlib import Path

import pytest

from gateway.demo import coalition as demo
from gateway.demo.cast import AGENCY, PURCHASES
from gateway.settings import read_settings
from tests.gateway.test_cli import Command, coalition
from tests.house.tree import ROOT

__all__ = ["coalition"]

PAGE = (ROOT / "docs" / "agencies.md").read_text(encoding="utf-8")
FILES = (ROOT / "docs" / "agency-files.md").read_text(encoding="utf-8")


@pytest.fixture
def shown(coalition: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command, over the demo coalition without most of its purchases."""
    with gzip.open(PURCHASES) as whole:
        lines = whole.readline() + whole.readline()
    (tmp_path / "few.csv.gz").write_bytes(gzip.compress(lines))
    monkeypatch.setattr(demo, "PURCHASES", tmp_path / "few.csv.gz")
    asyncio.run(demo.prepare(read_settings()))
    return coalition


def commands(section: str) -> list[tuple[list[str], str]]:
    """The commands that a section shows, each with what it is shown to print."""
    found = re.findall(r"```sh\ncoalition ([^\n]*)\n```\n+```[a-z]*\n(.*?)```", section, re.S)
    return [(line.split(), said) for line, said in found]


def test_the_commands_print_what_is_shown(shown: Command) -> None:
    """The sample file, loaded into the demo coalition, is told as the page has it, and so are its
    bookings and the report."""
    loading = FILES.split("## Loading a file")[1]
    Path("bookings.csv").write_text(loading.split("```csv\n")[1].split("```")[0])
    steps = commands(loading) + commands(PAGE.split("## The agency's report")[1].split("\n## ")[0])
    assert [arguments[1] for arguments, _ in steps] == ["import", "import", "print", "report"]
    for arguments, said in steps:
        done = shown(*arguments)
        assert AGENCY.code in arguments
        printed, told = done.stdout.splitlines(), done.stderr.splitlines()
        assert [line for line in [*printed, *told] if "..." not in line] == said.splitlines()


def test_a_number_that_is_shown_is_somebodys(shown: Command) -> None:
    """The numbers and names on the page match in the demo coalition."""
    named = re.findall(
        r'number: "([^"]+)", surname: "([^"]+)", givenName: "([^"]+)"'
        r'|passenger: \{surname: "([^"]+)", givenName: "([^"]+)"\}\s+'
        r'loyalty: \{brand: "AERO", number: "([^"]+)"\}'
        r'|loyalty: \{brand: "AERO", number: "([^"]+)"\}\s+'
        r'traveller: \{surname: "([^"]+)", givenName: "([^"]+)"\}',
        PAGE,
    )
    lines = []
    for a, b, c, d, e, f, g, h, i in named:
        lines.append(f"AERO,{a or f or g},{b or d or h},{c or e or i}\n")
    assert len(lines) == 3
    Path("named.csv").write_text("program,number,surname,given_name\n" + "".join(lines))
    done = shown("agency", "import", "named.csv", "--agency", AGENCY.code, "--verify-only")
    assert [line.split("\t")[2] for line in done.stdout.splitlines()] == ["MATCH"] * 3
