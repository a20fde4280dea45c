"""What is printed of an agency's file while it is loaded: a line for each row, and a summary."""

import csv
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext

from gateway import console
from gateway.files.import_rows import Report, journey_of

_COLUMNS = (
    ("line", 7, 0),
    ("row", 0, 2),
    ("number", 14, 0),
    ("result", 13, 0),
    ("why", 0, 1),
)
_OF_CSV = (
    "line", "program", "number", "surname", "given_name", "record_locator", "what", "status",
    "result", "why",
)  # fmt: skip


class ToldRows:
    """What was told of rows. They are printed as they come, and only counted."""

    def __init__(self, *, as_csv: bool) -> None:
        self.is_good = True
        self._as_csv = as_csv
        self._has_begun = False
        self._listing = console.Listing(_COLUMNS)
        self._counts: Counter[str] = Counter()

    def rows(self, reports: Sequence[Report]) -> None:
        """Prints some. Raises `console.OutputLost`, once: what is printed after that is lost."""
        self._counts.update(each.fate.value for each in reports)
        self.is_good = self.is_good and all(each.is_good for each in reports)
        with console.printing():
            self._print(reports)

    def summary(self) -> str:
        """All of them in one line."""
        fates = ", ".join(f"{n:,} {fate}" for fate, n in self._counts.items())
        return f"{self._counts.total():,} rows{fates and ': '}{fates}."

    def _print(self, reports: Sequence[Report]) -> None:
        if self._as_csv:
            heading = () if self._has_begun else (_OF_CSV,)
            self._has_begun = True
            write_csv((*heading, *map(_values, reports)))
        else:
            self._listing.add([[printable(cell) for cell in _cells(each)] for each in reports])


def progress(what: str) -> AbstractContextManager[console.Advance]:
    """A bar; where the rows come out on a terminal, they are that."""
    if console.out.is_terminal:
        return nullcontext(lambda _: None)
    return console.progress(what, None, unit="rows")


def write_csv(rows: Iterable[Sequence[str]]) -> None:
    """Prints rows of CSV."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerows([printable(cell) for cell in row] for row in rows)


def printable(text: str) -> str:
    """A text from a stranger's file, harmless to a terminal."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


def _cells(report: Report) -> Sequence[str]:
    status = report.status or ""
    return str(report.line), report.understood, status, report.fate.value, report.why


def _values(report: Report) -> Sequence[str]:
    """Of the columns of CSV."""
    element = report.element
    read = [""] * 6
    if element is not None:
        said = (
            element.program or element.carrier,
            element.number,
            element.surname,
            element.given_name,
            element.record_locator,
            "; ".join(journey_of(element)),
        )
        read = [each or "" for each in said]
    return str(report.line), *read, report.status or "", report.fate.value, report.why
