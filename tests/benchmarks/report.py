"""What came out: medians beside the baseline of the same run, as a table and as JSON."""

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from tests.benchmarks.load import Figures, median


class Cell(NamedTuple):
    """What was measured: on which database, which way in, what work, how many in flight."""

    database: str
    way: str
    work: str
    in_flight: int


BASELINE = ("postgresql", "pgbench", "transfer")


class Report:
    """Collects runs and shows their medians."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = settings
        self._runs: dict[Cell, list[Figures]] = {}

    def add(self, cell: Cell, figures: Figures) -> None:
        """Notes one run."""
        self._runs.setdefault(cell, []).append(figures)

    def show(self, console: Console) -> None:
        """Prints a table: a row for each kind of work, a column for each number in flight."""
        medians = {cell: median(runs) for cell, runs in self._runs.items()}
        in_flight = sorted({cell.in_flight for cell in medians})
        best = max((f.rate for c, f in medians.items() if c[:3] == BASELINE), default=None)
        alone = medians.get(Cell(*BASELINE, 1))
        table = Table(title="Acknowledged operations a second; p50 / p99 in milliseconds")
        for name in ("database", "way", "work"):
            table.add_column(name, no_wrap=True)
        for number in in_flight:
            table.add_column(f"{number} in flight", justify="right", no_wrap=True)
        table.add_column("best / best\nof pgbench", justify="right", no_wrap=True)
        table.add_column("p50 alone /\npgbench's", justify="right", no_wrap=True)
        for row in dict.fromkeys(cell[:3] for cell in medians):
            ours = {n: medians.get(Cell(*row, n)) for n in in_flight}
            beside = row[0] == BASELINE[0]  # the same server, or it is no comparison
            first = ours.get(1) if beside else None
            top = max(f.rate for f in ours.values() if f) if beside else None
            table.add_row(
                *row,
                *(_text(figures) for figures in ours.values()),
                _ratio(top, best),
                _ratio(first.p50 if first else None, alone.p50 if alone else None),
            )
        console.print(table)

    def write(self, path: Path) -> None:
        """Writes every run and the medians as JSON."""
        cells = [
            {
                **cell._asdict(),
                **asdict(median(runs)),
                "runs": [asdict(figures) for figures in runs],
            }
            for cell, runs in self._runs.items()
        ]
        machine = {"cpus": os.cpu_count(), "python": platform.python_version()}
        text = json.dumps(
            {"settings": self._settings, "machine": machine, "cells": cells}, indent=1
        )
        path.write_text(text + "\n")


def _text(figures: Figures | None) -> str:
    if figures is None:
        return ""
    return f"{figures.rate:,.0f}\n[dim]{figures.p50:.2f} / {figures.p99:.2f}[/dim]"


def _ratio(ours: float | None, theirs: float | None) -> str:
    return f"{ours / theirs:.2f}" if ours and theirs else ""
