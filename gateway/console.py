"""What the command line says: results to standard output, progress and errors to standard error.

On a terminal there are colours, tables and moving bars. Anywhere else everything is plain lines,
and nothing moves.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TypeAlias

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

Advance: TypeAlias = Callable[[int], None]
"""Told how much more is done."""

MIN_TABLE = 80
"""Columns of a terminal; on a narrower one, tables are lines."""

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)


def say(text: str) -> None:
    """A line of result, exactly as it is."""
    out.out(text, highlight=False)


def note(text: str) -> None:
    """A line on how the work is going."""
    err.out(text, highlight=False)


def fail(text: str) -> None:
    """The one line that says what went wrong."""
    err.print(f"[bold red]error:[/] {escape(text)}")


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Rows under headings; away from a terminal, and on one that is narrow, columns separated by
    tabs, without headings."""
    if not _has_tables():
        _lines(rows)
        return
    drawn = Table(box=None, pad_edge=False)
    for column in columns:
        drawn.add_column(column, header_style="bold")
    for row in rows:
        drawn.add_row(*map(escape, row))
    out.print(drawn)


class Listing:
    """A table of which the rows come some at a time. Each column has a width, and, where that is 0,
    so many parts of what is left; long values are folded."""

    def __init__(self, columns: Sequence[tuple[str, int, int]]) -> None:
        self._columns = columns
        self._has_begun = False

    def add(self, rows: Sequence[Sequence[str]]) -> None:
        """Prints more of them."""
        if not rows or not _has_tables():
            _lines(rows)
            return
        show = not self._has_begun
        self._has_begun = True
        drawn = Table(box=None, pad_edge=False, expand=True, show_header=show)
        for name, width, parts in self._columns:
            drawn.add_column(
                name,
                header_style="bold",
                overflow="fold",
                width=width or None,
                ratio=parts or None,
            )
        for row in rows:
            drawn.add_row(*map(escape, row))
        out.print(drawn, soft_wrap=False)


def _has_tables() -> bool:
    return out.is_terminal and out.width >= MIN_TABLE


def _lines(rows: Sequence[Sequence[str]]) -> None:
    for row in rows:
        typer.echo("\t".join(row))  # rich would make spaces of the tabs


class OutputLost(Exception):
    """Standard output takes nothing more; the text says why."""

    def __init__(self, error: OSError) -> None:
        super().__init__(f"standard output: {error.strerror or error}")
        self.is_closed = isinstance(error, BrokenPipeError)
        """Whether its reader has gone, as `head` does when it has enough."""


@contextmanager
def printing() -> Iterator[None]:
    """What is printed inside is out at the end. Raises `OutputLost`; what is printed after that is
    lost, and that is no failure."""
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        with suppress(OSError, ValueError):  # one that is no file has no number
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise OutputLost(error) from None


@contextmanager
def progress(what: str, total: int | None, *, unit: str = "") -> Iterator[Advance]:
    """A bar that goes from 0 to `total`, if that is known; away from a terminal, one line that says
    what is done."""
    if not err.is_terminal:
        note(f"{what} ...")
        yield lambda _: None
        return
    count = (MofNCompleteColumn(), TextColumn(unit)) if unit else (TaskProgressColumn(),)
    columns = (TextColumn("{task.description}"), BarColumn(), *count)
    clock = (TimeElapsedColumn(), TextColumn("elapsed,"), TimeRemainingColumn(), TextColumn("left"))
    # What is printed meanwhile goes where it belongs, and not through the bar.
    with Progress(*columns, *clock, console=err, transient=False, redirect_stdout=False) as bar:
        task = bar.add_task(escape(what), total=total)
        yield lambda more: bar.advance(task, more)
