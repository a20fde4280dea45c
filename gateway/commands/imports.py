"""`coalition import`: data from files."""

from pathlib import Path
from typing import Annotated

import typer

from gateway import console
from gateway.files.purchase_import import Counts, import_purchases, open_purchases
from gateway.running import opened, run
from gateway.settings import read_settings

imports = typer.Typer(help="Data from files.", no_args_is_help=True, rich_markup_mode=None)


@imports.callback()
def _group() -> None:
    """Data from files."""


@imports.command(name="purchases")
def purchases(
    file: Annotated[Path, typer.Argument(help="The CSV file; it may be compressed with gzip.")],
    brand: Annotated[str, typer.Option(help="The code of the brand whose purchases they are.")],
    enrol: Annotated[
        bool,
        typer.Option(
            "--enrol/--no-enrol",
            help="Make customers that the brand has not named before its members, or count their "
            "lines as bad.",
        ),
    ] = True,
) -> None:
    """Load purchases from a CSV file (UTF-8, one line a purchase): 1 point per whole dollar.

    \b
    The first line names the columns, in any order; others are ignored.
      customer   the brand's own name for the customer
      number     her loyalty number at the brand; one of the two is needed
      date       1997-12-31, 19971231, or a time with its offset;
                 without one it is the brand's time zone's
      amount     in the settlement currency: 11.77
      reference  the purchase's own number, if it has one
    For example:
      customer,date,reference,amount
      00001,1997-01-01,R-1007,11.77

    A purchase is known by its brand and reference; without a reference, by its customer, date and
    amount, and how often the file has had the same before. So a file can be loaded again, after an
    interruption too, and nothing counts twice.

    Bad lines are named on standard error, and the others loaded; the exit status is 1 then.
    """
    counts = run(_purchases(file, brand, enrol=enrol))
    if counts.bad or counts.refused:
        raise typer.Exit(1)


async def _purchases(path: Path, brand: str, *, enrol: bool) -> Counts:
    with open_purchases(path) as file:
        async with opened(read_settings()) as coalition:
            with console.progress(f"Loading {path.name}", file.size) as advance:
                counts = await import_purchases(
                    coalition,
                    brand,
                    file,
                    enrol=enrol,
                    complain=lambda line, why: console.note(f"line {line}: {why}"),
                    advance=advance,
                )
    console.table(
        ("", "purchases"),
        [
            ("loaded", f"{counts.loaded:,}"),
            ("already there", f"{counts.already_there:,}"),
            ("no points (less than one whole unit)", f"{counts.no_points:,}"),
            ("refused", f"{counts.refused:,}"),
            ("bad", f"{counts.bad:,}"),
        ],
    )
    console.say(f"{counts.points:,} points were credited.")
    return counts
