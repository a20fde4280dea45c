"""What the command line says: results to standard output, progress and errors to standard error.

On a terminal there are colours, tables and moving bars. Anywhere else everything is plain lines,
and nothing moves.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
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
    """Rows under headings; away from a terminal, columns separated by tabs, without headings."""
    if not out.is_terminal:
        for row in rows:
            typer.echo("\t".join(row))  # rich would make spaces of the tabs
        return
    drawn = Table(box=None, pad_edge=False)
    for column in columns:
        drawn.add_column(column, header_style="bold")
    for row in rows:
        drawn.add_row(*map(escape, row))
    out.print(drawn)


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
