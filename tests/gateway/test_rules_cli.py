"""`coalition rules`: what it publishes, what it prints, and that it is all or nothing."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from brands.coalition import open_coalition
from gateway.settings import read_settings
from tests.brands.stage import open_brand
from tests.gateway.test_cli import Command, coalition, failed

__all__ = ["coalition"]

FIRST = """
[[rule]]
from = "STAY"
to = "AERO"
ratio = "3:1"
minimum = 1000
increment = 3
fee = {per_point = "0.0006", cap = "99.00"}

[[rule]]
from = "AERO"
to = "AERO"
minimum = 500
"""


@pytest.fixture
def founded(coalition: Command) -> Command:
    """The command, and a coalition of three brands."""
    assert coalition("migrate").exit_code == 0

    async def brands() -> None:
        opened = await open_coalition(read_settings().database)
        try:
            for code, rates in (
                ("AERO", ("0.01", "0.0115", "0.008", "0.0105")),
                ("STAY", ("0.012", "0.013", "0.0105", "0.0125")),
                ("TUNE", "0.02"),
            ):
                await open_brand(opened, code, rates)
        finally:
            await opened.close()

    asyncio.run(brands())
    return coalition


def published() -> int:
    """How many rules were ever published."""
    with closing(sqlite3.connect("var/coalition.db")) as database:
        count: int = database.execute("SELECT count(*) FROM transfer_rules").fetchone()[0]
        return count


def write(text: str) -> str:
    """A file with this text."""
    Path("rules.toml").write_text(text)
    return "rules.toml"


def lines(text: str) -> list[str]:
    """Lines, but not when rules begin."""
    return [line for line in text.splitlines() if not line.startswith("    from 20")]


def test_new_rules(founded: Command) -> None:
    """Rules for pairs that have none are published and told with all their fields; applied again,
    the file changes nothing."""
    file = write(FIRST)
    done = founded("rules", "apply", file)
    assert done.exit_code == 0
    assert lines(done.stdout) == [
        "+ STAY -> AERO",
        "    ratio: 3:1",
        "    minimum: 1,000",
        "    increment: 3",
        "    fee.per_point: 0.0006",
        "    fee.cap: 99",
        "+ AERO -> AERO",
        "    minimum: 500",
        "2 new, 0 changed, 0 unchanged.",
    ]
    assert published() == 2
    again = founded("rules", "apply", file)
    assert (again.exit_code, again.stdout) == (0, "0 new, 0 changed, 2 unchanged.\n")
    assert published() == 2


def test_what_changes(founded: Command) -> None:
    """A rule in place of another is told by what differs, and the rules that the file does not
    name are left as they are."""
    founded("rules", "apply", write(FIRST))
    changed = FIRST.replace("minimum = 1000", "minimum = 3000").replace('cap = "99.00"', "flat = 1")
    stay = changed.partition('\n[[rule]]\nfrom = "AERO"')[0]
    done = founded("rules", "apply", write(stay))
    assert lines(done.stdout) == [
        "~ STAY -> AERO",
        "    minimum: 1,000 -> 3,000",
        "    fee.flat: none -> 1",
        "    fee.cap: 99 -> none",
        "  AERO -> AERO: left as it is",
        "0 new, 1 changed, 0 unchanged.",
    ]
    assert published() == 3
    assert "minimum = 500" in founded("rules", "show").stdout


def test_a_dry_run(founded: Command) -> None:
    """A dry run says what would change, and that nothing did."""
    file = write(FIRST)
    dry = founded("rules", "apply", file, "--dry-run")
    assert (dry.exit_code, published()) == (0, 0)
    wet = founded("rules", "apply", file)
    assert lines(dry.stdout) == [
        *lines(wet.stdout),
        "This was a dry run: nothing was published.",
    ]


@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_all_or_nothing(founded: Command, dry: tuple[str, ...]) -> None:
    """If anything is wrong with one rule, all of that is told, and no rule is published."""
    file = write(FIRST + '[[rule]]\nfrom = "TUNE"\nto = "NONE"\nminimun = 5\n')
    done = founded("rules", "apply", file, *dry)
    failed(done, "rules.toml: 2 problems; nothing was published")
    assert done.stderr.splitlines()[:-1] == [
        'rule 3 (line 14), to: there is no brand "NONE"; there are AERO, STAY, TUNE',
        "rule 3 (line 14), minimun: no such field; perhaps minimum",
    ]
    assert (done.stdout, published()) == ("", 0)


def test_what_the_domain_refuses(founded: Command) -> None:
    """A rule that the domain refuses is told by its number, its line and the names of the file."""
    file = write(FIRST + '[[rule]]\nfrom = "TUNE"\nto = "AERO"\neffective_from = 2020-01-01\n')
    done = founded("rules", "apply", file)
    failed(done, "rules.toml: 1 problem; nothing was published")
    assert done.stderr.startswith("rule 3 (line 14), effective_from: A rule cannot begin in")
    assert published() == 0
    file = write(FIRST.replace("minimum = 500", "minimum = 0"))
    done = founded("rules", "apply", file)
    assert done.stderr.startswith("rule 2 (line 10), minimum: ")
    assert published() == 0


def test_points_are_not_multiplied(founded: Command) -> None:
    """A file by which points could be multiplied is refused: it shows the way round, what comes of
    it, and what would be allowed."""
    file = write('[[rule]]\nfrom = "AERO"\nto = "STAY"\nratio = "1:2"\n')
    done = founded("rules", "apply", file)
    failed(done, "nothing was published")
    told = done.stderr.splitlines()[0]
    assert "AERO -> STAY -> AERO turns 1 point into 2" in told or "STAY -> AERO -> STAY" in told
    assert told.startswith("rule 1 (line 1): Points could be multiplied: ")
    assert "allow_cycle = true" in told
    assert published() == 0
    file = write(Path(file).read_text() + 'sponsor = "STAY"\nallow_cycle = true\n')
    assert founded("rules", "apply", file).exit_code == 0
    assert published() == 1


def test_shown_and_applied(founded: Command) -> None:
    """What is shown can be edited and applied: unedited it changes nothing, edited just that."""
    more = '[[rule]]\nfrom = "AERO"\nto = "AERO"\nhousehold = true\nlot_expiry = "FRESH"\n'
    future = '[[rule]]\nfrom = "TUNE"\nto = "AERO"\nclosed = true\neffective_from = 2099-01-01\n'
    founded("rules", "apply", write(FIRST + more + future))
    shown = founded("rules", "show").stdout
    assert shown.count("[[rule]]") == 3
    assert "TUNE" not in shown
    assert founded("rules", "apply", write(shown)).stdout == "0 new, 0 changed, 3 unchanged.\n"
    edited = founded("rules", "apply", write(shown.replace("1000", "2000")))
    assert lines(edited.stdout) == [
        "~ STAY -> AERO",
        "    minimum: 1,000 -> 2,000",
        "0 new, 1 changed, 2 unchanged.",
    ]


def test_a_part_is_shown(founded: Command) -> None:
    """Rules are shown by the brands between which they are; where there are none, none."""
    assert founded("rules", "show").stdout == "# no rules\n"
    assert founded("rules", "apply", write("# no rules\n")).exit_code == 0
    founded("rules", "apply", write(FIRST))
    for arguments, count in (
        (("--from", "AERO"), 1),
        (("--to", "AERO"), 2),
        (("--from", "STAY", "--to", "AERO"), 1),
        (("--from", "TUNE"), 0),
    ):
        assert founded("rules", "show", *arguments).stdout.count("[[rule]]") == count
    failed(founded("rules", "show", "--from", "NONE"), "There is no brand NONE")


def test_files_that_are_none(founded: Command) -> None:
    """A file that is not there, is a directory or no TOML: one line of error."""
    failed(founded("rules", "apply", "none.toml"), "none.toml: No such file")
    failed(founded("rules", "apply", "."), "Is a directory")
    done = founded("rules", "apply", write("[[rule"))
    failed(done, "rules.toml: 1 problem")
    assert done.stderr.startswith("not TOML: ")
